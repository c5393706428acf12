import { SHF, SHT, STB, STT } from '../../../elf/constants.js';
import type { Diagnostic } from '../../../elf/errors.js';
import type { ElfFile } from '../../../elf/file.js';
import type { Section } from '../../../elf/section.js';
import type { SymbolTable } from '../../../elf/symbol.js';
import { Words } from '../../../elf/words.js';
import { KernelSymbols } from '../../../kallsyms/symbols.js';

/** What the kernel's kallsyms will know of a module, while it is a file. */
export interface ModuleSymbols {
  /** In the order of `.symtab`, in which the kernel looks names up (find_kallsyms_symbol_value()). Addresses are those of `placeOf`. */
  readonly symbols: KernelSymbols;
  readonly table: SymbolTable;
  /** For each row of `symbols` the row of the table; 0 for the rows that mark the end of a section of code. */
  readonly elfRow: Uint32Array;
}

/** The row's letter for the end of a section: it has no name, and is not a function. */
const END_MARK = '?'.charCodeAt(0);

/**
 * The defined symbols of a module's allocated sections (is_core_symbol() in kernel/module/kallsyms.c), those of init sections too, but for
 * the labels that the kernel never names an address by (is_mapping_symbol() in include/linux/module_symbol.h).
 */
export function readModuleSymbols(file: ElfFile, table: SymbolTable, diagnostics: Diagnostic[]): ModuleSymbols {
  const letters = file.sections.map(letterOf);
  const { bytes } = table.strings;
  const rows: number[] = [];
  let damaged = 0;
  // Names are compared without looking at the table's end: it has to be that of a name.
  const terminated = bytes.length === 0 || bytes[bytes.length - 1] === 0;
  for (let row = 1; row < table.count; row++) {
    const letter = letters[table.sectionIndex[row]!] ?? 0;
    const type = table.type(row);
    const name = table.nameOffset[row]!;
    if (letter === 0 || type === STT.SECTION || type === STT.FILE || bytes[name] === 0) continue;
    const section = file.sections[table.sectionIndex[row]!]!;
    if (!terminated || name >= bytes.length || table.value.high(row) !== 0 || table.value.low(row) > section.size) damaged++;
    else if (!isMapping(bytes, name)) rows.push(row);
  }
  if (damaged > 0) {
    diagnostics.push({
      place: { name: table.section.label },
      message: `${table.section.label}: ${damaged} symbols have no name or no address`,
    });
  }
  const ends = file.sections.filter(isCode);
  const address = new Words(rows.length + ends.length);
  const nameOffset = new Uint32Array(address.length);
  const type = new Uint8Array(address.length);
  const elfRow = new Uint32Array(address.length);
  rows.forEach((row, i) => {
    address.set(i, table.value.low(row), table.sectionIndex[row]!);
    nameOffset[i] = table.nameOffset[row]!;
    type[i] = bindingLetter(letters[table.sectionIndex[row]!]!, table.binding(row));
    elfRow[i] = row;
  });
  ends.forEach((section, i) => {
    address.set(rows.length + i, Math.min(section.size, 0xffff_ffff), section.index);
    type[rows.length + i] = END_MARK;
  });
  const strings = bytes.length === 0 ? Uint8Array.of(0) : bytes;
  return { symbols: new KernelSymbols(table.section.label, { address, type, nameOffset, strings }), table, elfRow };
}

/** True for a section whose code is in memory once the module is loaded. */
export function isCode({ flags, type }: Section): boolean {
  return (flags & SHF.ALLOC) !== 0 && (flags & SHF.EXECINSTR) !== 0 && type !== SHT.NOBITS;
}

const code = (letter: string): number => letter.charCodeAt(0);

/** The lower-case letter of nm(1) for what is in a section; 0 for one that is not loaded. */
function letterOf({ flags, type }: Section): number {
  if ((flags & SHF.ALLOC) === 0) return 0;
  if ((flags & SHF.EXECINSTR) !== 0) return code('t');
  if (type === SHT.NOBITS) return code('b');
  return code((flags & SHF.WRITE) !== 0 ? 'd' : 'r');
}

function bindingLetter(letter: number, binding: number): number {
  if (binding === STB.LOCAL) return letter;
  if (binding === STB.WEAK) return letter === code('t') ? code('W') : code('V');
  return letter & ~0x20;
}

/** `$x`, `$d.3` and the like of arm and riscv, and labels of assemblers: `.L…`, `L0…`. */
function isMapping(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at]!;
  const second = bytes[at + 1]!;
  if (first === code('$')) return true;
  return (first === code('.') && second === code('L')) || (first === code('L') && second === code('0'));
}
