import type { Errno } from '../evidence.js';

/**
 * Instructions of x86: how long they are, enough to find where instructions begin, by the maps of opcodes in volume 2 of Intel's manual. A letter
 * for each opcode, sixteen a row:
 *
 *   .  nothing follows       M  ModRM             !  no instruction
 *   b  8 bits                B  ModRM, 8 bits     p  a prefix; r  REX, in 64 bits
 *   z  16 or 32 bits         Z  ModRM, the same   v  16, 32 or, with REX.W, 64 bits
 *   j  a near distance       w  16 bits           q  an address
 *   e  16 and 8 bits         f  a far address     g, G  ModRM, then 8, 16 or 32 bits if its reg is 0 or 1
 *   2  escape to the second map                   V  VEX, EVEX
 */
const ONE_BYTE =
  'MMMMbz!!MMMMbz!2' +
  'MMMMbz!!MMMMbz!!' +
  'MMMMbzp!MMMMbzp!' +
  'MMMMbzp!MMMMbzp!' +
  'rrrrrrrrrrrrrrrr' +
  '................' +
  '!!VMppppzZbB....' +
  'bbbbbbbbbbbbbbbb' +
  'BZ!BMMMMMMMMMMMM' +
  '..........!.....' +
  'qqqq....bz......' +
  'bbbbbbbbvvvvvvvv' +
  'BBw.VVBZe.w..b!.' +
  'MMMM!!!.MMMMMMMM' +
  'bbbbbbbbjj!b....' +
  'p.pp..gG......MM';

/** Behind 0f. */
const TWO_BYTES =
  'MMMM!.....!.!M.B' +
  'MMMMMMMMMMMMMMMM' +
  'MMMM!!!!MMMMMMMM' +
  '......!.3!3!!!!!' +
  'MMMMMMMMMMMMMMMM' +
  'MMMMMMMMMMMMMMMM' +
  'MMMMMMMMMMMMMMMM' +
  'BBBBMMM.MM!!MMMM' +
  'jjjjjjjjjjjjjjjj' +
  'MMMMMMMMMMMMMMMM' +
  '...MBMMM...MBMMM' +
  'MMMMMMMMMMBMMMMM' +
  'MMBMBBBM........' +
  'MMMMMMMMMMMMMMMM' +
  'MMMMMMMMMMMMMMMM' +
  'MMMMMMMMMMMMMMMM';

/** What 32 bits have in places where 64 bits have none, or something else. */
const IN_32_BITS: Readonly<Record<number, string>> = {
  ...Object.fromEntries(
    [0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0xce, 0xd6].map(code => [code, '.']),
  ),
  ...Object.fromEntries(Array.from({ length: 16 }, (_, i) => [0x40 + i, '.'])),
  130: 'B',
  154: 'f',
  212: 'b',
  213: 'b',
  234: 'f',
};

/** An instruction, as far as probes care. */
export interface Instruction {
  /** In bytes. */
  readonly length: number;
  /** What the kernel answers for a kprobe on it, if it refuses. */
  readonly refused?: Errno;
  /** INT or UD, which newer kernels refuse before that: is_exception_insn() of arch/x86/kernel/kprobes/core.c. */
  readonly traps?: true;
  /** One that an indirect call with kCFI is checked by, and how far behind it the check ends in a trap: can_probe(), there. */
  readonly cfi?: number;
  /** Where a near call or jump goes: a place as the one it was asked about. */
  readonly target?: number;
}

const LONGEST = 15;
const OPERAND_SIZE = 0x66;
const ADDRESS_SIZE = 0x67;

/**
 * The instruction at a place, 1 to 15 bytes long; undefined if none begins there, or the bytes end before it does.
 * @param bits of the machine's mode
 */
export function decodeX86(code: Uint8Array, start: number, bits: 32 | 64): Instruction | undefined {
  let at = start;
  let short = false;
  let narrow = false;
  let rex = 0;
  for (;;) {
    const byte = code[at++];
    if (byte === undefined) return undefined;
    const form = (bits === 32 ? IN_32_BITS[byte] : undefined) ?? ONE_BYTE[byte]!;
    if (form === 'p') {
      short ||= byte === OPERAND_SIZE;
      narrow ||= byte === ADDRESS_SIZE;
      rex = 0;
      continue;
    }
    if (form === 'r') {
      rex = byte;
      continue;
    }
    const end = afterOpcode(code, at, byte, form, { bits, short, narrow, wide: (rex & 8) !== 0 });
    if (end === undefined || end - start > LONGEST || end > code.length) return undefined;
    const errno = refusal(code, at - 1);
    return {
      length: end - start,
      ...(errno === undefined ? {} : { refused: errno }),
      ...(isTrap(code, at - 1) ? { traps: true } : {}),
      ...(CFI_CHECKS[byte] === undefined ? {} : { cfi: CFI_CHECKS[byte] }),
      ...nearTarget(code, at - 1, end),
    };
  }
}

/**
 * What __copy_instruction() and prepare_emulation() of arch/x86/kernel/kprobes/core.c refuse: traps, loads of the stack segment, far and
 * virtual-machine control, and since 5.13 near jumps and calls through memory.
 * @param at of the opcode
 */
function refusal(code: Uint8Array, at: number): Errno | undefined {
  const [opcode, next = 0] = [code[at]!, code[at + 1]];
  const reg = (next >> 3) & 7;
  const memory = next >> 6 !== 3;
  switch (opcode) {
    case 0xcc:
      return 'EINVAL';
    case 0x8e:
      return reg === 2 ? 'EINVAL' : undefined;
    case 0x9a:
    case 0xea:
    case 0xcf:
      return 'EOPNOTSUPP';
    case 0xff:
      return reg === 3 || reg === 5 || (memory && (reg === 2 || reg === 4)) ? 'EOPNOTSUPP' : undefined;
    case 0x0f:
      return next === 0x01 && code[at + 2]! >> 3 === 0x18 ? 'EOPNOTSUPP' : undefined;
    default:
      return undefined;
  }
}

/** movl $-ID, %r10d, 6 bytes; addl -4(REG), %r10d, 4; je, 2; ud2. Of 0x03 the kernel compares the opcode, of 0xba too. */
const CFI_CHECKS: Readonly<Record<number, number>> = { 186: 12, 3: 6 };

/** UD0, UD1, UD2; INT3, INT, INTO, INT1. @param at of the opcode */
function isTrap(code: Uint8Array, at: number): boolean {
  const opcode = code[at]!;
  if (opcode === 0x0f) return [0xff, 0xb9, 0x0b].includes(code[at + 1]!);
  return opcode === 0xcc || opcode === 0xcd || opcode === 0xce || opcode === 0xf1;
}

/** Where a call or jump of 32 bits goes, counted from its own beginning of code. */
function nearTarget(code: Uint8Array, at: number, end: number): Pick<Instruction, 'target'> {
  if (code[at] !== 0xe8 && code[at] !== 0xe9) return {};
  return { target: end + new DataView(code.buffer, code.byteOffset + end - 4, 4).getInt32(0, true) };
}

interface Mode {
  readonly bits: 32 | 64;
  /** Operands of 16 bits (66). */
  readonly short: boolean;
  /** Addresses of half the size (67). */
  readonly narrow: boolean;
  /** Operands of 64 bits (REX.W). */
  readonly wide: boolean;
}

/** Where the instruction ends. @param at behind the opcode of one byte */
function afterOpcode(code: Uint8Array, at: number, opcode: number, form: string, mode: Mode): number | undefined {
  if (form === '2') {
    const second = code[at];
    if (second === undefined) return undefined;
    const found = TWO_BYTES[second]!;
    // 0f 38 and 0f 3a: a third byte, then ModRM, and 8 bits after the latter.
    return found === '3' ? operands(code, at + 2, second === 0x38 ? 'M' : 'B', mode) : operands(code, at + 1, found, mode);
  }
  if (form === 'V' || (form === 'M' && opcode === 0x8f && ((code[at] ?? 0) & 0x38) !== 0)) return afterVector(code, at, opcode, mode);
  return operands(code, at, form, mode);
}

/** VEX and EVEX: the map is named, and the operand has its size from the prefix. In 32 bits LDS, LES and BOUND have the same bytes. */
function afterVector(code: Uint8Array, at: number, prefix: number, mode: Mode): number | undefined {
  const next = code[at];
  if (next === undefined || prefix === 0x8f) return undefined;
  if (mode.bits === 32 && next < 0xc0) return operands(code, at, 'M', mode);
  const [map, opcodeAt] = prefix === 0xc5 ? [1, at + 1] : prefix === 0xc4 ? [next & 0x1f, at + 2] : [next & 0x07, at + 3];
  const opcode = code[opcodeAt];
  if (opcode === undefined) return undefined;
  const form = map === 1 ? TWO_BYTES[opcode]! : map === 3 ? 'B' : map === 2 || map === 5 || map === 6 ? 'M' : '!';
  return operands(code, opcodeAt + 1, form, mode);
}

function operands(code: Uint8Array, at: number, form: string, mode: Mode): number | undefined {
  const word = mode.short && !mode.wide ? 2 : 4;
  switch (form) {
    case '.':
      return at;
    case 'b':
      return at + 1;
    case 'w':
      return at + 2;
    case 'e':
      return at + 3;
    case 'z':
      return at + word;
    case 'v':
      return at + (mode.wide ? 8 : word);
    case 'j':
      // The processor ignores 66 here in 64 bits (Intel's), and so does the kernel's decoder.
      return at + (mode.bits === 64 ? 4 : word);
    case 'q':
      return at + mode.bits / (mode.narrow ? 16 : 8);
    case 'f':
      return at + word + 2;
    case 'M':
      return afterModrm(code, at, mode);
    case 'B':
      return plus(afterModrm(code, at, mode), 1);
    case 'Z':
      return plus(afterModrm(code, at, mode), word);
    case 'g':
    case 'G': {
      const test = ((code[at] ?? 0) & 0x30) === 0;
      return plus(afterModrm(code, at, mode), test ? (form === 'g' ? 1 : word) : 0);
    }
    default:
      return undefined;
  }
}

function plus(end: number | undefined, bytes: number): number | undefined {
  return end === undefined ? undefined : end + bytes;
}

/** ModRM, with SIB and displacement. */
function afterModrm(code: Uint8Array, at: number, { bits, narrow }: Mode): number | undefined {
  const modrm = code[at];
  if (modrm === undefined) return undefined;
  const mod = modrm >> 6;
  const rm = modrm & 7;
  if (mod === 3) return at + 1;
  if (bits === 32 && narrow) return at + 1 + (mod === 1 ? 1 : mod === 2 || rm === 6 ? 2 : 0);
  const sib = rm === 4 ? code[at + 1] : undefined;
  if (rm === 4 && sib === undefined) return undefined;
  const base = sib === undefined ? rm : sib & 7;
  const displacement = mod === 1 ? 1 : mod === 2 || base === 5 ? 4 : 0;
  return at + 1 + (sib === undefined ? 0 : 1) + displacement;
}
