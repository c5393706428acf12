import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Output } from '../../../lib/cli/output.js';
import { KELF, spawnCliTo } from '../../support/cli.js';

const KERNEL = fileURLToPath(new URL('../../../../fixtures/kernel/vmlinux-amd64', import.meta.url));
const FULL = '/dev/full';

describe('output that cannot be written', () => {
  it('is tried once, and not again by the last flush', () => {
    let writes = 0;
    const out = new Output(() => {
      writes++;
      throw new Error('no');
    });
    out.line('a row');
    expect(() => out.flush()).to.throw('no');
    out.flush();
    expect(writes).to.equal(1);
  });

  // Linux has this file; writing to it fails as on a full disk.
  if (existsSync(FULL)) {
    // More than is gathered before a write, and less; what cannot be opened is an error that goes to standard output too.
    for (const args of [['btf', 'dump', KERNEL], ['--help'], ['symbols', '--json', KERNEL], ['symbols', '--json', '/nonexistent']]) {
      it(`${FULL}: kelf ${args.join(' ').replace(/\/.*\//, '')}: one line, exit 74`, () => {
        const fd = openSync(FULL, 'w');
        const { code, stderr } = spawnCliTo(fd, ...args);
        closeSync(fd);
        expect(stderr.split('\n').filter(line => !/cannot|can't|ENOENT|nonexistent/.test(line))).to.deep.equal([
          'kelf: writing the output failed: no space left on device',
          '',
        ]);
        expect(code).to.equal(74);
      });
    }
  }

  it('but a pipe that its reader closed is no error', () => {
    const { KELF_NO_MAIN: _, ...env } = process.env;
    const script = '{ "$0" "$1" btf dump "$2"; echo "exit $?" >&2; } | true';
    const { stderr } = spawnSync('sh', ['-c', script, process.execPath, KELF, KERNEL], { encoding: 'utf8', env });
    expect(stderr).to.equal('exit 0\n');
  });
});
