import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { bpfObject, CODE, insns } from './bpf-writer.js';
import { BtfWriter } from './btf-writer.js';
import { ElfWriter, join as joined, type SectionSpec, type SymbolSpec } from './elf-writer.js';
import { PACKED_KALLSYMS } from './evil-kallsyms.js';

/** A file made to cost more than its size: what it is called, its bytes, and what is asked about it. */
export interface EvilFile {
  readonly name: string;
  /** @param size about so many bytes */
  readonly bytes: (size: number) => Uint8Array;
  /** Calls of the command line, FILE for the file. */
  readonly calls: readonly (readonly string[])[];
}

const writer = new ElfWriter();
const encoder = new TextEncoder();
const TEXT = 0x1000n;
const PROGBITS = 1;
const RELA = 4;
const NOTE = 7;

/** An ELF file of a machine's code, with symbols `f0`, `f1` … over it, and further sections. */
function kernelLike(sections: readonly SectionSpec[], functions = 16, type = 2): Uint8Array {
  const symbols: SymbolSpec[] = Array.from({ length: functions }, (_, i) => {
    return { name: `f${functions > 16 ? i : i % 8}`, value: TEXT + BigInt(i * 16), size: 16n, type: 2, binding: 1, section: 1 };
  });
  return writer.file({
    type,
    sections: [
      { name: '.text', type: PROGBITS, flags: 6, address: TEXT, data: new Uint8Array(functions * 16) },
      ...writer.symbols(symbols),
      ...sections,
    ],
  });
}

/** BTF of one function: what asks why others are missing has something to start from. */
function someBtf(): SectionSpec {
  const btf = new BtfWriter();
  btf.func('f0', btf.funcProto(0, []));
  return { name: '.BTF', type: PROGBITS, data: btf.bytes() };
}

function uleb(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) + 128);
  }
}

function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

function u64(value: number): number[] {
  return [...u32(value), 0, 0, 0, 0];
}

/** A growing run of bytes. */
class Bytes {
  #bytes = new Uint8Array(1 << 12);
  length = 0;

  add(values: ArrayLike<number>): this {
    while (this.length + values.length > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(values, this.length);
    this.length += values.length;
    return this;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

function repeated(count: number, make: (index: number) => ArrayLike<number>): Uint8Array {
  const bytes = new Bytes();
  for (let i = 0; i < count; i++) bytes.add(make(i));
  return bytes.done();
}

// DWARF 4 of 32-bit offsets and 8-byte addresses.

const TAG = { unit: 0x11, subprogram: 0x2e, inlined: 0x1d, parameter: 0x05, base: 0x24, block: 0x0b } as const;
const AT = {
  name: 3,
  low: 0x11,
  high: 0x12,
  language: 0x13,
  ranges: 0x55,
  origin: 0x31,
  type: 0x49,
  location: 2,
  lines: 0x10,
  external: 0x3f,
} as const;
const FORM = { addr: 1, data1: 0x0b, data4: 6, data8: 7, strp: 0x0e, string: 8, ref4: 0x13, sec: 0x17, present: 0x19 } as const;

function abbrev(code: number, tag: number, children: boolean, ...attributes: readonly (readonly [number, number])[]): number[] {
  return [...uleb(code), ...uleb(tag), children ? 1 : 0, ...attributes.flatMap(([at, form]) => [...uleb(at), ...uleb(form)]), 0, 0];
}

/** A unit of its entries' bytes. */
function unit(entries: Uint8Array | number[], abbrevOffset = 0): Uint8Array {
  return joined(Uint8Array.from([...u32(entries.length + 7), 4, 0, ...u32(abbrevOffset), 8]), Uint8Array.from(entries));
}

const UNIT_ABBREV = abbrev(1, TAG.unit, true, [AT.language, FORM.data1], [AT.low, FORM.addr], [AT.high, FORM.data4]);
const UNIT_ENTRY = [1, 0x0c, ...u64(Number(TEXT)), ...u32(256)];

function dwarf(info: Uint8Array, abbrevs: ArrayLike<number>, more: Readonly<Record<string, Uint8Array>> = {}): Uint8Array {
  const sections = { info, abbrev: Uint8Array.from(abbrevs), ...more };
  return kernelLike([...Object.entries(sections).map(([name, data]) => ({ name: `.debug_${name}`, type: PROGBITS, data })), someBtf()]);
}

/** `count` ranges of one byte each, and the end. */
function rangeList(count: number): Uint8Array {
  return joined(
    repeated(count, i => [...u64(i * 4), ...u64(i * 4 + 1)]),
    new Uint8Array(16),
  );
}

const AT_ADDRESS = ['addr', 'FILE', '0x1004'];
const QUESTIONS = [AT_ADDRESS, ['why', 'FILE', 'f1', 'f2', 'nothing'], ['why', 'FILE', '--all'], ['duplicates', 'FILE', '--sources']];

const DWARF: readonly EvilFile[] = [
  {
    name: 'dwarf: a range list that every subprogram shares',
    calls: QUESTIONS,
    bytes: size => {
      const abbrevs = [...UNIT_ABBREV, ...abbrev(2, TAG.subprogram, false, [AT.ranges, FORM.sec]), 0];
      const entries = repeated(size / 10, () => [2, ...u32(0)]);
      return dwarf(unit(joined(Uint8Array.from(UNIT_ENTRY), entries, new Uint8Array(1))), abbrevs, { ranges: rangeList(size / 32) });
    },
  },
  {
    name: 'dwarf: range lists that are ends of one another',
    calls: QUESTIONS,
    bytes: size => {
      const count = Math.floor(size / 32);
      const abbrevs = [...UNIT_ABBREV, ...abbrev(2, TAG.subprogram, false, [AT.ranges, FORM.sec]), 0];
      const entries = repeated(size / 10, i => [2, ...u32((i % count) * 16)]);
      return dwarf(unit(joined(Uint8Array.from(UNIT_ENTRY), entries, new Uint8Array(1))), abbrevs, { ranges: rangeList(count) });
    },
  },
  {
    name: 'dwarf: a range list that every unit shares',
    calls: QUESTIONS,
    bytes: size => {
      const abbrevs = [...abbrev(1, TAG.unit, false, [AT.ranges, FORM.sec]), 0];
      return dwarf(
        repeated(size / 32, () => unit([1, ...u32(0)])),
        abbrevs,
        { ranges: rangeList(size / 32) },
      );
    },
  },
  {
    name: 'dwarf: a range list that every inlined call shares',
    calls: [...QUESTIONS, ['why', 'FILE', 'f2']],
    bytes: size => {
      const abbrevs = [
        ...UNIT_ABBREV,
        ...abbrev(2, TAG.subprogram, true, [AT.low, FORM.addr], [AT.high, FORM.data4], [AT.name, FORM.string]),
        ...abbrev(3, TAG.inlined, false, [AT.ranges, FORM.sec], [AT.origin, FORM.ref4]),
        0,
      ];
      const head = [...UNIT_ENTRY, 2, ...u64(Number(TEXT)), ...u32(64), 0x66, 0x31, 0];
      const entries = repeated(size / 18, () => [3, ...u32(0), ...u32(11 + UNIT_ENTRY.length)]);
      return dwarf(unit(joined(Uint8Array.from(head), entries, new Uint8Array(2))), abbrevs, { ranges: rangeList(size / 32) });
    },
  },
  {
    name: 'dwarf: calls inlined one inside the other',
    calls: QUESTIONS,
    bytes: size => {
      const abbrevs = [
        ...UNIT_ABBREV,
        ...abbrev(2, TAG.subprogram, true, [AT.low, FORM.addr], [AT.high, FORM.data4], [AT.name, FORM.string]),
        ...abbrev(3, TAG.inlined, true, [AT.low, FORM.data8], [AT.origin, FORM.ref4]),
        0,
      ];
      const head = [...UNIT_ENTRY, 2, ...u64(Number(TEXT)), ...u32(64), 0x66, 0x31, 0];
      const count = size / 14;
      const entries = repeated(count, () => [3, ...u64(Number(TEXT)), ...u32(11 + UNIT_ENTRY.length)]);
      return dwarf(unit(joined(Uint8Array.from(head), entries, new Uint8Array(count + 2))), abbrevs);
    },
  },
  {
    name: 'dwarf: an abbreviation of attributes without bytes',
    calls: QUESTIONS,
    bytes: size => {
      const attributes = repeated(size / 8, () => [AT.external, FORM.present]);
      const abbrevs = joined(Uint8Array.from([...UNIT_ABBREV, 2, TAG.subprogram, 0]), attributes, new Uint8Array(3));
      return dwarf(unit(joined(Uint8Array.from(UNIT_ENTRY), new Uint8Array(size / 2).fill(2), new Uint8Array(1))), abbrevs);
    },
  },
  {
    name: 'dwarf: tables of abbreviations that are ends of one another',
    calls: QUESTIONS,
    bytes: size => {
      const count = Math.floor(size / 20);
      const one = abbrev(1, TAG.unit, false, [AT.language, FORM.data1]);
      const table = joined(
        repeated(count, () => one),
        new Uint8Array(1),
      );
      return dwarf(
        repeated(size / 26, i => unit([1, 0x0c], (i % count) * one.length)),
        table,
      );
    },
  },
  {
    name: 'dwarf: a location list that every parameter shares',
    calls: QUESTIONS,
    bytes: size => {
      const abbrevs = [
        ...UNIT_ABBREV,
        ...abbrev(2, TAG.subprogram, true, [AT.low, FORM.addr], [AT.high, FORM.data4], [AT.name, FORM.string]),
        ...abbrev(3, TAG.parameter, false, [AT.location, FORM.sec], [AT.type, FORM.ref4]),
        0,
      ];
      const head = [...UNIT_ENTRY, 2, ...u64(Number(TEXT)), ...u32(16), 0x66, 0x31, 0];
      const entries = repeated(size / 18, () => [3, ...u32(0), ...u32(0)]);
      const list = joined(
        repeated(size / 40, i => [...u64(i), ...u64(i + 1), 1, 0, 0x55]),
        new Uint8Array(16),
      );
      return dwarf(unit(joined(Uint8Array.from(head), entries, new Uint8Array(2))), abbrevs, { loc: list });
    },
  },
  {
    name: 'dwarf: parameters that every instance takes over',
    calls: QUESTIONS,
    bytes: size => {
      const abbrevs = [
        ...UNIT_ABBREV,
        ...abbrev(2, TAG.subprogram, true, [AT.name, FORM.string]),
        ...abbrev(3, TAG.parameter, false, [AT.type, FORM.ref4]),
        ...abbrev(4, TAG.subprogram, false, [AT.low, FORM.addr], [AT.high, FORM.data1], [AT.origin, FORM.ref4]),
        0,
      ];
      const head = [...UNIT_ENTRY, 2, 0x66, 0x31, 0];
      const parameters = repeated(size / 10, () => [3, ...u32(0)]);
      const instances = repeated(size / 28, i => [4, ...u64(Number(TEXT) + (i % 16) * 16), 16, ...u32(11 + UNIT_ENTRY.length)]);
      return dwarf(unit(joined(Uint8Array.from(head), parameters, Uint8Array.of(0), instances, new Uint8Array(1))), abbrevs);
    },
  },
  {
    name: 'dwarf: names that are ends of one another',
    calls: QUESTIONS,
    bytes: size => {
      const abbrevs = [
        ...UNIT_ABBREV,
        ...abbrev(2, TAG.subprogram, false, [AT.low, FORM.addr], [AT.high, FORM.data1], [AT.name, FORM.strp]),
        0,
      ];
      const length = Math.floor(size / 2);
      const entries = repeated(size / 28, i => [2, ...u64(Number(TEXT) + (i % 16) * 16), 16, ...u32(i % length)]);
      const str = new Uint8Array(length + 1).fill(0x61, 0, length);
      return dwarf(unit(joined(Uint8Array.from(UNIT_ENTRY), entries, new Uint8Array(1))), abbrevs, { str });
    },
  },
  {
    name: 'dwarf: structs of structs, as parameters of every function',
    calls: [
      ['why', 'FILE', 'f1', 'f2'],
      ['why', 'FILE', '--all'],
    ],
    bytes: size => {
      const abbrevs = [
        ...UNIT_ABBREV,
        ...abbrev(2, TAG.subprogram, true, [AT.low, FORM.addr], [AT.high, FORM.data1], [AT.name, FORM.string]),
        ...abbrev(3, TAG.parameter, false, [AT.type, FORM.ref4]),
        ...abbrev(4, 0x13, true, [AT.name, FORM.string], [0x0b, FORM.data1]),
        ...abbrev(5, 0x0d, false, [AT.type, FORM.ref4], [0x38, FORM.data1]),
        0,
      ];
      const entries = new Bytes().add(UNIT_ENTRY);
      // Each struct has many members of the one before it.
      let inner = 0;
      for (let level = 0; level < 10; level++) {
        const own = 11 + entries.length;
        entries
          .add([4, 0x73, 0, 64])
          .add(repeated(size / 200, () => [5, ...u32(inner), 0]))
          .add([0]);
        inner = own;
      }
      for (let i = 0; i < size / 60; i++)
        entries.add([2, ...u64(Number(TEXT) + (i % 16) * 16), 16, 0x66, 0x30 + (i % 8), 0, 3, ...u32(inner), 3, ...u32(inner), 0]);
      return dwarf(unit(entries.add([0]).done()), abbrevs);
    },
  },
  {
    name: 'dwarf: a function that was inlined wherever it could be',
    calls: [['why', 'FILE', 'gone']],
    bytes: size => {
      const abbrevs = [
        ...UNIT_ABBREV,
        ...abbrev(2, TAG.subprogram, true, [AT.low, FORM.addr], [AT.high, FORM.data1], [AT.name, FORM.string]),
        ...abbrev(3, TAG.inlined, true, [AT.ranges, FORM.sec], [AT.origin, FORM.ref4]),
        ...abbrev(4, TAG.subprogram, false, [AT.name, FORM.string], [0x20, FORM.data1]),
        0,
      ];
      const origin = 11 + UNIT_ENTRY.length;
      const head = [...UNIT_ENTRY, 4, ...encoder.encode('gone\0'), 3, 2, ...u64(Number(TEXT)), 64, 0x66, 0x31, 0];
      const depth = 200;
      const nest = joined(
        repeated(depth, () => [3, ...u32(0), ...u32(origin)]),
        new Uint8Array(depth),
      );
      const entries = joined(...Array.from({ length: Math.floor(size / 2 / nest.length) }, () => nest));
      return dwarf(unit(joined(Uint8Array.from(head), entries, new Uint8Array(2))), abbrevs, { ranges: rangeList(900) });
    },
  },
  {
    name: 'dwarf: a line table that every unit shares',
    calls: QUESTIONS,
    bytes: size => {
      const abbrevs = [
        ...abbrev(1, TAG.unit, true, [AT.lines, FORM.sec], [AT.low, FORM.addr]),
        ...abbrev(2, TAG.subprogram, false, [AT.low, FORM.addr], [AT.high, FORM.data1], [AT.name, FORM.string], [0x3a, FORM.data1]),
        0,
      ];
      const info = repeated(size / 80, i =>
        unit([1, ...u32(0), ...u64(Number(TEXT)), 2, ...u64(Number(TEXT) + (i % 16) * 16), 16, 0x66, 0x30 + (i % 10), 0, 1, 0]),
      );
      const files = repeated(size / 12, () => [0x61, 0, 0, 0, 0]);
      const header = [1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0];
      const head = Uint8Array.from([
        ...u32(2 + 4 + header.length + files.length + 1),
        4,
        0,
        ...u32(header.length + files.length + 1),
        ...header,
      ]);
      return dwarf(info, abbrevs, { line: joined(head, files, new Uint8Array(1)) });
    },
  },
];

const ELF: readonly EvilFile[] = [
  {
    name: 'elf: sections of notes over the same bytes',
    calls: [
      ['notes', 'FILE'],
      ['info', 'FILE'],
      ['notes', 'FILE', '--json'],
    ],
    bytes: size => {
      const notes = repeated(size / 40, () => [...u32(4), ...u32(0), ...u32(99), 0x61, 0x61, 0x61, 0]);
      const first: SectionSpec = { name: 'n', type: NOTE, data: notes, addralign: 4 };
      const others = Array.from({ length: size / 128 }, () => ({ name: 'n', type: NOTE, offset: 64, size: notes.length, addralign: 4 }));
      return writer.file({ sections: [first, ...others] });
    },
  },
  {
    name: 'elf: sections of relocations over the same bytes',
    calls: [
      ['relocs', 'FILE'],
      ['relocs', 'FILE', '--json'],
      ['info', 'FILE'],
    ],
    bytes: size => {
      const rows = new Uint8Array(Math.floor(size / 48) * 24);
      const others = Array.from({ length: size / 128 }, () => ({
        name: 'r',
        type: RELA,
        offset: 64,
        size: rows.length,
        entsize: 24,
        flags: 2,
      }));
      return writer.file({ type: 2, sections: [{ name: 'r', type: RELA, data: rows, entsize: 24, flags: 2 }, ...others] });
    },
  },
  {
    name: 'elf: RELR sections over the same bytes',
    calls: [
      ['relocs', 'FILE'],
      ['info', 'FILE'],
    ],
    bytes: size => {
      const rows = new Uint8Array(Math.floor(size / 16) * 8).fill(255);
      rows.set(u64(0x2000));
      const others = Array.from({ length: size / 128 }, () => ({
        name: 'r',
        type: 19,
        offset: 64,
        size: rows.length,
        entsize: 8,
        flags: 2,
      }));
      return writer.file({ type: 2, sections: [{ name: 'r', type: 19, data: rows, entsize: 8, flags: 2 }, ...others] });
    },
  },
  {
    name: 'elf: a long name that every symbol has',
    calls: [
      ['symbols', 'FILE'],
      ['symbols', 'FILE', '--json'],
      ['symbols', 'FILE', '--sort', 'name'],
      ['info', 'FILE'],
      ['audit', 'FILE'],
    ],
    bytes: size => {
      const name = 'a'.repeat(size / 2);
      const rows = repeated(size / 48, i => [...u32(1), 0x12, 0, 1, 0, ...u64(Number(TEXT) + i), ...u64(1)]);
      return writer.file({
        type: 2,
        sections: [
          { name: '.text', type: PROGBITS, flags: 6, address: TEXT, data: new Uint8Array(64) },
          { name: '.symtab', type: 2, data: joined(new Uint8Array(24), rows), link: '.strtab', entsize: 24 },
          { name: '.strtab', type: 3, data: encoder.encode(`\0${name}\0`) },
        ],
      });
    },
  },
  {
    name: 'elf: names of symbols that are ends of one another',
    calls: [
      ['symbols', 'FILE'],
      ['symbols', 'FILE', '--json'],
      ['symbols', 'FILE', '--sort', 'name'],
      ['audit', 'FILE'],
      ['duplicates', 'FILE'],
      ['trace', 'FILE', 'aaa'],
    ],
    bytes: size => {
      const length = Math.floor(size / 2);
      const rows = repeated(size / 48, i => [...u32(1 + (i % length)), 0x12, 0, 1, 0, ...u64(Number(TEXT) + i), ...u64(1)]);
      return writer.file({
        type: 2,
        sections: [
          { name: '.text', type: PROGBITS, flags: 6, address: TEXT, data: new Uint8Array(64) },
          { name: '.symtab', type: 2, data: joined(new Uint8Array(24), rows), link: '.strtab', entsize: 24 },
          { name: '.strtab', type: 3, data: encoder.encode(`\0${'a'.repeat(length)}\0`) },
        ],
      });
    },
  },
  {
    name: 'elf: a long name that every section has',
    calls: [
      ['sections', 'FILE'],
      ['sections', 'FILE', '--json'],
      ['info', 'FILE'],
      ['relocs', 'FILE'],
      ['module', 'FILE'],
    ],
    bytes: size => {
      // The table of names is a section of the writer's own: the name of all of them.
      const name = 'a'.repeat(size / 2);
      return writer.file({
        sections: Array.from({ length: Math.min(60_000, size / 128) }, () => ({ name, type: PROGBITS })).map((section, i) =>
          i < 1 ? section : { ...section, name: '' },
        ),
        names: true,
      });
    },
  },
  {
    name: 'elf: as many sections as fit',
    calls: [
      ['sections', 'FILE'],
      ['info', 'FILE'],
      ['relocs', 'FILE'],
      ['module', 'FILE'],
      ['module', 'FILE', '--functions'],
      ['bpf', 'show', 'FILE'],
      ['addr', 'FILE', '0x10'],
    ],
    bytes: size => {
      const count = Math.min(60_000, size / 64 - 20);
      const many = Array.from({ length: count }, (_, i) => ({ name: `.text.${i % 100}`, type: PROGBITS, flags: 6 }));
      return writer.file({ type: 1, sections: [...writer.symbols([{ name: 'f', section: 3, type: 2, size: 8n }]), ...many] });
    },
  },
  {
    name: 'elf: tables of relocations, one for each section',
    calls: [
      ['relocs', 'FILE'],
      ['module', 'FILE'],
      ['module', 'FILE', '--sites'],
      ['bpf', 'show', 'FILE'],
      ['bpf', 'disasm', 'FILE'],
    ],
    bytes: size => {
      const count = Math.min(30_000, size / 160);
      const many = Array.from({ length: count }, (_, i) => [
        { name: '__mcount_loc', type: PROGBITS, flags: 2, data: new Uint8Array(8) },
        { name: '.rela', type: RELA, link: 1, info: 3 + i * 2, entsize: 24, data: new Uint8Array(24) },
      ]).flat();
      return writer.file({ type: 1, machine: 247, sections: [...writer.symbols([{ name: 'f', section: 3, type: 2, size: 8n }]), ...many] });
    },
  },
  {
    name: 'elf: symbol tables over the same bytes, one for each section of relocations',
    calls: [
      ['relocs', 'FILE'],
      ['info', 'FILE'],
    ],
    bytes: size => {
      const rows = new Uint8Array(Math.floor(size / 48) * 24);
      const count = Math.floor(size / 256);
      const tables = Array.from({ length: count }, (_, i) => [
        { name: 's', type: 2, offset: 64, size: rows.length, entsize: 24, link: 2 },
        { name: 'r', type: RELA, data: Uint8Array.from([...u64(0), ...u32(1), ...u32(1), ...u64(0)]), entsize: 24, link: 3 + i * 2 },
      ]).flat();
      return writer.file({
        sections: [{ name: 's', type: 2, data: rows, entsize: 24, link: 2 }, { name: 't', type: 3, data: new Uint8Array(1) }, ...tables],
      });
    },
  },
  {
    name: 'elf: compressed sections over the same bytes',
    calls: [
      ['addr', 'FILE', '0x1004'],
      ['why', 'FILE', 'f1'],
      ['btf', 'dump', 'FILE'],
      ['info', 'FILE'],
    ],
    bytes: size => {
      const packed = gzipSync(new Uint8Array(size * 400), { level: 9 });
      const zlib = joined(Uint8Array.of(0x78, 0x9c), packed.subarray(10, packed.length - 8), adlerOfZeros(size * 400));
      const data = writer.compressed(1, size * 400, zlib);
      const names = [
        'info',
        'abbrev',
        'str',
        'line',
        'ranges',
        'aranges',
        'line_str',
        'rnglists',
        'str_offsets',
        'addr',
        'loc',
        'loclists',
      ];
      const first: SectionSpec = { name: '.debug_info', type: PROGBITS, flags: 0x800, data };
      const others = [...names.slice(1).map(name => `.debug_${name}`), '.BTF'].map(name => ({
        name,
        type: PROGBITS,
        flags: 0x800,
        offset: 64,
        size: data.length,
      }));
      const text = { name: '.text', type: PROGBITS, flags: 6, address: TEXT, data: new Uint8Array(64) };
      return writer.file({
        type: 2,
        sections: [first, ...others, text, ...writer.symbols([{ name: 'f1', type: 2, binding: 1, value: TEXT, size: 16n, section: 14 }])],
      });
    },
  },
  {
    name: 'packed: one inside the other',
    calls: [
      ['info', 'FILE'],
      ['btf', 'dump', 'FILE'],
      ['module', 'FILE'],
      ['sections', 'FILE'],
      ['bpf', 'carve', 'FILE'],
    ],
    bytes: size => {
      let bytes: Uint8Array = new Uint8Array(size * 400);
      for (let i = 0; i < 4; i++) bytes = gzipSync(bytes, { level: 9 });
      return bytes;
    },
  },
  {
    name: 'packed: many beginnings of packed kernels',
    calls: [
      ['info', 'FILE'],
      ['kallsyms', 'FILE'],
      ['bpf', 'carve', 'FILE'],
    ],
    bytes: size => {
      const one = gzipSync(new Uint8Array(size * 40), { level: 9 });
      const image = joined(...Array.from({ length: Math.ceil((size - 1024) / one.length) }, () => one));
      const head = new Uint8Array(64);
      // arm: the magic number of a zImage.
      new DataView(head.buffer).setUint32(0x24, 0x016f2818, true);
      new DataView(head.buffer).setUint32(0x2c, 64 + image.length, true);
      return joined(head, image);
    },
  },
];

/** Adler-32 of so many zeros: a stays 1, b counts them. */
function adlerOfZeros(length: number): Uint8Array {
  const b = length % 65521;
  return Uint8Array.of(b >> 8, b & 255, 0, 1);
}

function elfWithBtf(btf: BtfWriter): Uint8Array {
  return kernelLike([{ name: '.BTF', type: PROGBITS, data: btf.bytes() }], 64);
}

const DUMPS = [
  ['btf', 'dump', 'FILE'],
  ['btf', 'dump', 'FILE', '--format', 'c'],
  ['btf', 'dump', 'FILE', '--json'],
  ['btf', 'list', 'FILE'],
];

const BTF: readonly EvilFile[] = [
  {
    name: 'btf: a long name that every type has',
    calls: [...DUMPS, ['btf', 'find', 'FILE', 'x'], ['btf', 'list', 'FILE', '*b'], ['audit', 'FILE']],
    bytes: size => {
      const btf = new BtfWriter();
      const name = btf.string('a'.repeat(size / 2));
      for (let i = 0; i < size / 32; i++) btf.record(name, 7, 0, 0);
      return elfWithBtf(btf);
    },
  },
  {
    name: 'btf: functions whose names begin alike',
    calls: [
      ['audit', 'FILE'],
      ['why', 'FILE', '--all'],
      ['btf', 'dump', 'FILE', '--format', 'c'],
      ['btf', 'find', 'FILE', `${'a'.repeat(64)}1`],
    ],
    bytes: size => {
      const btf = new BtfWriter();
      const proto = btf.funcProto(0, []);
      const count = size / 110;
      const names = Array.from({ length: count }, (_, i) => `${'a'.repeat(64)}${i}`);
      for (const name of names) btf.func(name, proto);
      const symbols = names.map((name, i) => ({ name, value: TEXT + BigInt(i % 64), size: 1n, type: 2, binding: 1, section: 1 }));
      const sections: SectionSpec[] = [{ name: '.text', type: PROGBITS, flags: 6, address: TEXT, data: new Uint8Array(64) }];
      return writer.file({
        type: 2,
        sections: [...sections, ...writer.symbols(symbols), { name: '.BTF', type: PROGBITS, data: btf.bytes() }],
      });
    },
  },
  {
    name: 'btf: a prototype of many parameters that every function has',
    calls: [
      ['audit', 'FILE'],
      ['attach', 'FILE', '--all', '--as', 'perf'],
      ['trace', 'FILE', 'f1'],
      ['btf', 'show', 'FILE', 'f1'],
      ['check', 'FILE', '--require', 'REQUIRE'],
      ['why', 'FILE', '--all'],
    ],
    bytes: size => {
      const btf = new BtfWriter();
      const int = btf.int('int', 4);
      const proto = btf.funcProto(
        int,
        Array.from({ length: Math.min(65_535, size / 24) }, (_, i) => [`p${i % 10}`, int] as const),
      );
      const count = Math.floor(size / 80);
      for (let i = 0; i < count; i++) btf.func(`f${i}`, proto);
      return kernelLike([{ name: '.BTF', type: PROGBITS, data: btf.bytes() }], count);
    },
  },
  {
    name: 'btf: structs of structs',
    calls: [...DUMPS.slice(1, 3), ['btf', 'show', 'FILE', 's9'], ['btf', 'show', 'FILE', 's400', '--json']],
    bytes: size => {
      const btf = new BtfWriter();
      let inner = btf.int('int', 4);
      const levels = 400;
      for (let i = 0; i < levels; i++) {
        inner = btf.struct(
          i % 2 === 0 ? '' : `s${i}`,
          8,
          Array.from({ length: size / levels / 16 }, (_, at) => [`m${at % 7}`, inner, 0] as const),
        );
      }
      return btf.bytes();
    },
  },
  {
    name: 'btf: typedefs of typedefs',
    calls: [...DUMPS, ['btf', 'show', 'FILE', 't9']],
    bytes: size => {
      const btf = new BtfWriter();
      let type = btf.int('int', 4);
      for (let i = 0; i < size / 24; i++) type = btf.typedef(`t${i}`, type);
      return btf.bytes();
    },
  },
  {
    name: 'btf: structs of one name',
    calls: [...DUMPS.slice(1, 3), ['btf', 'show', 'FILE', 's'], ['btf', 'find', 'FILE', 's', '--json']],
    bytes: size => {
      const btf = new BtfWriter();
      const int = btf.int('int', 4);
      for (let i = 0; i < size / 24; i++) btf.struct('s', 4, [['m', int, 0]]);
      return btf.bytes();
    },
  },
];

const FUNC = 2;

/** An object of one program: some code, then an instruction for each CO-RE record. */
function coreObject(
  btf: BtfWriter,
  records: readonly (readonly [type: number, access: string])[],
  before: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const main = btf.func('p', btf.funcProto(btf.int('long', 8, 1), []), 1);
  const code = joined(before, ...records.map(() => insns(true, [0xb7, 1, 0, 0, 0])), insns(true, [0x95]));
  const rows = records.map(([type, access], i) => [before.length + i * 8, type, btf.string(access), 0] as const);
  return bpfObject({
    btf,
    ext: [[['kprobe/x', [0, main]]], [], [['kprobe/x', ...rows]]],
    sections: [{ name: 'kprobe/x', ...CODE, data: code }],
    symbols: [{ name: 'p', type: FUNC, binding: 1, section: 1, size: BigInt(code.length) }],
  });
}

const BPF: readonly EvilFile[] = [
  {
    name: 'bpf: programs that call the same functions',
    calls: [
      ['bpf', 'show', 'FILE'],
      ['bpf', 'disasm', 'FILE'],
      ['bpf', 'tag', 'FILE'],
      ['bpf', 'core', 'FILE', '--kernel', 'KERNEL'],
      ['bpf', 'check', 'FILE', '--kernel', 'KERNEL'],
    ],
    bytes: size => {
      // Each subprogram calls the next: every program has all of them.
      const subprograms = Math.floor(size / 160);
      const programs = Math.floor(size / 160);
      const sub = joined(
        ...Array.from({ length: subprograms }, (_, i) => insns(true, [0x85, 0, 1, 0, i + 1 < subprograms ? 1 : -1], [0x95])),
      );
      const main = joined(...Array.from({ length: programs }, () => insns(true, [0x85, 0, 1, 0, -1], [0x95])));
      return bpfObject({
        sections: [
          { name: '.text', ...CODE, data: sub },
          { name: 'kprobe/x', ...CODE, data: main },
          { name: 'license', type: 1, flags: 3, addralign: 1, data: encoder.encode('GPL\0') },
        ],
        symbols: [
          ...Array.from({ length: subprograms }, (_, i) => ({ name: `s${i}`, type: FUNC, section: 1, value: BigInt(i * 16), size: 16n })),
          ...Array.from({ length: programs }, (_, i) => ({
            name: `p${i}`,
            type: FUNC,
            binding: 1,
            section: 2,
            value: BigInt(i * 16),
            size: 16n,
          })),
        ],
        relocations: { 'kprobe/x': Array.from({ length: programs }, (_, i) => [i * 16, 1, 10] as const) },
      });
    },
  },
  {
    name: 'bpf: functions over the same instructions',
    calls: [
      ['bpf', 'show', 'FILE'],
      ['bpf', 'disasm', 'FILE'],
      ['bpf', 'disasm', 'FILE', '-n', 'llvm'],
      ['bpf', 'tag', 'FILE'],
    ],
    bytes: size => {
      const count = Math.floor(size / 64);
      const code = joined(...Array.from({ length: size / 16 }, () => insns(true, [0xb7, 0, 0, 0, 1])));
      return bpfObject({
        sections: [{ name: 'kprobe/x', ...CODE, data: code }],
        symbols: Array.from({ length: count }, (_, i) => ({
          name: `p${i}`,
          type: FUNC,
          binding: 1,
          section: 1,
          value: 0n,
          size: BigInt(code.length),
        })),
      });
    },
  },
  {
    name: 'bpf: CO-RE records, each with as many candidates',
    calls: [
      ['bpf', 'core', 'FILE', '--kernel', 'FILE'],
      ['bpf', 'check', 'FILE', '--kernel', 'KERNEL'],
      ['bpf', 'show', 'FILE', '--core'],
      ['btf', 'min', 'FILE', '--kernel', 'FILE', '--out', 'OUT'],
      ['bpf', 'core', 'FILE', '--kernel', 'FILE', '--log'],
    ],
    bytes: size => {
      const btf = new BtfWriter();
      const int = btf.int('int', 4, 1);
      const count = Math.floor(size / 120);
      const first = btf.struct('s', 4, [['m', int, 0]]);
      for (let i = 1; i < count; i++) btf.struct('s', 8, [['n', int, 0]]);
      const proto = btf.funcProto(int, []);
      const main = btf.func('p', proto, 1);
      const access = btf.string('0:0');
      const code = joined(...Array.from({ length: count }, () => insns(true, [0xb7, 1, 0, 0, 0])), insns(true, [0x95]));
      return bpfObject({
        btf,
        ext: [
          [['kprobe/x', [0, main]]],
          [],
          [['kprobe/x', ...Array.from({ length: count }, (_, i) => [i * 8, first, access, 0] as const)]],
        ],
        sections: [{ name: 'kprobe/x', ...CODE, data: code }],
        symbols: [{ name: 'p', type: FUNC, binding: 1, section: 1, size: BigInt(code.length) }],
      });
    },
  },
  {
    name: 'bpf: CO-RE records of types that all have the same candidates',
    calls: [
      ['bpf', 'core', 'FILE', '--kernel', 'FILE'],
      ['btf', 'min', 'FILE', '--kernel', 'FILE', '--out', 'OUT'],
      ['bpf', 'core', 'FILE', '--kernel', 'FILE', '--log'],
      ['bpf', 'core', 'FILE', '--kernel', 'FILE', '--json'],
    ],
    bytes: size => {
      const btf = new BtfWriter();
      const int = btf.int('int', 4, 1);
      const count = Math.floor(size / 130);
      const types = Array.from({ length: count }, (_, i) => btf.struct(`s___${i}`, 8, [[`member_${i}`, int, 0]]));
      return coreObject(
        btf,
        Array.from(types, type => [type, '0:0'] as const),
      );
    },
  },
  {
    name: 'bpf: CO-RE, and anonymous structs that each hold two of the next',
    calls: [['bpf', 'core', 'FILE', '--kernel', 'FILE']],
    bytes: size => {
      const btf = new BtfWriter();
      const int = btf.int('int', 4, 1);
      let inner = btf.struct('', 4, [['x', int, 0]]);
      for (let i = 0; i < 60; i++) {
        inner = btf.struct('', 4, [
          ['', inner, 0],
          ['', inner, 0],
        ]);
      }
      btf.struct('s', 4, [['', inner, 0]]);
      const own = btf.struct('s___mine', 4, [['missing', int, 0]]);
      return coreObject(
        btf,
        Array.from({ length: size / 80 }, () => [own, '0:0'] as const),
      );
    },
  },
  {
    name: 'bpf: ways that meet, each with other numbers on the stack',
    calls: [
      ['bpf', 'core', 'FILE', '--kernel', 'KERNEL'],
      ['bpf', 'check', 'FILE', '--kernel', 'KERNEL'],
    ],
    bytes: size => {
      const btf = new BtfWriter();
      const own = btf.struct('no_such_struct', 4, [['missing', btf.int('int', 4, 1), 0]]);
      // if (r6 == i) *(u64 *)(r10 - k) = i; …
      const ways = Array.from({ length: size / 24 }, (_, i) => insns(true, [0x15, 6, 0, 1, i], [0x7a, 10, 0, -8 * (1 + (i % 60)), i]));
      return coreObject(btf, [[own, '0:0']], joined(...ways));
    },
  },
  {
    name: 'carve: needles',
    calls: [
      ['bpf', 'carve', 'FILE'],
      ['bpf', 'tag', 'FILE'],
    ],
    bytes: size => {
      const parts = [
        '\x7fELF\x02\x01\x01',
        '\\x7fELF\\x02',
        '"\\177ELF\\2',
        'f0VMRgIBAQAAAAAA',
        '\x1f\x8b\x08\x00',
        'H4sIAAAAAAAA',
        '0x7f, 0x45, 0x4c, 0x46, ',
        '\x9f\xeb\x01\x00',
        '\\x9f\\xeb\\x01\\x00',
      ];
      return repeated(size / 12, i => Uint8Array.from(parts[i % parts.length]!, char => char.charCodeAt(0))).subarray(0, size);
    },
  },
  {
    name: 'carve: one text without an end',
    calls: [['bpf', 'carve', 'FILE']],
    bytes: size => repeated(size / 16, () => encoder.encode('f0VMRgIBAQAAAAAA')),
  },
  {
    name: 'carve: ELF headers that claim all of the file',
    calls: [
      ['bpf', 'carve', 'FILE'],
      ['bpf', 'tag', 'FILE'],
    ],
    bytes: size => {
      const head = bpfObject({ sections: [{ name: 'x', ...CODE, data: insns(true, [0x95]) }], symbols: [] }).slice(0, 64);
      const view = new DataView(head.buffer);
      return repeated(size / 64, i => {
        view.setBigUint64(40, BigInt(Math.max(64, size - 64 * 200 - i * 64)), true);
        view.setUint16(60, 190, true);
        return head.slice();
      });
    },
  },
];

const KALLSYMS: readonly EvilFile[] = [];

const TEXTS: readonly EvilFile[] = [
  {
    name: 'stg: a line of blanks',
    calls: [['check', 'KERNEL', '--abi', 'FILE']],
    bytes: size => encoder.encode(`version: 0x00000002\nelf_symbol {\n  name: "x${' '.repeat(size - 100)}x\n}\n`),
  },
  {
    name: 'stg: braces that do not close',
    calls: [['check', 'KERNEL', '--abi', 'FILE']],
    bytes: size => encoder.encode(`version: 0x00000002\n${'elf_symbol {\n name: "a"\n'.repeat(size / 24)}`),
  },
  {
    name: 'yaml: aliases of aliases',
    calls: [['check', 'KERNEL', '--require', 'FILE']],
    bytes: size =>
      encoder.encode(
        `a0: &a0 [x,x,x,x,x,x,x,x,x]\n${Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array.from({ length: 9 }, () => `*a${i}`).join(',')}]`).join('\n')}\nfunctions: *a9\n#${'x'.repeat(Math.min(size, 1000))}`,
      ),
  },
];

/** Every one. */
export const EVIL_FILES: readonly EvilFile[] = [...DWARF, ...ELF, ...BTF, ...BPF, ...KALLSYMS, ...PACKED_KALLSYMS, ...TEXTS];

/** The arguments of a call, for a file, a kernel beside it and a folder to write to. */
export function argumentsFor(
  call: readonly string[],
  { file, kernel, folder }: { readonly file: string; readonly kernel: string; readonly folder: string },
): string[] {
  const require = join(folder, 'require.yaml');
  if (call.includes('REQUIRE')) writeFileSync(require, 'functions:\n  - name: f1\n    needs: [kprobe, fentry, btf]\n');
  const words: Readonly<Record<string, string>> = { FILE: file, KERNEL: kernel, OUT: join(folder, 'out'), REQUIRE: require };
  return call.map(word => words[word] ?? word);
}
