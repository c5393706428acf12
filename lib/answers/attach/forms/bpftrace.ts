import type { CallingConvention } from '../../../arch/calling-convention.js';
import type { Part } from '../../../arch/pass.js';
import type { Value } from '../../../arch/value.js';
import type { ProbePlace } from '../place.js';
import type { ProbeKind, RecipeFacts } from '../recipe-facts.js';
import type { AttachArgument, Signature } from '../signature.js';

/** One printed value: its format, and the expression. */
interface Printed {
  readonly format: string;
  readonly expression: string;
}

/** For bpftrace: `kprobe:NAME { printf(…) }`. */
export function bpftraceLine(facts: RecipeFacts, kind: ProbeKind): string {
  const { abi, signature, place } = facts;
  const body = bodyOf(
    abi === undefined || signature === undefined
      ? []
      : kind === 'entry'
        ? signature.arguments.flatMap(argument => printedArgument(abi, argument))
        : printedResult(signature.result.value, signature.result.fetch.length > 0),
  );
  const probe = kind === 'entry' ? 'kprobe' : 'kretprobe';
  const { module, symbol, offset, alone = true } = place;
  const of = module === undefined ? '' : `${module}:`;
  if (symbol !== undefined && offset === 0n && alone && isFound(place)) return `bpftrace -e '${probe}:${of}${symbol} ${body}'`;
  // It takes no offset beyond the symbol's end; an address, since 0.25, with --unsafe.
  return `bpftrace --unsafe -e '${probe}:${addressOf(place)} ${body}'`;
}

/**
 * bpftrace looks names up in available_filter_functions, and since 0.25 refuses what it does not find; it leaves parts that were split off
 * out (0.27).
 */
function isFound({ symbol = '', listed = true }: ProbePlace): boolean {
  return listed && !/\.(?:part|cold)\b/.test(symbol);
}

/** The address on this boot: worked out by the shell. */
function addressOf({ module, symbol, offset }: ProbePlace): string {
  const distance = `0x${offset.toString(16)}`;
  if (symbol === undefined) return distance;
  const line = `$3=="${symbol}"${module === undefined ? '' : `&&$4=="[${module}]"`}`;
  if (offset === 0n) return `'$(awk '${line}{print "0x"$1;exit}' /proc/kallsyms)'`;
  return `'$(printf 0x%x $((0x$(awk '${line}{print $1;exit}' /proc/kallsyms)+${distance})))'`;
}

/**
 * Pointers that the verifier lets a tracing program read in every kernel: to structs and void, and strings; to other integers since
 * bb6728d75611 (6.3) (btf_ctx_access()).
 */
const READABLE = /^(?:(?:const|volatile) )*(?:(?:struct|union) \w+|void) \*$/;

/**
 * For bpftrace, through a trampoline and the BTF of a module: `fentry:MOD:NAME { printf(…) }`. Arguments have their types; structs are not
 * printed.
 */
export function bpftraceFentryLine(name: string, module: string, all: Signature['arguments']): string {
  const printed = all.flatMap(({ name, type, value }) => {
    const readable = value.kind === 'integer' || (value.kind === 'pointer' && (value.to === 'char' || READABLE.test(type)));
    return readable ? [print(name, value, `args.${name}`, true)] : [];
  });
  return `bpftrace -e 'fentry:${module}:${name} ${bodyOf(printed)}'`;
}

function bodyOf(printed: readonly Printed[]): string {
  const formats = ['%s', ...printed.map(({ format }) => format)].join(' ');
  return `{ printf("${formats}\\n", ${['comm', ...printed.map(({ expression }) => expression)].join(', ')}); }`;
}

function printedArgument(abi: CallingConvention, { name, value, passing, field, fetch }: AttachArgument): Printed[] {
  if (fetch.length === 0) return [];
  if (field !== undefined) return [print(name, value, `((struct pt_regs *)arg0)->${field}`, value.kind === 'pointer' && value.constant)];
  const { parts, byPointer } = passing!;
  const [first] = parts;
  if (byPointer) return [{ format: `${name}=%lx`, expression: `*(uint64 *)${placeOf(abi, first!)}` }];
  const single = value.kind === 'struct' ? value.only : value;
  if (parts.length === 1 && single !== undefined) return [print(name, single, placeOf(abi, first!), true)];
  return parts.map((part, i) => ({ format: `${name}_${i * abi.wordSize}=%lx`, expression: placeOf(abi, part) }));
}

function printedResult(value: Value, found: boolean): Printed[] {
  if (!found) return [];
  return value.kind === 'struct' ? [{ format: 'ret=%lx', expression: 'retval' }] : [print('ret', value, 'retval', true)];
}

/** argN for a register; a place on the stack by the stack pointer: bpftrace had sargN up to 0.24. */
function placeOf(abi: CallingConvention, part: Part): string {
  if ('register' in part) return `arg${part.register}`;
  return `*(uint${abi.wordSize * 8} *)(reg("${abi.stackPointer.name.replace(/^gpr/, 'r')}") + ${part.stack * abi.wordSize})`;
}

function print(name: string, value: Value, expression: string, strings: boolean): Printed {
  if (value.kind === 'pointer' && value.to === 'char' && strings) {
    return { format: `${name}=%s`, expression: value.user ? `str(uptr(${expression}))` : `str(${expression})` };
  }
  if (value.kind !== 'integer') return { format: `${name}=0x%lx`, expression };
  const { size, signed, hex } = value;
  const cast = size >= 8 && !signed ? expression : `(${signed ? 'int' : 'uint'}${Math.min(8, size) * 8})${expression}`;
  return { format: `${name}=${hex ? '0x%lx' : signed ? '%ld' : '%lu'}`, expression: cast };
}
