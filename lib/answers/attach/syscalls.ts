import { isPlainName } from '../../../elf/escape.js';
import type { CallingConvention, SyscallEntry } from '../../arch/calling-convention.js';
import type { Value } from '../../arch/value.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { textAt } from '../../image/text-at.js';

/** A parameter of a system call, as SYSCALL_DEFINE declares it. */
export interface SyscallParameter {
  readonly name: string;
  /** `const char *` */
  readonly type: string;
}

/** More system calls, and parameters of one, there are not: larger numbers are damage. */
const MOST_SYSCALLS = 4096;
const MOST_PARAMETERS = 6;
/** Types of parameters: words and stars. They go into C as they are. */
const TYPE = /^\w[\w ]*[ *]*$/;

/**
 * What the image says about its system calls: the records of CONFIG_FTRACE_SYSCALLS (struct syscall_metadata in include/trace/syscall.h:
 * name, two ints, types, args), which hold the names and types of the parameters as text.
 */
export class Syscalls {
  readonly #parameters: ReadonlyMap<string, readonly SyscallParameter[]>;

  constructor({ image, pieces }: KernelFacts) {
    const found = new Map<string, readonly SyscallParameter[]>();
    this.#parameters = found;
    const start = pieces.labels('__start_syscalls_metadata');
    const stop = pieces.labels('__stop_syscalls_metadata');
    if (image === undefined || start === undefined || stop === undefined || stop <= start) return;
    const { memory } = image;
    const { wordSize } = memory;
    const word = BigInt(wordSize);
    const count = Math.min(MOST_SYSCALLS, Number((stop - start) / word));
    const texts = (at: bigint, length: number): (string | undefined)[] =>
      Array.from({ length }, (_, i) => {
        const place = at + BigInt(i) * word;
        return memory.has(place, wordSize) ? textAt(memory, memory.word(place)) : undefined;
      });
    for (let i = 0; i < count; i++) {
      const at = start + BigInt(i) * word;
      if (!memory.has(at, wordSize)) return;
      const record = memory.word(at);
      if (!memory.has(record, 8 + 3 * wordSize)) continue;
      const name = textAt(memory, memory.word(record));
      const bytes = memory.stored(record + word, 8);
      const parameters = new DataView(bytes.buffer, bytes.byteOffset).getInt32(4, memory.littleEndian);
      if (name === undefined || !isPlainName(name) || parameters < 0 || parameters > MOST_PARAMETERS) continue;
      const types = texts(memory.word(record + word + 8n), parameters);
      const names = texts(memory.word(record + word * 2n + 8n), parameters);
      found.set(
        name.replace(/^sys_/, ''),
        names.flatMap((name, i) =>
          name === undefined || !isPlainName(name) || !TYPE.test(types[i] ?? '') ? [] : { name, type: types[i]! },
        ),
      );
    }
  }

  /** The parameters of `openat`; undefined if the image does not say. */
  parameters(name: string): readonly SyscallParameter[] | undefined {
    return this.#parameters.get(name);
  }

  /**
   * Whether a parameter of a function is the pointer to a string in user memory that a system call takes: of `do_sys_openat2` and the like,
   * by name and type. Compilers older than GCC 16 and clang 15 leave `__user` out of BTF.
   */
  takesUserString(functionName: string, parameter: string): boolean {
    const syscall = /^(?:__do_sys_|__se_sys_|do_sys_|ksys_|__sys_|sys_)(.+)$/.exec(functionName)?.[1];
    if (syscall === undefined) return false;
    return this.parameters(syscall)?.some(({ name, type }) => name === parameter && isString(type)) ?? false;
  }
}

/** The wrapper that a function is, by its name: `__x64_sys_openat` is that of openat. */
export function wrapperOf(abi: CallingConvention, name: string): { readonly entry: SyscallEntry; readonly syscall: string } | undefined {
  const entry = abi.syscalls.find(({ prefix }) => name.startsWith(prefix));
  return entry === undefined ? undefined : { entry, syscall: name.slice(entry.prefix.length) };
}

function isString(type: string): boolean {
  return /^const char \*$/.test(type);
}

/** C's own integers, in bytes of a kernel of 64 bits; `long` is a word. */
const INTEGERS: Readonly<Record<string, readonly [size: number, signed: boolean]>> = {
  int: [4, true],
  'unsigned int': [4, false],
  unsigned: [4, false],
  long: [0, true],
  'long int': [0, true],
  'unsigned long': [0, false],
  'long unsigned int': [0, false],
  'long long': [8, true],
  'unsigned long long': [8, false],
  short: [2, true],
  'unsigned short': [2, false],
  char: [1, true],
  'unsigned char': [1, false],
  size_t: [0, false],
  ssize_t: [0, true],
};

/** The value that the text of a type stands for; `named` finds a typedef. Pointers of system calls lead to user memory. */
export function valueOfText(type: string, wordSize: number, named: (name: string) => Value | undefined): Value {
  const text = type.replace(/\s+/g, ' ').trim();
  if (text.includes('*'))
    return { kind: 'pointer', size: wordSize, to: isString(text) ? 'char' : 'other', constant: isString(text), user: true };
  const integer = INTEGERS[text];
  if (integer !== undefined) return { kind: 'integer', size: integer[0] || wordSize, signed: integer[1], hex: false };
  return named(text) ?? { kind: 'integer', size: wordSize, signed: false, hex: true };
}
