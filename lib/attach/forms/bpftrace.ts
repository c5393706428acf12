import type { Abi } from '../../abi/abi.js';
import type { Part } from '../../abi/pass.js';
import type { Value } from '../../abi/value.js';
import type { ProbeKind, RecipeFacts } from '../recipe.js';
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
  const { module, symbol, offset, listed } = place;
  if (symbol !== undefined && offset === 0n) {
    if (module === undefined) return `bpftrace -e '${probe}:${symbol} ${body}'`;
    // With a module, since 0.20, it looks the name up in available_filter_functions.
    if (listed === true) return `bpftrace -e '${probe}:${module}:${symbol} ${body}'`;
  }
  // bpftrace takes no offset beyond the symbol's end; an address, since 0.25, with --unsafe.
  const line = `$3=="${symbol}"${module === undefined ? '' : `&&$4=="[${module}]"`}`;
  const address =
    symbol === undefined
      ? `0x${offset.toString(16)}`
      : `'$(printf 0x%x $((0x$(awk '${line}{print $1;exit}' /proc/kallsyms)+0x${offset.toString(16)})))'`;
  return `bpftrace --unsafe -e '${probe}:${address} ${body}'`;
}

/** For bpftrace, through a trampoline and the BTF of a module: `fentry:MOD:NAME { printf(…) }`. Arguments have their types; structs are not printed. */
export function bpftraceFentryLine(name: string, module: string, { arguments: all }: Signature): string {
  const printed = all.flatMap(({ name, value }) =>
    value.kind === 'struct' || value.kind === 'void' ? [] : [print(name, value, `args.${name}`, true)],
  );
  return `bpftrace -e 'fentry:${module}:${name} ${bodyOf(printed)}'`;
}

function bodyOf(printed: readonly Printed[]): string {
  const formats = ['%s', ...printed.map(({ format }) => format)].join(' ');
  return `{ printf("${formats}\\n", ${['comm', ...printed.map(({ expression }) => expression)].join(', ')}); }`;
}

function printedArgument(abi: Abi, { name, value, passing, field, fetch }: AttachArgument): Printed[] {
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

/** argN for a register, sargN for a place on the stack, both from 0. */
function placeOf(abi: Abi, part: Part): string {
  return 'register' in part ? `arg${part.register}` : `sarg${part.stack - abi.firstStack}`;
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
