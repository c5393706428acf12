import { spawnSync } from 'node:child_process';
import { closeSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Output } from '../../../lib/cli/output.js';
import { cli, KELF, spawnCliTo } from '../../support/cli.js';

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

  it('nor files that options name: one line, exit 74', async () => {
    const object = fileURLToPath(new URL('../../../../fixtures/bpf/kelf.bpfel.o', import.meta.url));
    const list = fileURLToPath(new URL('../../../../fixtures/check/tools.yaml', import.meta.url));
    const folder = mkdtempSync(join(tmpdir(), 'kelf-output-'));
    const nowhere = join(folder, 'none', 'file');
    try {
      const file = join(folder, 'file');
      // More files than one thread is handed: errors come from threads too.
      const many = join(folder, 'many');
      mkdirSync(many);
      for (let i = 0; i < 300; i++) copyFileSync(object, join(many, `${i}.o`));
      writeFileSync(file, '');
      for (const args of [
        ['btf', 'min', object, '--kernel', KERNEL, '--out', nowhere],
        ['check', KERNEL, '--require', list, '--junit', nowhere],
        ['bpf', 'check', object, '--kernel', KERNEL, '--junit', nowhere],
      ]) {
        const { code, stderr } = await cli(...args);
        expect(stderr.split('\n').slice(-2)).to.deep.equal([`kelf: ${nowhere}: can't be written: no such file or directory`, '']);
        expect(code).to.equal(74);
      }
      for (const objects of [object, many]) {
        const { code, stderr } = await cli('bpf', 'carve', objects, '--out', file);
        expect(stderr).to.match(/^kelf: [^\n]*: can't be (written|made): (not a directory|file already exists)\n$/);
        expect(code).to.equal(74);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('but a pipe that its reader closed is no error', () => {
    const { KELF_NO_MAIN: _, ...env } = process.env;
    const script = '{ "$0" "$1" btf dump "$2"; echo "exit $?" >&2; } | true';
    const { stderr } = spawnSync('sh', ['-c', script, process.execPath, KELF, KERNEL], { encoding: 'utf8', env });
    expect(stderr).to.equal('exit 0\n');
  });
});
