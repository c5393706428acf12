import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { KELF } from '../../support/cli.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const dist = new URL('../../../', import.meta.url).href;
const kernel = `${root}fixtures/kernel/vmlinux-amd64`;

/** V8 says on stderr of what begins with 'use asm' and breaks the rules of asm.js, and compiles it as other code: right, and several times slower. */
describe('the loops in asm.js', () => {
  for (const argv of [
    ['symbols', kernel],
    ['duplicates', kernel],
    ['btf', 'dump', kernel],
    ['btf', 'dump', kernel, '--format', 'json'],
    ['btf', 'dump', kernel, '--format', 'c'],
  ]) {
    it(`keep the rules of asm.js: kelf ${argv.slice(0, -1).join(' ')}`, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [KELF, ...argv], { encoding: 'utf8', env: {} });
      // What kelf itself says of the kernel is none of it.
      const says = stderr.split('\n').filter(line => line !== '' && !line.startsWith('kelf: '));
      expect({ status, says }).to.deep.equal({ status: 0, says: [] });
      expect(stdout).not.to.equal('');
    });
  }

  // The kernel of the fixtures is too small for these, or has no packed symbols.
  const unpack = `const { unpackMemory } = await import('${dist}kallsyms/unpack-kernel.js');
const tables = { packed: Uint8Array.of(1, 65), tokens: Uint8Array.of(84, 0), tokenStart: new Uint16Array(256), tokenEnd: Array(256).fill(1) };
const { kernel, type } = unpackMemory({ ...tables, count: 1, markers: [0], space: 4096 });
console.log(kernel.arrives(1, 1), kernel.expand(1, 1, 1024, 4096), kernel.negative(1), kernel.place(1, 1, 0, 0, 1), type[0]);`;
  const order = `const { radixOrder } = await import('${dist}elf/order-kernel.js');
console.log(radixOrder(Uint32Array.of(7, 1, 5, 1, 9, 0)).join(' '));`;
  const words = `const { WordSearch } = await import('${dist}elf/dwarf/word-kernel.js');
const search = new WordSearch([0x04030201, 7], true, 16);
search.room.set([0, 1, 2, 3, 4, 7, 0, 0, 0]);
console.log(search.find(0, 9), search.find(2, 9), search.find(2, 8));`;
  for (const [what, script, prints] of [
    ['unpacking of kallsyms', unpack, '1 0 0 undefined 84'],
    ['order of addresses', order, '2 1 0'],
    ['words in .debug_info', words, '1 5 -1'],
  ] as const) {
    it(`keep the rules of asm.js: ${what}`, () => {
      const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: {} });
      expect({ stdout, stderr }).to.deep.equal({ stdout: `${prints}\n`, stderr: '' });
    });
  }
});
