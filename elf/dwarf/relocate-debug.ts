import { SHF, SHN, SHT } from '../constants.js';
import type { ElfFile } from '../file.js';
import { isRelocationSection, type RelocationTable } from '../relocation.js';
import type { RelocationRows } from '../relocation-rows.js';
import { relocationRule } from '../relocation-rules.js';
import type { Section } from '../section.js';

/** Sections of a relocatable file are put this far from zero, so that no function is at the address of code that the compiler dropped. */
const FIRST = 0x1_0000;

/**
 * Addresses for the sections of a relocatable file (ET_REL). All of them begin at zero in the file; the debug information of `.text` and
 * `.init.text` could not be told apart. So each is given a place of its own, one after another.
 */
export function layOutSections(elf: ElfFile): Float64Array {
  const places = new Float64Array(elf.sections.length);
  let next = FIRST;
  for (const section of elf.sections) {
    if (!section.allocated) continue;
    const align = Math.max(1, Math.min(section.addralign, 1 << 16));
    next = Math.ceil(next / align) * align;
    places[section.index] = next;
    // A gap, so that the end of a function is not the address of the next section's first.
    next += section.size + 1;
  }
  return places;
}

/**
 * Writes into a copy of a section's bytes what its relocations say, for sections at the addresses of {@link layOutSections}. A relocation
 * whose type has no rule leaves its word as it is.
 */
export function relocateSection(elf: ElfFile, section: Section, data: Uint8Array, places: Float64Array): Uint8Array {
  const tables = elf.relocationTables().filter(table => table.section.info === section.index && isRelocationSection(table.section));
  if (tables.length === 0) return data;
  const bytes = Uint8Array.from(data);
  for (const table of tables) applyTable(elf, table, bytes, places);
  return bytes;
}

/** Types that add to the word in place, or subtract from it: how RISC-V and LoongArch leave the distance of two labels to the linker. */
const ACCUMULATE: Readonly<Record<number, ReadonlyMap<number, readonly [sign: 1 | -1, width: number]>>> = {
  // RISC-V ELF psABI, "Relocations": ADD8 to ADD64, SUB8 to SUB64
  243: new Map([
    [33, [1, 1]],
    [34, [1, 2]],
    [35, [1, 4]],
    [36, [1, 8]],
    [37, [-1, 1]],
    [38, [-1, 2]],
    [39, [-1, 4]],
    [40, [-1, 8]],
  ]),
  // LoongArch ELF psABI, "Relocations": ADD8 … SUB64
  258: new Map([
    [47, [1, 1]],
    [48, [1, 2]],
    [50, [1, 4]],
    [51, [1, 8]],
    [52, [-1, 1]],
    [53, [-1, 2]],
    [55, [-1, 4]],
    [56, [-1, 8]],
  ]),
};

function applyTable(elf: ElfFile, table: RelocationTable, bytes: Uint8Array, places: Float64Array): void {
  const rows = table.rows();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { machine, littleEndian } = elf.header;
  const symbols = elf.symbolTable(table.section.link);
  for (let row = 0; row < rows.count; row++) {
    const at = rows.offset.high(row) * 0x1_0000_0000 + rows.offset.low(row);
    const type = rows.type[row]!;
    const sum = ACCUMULATE[machine]?.get(type);
    const rule = relocationRule(machine, type);
    const width = sum?.[1] ?? rule?.width ?? 0;
    if (width === 0 || at + width > bytes.length) continue;
    if (sum === undefined && rule!.form !== 'absolute' && rule!.form !== 'pc-relative') continue;
    const symbol = rows.symbol[row]!;
    let value = 0n;
    if (symbol !== 0 && symbols !== undefined && symbol < symbols.count) {
      value = symbols.value.big[symbol]!;
      const index = symbols.sectionIndex[symbol]!;
      if (index !== SHN.ABS) value += BigInt(places[index] ?? 0);
    }
    value += addendOf(rows, row, view, at, width, littleEndian, sum !== undefined);
    if (sum !== undefined) value = readWord(view, at, width, littleEndian) + BigInt(sum[0]) * value;
    else if (rule!.form === 'pc-relative') value -= BigInt(at);
    writeWord(view, at, width, littleEndian, value);
  }
}

function addendOf(
  rows: RelocationRows,
  row: number,
  view: DataView,
  at: number,
  width: number,
  littleEndian: boolean,
  accumulates: boolean,
): bigint {
  if (rows.addend !== undefined) return BigInt.asIntN(64, rows.addend.big[row]!);
  return accumulates ? 0n : readWord(view, at, width, littleEndian);
}

function readWord(view: DataView, at: number, width: number, littleEndian: boolean): bigint {
  if (width === 8) return view.getBigUint64(at, littleEndian);
  if (width === 4) return BigInt(view.getUint32(at, littleEndian));
  return BigInt(width === 2 ? view.getUint16(at, littleEndian) : view.getUint8(at));
}

function writeWord(view: DataView, at: number, width: number, littleEndian: boolean, value: bigint): void {
  if (width === 8) view.setBigUint64(at, BigInt.asUintN(64, value), littleEndian);
  else if (width === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), littleEndian);
  else if (width === 2) view.setUint16(at, Number(BigInt.asUintN(16, value)), littleEndian);
  else view.setUint8(at, Number(BigInt.asUintN(8, value)));
}

/** True for a section that holds bytes: `objcopy --only-keep-debug` and its like leave headers behind without. */
export function holdsBytes(section: Section): boolean {
  return section.type !== SHT.NOBITS && section.type !== SHT.NULL && section.size > 0 && (section.flags & SHF.ALLOC) === 0;
}
