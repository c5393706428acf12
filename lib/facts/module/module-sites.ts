import { SHT } from '../../../elf/constants.js';
import type { Diagnostic } from '../../../elf/errors.js';
import type { ElfFile } from '../../../elf/file.js';
import { relocationName } from '../../../elf/relocation-names.js';
import type { Section } from '../../../elf/section.js';
import { Words } from '../../../elf/words.js';
import { archOf } from '../../arch/arch-of.js';
import type { McountTable } from '../mcount.js';
import { readPointers } from './pointers.js';

/** A module's table of call sites; addresses are those of `placeOf`. */
export interface ModuleMcount extends McountTable {
  /** `__mcount_loc` or `__patchable_function_entries`. */
  readonly section: string;
}

/**
 * The table that the kernel finds a module's ftrace sites by: the first section named FTRACE_CALLSITE_SECTION (find_module_sections() in
 * kernel/module/main.c). Which name that is, the architecture and the compiler decide; a module that has `__mcount_loc` was built for it.
 * @returns undefined for a module without a table: nothing in it can be traced
 * @throws FormatError
 */
export function readModuleMcount(file: ElfFile, diagnostics: Diagnostic[]): ModuleMcount | undefined {
  const named = (name: string): Section[] => file.sections.filter(section => section.name === name && section.allocated);
  const mcount = named('__mcount_loc');
  const { mcountOnly } = archOf(file.header.machine).callSites;
  const sections = mcount.length > 0 || mcountOnly ? mcount : named('__patchable_function_entries');
  const [first, ...others] = sections;
  if (first === undefined || first.type === SHT.NOBITS) return undefined;
  if (others.length > 0) {
    const what = others.length === 1 ? 'one more section is' : `${others.length} more sections are`;
    diagnostics.push({ place: { name: first.label }, message: `${first.label}: ${what} named the same; the kernel reads the first` });
  }
  const table = tableOf(file, first);
  const { elsewhere } = table;
  if (elsewhere > 0) {
    const what = elsewhere === 1 ? 'one relocation points' : `${elsewhere} relocations point`;
    diagnostics.push({ place: { name: first.label }, message: `${first.label}: ${what} outside every section` });
  }
  return table;
}

function tableOf(file: ElfFile, section: Section): ModuleMcount & { readonly elsewhere: number } {
  const wordSize = file.is64 ? 8 : 4;
  const pointers = readPointers(file, section);
  const bytes = section.data();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = Math.floor(bytes.length / wordSize);
  const stored = new Words(count);
  const low = wordSize === 8 && !file.littleEndian ? 4 : 0;
  let zeroStored = 0;
  for (let i = 0; i < count; i++) {
    const at = i * wordSize;
    stored.set(i, view.getUint32(at + low, file.littleEndian), wordSize === 8 ? view.getUint32(at + 4 - low, file.littleEndian) : 0);
    if (stored.low(i) === 0 && stored.high(i) === 0) zeroStored++;
  }
  const relocated = new Words(count);
  for (let i = 0; i < pointers.count; i++) {
    const word = pointers.at[i]! / wordSize;
    if (Number.isInteger(word) && word < count) relocated.set(word, pointers.target.low(i), pointers.target.high(i));
  }
  let zeroRelocated = 0;
  for (let i = 0; i < count; i++) if (relocated.high(i) === 0) zeroRelocated++;
  const fills = new Map<string, number>();
  const sections = new Set<string>();
  const memory = file.sectionMemory(section);
  for (const { table, rows, row } of memory.sites(0n, bytes.length)) {
    const name = relocationName(file.header.machine, rows.type[row]!);
    fills.set(name, (fills.get(name) ?? 0) + 1);
    sections.add(table.section.name);
  }
  return {
    section: section.name,
    start: 0n,
    stop: BigInt(bytes.length),
    wordSize,
    count,
    stored,
    relocated,
    zeroStored,
    zeroRelocated,
    fills,
    relocationSections: [...sections],
    elsewhere: pointers.elsewhere,
  };
}
