/** The bytes of code that an oops prints: `Code: 48 89 <0f> 0b`, `Code: d503201f (d4210000)`, `Krnl Code` is a listing and not read. */
export interface LoggedCode {
  /** In hexadecimal, as printed: bytes of x86, 16 or 32 bits as numbers elsewhere. */
  readonly words: readonly string[];
  /** The one that is marked: where the program counter stands. */
  readonly marked: number;
}

/** show_opcodes() of x86 prints 64 bytes, others up to 20 words. */
const MOST_WORDS = 128;

/** @returns undefined for a line without code, or one that says that it could not be read */
export function loggedCode(line: string): LoggedCode | undefined {
  const at = line.indexOf('Code: ');
  // s390's is a listing over several lines: `Krnl Code: 0000000000113a2e: …`
  if (at < 0 || line.slice(Math.max(0, at - 5), at) === 'Krnl ') return undefined;
  const printed = line
    .slice(at + 'Code: '.length, at + 'Code: '.length + MOST_WORDS * 11)
    .trim()
    .split(/ +/);
  const marked = printed.findIndex(word => /^(<[0-9a-f]+>|\([0-9a-f]+\))$/.test(word));
  const words = printed.map(word => word.replace(/^[<(]|[>)]$/g, ''));
  const width = words[Math.max(0, marked)]!.length;
  const isCode = marked >= 0 && [2, 4, 8].includes(width) && words.every(word => word.length === width && /^[0-9a-f]+$/.test(word));
  return isCode ? { words, marked } : undefined;
}

/** The bytes as they are in memory. */
export function bytesOfCode({ words }: LoggedCode, littleEndian: boolean): Uint8Array {
  return Uint8Array.from(
    words.flatMap(word => {
      const bytes = word.match(/../g)!.map(digits => Number.parseInt(digits, 16));
      return littleEndian ? bytes.reverse() : bytes;
    }),
  );
}

/** Whether a line has the program counter of the kernel, and the code that is printed next is of it; false: a process's. */
export function programCounter(line: string): boolean | undefined {
  const at = line.indexOf('RIP: ');
  // e030 is the segment of a kernel in a paravirtualised guest of Xen (FLAT_RING1_CS64).
  if (at >= 0) return ['0010:', 'e030:'].some(segment => line.startsWith(segment, at + 'RIP: '.length));
  if (/ ip [0-9a-f]+ sp /.test(line)) return false;
  return KERNEL_PC.some(text => line.includes(text)) ? true : undefined;
}

/** arm64, riscv, arm, powerpc, loongarch and mips. */
const KERNEL_PC = ['EIP: ', 'pc : ', 'PC is at ', 'NIP [', 'NIP: ', 'ERA: ', 'epc   : '];
