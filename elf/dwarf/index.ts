/**
 * The parts of DWARF 2 to 5 that describe functions: which file declares one, where its code is, what was inlined where, its parameters,
 * lines.
 *
 * ```ts
 * const dwarf = openDwarf(elf);                     // undefined without .debug_info; reads nothing
 * dwarf.frames(0xffffffff8134a38bn);                // the inlined functions and the function at an address, with files and lines
 * const fn = dwarf.subprogramAt(0xffffffff8134a350n);   // reads the one unit that .debug_aranges names for the address
 * fn.name, fn.declared, fn.external, fn.kind, fn.inline, fn.ranges, fn.prototype, fn.unit.producer, fn.unit.language
 * fn.parameters[0].locations[0];                    // { kind: 'register', register: 5, text: 'DW_OP_reg5 rdi', low, high }
 * fn.inlinedInto();                                 // callers that hold copies of its code, and where the calls are written
 * dwarf.named('tty_write');                         // every entry of a name, declarations and abstract instances too
 * for (const unit of dwarf.units()) unit.subprograms;   // columns for each unit: what a walk over the whole kernel uses
 * ```
 *
 * A walk over all functions takes one unit after the other, reads `unit.subprograms` (a row for each DW_TAG_subprogram, with `low` NaN if
 * there is no code) and `unit.inlined` (a row for each inlined call), compares names by handle, and makes `new Subprogram(dwarf, unit,
 * row)` only for the rows it has to look at. `dwarf.unitOffsets` is what to share among worker threads: each opens the file itself and
 * takes `dwarf.unit(offset)`. Layers, each of which imports those above it here alone: forms and numbers; sections, strings and
 * `DebugFile`; a unit's header and `UnitContext`; `DieReader`; ranges, locations, lines, `SubprogramTable`, `InlinedCalls`; `Unit`;
 * `UnitList`; what follows references between units: `TypePrinter`, `subprogramChain`, `Subprogram`, `Frame`; `Dwarf`.
 *
 * Addresses in columns are distances: `dwarf.address(distance)` and `dwarf.distance(address)` convert.
 */
export { AbbrevTable } from './abbrev.js';
export { ByteReader } from './byte-reader.js';
export { conventionName, languageName, registerName } from './code-names.js';
export { type CodeRange, DebugFile, type Origin } from './debug-file.js';
export { DebugStrings, type StringHandle } from './debug-strings.js';
export { DieReader } from './die.js';
export { DW_AT, DW_FORM, DW_TAG, DW_UT } from './dw-constants.js';
export { Dwarf, type DwarfOptions, openDwarf } from './dwarf.js';
export type { Location } from './expression.js';
export type { Encoding } from './form.js';
export type { Frame } from './frames.js';
export { InlinedCalls, OUTERMOST } from './inlined.js';
export { type LineRows, LineTable, type SourcePlace } from './line.js';
export type { LineHeader } from './line-header.js';
export type { LocationEntry } from './location.js';
export type { Distances } from './ranges.js';
export { DebugSection, DebugSections } from './sections.js';
export { type Addition, type InlinedInto, type Parameter, Subprogram } from './subprogram.js';
export { type SubprogramLink, subprogramChain, subprogramName } from './subprogram-chain.js';
export { SUBPROGRAM, SubprogramTable } from './subprogram-table.js';
export { TypePrinter } from './type.js';
export { Unit } from './unit.js';
export { type UnitBases, UnitContext } from './unit-context.js';
export type { UnitHeader } from './unit-header.js';
export { UnitList } from './unit-list.js';
export type { UnitRoot } from './unit-root.js';
