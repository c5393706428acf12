import { gzipSync } from 'node:zlib';
import { ElfWriter, join as joined, type SectionSpec } from '../elf-writer.js';
import { type EvilFile, PROGBITS, repeated, TEXT, u32, u64 } from './evil-file.js';

const writer = new ElfWriter();
const encoder = new TextEncoder();
const RELA = 4;
const NOTE = 7;

export const ELF: readonly EvilFile[] = [
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
];

/** Adler-32 of so many zeros: a stays 1, b counts them. */
function adlerOfZeros(length: number): Uint8Array {
  const b = length % 65521;
  return Uint8Array.of(b >> 8, b & 255, 0, 1);
}
