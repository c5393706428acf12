import { type ByteReader, readUnitLength } from './byte-reader.js';
import { NO_STRING, type StringHandle, stringHandle } from './debug-strings.js';
import { DW_FORM } from './dw-constants.js';
import type { UnitContext } from './unit-context.js';

/** The header of a line number program, §6.2.4, with its tables of directories and files. */
export interface LineHeader {
  readonly version: number;
  readonly addressSize: number;
  readonly minInstructionLength: number;
  readonly maxOperations: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Arguments of the standard opcodes, by opcode less one. */
  readonly opcodeLengths: Uint8Array;
  readonly directories: readonly StringHandle[];
  readonly fileName: readonly StringHandle[];
  /** Index in `directories`, by file. */
  readonly fileDirectory: readonly number[];
}

/** DW_LNCT_*, §7.22. */
const LNCT = { path: 1, directory_index: 2 } as const;

/** Reads a header; the reader then is at the program, and its end is the program's. */
export function readLineHeader(reader: ByteReader, context: UnitContext): LineHeader {
  const { length, offsetSize } = readUnitLength(reader);
  reader.need(length);
  reader.end = reader.pos + length;
  const version = reader.u16();
  if (version < 2 || version > 5) reader.fail('unsupported', `a line number table of DWARF ${version}; kelf reads 2 to 5`);
  let { addressSize } = context;
  if (version >= 5) {
    addressSize = reader.u8();
    reader.u8(); // segment_selector_size
  }
  const headerLength = reader.unsigned(offsetSize);
  reader.need(headerLength);
  const program = reader.pos + headerLength;
  const minInstructionLength = reader.u8();
  const maxOperations = version >= 4 ? reader.u8() : 1;
  reader.u8(); // default_is_stmt
  const lineBase = (reader.u8() << 24) >> 24;
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  reader.need(Math.max(0, opcodeBase - 1));
  const opcodeLengths = reader.bytes.slice(reader.pos, reader.pos + Math.max(0, opcodeBase - 1));
  reader.pos += opcodeLengths.length;
  const tables = version >= 5 ? readTables(reader, context, offsetSize) : readOldTables(reader);
  reader.pos = program;
  return { version, addressSize, minInstructionLength, maxOperations, lineBase, lineRange, opcodeBase, opcodeLengths, ...tables };
}

type Tables = Pick<LineHeader, 'directories' | 'fileName' | 'fileDirectory'>;

/** Up to DWARF 4: directories and files are counted from one; 0 is the directory and the file of the unit. */
function readOldTables(reader: ByteReader): Tables {
  const directories: StringHandle[] = [NO_STRING];
  const fileName: StringHandle[] = [NO_STRING];
  const fileDirectory: number[] = [0];
  const text = () => stringHandle('line', reader.base + reader.skipString());
  while (peek(reader) !== 0) directories.push(text());
  reader.u8();
  while (peek(reader) !== 0) {
    fileName.push(text());
    fileDirectory.push(reader.uleb());
    reader.skipLeb(); // time
    reader.skipLeb(); // length
  }
  return { directories, fileName, fileDirectory };
}

function peek(reader: ByteReader): number {
  reader.need(1);
  return reader.bytes[reader.pos]!;
}

/** DWARF 5: what an entry consists of is before the entries. */
function readTables(reader: ByteReader, context: UnitContext, offsetSize: number): Tables {
  const directories: StringHandle[] = [];
  const fileName: StringHandle[] = [];
  const fileDirectory: number[] = [];
  readEntries(reader, context, offsetSize, path => directories.push(path));
  readEntries(reader, context, offsetSize, (path, directory) => {
    fileName.push(path);
    fileDirectory.push(directory);
  });
  return { directories, fileName, fileDirectory };
}

function readEntries(
  reader: ByteReader,
  context: UnitContext,
  offsetSize: number,
  entry: (path: StringHandle, directory: number) => void,
): void {
  const format: [content: number, form: number][] = [];
  for (let left = reader.u8(); left > 0; left--) format.push([reader.uleb(), reader.uleb()]);
  const count = reader.uleb();
  // An entry of no bytes says nothing, and their number is not bounded by the input.
  if (count > 0 && format.length === 0) reader.fail('bad-value', `${count} entries without content`);
  for (let i = 0; i < count; i++) {
    const start = reader.pos;
    let path: StringHandle = NO_STRING;
    let directory = 0;
    for (const [content, form] of format) {
      if (content === LNCT.path) path = readPath(reader, context, form, offsetSize);
      else if (content === LNCT.directory_index) directory = readNumber(reader, context, form);
      else skipContent(reader, context, form);
    }
    if (reader.pos === start) reader.fail('bad-value', `${count} entries of zero bytes`);
    entry(path, directory);
  }
}

function readPath(reader: ByteReader, context: UnitContext, form: number, offsetSize: number): StringHandle {
  switch (form) {
    case DW_FORM.string:
      return stringHandle('line', reader.base + reader.skipString());
    case DW_FORM.line_strp:
      return stringHandle('line_str', reader.unsigned(offsetSize));
    case DW_FORM.strp:
      return stringHandle('str', reader.unsigned(offsetSize));
    case DW_FORM.strx:
      return context.stringAt(reader.uleb());
    case DW_FORM.strx1:
    case DW_FORM.strx2:
    case DW_FORM.strx3:
    case DW_FORM.strx4:
      return context.stringAt(reader.unsigned(context.sizeOf(form)));
    default:
      skipContent(reader, context, form);
      return NO_STRING;
  }
}

function readNumber(reader: ByteReader, context: UnitContext, form: number): number {
  switch (form) {
    case DW_FORM.udata:
      return reader.uleb();
    case DW_FORM.data1:
    case DW_FORM.data2:
    case DW_FORM.data4:
    case DW_FORM.data8:
      return reader.unsigned(context.sizeOf(form));
    default:
      skipContent(reader, context, form);
      return 0;
  }
}

function skipContent(reader: ByteReader, context: UnitContext, form: number): void {
  if (form === DW_FORM.udata || form === DW_FORM.sdata || form === DW_FORM.strx) reader.skipLeb();
  else if (form === DW_FORM.string) reader.skipString();
  else if (form === DW_FORM.block || form === DW_FORM.exprloc) reader.skip(reader.uleb());
  else if (form === DW_FORM.block1) reader.skip(reader.u8());
  else if (form === DW_FORM.block2) reader.skip(reader.u16());
  else if (form === DW_FORM.block4) reader.skip(reader.u32());
  else {
    const size = context.sizeOf(form);
    if (size < 0) reader.fail('unsupported', `form 0x${form.toString(16)} in a table of files`);
    reader.skip(size);
  }
}
