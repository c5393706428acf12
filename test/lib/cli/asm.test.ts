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
    ['btf', 'dump', kernel],
    ['btf', 'dump', kernel, '--format', 'json'],
  ]) {
    it(`keep the rules of asm.js: kelf ${argv.slice(0, -1).join(' ')}`, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', env: {} });
      expect({ status, stderr }).to.deep.equal({ status: 0, stderr: '' });
      expect(stdout).not.to.equal('');
    });
  }
});
