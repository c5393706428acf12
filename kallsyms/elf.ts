import { SHF, SHN, SHT, STB, STT } from '../elf/constants.js';
import type { ElfFile } from '../elf/file.js';
import type { Section } from '../elf/section.js';
import type { SymbolTable } from '../elf/symbol.js';
import { Words } from '../elf/words.js';
import { KernelSymbols } from './symbols.js';

/** Names that never reach kallsyms: scripts/mksysmap, and is_ignored_symbol() in scripts/kallsyms.c of 6.1 and later. */
const IGNORED_PREFIXES = [
  '$',
  '.L',
  '__efistub_',
  '__pi_$',
  '__pi_.L',
  '__kvm_nvhe_$',
  '__kvm_nvhe_.L',
  '__AArch64ADRPThunk_',
  '__ARMV5PILongThunk_',
  '__ARMV7PILongThunk_',
  '__ThumbV7PILongThunk_',
  '__LA25Thunk_',
  '__microLA25Thunk_',
  '__kcfi_typeid_',
  '__crc_',
  '__kstrtab_',
  '__kstrtabns_',
  '__mod_device_table__',
  '__UNIQUE_ID_modinfo',
];
const IGNORED_NAMES = [
  'L0',
  '_SDA_BASE_',
  '_SDA2_BASE_',
  'kallsyms_addresses',
  'kallsyms_offsets',
  'kallsyms_relative_base',
  'kallsyms_num_syms',
];
const IGNORED_TABLES = ['kallsyms_names', 'kallsyms_markers', 'kallsyms_token_table', 'kallsyms_token_index', 'kallsyms_seqs_of_names'];
const IGNORED_SUFFIXES = ['_from_arm', '_from_thumb', '_veneer'];

/**
 * The symbols that the kernel's own kallsyms would list, from the ELF symbol table that they were made from: the filter, the letters and
 * the order of `nm -n`, scripts/mksysmap and scripts/kallsyms.c. It serves images without packed tables; where there are some, they are the
 * better source (decodeKallsyms), since the filter is not the same in all releases.
 */
export function symbolsFromElf(file: ElfFile, table: SymbolTable): KernelSymbols {
  const letters = sectionLetters(file);
  const rows = new Uint32Array(table.count);
  const type = new Uint8Array(table.count);
  const ignored = ignoredNames(table);
  let count = 0;
  for (let i = 0; i < table.count; i++) {
    const letter = symbolLetter(table, i, letters);
    if (letter === 0 || ignored(table.nameOffset[i]!)) continue;
    rows[count] = i;
    type[i] = letter;
    count++;
  }
  const kept = sortAsKallsyms(table, type, rows.subarray(0, count));
  const address = new Words(kept.length);
  const nameOffset = new Uint32Array(kept.length);
  const keptType = new Uint8Array(kept.length);
  kept.forEach((row, i) => {
    address.set(i, table.value.low(row), table.value.high(row));
    nameOffset[i] = table.nameOffset[row]!;
    keptType[i] = type[row]!;
  });
  const columns = { address, type: keptType, nameOffset, strings: table.strings.bytes };
  return new KernelSymbols(table.section.label, columns);
}

const code = (letter: string): number => letter.charCodeAt(0);

/**
 * The lower-case letter of nm(1) for symbols of each section, by its flags (BFD's decode_section_type()); 0 for one that kallsyms drops.
 */
function sectionLetters(file: ElfFile): Uint8Array {
  const letter = ({ flags, type }: Section): number => {
    if ((flags & SHF.ALLOC) === 0) return 0; // N, a debugging symbol
    if ((flags & SHF.EXECINSTR) !== 0) return code('t');
    if (type === SHT.NOBITS) return code('b');
    return code((flags & SHF.WRITE) !== 0 ? 'd' : 'r');
  };
  return Uint8Array.from(file.sections, letter);
}

/** nm's letter for a symbol, or 0 where kallsyms drops it: undefined, absolute local, section and file symbols. */
function symbolLetter(table: SymbolTable, i: number, letters: Uint8Array): number {
  const type = table.info[i]! & 15;
  const binding = table.info[i]! >> 4;
  const section = table.sectionIndex[i]!;
  if (type === STT.SECTION || type === STT.FILE || section === SHN.UNDEF) return 0;
  if (binding === STB.WEAK) return code(type === STT.OBJECT ? 'V' : 'W');
  const letter = letters[section] ?? 0; // SHN_ABS has none: kallsyms drops absolute symbols
  if (letter === 0) return 0;
  return binding === STB.LOCAL ? letter : letter & ~0x20;
}

/** The test of a name, by its offset; it compares bytes, since it runs for every symbol. */
function ignoredNames(table: SymbolTable): (offset: number) => boolean {
  const { bytes } = table.strings;
  const encoder = new TextEncoder();
  const byFirst = new Map<number, Uint8Array[]>();
  for (const text of [...IGNORED_PREFIXES, ...[...IGNORED_NAMES, ...IGNORED_TABLES].map(name => `${name}\0`)]) {
    const pattern = encoder.encode(text);
    byFirst.set(pattern[0]!, [...(byFirst.get(pattern[0]!) ?? []), pattern]);
  }
  const suffixes = IGNORED_SUFFIXES.map(text => encoder.encode(`${text}\0`));
  const matches = (at: number, pattern: Uint8Array): boolean => {
    for (let i = 0; i < pattern.length; i++) if (bytes[at + i] !== pattern[i]) return false;
    return true;
  };
  return offset => {
    if (bytes[offset] === 0) return true;
    if (byFirst.get(bytes[offset]!)?.some(pattern => matches(offset, pattern))) return true;
    const end = table.strings.end(offset);
    const last = bytes[end - 1]!;
    // m, b or r: the last letters of the suffixes
    if (last !== 0x6d && last !== 0x62 && last !== 0x72) return false;
    return suffixes.some(suffix => end + 1 - suffix.length >= offset && matches(end + 1 - suffix.length, suffix));
  };
}

/**
 * Rows in the order of scripts/kallsyms.c compare_symbols(): by address; then the others before weak symbols, before those that look made
 * by a linker script, fewer leading underscores first; then as `nm -n` lists them, by name.
 */
function sortAsKallsyms(table: SymbolTable, type: Uint8Array, rows: Uint32Array): Uint32Array {
  const address = new Words(rows.length);
  rows.forEach((row, i) => {
    address.set(i, table.value.low(row), table.value.high(row));
  });
  const order = address.order();
  const sorted = Uint32Array.from(order, i => rows[i]!);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && address.equal(order[from]!, order[to]!)) to++;
    if (to - from > 1) sorted.set(sortAliases(table, type, sorted.subarray(from, to)), from);
    from = to;
  }
  return sorted;
}

function sortAliases(table: SymbolTable, type: Uint8Array, rows: Uint32Array): Uint32Array {
  const keys = Array.from(rows, row => {
    const name = table.name(row);
    const weak = (type[row]! | 0x20) === code('w') ? 1 : 0;
    return { row, name, weak, script: isLinkerScriptName(name) ? 1 : 0, underscores: /^_*/.exec(name)![0].length };
  });
  keys.sort(
    (a, b) => a.weak - b.weak || a.script - b.script || a.underscores - b.underscores || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  return Uint32Array.from(keys, key => key.row);
}

/** may_be_linker_script_provide_symbol() in scripts/kallsyms.c */
function isLinkerScriptName(name: string): boolean {
  return /^__(start|stop|end)_/.test(name) || /^_.*(_start|_end)$/.test(name);
}
