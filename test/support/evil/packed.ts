import { gzipSync } from 'node:zlib';
import { join as joined } from '../elf-writer.js';
import type { EvilFile } from './evil-file.js';

export const PACKED: readonly EvilFile[] = [
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
