import { BtfWriter } from '../btf-writer.js';
import { join as joined, type SectionSpec } from '../elf-writer.js';
import { Bytes, type EvilFile, kernelLike, PROGBITS, repeated, TEXT, u32, u64 } from './evil-file.js';

const encoder = new TextEncoder();

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

export const DWARF: readonly EvilFile[] = [
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
