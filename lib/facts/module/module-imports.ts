import { STB } from '../../../elf/constants.js';
import type { ElfFile } from '../../../elf/file.js';
import type { SymbolTable } from '../../../elf/symbol.js';

/** A symbol that a module takes from the kernel or from another module. */
export interface ModuleImport {
  readonly name: string;
  /** May be missing: then it is 0. */
  readonly weak: boolean;
  /** The checksum that the module was built against (CONFIG_MODVERSIONS). */
  readonly crc?: number;
}

/** The undefined symbols, in the order of `.symtab`, with their checksums. */
export function readImports(file: ElfFile, table: SymbolTable): ModuleImport[] {
  const crcs = readVersions(file);
  const imports: ModuleImport[] = [];
  for (let row = 1; row < table.count; row++) {
    if (table.sectionIndex[row] !== 0 || table.nameOffset[row] === 0) continue;
    const { name } = table.at(row);
    if (name === '') continue;
    const crc = crcs.get(name);
    imports.push({ name, weak: table.binding(row) === STB.WEAK, ...(crc === undefined ? {} : { crc }) });
  }
  return imports;
}

/** `struct modversion_info`: the checksum in an unsigned long, and the name up to 64 bytes in all. */
const ENTRY = 64;

/**
 * The checksums of what a module imports, by name; `module_layout` or `struct_module` too, which stands for the kernel's own types. From
 * `__versions`, and from `__version_ext_crcs` and `__version_ext_names` for names that are too long for it (CONFIG_EXTENDED_MODVERSIONS,
 * 6.14).
 */
export function readVersions(file: ElfFile): Map<string, number> {
  const crcs = new Map<string, number>();
  const wordSize = file.is64 ? 8 : 4;
  const low = file.is64 && !file.littleEndian ? 4 : 0;
  const table = file.section('__versions')?.data() ?? new Uint8Array(0);
  const view = new DataView(table.buffer, table.byteOffset, table.length);
  for (let at = 0; at + ENTRY <= table.length; at += ENTRY) {
    const name = textOf(table.subarray(at + wordSize, at + ENTRY));
    if (name !== '') crcs.set(name, view.getUint32(at + low, file.littleEndian));
  }
  const words = file.section('__version_ext_crcs')?.data() ?? new Uint8Array(0);
  const names = decoder.decode(file.section('__version_ext_names')?.data() ?? new Uint8Array(0)).split('\0');
  const extended = new DataView(words.buffer, words.byteOffset, words.length);
  for (let i = 0; i * 4 + 4 <= words.length && i < names.length; i++) {
    if (names[i] !== '') crcs.set(names[i]!, extended.getUint32(i * 4, file.littleEndian));
  }
  return crcs;
}

const decoder = new TextDecoder();

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decoder.decode(end < 0 ? bytes : bytes.subarray(0, end));
}
