import type { EvilFile } from './evil-file.js';

const encoder = new TextEncoder();

export const TEXTS: readonly EvilFile[] = [
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
  {
    name: 'log: places and no end of them',
    calls: [['oops', 'KERNEL', 'FILE']],
    bytes: size => encoder.encode('tty_write+0x1/0x20 ['.repeat(size / 20)),
  },
  {
    name: 'log: code at every line',
    calls: [['oops', 'KERNEL', 'FILE']],
    bytes: size => encoder.encode('RIP: 0010:tty_write+0x4/0x20\nCode: <00>\n'.repeat(size / 40)),
  },
];
