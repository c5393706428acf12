/**
 * ELF files: sections, symbols, relocations and what they write, notes, DWARF, compressed sections; reading files piece by piece.
 *
 * @module kelf/elf
 */
export type { Allowance } from './allowance.js';
export { type Packing, packingOf } from './compression/packing.js';
export type { Compression } from './compression/section.js';
export { type Unpacked, type UnpackOptions, unpack } from './compression/unpack.js';
export { EM, ET, PT, SHF, SHN, SHT, STB, STT } from './constants.js';
export { Cursor } from './cursor.js';
export {
  AbbrevTable,
  type Addition,
  ByteReader,
  type CodeRange,
  conventionName,
  DebugFile,
  DebugSection,
  DebugSections,
  DebugStrings,
  DieReader,
  type Distances,
  DW_AT,
  DW_FORM,
  DW_TAG,
  DW_UT,
  Dwarf,
  type DwarfOptions,
  type Encoding,
  type Frame,
  InlinedCalls,
  type InlinedInto,
  type LineHeader,
  type LineRows,
  LineTable,
  type Location,
  type LocationEntry,
  languageName,
  type Origin,
  OUTERMOST,
  openDwarf,
  type Parameter,
  registerName,
  type SourcePlace,
  type StringHandle,
  SUBPROGRAM,
  Subprogram,
  type SubprogramLink,
  SubprogramTable,
  TypePrinter,
  Unit,
  type UnitBases,
  UnitContext,
  type UnitHeader,
  UnitList,
  type UnitRoot,
} from './dwarf/index.js';
export { type Diagnostic, FormatError, type FormatErrorCode, formatPlace, isFormatError, type Place } from './errors.js';
export { ElfFile } from './file.js';
export { type ElfHeader, isElf, readHeader } from './header.js';
export { Memory, type Region, type RelocationSite } from './memory.js';
export { NameIndex } from './name-index.js';
export {
  bindingName,
  fileTypeName,
  machineName,
  reservedIndexName,
  sectionFlagLetters,
  sectionTypeName,
  segmentFlagLetters,
  segmentTypeName,
  symbolTypeName,
  visibilityName,
} from './names.js';
export { buildId, type Note, readNotes } from './note.js';
export { describeNote, type NoteDescription } from './note-description.js';
export { RelocationTable } from './relocation.js';
export { relocationName, relocationNames } from './relocation-names.js';
export type { RelocationRows } from './relocation-rows.js';
export { type RelocationForm, type RelocationRule, relocationRule } from './relocation-rules.js';
export type { Row } from './row.js';
export { Section } from './section.js';
export type { Segment } from './segment.js';
export { type ByteSource, checkRange, MemorySource } from './source.js';
export { StringTable } from './strings.js';
export { type ElfSymbol, SymbolTable } from './symbol.js';
export { ElfTables } from './tables.js';
export { HOST_LITTLE_ENDIAN, halves, lowerBound, lowerBoundSorted, Words } from './words.js';
