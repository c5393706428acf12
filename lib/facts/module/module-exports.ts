import { SHN } from '../../../elf/constants.js';
import { type Diagnostic, FormatError } from '../../../elf/errors.js';
import type { ElfFile } from '../../../elf/file.js';
import { relocationRule } from '../../../elf/relocation-rules.js';
import type { Section } from '../../../elf/section.js';
import { StringTable } from '../../../elf/strings.js';
import { offsetOfPlace, readPointers, sectionOfPlace } from './pointers.js';

/** A symbol that a module offers to others: an entry of `__ksymtab`. */
export interface ModuleExport {
  readonly name: string;
  /** The table it is in: `__ksymtab`, `__ksymtab_gpl`. */
  readonly table: string;
  /** For modules of a GPL-compatible license only. */
  readonly gpl: boolean;
  /** MODULE_IMPORT_NS has to name it; `module:a,b` of EXPORT_SYMBOL_FOR_MODULES is open to these modules alone. */
  readonly namespace?: string;
  /** The checksum of its type (CONFIG_MODVERSIONS). */
  readonly crc?: number;
  /** Where it is defined. */
  readonly section: string;
  readonly offset: number;
}

/** The tables there are or were, by their suffixes; those of unused symbols are gone since 5.12, and one of GPL symbols since 7.0. */
const TABLES: readonly (readonly [suffix: string, gpl: boolean])[] = [
  ['', false],
  ['_gpl', true],
  ['_unused', false],
  ['_unused_gpl', true],
  ['_gpl_future', true],
];
/** KSYM_FLAG_GPL_ONLY of `__kflagstab`, a byte for each entry of the one `__ksymtab` there is since 7.0. */
const FLAG_GPL = 1;

/** All exports, in the order of the tables. A damaged table is a diagnostic. */
export function readExports(file: ElfFile, diagnostics: Diagnostic[]): ModuleExport[] {
  return TABLES.flatMap(([suffix, gpl]) => {
    const sections = file.sections.filter(({ name, allocated }) => name === `__ksymtab${suffix}` && allocated);
    return sections.flatMap(section => {
      try {
        return readTable(file, section, `__kcrctab${suffix}`, gpl, diagnostics);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        diagnostics.push({ place: error.place, message: error.message });
        return [];
      }
    });
  });
}

/**
 * Reads one table. An entry is two or three pointers, to the symbol, its name and (since 5.4) its namespace, either whole or relative to
 * their own place (`struct kernel_symbol` of include/linux/export-internal.h). Names and namespaces are in `__ksymtab_strings`, symbols are
 * not: that tells where entries begin, whichever form they are of.
 */
function readTable(file: ElfFile, section: Section, crcTable: string, gpl: boolean, diagnostics: Diagnostic[]): ModuleExport[] {
  const { count, target, elsewhere } = readPointers(file, section);
  const strings = new Map<number, StringTable>();
  const textAt = (place: bigint): string => {
    const index = sectionOfPlace(place);
    let table = strings.get(index);
    if (table === undefined) {
      const { label } = file.sections[index]!;
      table = new StringTable(file.sections[index]!.data(), label);
      strings.set(index, table);
    }
    return table.get(offsetOfPlace(place));
  };
  const isString = (i: number): boolean => i < count && file.sections[target.high(i)]!.name === '__ksymtab_strings';
  const entries: { readonly symbol: number; readonly name: number; readonly namespace: number }[] = [];
  let stray = elsewhere;
  for (let i = 0; i < count; ) {
    if (isString(i) || !isString(i + 1)) {
      stray++;
      i++;
      continue;
    }
    const namespace = isString(i + 2) ? i + 2 : -1;
    entries.push({ symbol: i, name: i + 1, namespace });
    i += namespace < 0 ? 2 : 3;
  }
  if (stray > 0) {
    diagnostics.push({ place: { name: section.label }, message: `${section.label}: ${stray} words belong to no export` });
  }
  const crcs = readCrcs(file, crcTable, entries.length);
  const flags = gpl ? undefined : file.section('__kflagstab')?.data();
  return entries.map(({ symbol, name, namespace }, i) => {
    const space = namespace < 0 ? '' : textAt(target.big[namespace]!);
    const crc = crcs[i];
    return {
      name: textAt(target.big[name]!),
      table: section.name,
      gpl: gpl || ((flags?.[i] ?? 0) & FLAG_GPL) !== 0,
      ...(space === '' ? {} : { namespace: space }),
      ...(crc === undefined ? {} : { crc }),
      section: file.sections[target.high(symbol)]!.name,
      offset: target.low(symbol),
    };
  });
}

/**
 * The checksums beside a table: 32-bit words; address-sized ones before 4.10, which relocations against absolute symbols `__crc_X` fill;
 * or, from 4.10 to
 * 5.18 where CONFIG_MODULE_REL_CRCS is set, the distance to where the checksum stands.
 */
function readCrcs(file: ElfFile, name: string, count: number): (number | undefined)[] {
  const section = file.section(name);
  if (section === undefined || count === 0) return [];
  const size = section.data().length;
  const width = size >= count * 8 && file.is64 ? 8 : 4;
  const memory = file.sectionMemory(section);
  const bytes = memory.read(0n, size);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const low = width === 8 && !file.littleEndian ? 4 : 0;
  const at = (i: number): number => i * width + low;
  const crcs: (number | undefined)[] = Array.from({ length: count }, (_, i) =>
    at(i) + 4 <= size ? view.getUint32(at(i), file.littleEndian) : undefined,
  );
  for (const { table, rows, row } of memory.sites(0n, size)) {
    if (relocationRule(file.header.machine, rows.type[row]!)?.form !== 'pc-relative') continue;
    const place = Number(rows.offset.big[row]!);
    const index = file.symbolTable(table.section.link)?.sectionIndex[rows.symbol[row]!] ?? SHN.ABS;
    const target = file.sections[index];
    const i = place / width;
    if (!Number.isInteger(i) || i >= count || at(i) + 4 > size) continue;
    const offset = view.getInt32(at(i), file.littleEndian) + place;
    const data = target?.data();
    crcs[i] =
      data === undefined || offset < 0 || offset + 4 > data.length
        ? undefined
        : new DataView(data.buffer, data.byteOffset).getUint32(offset, file.littleEndian);
  }
  return crcs;
}
