import { bpfObject, CODE, insns } from '../bpf-writer.js';
import { type EvilFile, repeated } from './evil-file.js';

const encoder = new TextEncoder();

export const CARVED: readonly EvilFile[] = [
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
