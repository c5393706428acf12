/**
 * Symbols of kernels: as text, as packed in an image, as an ELF file has them.
 *
 * @module kelf/kallsyms
 */
export { symbolsFromElf } from './elf.js';
export type { AddressEncoding } from './encodings.js';
export type { AddressLayout, NameTables } from './layouts.js';
export { type KallsymsTables, kallsymsAt, locateKallsyms } from './locate.js';
export { objectionTo, provenKallsyms } from './proof.js';
export { isPreambleName, isTextLetter, type KernelSymbol, KernelSymbols, type SymbolColumns, type SymbolRow } from './symbols.js';
export { decodeKallsyms, type KallsymsLocation, kallsymsLocation } from './tables.js';
export { type BlacklistRange, type FilterFunctions, parseFilterFunctions, parseKallsyms, parseKprobeBlacklist } from './text.js';
