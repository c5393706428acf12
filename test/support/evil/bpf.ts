import { bpfObject, CODE, insns } from '../bpf-writer.js';
import { BtfWriter } from '../btf-writer.js';
import { join as joined } from '../elf-writer.js';
import type { EvilFile } from './evil-file.js';

const encoder = new TextEncoder();
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

export const BPF: readonly EvilFile[] = [
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
];
