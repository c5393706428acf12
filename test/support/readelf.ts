import {
  bindingName,
  type ElfFile,
  type RelocationTable,
  relocationName,
  reservedIndexName,
  type SymbolTable,
  sectionFlagLetters,
  sectionTypeName,
  segmentTypeName,
  symbolTypeName,
  visibilityName,
  type Words,
} from 'kelf/elf';

// What readelf -W prints, made from what kelf reads: rows that begin and end alike, so that a comparison is one of text.

const STT_SECTION = 3;
const utf8 = new TextDecoder();

/** The rows of one symbol table, as `readelf -sW` has them, with runs of spaces as one. */
export function symbolRows(elf: ElfFile, table: SymbolTable): string[] {
  const digits = elf.is64 ? 16 : 8;
  return Array.from(table, ({ index, name, value, size, type, binding, visibility, sectionIndex }) => {
    const shown = type === STT_SECTION && name === '' ? (elf.sections[sectionIndex]?.name ?? '') : name;
    const sizeText = size > 99999n ? `0x${size.toString(16)}` : String(size);
    const section = reservedIndexName(sectionIndex) ?? String(sectionIndex);
    const kind = `${symbolTypeName(type)} ${bindingName(binding)} ${visibilityName(visibility)}`;
    return `${index}: ${value.toString(16).padStart(digits, '0')} ${sizeText} ${kind} ${section} ${carets(shown)}`.trimEnd();
  });
}

/** The rows of one table in the output of `readelf -sW`: the versions of dynamic symbols and the marks of st_other are left out. */
export function readelfSymbolRows(text: string, table: string): string[] {
  const start = text.indexOf(`Symbol table '${table}'`);
  if (start < 0) return [];
  const end = text.indexOf('\nSymbol table', start);
  return text
    .slice(start, end < 0 ? undefined : end)
    .split('\n')
    .filter(line => /^\s*\d+: /.test(line))
    .map(line => squeeze(line.replace(/ \[[^\]]*\]/, '').replace(/@@?\S+( \(\d+\))?$/, '')));
}

/** A chunk of relocations as `readelf -rW` has them: to the byte, but for `Type2`, `Type3` of MIPS64. */
export function relocationRows(elf: ElfFile, table: RelocationTable, start = 0, most: number = Number.POSITIVE_INFINITY): string {
  const { offset, type, symbol, addend, count } = table.rows(start, most);
  const digits = elf.is64 ? 16 : 8;
  const { machine } = elf.header;
  const names = new Map<number, string>();
  const symbols = elf.symbolTable(table.section.link);
  let text = '';
  for (let row = 0; row < count; row++) {
    const place = hex64(offset.high(row), offset.low(row), digits);
    if (table.kind === 'RELR') {
      text += `${place}\n`;
      continue;
    }
    let name = names.get(type[row]!);
    if (name === undefined) {
      name = relocationName(machine, type[row]!).padEnd(22);
      names.set(type[row]!, name);
    }
    const index = symbol[row]!;
    const info = elf.is64 ? hex64(index, type[row]!, 16) : (((index << 8) | type[row]!) >>> 0).toString(16).padStart(8, '0');
    text += `${place}  ${info} ${name}`;
    if (index !== 0 && symbols !== undefined) {
      const isSection = symbols.type(index) === STT_SECTION;
      const shown = isSection ? (elf.sections[symbols.sectionIndex[index]!]?.name ?? '') : symbols.name(index);
      text += ` ${hex64(symbols.value.high(index), symbols.value.low(index), digits)}${elf.is64 ? ' ' : '   '}${carets(shown)}`;
      if (addend !== undefined) text += isNegative(addend, row) ? ` - ${absolute(addend, row)}` : ` + ${absolute(addend, row)}`;
    } else if (addend !== undefined && index === 0) {
      text += `${' '.repeat(elf.is64 ? 20 : 28)}${isNegative(addend, row) ? '-' : ''}${absolute(addend, row)}`;
    }
    text += '\n';
  }
  return text;
}

/** The heading that `readelf -rW` puts over a table's rows. */
export function relocationHeading(elf: ElfFile, table: RelocationTable): string {
  const { name, offset, size, entsize } = table.section;
  const entries = entsize === 0 ? 0 : Math.floor(size / entsize);
  const title = `\nRelocation section '${name}' at offset 0x${offset.toString(16)} contains ${entries} ${entries === 1 ? 'entry' : 'entries'}:\n`;
  if (table.kind === 'RELR') return `${title}  ${table.count} offsets\n`;
  const columns = elf.is64
    ? "    Offset             Info             Type               Symbol's Value  Symbol's Name"
    : " Offset     Info    Type                Sym. Value  Symbol's Name";
  return `${title}${columns}${table.kind === 'RELA' ? ' + Addend' : ''}\n`;
}

/** The section headers as `readelf -SW` has them, with runs of spaces as one. */
export function sectionRows(elf: ElfFile): string[] {
  return elf.sections.map(({ index, name, type, address, offset, size, entsize, flags, link, info, addralign }) => {
    const { machine } = elf.header;
    const known = sectionTypeName(type, machine).replace('SYMTAB_SHNDX', 'SYMTAB SECTION INDICES');
    // binutils 2.40 has no names for Android's and LLVM's.
    const typeName = /^(ANDROID|LLVM)_/.test(known) ? `LOOS+0x${(type - 0x60000000).toString(16)}` : known;
    const numbers = `${address.toString(16).padStart(elf.is64 ? 16 : 8, '0')} ${offset.toString(16).padStart(6, '0')} ${size.toString(16).padStart(6, '0')}`;
    return squeeze(
      `[${index}] ${name} ${typeName} ${numbers} ${entsize.toString(16).padStart(2, '0')} ${sectionFlagLetters(flags, machine)} ${link} ${info} ${addralign}`,
    );
  });
}

/** The section headers in the output of `readelf -SW`. */
export function readelfSectionRows(text: string): string[] {
  return text
    .split('\n')
    .filter(line => /^ {2}\[ *\d+\] /.test(line))
    .map(line => squeeze(line.replace(/\[ +/, '[')));
}

/** The program headers as `readelf -lW` has them, with runs of spaces as one. */
export function segmentRows(elf: ElfFile): string[] {
  const digits = elf.is64 ? 16 : 8;
  return elf.segments.map(({ type, flags, offset, virtualAddress, physicalAddress, fileSize, memorySize, align }) => {
    const hex = (value: number | bigint, width: number) => `0x${value.toString(16).padStart(width, '0')}`;
    const letters = `${flags & 4 ? 'R' : ' '}${flags & 2 ? 'W' : ' '}${flags & 1 ? 'E' : ' '}`;
    const name = segmentTypeName(type, elf.header.machine).replace(/^MIPS_|^ARM_/, '');
    const places = `${hex(offset, 6)} ${hex(virtualAddress, digits)} ${hex(physicalAddress, digits)}`;
    return squeeze(
      `${name.slice(0, 14)} ${places} ${hex(fileSize, elf.is64 ? 6 : 5)} ${hex(memorySize, elf.is64 ? 6 : 5)} ${letters} ${align === 0n ? '0' : hex(align, 0)}`,
    );
  });
}

/** The program headers in the output of `readelf -lW`. */
export function readelfSegmentRows(text: string): string[] {
  return text
    .split('\n')
    .filter(line => /^ {2}\S+ +0x[0-9a-f]+ 0x[0-9a-f]+ 0x/.test(line))
    .map(squeeze);
}

/** Owner and size of each note, as `readelf -nW` has them. */
export function noteRows(elf: ElfFile): string[] {
  return elf.notes.map(
    ({ owner, description }) => `${owner === '' ? '(NONE)' : owner} 0x${description.length.toString(16).padStart(8, '0')}`,
  );
}

/** Owner and size of each note in the output of `readelf -nW`. */
export function readelfNoteRows(text: string): string[] {
  return [...text.matchAll(/^ {2}(\S.*?)\s+(0x[0-9a-f]{8})\t/gm)].map(([, owner, size]) => `${owner} ${size}`);
}

/** The text of a file without a BOM or an error for damaged UTF-8. */
export function decode(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

export function squeeze(line: string): string {
  return line.trim().replace(/ +/g, ' ');
}

function hex64(high: number, low: number, digits: number): string {
  return digits === 8 ? low.toString(16).padStart(8, '0') : high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
}

/** Control characters as readelf has them: there are some in the names of arm64's KVM code. */
function carets(name: string): string {
  return name.replace(/\p{Cc}/gu, char => `^${String.fromCharCode(char.charCodeAt(0) + 64)}`);
}

function isNegative(addend: Words, row: number): boolean {
  return addend.high(row) > 0x7fff_ffff;
}

function absolute(addend: Words, row: number): string {
  return isNegative(addend, row) ? (-BigInt.asIntN(64, addend.big[row]!)).toString(16) : plainHex(addend.high(row), addend.low(row));
}

function plainHex(high: number, low: number): string {
  return high === 0 ? low.toString(16) : high.toString(16) + low.toString(16).padStart(8, '0');
}
