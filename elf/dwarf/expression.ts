import type { ByteReader } from './byte-reader.js';
import { registerName } from './code-names.js';
import type { UnitContext } from './unit-context.js';

/** Where a parameter is. */
export interface Location {
  readonly kind: /** In a register. */
    | 'register'
    /** In memory, at an offset from the frame (for gcc the CFA, the stack pointer before the call). */
    | 'frame'
    /** In memory, at an offset from a register. */
    | 'memory'
    /** The value is that of a register at the function's entry. */
    | 'entry-value'
    /** The value is a register's and an offset. */
    | 'value'
    | 'constant'
    /** At an address of its own. */
    | 'address'
    /** In several places. */
    | 'pieces'
    /** Nowhere: the compiler dropped it. */
    | 'optimized-out'
    /** Computed otherwise. */
    | 'other';
  /** The register's DWARF number, for `register`, `memory`, `entry-value` and `value`. */
  readonly register?: number;
  /** In bytes, for `frame`, `memory` and `value`. */
  readonly offset?: number;
  /** For `constant`; rounded above 2^53. */
  readonly value?: number;
  /** The expression: `DW_OP_reg5 rdi`, `DW_OP_fbreg -20`; empty for `optimized-out`. */
  readonly text: string;
}

/** One operation, §2.5. */
interface Operation {
  readonly code: number;
  readonly numbers: readonly number[];
  readonly text: string;
}

/**
 * Operands by letter: 1 2 4 8 unsigned, b h w d signed, u s LEB128, a address, o offset, B block with its length, E an expression, T a
 * typed constant.
 */
type Operands = string;

const named = (start: number, names: string, operands: Operands = ''): [number, readonly [string, Operands]][] =>
  names.split(' ').map((name, i) => [start + i, [name, operands]]);

/** DW_OP_*, §7.7.1, and GNU's numbers for what DWARF 5 took over. */
const OPERATIONS: ReadonlyMap<number, readonly [name: string, operands: Operands]> = new Map([
  ...named(0x03, 'addr', 'a'),
  ...named(0x06, 'deref'),
  ...named(0x08, 'const1u', '1'),
  ...named(0x09, 'const1s', 'b'),
  ...named(0x0a, 'const2u', '2'),
  ...named(0x0b, 'const2s', 'h'),
  ...named(0x0c, 'const4u', '4'),
  ...named(0x0d, 'const4s', 'w'),
  ...named(0x0e, 'const8u', '8'),
  ...named(0x0f, 'const8s', 'd'),
  ...named(0x10, 'constu', 'u'),
  ...named(0x11, 'consts', 's'),
  ...named(0x12, 'dup drop over'),
  ...named(0x15, 'pick', '1'),
  ...named(0x16, 'swap rot xderef abs and div minus mod mul neg not or plus'),
  ...named(0x23, 'plus_uconst', 'u'),
  ...named(0x24, 'shl shr shra xor'),
  ...named(0x28, 'bra', 'h'),
  ...named(0x29, 'eq ge gt le lt ne'),
  ...named(0x2f, 'skip', 'h'),
  ...named(0x90, 'regx', 'u'),
  ...named(0x91, 'fbreg', 's'),
  ...named(0x92, 'bregx', 'us'),
  ...named(0x93, 'piece', 'u'),
  ...named(0x94, 'deref_size xderef_size', '1'),
  ...named(0x96, 'nop push_object_address'),
  ...named(0x98, 'call2', '2'),
  ...named(0x99, 'call4', '4'),
  ...named(0x9a, 'call_ref', 'o'),
  ...named(0x9b, 'form_tls_address call_frame_cfa'),
  ...named(0x9d, 'bit_piece', 'uu'),
  ...named(0x9e, 'implicit_value', 'B'),
  ...named(0x9f, 'stack_value'),
  ...named(0xa0, 'implicit_pointer', 'os'),
  ...named(0xa1, 'addrx constx', 'u'),
  ...named(0xa3, 'entry_value', 'E'),
  ...named(0xa4, 'const_type', 'T'),
  ...named(0xa5, 'regval_type', 'uu'),
  ...named(0xa6, 'deref_type xderef_type', '1u'),
  ...named(0xa8, 'convert reinterpret', 'u'),
  ...named(0xe0, 'GNU_push_tls_address'),
  ...named(0xf0, 'GNU_uninit'),
  ...named(0xf2, 'GNU_implicit_pointer', 'os'),
  ...named(0xf3, 'GNU_entry_value', 'E'),
  ...named(0xf4, 'GNU_const_type', 'T'),
  ...named(0xf5, 'GNU_regval_type', 'uu'),
  ...named(0xf6, 'GNU_deref_type', '1u'),
  ...named(0xf7, 'GNU_convert', 'u'),
  ...named(0xf9, 'GNU_reinterpret', 'u'),
  ...named(0xfa, 'GNU_parameter_ref', '4'),
  ...named(0xfb, 'GNU_addr_index GNU_const_index', 'u'),
  ...named(0xfd, 'GNU_variable_value', 'o'),
]);

const OP = {
  addr: 0x03,
  lit0: 0x30,
  reg0: 0x50,
  breg0: 0x70,
  regx: 0x90,
  fbreg: 0x91,
  bregx: 0x92,
  piece: 0x93,
  bit_piece: 0x9d,
  implicit_value: 0x9e,
  stack_value: 0x9f,
  addrx: 0xa1,
  entry_value: 0xa3,
  GNU_entry_value: 0xf3,
  GNU_addr_index: 0xfb,
} as const;

/** Expressions in entry values are one deep; deeper ones are damage. */
const DEEPEST = 4;

/** What an expression says, where the reader stands, `length` bytes long. The reader then is after it. */
export function readLocation(reader: ByteReader, length: number, context: UnitContext): Location {
  const operations = readOperations(reader, length, context, 0);
  const text = operations.map(({ text }) => text).join(', ');
  const [first] = operations;
  if (first === undefined) return { kind: 'optimized-out', text };
  if (operations.some(({ code }) => code === OP.piece || code === OP.bit_piece)) return { kind: 'pieces', text };
  const isValue = operations.at(-1)!.code === OP.stack_value;
  const length1 = operations.length === (isValue ? 2 : 1);
  const { code, numbers } = first;
  if (isRegister(code)) return { kind: length1 ? 'register' : 'other', register: registerOf(first), text };
  if (isBased(code)) {
    const offset = numbers.at(-1)!;
    if (!length1) return { kind: 'other', register: registerOf(first), text };
    return { kind: isValue ? 'value' : 'memory', register: registerOf(first), offset, text };
  }
  if (code === OP.fbreg) return length1 && !isValue ? { kind: 'frame', offset: numbers[0]!, text } : { kind: 'other', text };
  if ((code === OP.entry_value || code === OP.GNU_entry_value) && numbers.length > 0) {
    return { kind: length1 ? 'entry-value' : 'other', register: numbers[0]!, text };
  }
  if (code === OP.implicit_value) return { kind: 'constant', text };
  if (length1 && isValue && constantOf(first) !== undefined) return { kind: 'constant', value: constantOf(first)!, text };
  if (code === OP.addr || code === OP.addrx || code === OP.GNU_addr_index) return { kind: 'address', text };
  return { kind: 'other', text };
}

function isRegister(code: number): boolean {
  return (code >= OP.reg0 && code < OP.breg0) || code === OP.regx;
}

function isBased(code: number): boolean {
  return (code >= OP.breg0 && code < OP.regx) || code === OP.bregx;
}

function registerOf({ code, numbers }: Operation): number {
  if (code === OP.regx || code === OP.bregx) return numbers[0]!;
  return code >= OP.breg0 ? code - OP.breg0 : code - OP.reg0;
}

function constantOf({ code, numbers }: Operation): number | undefined {
  if (code >= OP.lit0 && code < OP.reg0) return code - OP.lit0;
  return code >= 0x08 && code <= 0x11 ? numbers[0] : undefined;
}

function readOperations(reader: ByteReader, length: number, context: UnitContext, depth: number): Operation[] {
  reader.need(length);
  const end = reader.pos + length;
  const operations: Operation[] = [];
  while (reader.pos < end) operations.push(readOperation(reader, end, context, depth));
  if (reader.pos > end) reader.fail('out-of-range', 'an expression goes beyond its length');
  return operations;
}

function readOperation(reader: ByteReader, end: number, context: UnitContext, depth: number): Operation {
  const code = reader.u8();
  const { machine } = context.file.elf.header;
  if (code >= OP.lit0 && code < OP.reg0) return { code, numbers: [], text: `DW_OP_lit${code - OP.lit0}` };
  if (code >= OP.reg0 && code < OP.breg0) {
    const register = code - OP.reg0;
    return { code, numbers: [], text: `DW_OP_reg${register} ${registerName(machine, register)}` };
  }
  if (code >= OP.breg0 && code < OP.regx) {
    const register = code - OP.breg0;
    const offset = reader.sleb();
    return { code, numbers: [offset], text: `DW_OP_breg${register} ${registerName(machine, register)}${signed(offset)}` };
  }
  const known = OPERATIONS.get(code);
  if (known === undefined) {
    // What follows an operation that is unknown cannot be told apart.
    reader.pos = end;
    return { code, numbers: [], text: `DW_OP_0x${code.toString(16)} …` };
  }
  const [name, operands] = known;
  const numbers: number[] = [];
  const texts: string[] = [];
  for (const operand of operands) {
    if (operand === 'E') {
      const inside = reader.uleb();
      if (depth >= DEEPEST) reader.fail('bad-value', 'entry values inside entry values');
      const nested = readOperations(reader, inside, context, depth + 1);
      const [only] = nested;
      if (nested.length === 1 && isRegister(only!.code)) numbers.push(registerOf(only!));
      return { code, numbers, text: `DW_OP_${name}(${nested.map(({ text }) => text).join(', ')})` };
    }
    if (operand === 'B' || operand === 'T') {
      if (operand === 'T') texts.push(`0x${reader.uleb().toString(16)}`);
      const size = operand === 'T' ? reader.u8() : reader.uleb();
      reader.need(size);
      texts.push(Array.from(reader.bytes.subarray(reader.pos, reader.pos + size), byte => byte.toString(16).padStart(2, '0')).join(' '));
      reader.pos += size;
      continue;
    }
    const value = readOperand(reader, operand, context);
    numbers.push(value);
    texts.push(operand === 'a' ? `0x${context.file.address(value).toString(16)}` : String(value));
  }
  if (code === OP.regx) texts.push(registerName(machine, numbers[0]!));
  return { code, numbers, text: [`DW_OP_${name}`, ...texts].join(' ') };
}

function readOperand(reader: ByteReader, operand: string, context: UnitContext): number {
  const { low, high } = context.origin;
  switch (operand) {
    case '1':
      return reader.u8();
    case '2':
      return reader.u16();
    case '4':
      return reader.u32();
    case '8':
      return reader.u64();
    case 'b':
      return (reader.u8() << 24) >> 24;
    case 'h':
      return (reader.u16() << 16) >> 16;
    case 'w':
      return reader.u32() | 0;
    case 'd': {
      const value = reader.u64();
      return value >= 2 ** 63 ? value - 2 ** 64 : value;
    }
    case 's':
      return reader.sleb();
    case 'a':
      return reader.distance(context.addressSize, low, high);
    case 'o':
      return reader.unsigned(context.version === 2 ? context.addressSize : context.offsetSize);
    default:
      return reader.uleb();
  }
}

function signed(value: number): string {
  return value < 0 ? String(value) : `+${value}`;
}
