import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { KELF } from '../../support/cli.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const kernel = `${root}fixtures/kernel/vmlinux-amd64`;

/** V8 says on stderr of what begins with 'use asm' and breaks the rules of asm.js, and compiles it as other code: right, and several times slower. */
describe('the loops in asm.js', () => {
  for (const argv of [
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
});
