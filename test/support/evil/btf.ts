import { BtfWriter } from '../btf-writer.js';
import { ElfWriter, type SectionSpec } from '../elf-writer.js';
import { type EvilFile, kernelLike, PROGBITS, TEXT } from './evil-file.js';

const writer = new ElfWriter();

function elfWithBtf(btf: BtfWriter): Uint8Array {
  return kernelLike([{ name: '.BTF', type: PROGBITS, data: btf.bytes() }], 64);
}

const DUMPS = [
  ['btf', 'dump', 'FILE'],
  ['btf', 'dump', 'FILE', '--format', 'c'],
  ['btf', 'dump', 'FILE', '--json'],
  ['btf', 'list', 'FILE'],
];

export const BTF: readonly EvilFile[] = [
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
