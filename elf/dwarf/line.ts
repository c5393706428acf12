import type { ByteReader } from './byte-reader.js';
import { type Column, float64Column, lastNotAbove, uint32Column } from './columns.js';
import type { DebugFile, Origin } from './debug-file.js';
import type { DebugStrings, StringHandle } from './debug-strings.js';
import { type LineHeader, readLineHeader } from './line-header.js';
import type { UnitContext } from './unit-context.js';

/** A place in a source file. */
export interface SourcePlace {
  /** The file as the compiler found it: the directory of compilation, the directory and the name, joined. */
  readonly path: string;
  /** The same without the directory of compilation, where it lies in that: `fs/open.c`. */
  readonly file: string;
  /** From 1; 0 if no line stands for the code. */
  readonly line: number;
  /** From 1; 0 if it is unknown. */
  readonly column: number;
}

/** DW_LNS_* and DW_LNE_*, §7.22. */
const LNS = {
  copy: 1,
  advance_pc: 2,
  advance_line: 3,
  set_file: 4,
  set_column: 5,
  const_add_pc: 8,
  fixed_advance_pc: 9,
} as const;
const LNE = { end_sequence: 1, set_address: 2 } as const;

const KEPT = 16;
/** The programs of a file that were used last. */
const programs = new WeakMap<DebugFile, Map<string, LineProgram>>();

/** The program at an offset of .debug_line: units that were taken apart share one (dwz). @throws FormatError */
function programAt(context: UnitContext, offset: number): LineProgram {
  const { file, version, addressSize, offsetSize, bases } = context;
  let kept = programs.get(file);
  if (kept === undefined) programs.set(file, (kept = new Map()));
  const key = `${offset} ${version} ${addressSize} ${offsetSize} ${bases.stringsBase}`;
  let program = kept.get(key);
  if (program === undefined) {
    const reader = context.section('line').unitAt(offset, context.littleEndian);
    file.allowance('line', 'the line number tables').account(offset)(reader.end);
    program = new LineProgram(reader, context);
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value!);
    kept.set(key, program);
  }
  return program;
}

/** A line number program, and the rows that it makes: what units share. */
class LineProgram {
  readonly header: LineHeader;
  readonly #reader: ByteReader;
  readonly #start: number;
  readonly #origin: Origin;
  #rows: LineRows | undefined;

  /** Reads the header. @param reader of all of it @throws FormatError */
  constructor(reader: ByteReader, context: UnitContext) {
    this.header = readLineHeader(reader, context);
    this.#reader = reader;
    this.#start = reader.pos;
    this.#origin = context.origin;
  }

  /** The rows, made by running the program. @throws FormatError */
  get rows(): LineRows {
    if (this.#rows === undefined) {
      this.#reader.pos = this.#start;
      this.#rows = runProgram(this.#reader, this.header, this.#origin);
    }
    return this.#rows;
  }
}

/** The line number table of a unit: its files, and a row for each address where the line changes, §6.2. */
export class LineTable {
  readonly #program: LineProgram;
  readonly #strings: DebugStrings;
  readonly #compDir: StringHandle;

  /** @param compDir of the unit @throws FormatError */
  constructor(context: UnitContext, offset: number, compDir: StringHandle) {
    this.#program = programAt(context, offset);
    this.#strings = context.file.strings;
    this.#compDir = compDir;
  }

  get header(): LineHeader {
    return this.#program.header;
  }

  /** @throws FormatError */
  get rows(): LineRows {
    return this.#program.rows;
  }

  /** The row that an address belongs to; -1 for none. @param distance the address less the origin */
  find(distance: number): number {
    const { rows } = this;
    // Sequences may overlap in damaged tables only: the one that ends first after the address is taken, as llvm-symbolizer does.
    const sequence = lastNotAbove(rows.sequenceHigh, distance) + 1;
    if (sequence >= rows.sequenceLow.length || rows.sequenceLow[sequence]! > distance) return -1;
    return lastNotAbove(rows.address, distance, rows.sequenceFirst[sequence]!, rows.sequenceLast[sequence]!);
  }

  /** Where a row's code comes from. */
  placeOf(row: number): SourcePlace | undefined {
    const { file, line, column } = this.rows;
    const found = this.file(file[row]!);
    return found === undefined ? undefined : { ...found, line: line[row]!, column: column[row]! };
  }

  /** A file by its number, as DW_AT_decl_file and DW_AT_call_file have it; undefined for one that the table does not have. */
  file(number: number): { readonly path: string; readonly file: string } | undefined {
    const { version, fileName, fileDirectory, directories } = this.header;
    const strings = this.#strings;
    const name = strings.get(fileName[number] ?? -1);
    if (name === undefined) return undefined;
    const compDir = strings.get(this.#compDir) ?? '';
    const at = fileDirectory[number]!;
    // Directory 0 is the directory of compilation: in DWARF 5 it is written down, in older versions it is not.
    const own = version >= 5 && at === 0;
    const directory = strings.get(directories[at] ?? -1) ?? '';
    const path = joinPaths(own ? '' : compDir, joinPaths(directory, name));
    return { path, file: relativeTo(compDir, path) };
  }
}

/** Rows of a line number table as columns, sequence by sequence. */
export interface LineRows {
  /** Distances from the origin, ascending in each sequence. */
  readonly address: Float64Array;
  readonly file: Uint32Array;
  readonly line: Uint32Array;
  readonly column: Uint32Array;
  /** Sequences, by their ends: where the code begins and ends, its first row and the one that ends it. */
  readonly sequenceLow: Float64Array;
  readonly sequenceHigh: Float64Array;
  readonly sequenceFirst: Uint32Array;
  readonly sequenceLast: Uint32Array;
}

/** The registers of the state machine, §6.2.2, that are kept, and what it has written. */
interface Machine {
  readonly header: LineHeader;
  address: number;
  operation: number;
  file: number;
  line: number;
  column: number;
  first: number;
  readonly addresses: Column<Float64Array>;
  readonly files: Column<Uint32Array>;
  readonly lines: Column<Uint32Array>;
  readonly columns: Column<Uint32Array>;
  readonly sequences: { readonly low: number; readonly high: number; readonly first: number; readonly last: number }[];
}

function runProgram(reader: ByteReader, header: LineHeader, { low, high, zero }: Origin): LineRows {
  const machine: Machine = {
    header,
    address: zero,
    operation: 0,
    file: 1,
    line: 1,
    column: 0,
    first: 0,
    addresses: float64Column(),
    files: uint32Column(),
    lines: uint32Column(),
    columns: uint32Column(),
    sequences: [],
  };
  const { opcodeBase, lineBase, lineRange, opcodeLengths } = header;
  while (reader.pos < reader.end) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      if (lineRange === 0) reader.fail('bad-value', 'line_range is zero');
      const adjusted = opcode - opcodeBase;
      advance(machine, Math.floor(adjusted / lineRange));
      machine.line += lineBase + (adjusted % lineRange);
      emit(machine);
    } else if (opcode === 0) {
      const length = reader.uleb();
      reader.need(length);
      const next = reader.pos + length;
      const extended = length > 0 ? reader.u8() : 0;
      if (extended === LNE.end_sequence) endSequence(machine, zero);
      else if (extended === LNE.set_address && (length === 9 || length === 5)) {
        machine.address = reader.distance(length - 1, low, high);
        machine.operation = 0;
      }
      reader.pos = next;
    } else if (opcode === LNS.copy) emit(machine);
    else if (opcode === LNS.advance_pc) advance(machine, reader.uleb());
    else if (opcode === LNS.advance_line) machine.line += reader.sleb();
    else if (opcode === LNS.set_file) machine.file = reader.uleb();
    else if (opcode === LNS.set_column) machine.column = reader.uleb();
    else if (opcode === LNS.const_add_pc) advance(machine, lineRange === 0 ? 0 : Math.floor((255 - opcodeBase) / lineRange));
    else if (opcode === LNS.fixed_advance_pc) {
      machine.address += reader.u16();
      machine.operation = 0;
    } else for (let left = opcodeLengths[opcode - 1] ?? 0; left > 0; left--) reader.skipLeb();
  }
  return rowsOf(machine);
}

/** Goes on by so many operations: instructions, on every machine that Linux runs on. */
function advance(machine: Machine, operations: number): void {
  const { minInstructionLength, maxOperations } = machine.header;
  if (maxOperations <= 1) machine.address += operations * minInstructionLength;
  else {
    const sum = machine.operation + operations;
    machine.address += minInstructionLength * Math.floor(sum / maxOperations);
    machine.operation = sum % maxOperations;
  }
}

function emit(machine: Machine): void {
  machine.addresses.push(machine.address);
  machine.files.push(machine.file);
  machine.lines.push(machine.line);
  machine.columns.push(machine.column);
}

function endSequence(machine: Machine, zero: number): void {
  emit(machine);
  const { first, addresses } = machine;
  const last = addresses.length - 1;
  const low = addresses.at(first);
  if (first < last && low < machine.address) machine.sequences.push({ low, high: machine.address, first, last });
  Object.assign(machine, { address: zero, operation: 0, file: 1, line: 1, column: 0, first: addresses.length });
}

function rowsOf({ addresses, files, lines, columns, sequences }: Machine): LineRows {
  sequences.sort((a, b) => a.high - b.high);
  return {
    address: addresses.done(),
    file: files.done(),
    line: lines.done(),
    column: columns.done(),
    sequenceLow: Float64Array.from(sequences, ({ low }) => low),
    sequenceHigh: Float64Array.from(sequences, ({ high }) => high),
    sequenceFirst: Uint32Array.from(sequences, ({ first }) => first),
    sequenceLast: Uint32Array.from(sequences, ({ last }) => last),
  };
}

/** `a/b`, or `b` alone where it is absolute or there is no `a`. */
function joinPaths(a: string, b: string): string {
  if (a === '' || b.startsWith('/')) return b;
  if (b === '') return a;
  return a.endsWith('/') ? a + b : `${a}/${b}`;
}

function relativeTo(directory: string, path: string): string {
  const inside = directory !== '' && path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : path;
  return inside.replace(/^(\.\/)+/, '');
}
