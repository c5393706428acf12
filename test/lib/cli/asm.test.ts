import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const main = `${root}dist/lib/cli/main.js`;
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
      const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', env: {} });
      // What kelf itself says of the kernel is none of it.
      const says = stderr.split('\n').filter(line => line !== '' && !line.startsWith('kelf: '));
      expect({ status, says }).to.deep.equal({ status: 0, says: [] });
      expect(stdout).not.to.equal('');
    });
  }

  it('keep the rules of asm.js: packed kallsyms', () => {
    const module = new URL('../../../kallsyms/unpack-kernel.js', import.meta.url).href;
    const tables =
      'packed: Uint8Array.of(1, 65), tokens: Uint8Array.of(84, 0), tokenStart: new Uint16Array(256), tokenEnd: Array(256).fill(1)';
    const script = `import { unpackMemory } from '${module}';
const { kernel, type } = unpackMemory({ count: 1, ${tables}, markers: [0], space: 4096 });
console.log(kernel.arrives(1, 1), kernel.expand(1, 1, 1024, 4096), kernel.negative(1), kernel.place(1, 1, 0, 0, 1), type[0]);`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8', env: {} });
    expect({ stdout, stderr }).to.deep.equal({ stdout: '1 0 0 undefined 84\n', stderr: '' });
  });
});
