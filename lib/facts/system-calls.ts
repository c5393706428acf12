import type { Btf } from '../../btf/btf.js';
import type { Memory } from '../../elf/memory.js';
import { textAt } from '../image/text-at.js';
import type { KernelFacts } from './kernel-facts.js';
import { calls } from './syscall-events.js';

/** A system call that the kernel has. */
export interface SystemCall {
  /** As in its SYSCALL_DEFINE: `openat`. */
  readonly name: string;
  /** Its number in `sys_call_table`, the lowest; absent where that table is not read. */
  readonly number?: number;
  /** Its parameters in C: `int dfd, const char * filename, …`; absent without CONFIG_FTRACE_SYSCALLS. */
  readonly arguments?: readonly string[];
}

const PREFIX = /^sys_/;
const MOST_ARGUMENTS = 6;
const MOST_CALLS = 4096;

/**
 * The system calls of a kernel: those that `sys_call_table` leads to, and what is known of their parameters; where that table is not read, those
 * that a SYSCALL_DEFINE left metadata of.
 */
export function systemCalls(kernel: KernelFacts): SystemCall[] {
  const described = argumentsOf(kernel);
  const numbers = numbersOf(kernel);
  if (numbers === undefined) return [...described].map(([name, list]) => ({ name, arguments: list }));
  return [...numbers].map(([name, number]) => {
    const list = described.get(name);
    return { name, number, ...(list === undefined ? {} : { arguments: list }) };
  });
}

/** The lowest number of each call that is built: COND_SYSCALL stands for the others by weak functions. */
function numbersOf(kernel: KernelFacts): Map<string, number> | undefined {
  const prefix = kernel.arch.syscalls.table;
  if (prefix === undefined || kernel.symbolsMissing !== undefined) return undefined;
  const { pieces, symbols } = kernel;
  const functions = new Map<string, bigint>();
  for (const row of symbols.rowsWith(prefix)) {
    const name = symbols.name(row);
    const weak = (symbols.type[row]! | 0x20) === WEAK;
    if (name.startsWith(prefix)) functions.set(`${weak ? WEAKLY : ''}${name.slice(prefix.length)}`, symbols.address.big[row]!);
  }
  const entries = calls(pieces, functions);
  if (entries === undefined) return undefined;
  const numbers = new Map<string, number>();
  for (const [number, names] of entries.entries()) {
    for (const name of names) if (!name.startsWith(WEAKLY) && !numbers.has(name)) numbers.set(name, number);
  }
  return numbers;
}

const WEAK = 'w'.charCodeAt(0);
/** Marks a weak function: no name begins so. */
const WEAKLY = ' ';

/** Where struct syscall_metadata keeps what is read of it. */
interface Layout {
  readonly name: number;
  readonly count: { readonly offset: number; readonly bits: number };
  readonly types: number;
  readonly args: number;
}

/**
 * `__syscalls_metadata`: pointers to struct syscall_metadata (include/trace/syscall.h). It is what the kernel makes the events of system calls
 * from.
 */
function argumentsOf({ image, pieces, btf }: KernelFacts): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  const start = pieces.labels('__start_syscalls_metadata');
  const stop = pieces.labels('__stop_syscalls_metadata');
  if (image === undefined || start === undefined || stop === undefined || stop < start) return found;
  const { memory } = image;
  const word = BigInt(memory.wordSize);
  const layout = layoutOf(btf, memory);
  const count = Number((stop - start) / word);
  if (count > MOST_CALLS) return found;
  for (let i = 0; i < count; i++) {
    const at = wordAt(memory, start + BigInt(i) * word);
    const name = at === undefined ? undefined : textOf(memory, at + BigInt(layout.name));
    const length = at === undefined ? undefined : countAt(memory, at + BigInt(layout.count.offset), layout.count.bits);
    if (name === undefined || length === undefined || length > MOST_ARGUMENTS) continue;
    const types = textsAt(memory, at! + BigInt(layout.types), length);
    const names = textsAt(memory, at! + BigInt(layout.args), length);
    if (types !== undefined && names !== undefined)
      found.set(
        name.replace(PREFIX, ''),
        types.map((type, i) => `${type} ${names[i]}`),
      );
  }
  return found;
}

/** By the kernel's own BTF, or as it was from 3.3 on. In 7.3 the count is a bit-field of the word that it was. */
function layoutOf(btf: Btf | undefined, { wordSize }: Memory): Layout {
  const id = btf?.find('syscall_metadata', 'STRUCT')[0];
  const type = id === undefined ? undefined : btf!.type(id);
  const at = new Map(type?.kind === 'STRUCT' ? type.members.map(member => [member.name, member]) : []);
  const offset = (name: string, otherwise: number): number => (at.has(name) ? at.get(name)!.bitOffset >>> 3 : otherwise);
  return {
    name: offset('name', 0),
    count: { offset: offset('nb_args', wordSize + 4), bits: at.get('nb_args')?.bitfieldSize ?? 0 },
    types: offset('types', wordSize + 8),
    args: offset('args', 2 * wordSize + 8),
  };
}

/** An int, or a bit-field at the beginning of a byte. */
function countAt(memory: Memory, address: bigint, bits: number): number | undefined {
  const length = bits === 0 ? 4 : 1;
  if (!memory.has(address, length)) return undefined;
  const bytes = memory.stored(address, length);
  if (bits > 0) return memory.littleEndian ? bytes[0]! & ((1 << bits) - 1) : bytes[0]! >> (8 - bits);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, memory.littleEndian);
}

/** The texts of an array of pointers that a pointer leads to; calls without parameters have none. */
function textsAt(memory: Memory, address: bigint, count: number): string[] | undefined {
  if (count === 0) return [];
  const list = wordAt(memory, address);
  if (list === undefined) return undefined;
  const texts = Array.from({ length: count }, (_, i) => textOf(memory, list + BigInt(i * memory.wordSize)));
  return texts.every(text => text !== undefined) ? texts : undefined;
}

/** The text that a pointer leads to. */
function textOf(memory: Memory, address: bigint): string | undefined {
  const at = wordAt(memory, address);
  return at === undefined ? undefined : textAt(memory, at);
}

function wordAt(memory: Memory, address: bigint): bigint | undefined {
  return memory.has(address, memory.wordSize) ? memory.word(address) : undefined;
}
