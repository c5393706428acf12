import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { FormatError } from 'kelf/elf';
import { isTar, tarMembers } from '../../../lib/image/tar.js';
import { mutate, random } from '../../support/mutate.js';
import { tarOf } from '../../support/tar-writer.js';

const TEXT = new TextEncoder();
const names = (bytes: Uint8Array): string[] => tarMembers(bytes, 'a.tar').map(({ name }) => name);

describe('tar archives', () => {
  it('have the files that tar(1) packs, in each of its formats', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kelf-tar-'));
    try {
      const long = `${'n'.repeat(150)}.btf`;
      writeFileSync(join(folder, 'a.btf'), 'first');
      writeFileSync(join(folder, long), 'second');
      for (const format of ['gnu', 'pax', 'ustar']) {
        const files = format === 'ustar' ? ['a.btf'] : ['a.btf', long];
        execFileSync('tar', ['-C', folder, `--format=${format}`, '-cf', join(folder, 'x.tar'), ...files]);
        const bytes = readFileSync(join(folder, 'x.tar'));
        expect(isTar(bytes)).to.equal(true);
        expect(names(bytes), format).to.deep.equal(files);
        expect(tarMembers(bytes, 'x').map(({ bytes }) => new TextDecoder().decode(bytes))).to.deep.equal(
          ['first', 'second'].slice(0, files.length),
        );
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('are refused where a header is damaged, or a file goes on behind the end', () => {
    const bytes = tarOf([{ name: 'a', bytes: TEXT.encode('x'.repeat(1000)) }]);
    expect(() => tarMembers(bytes.subarray(0, 1024), 'a.tar')).to.throw(FormatError, 'a.tar+0x0: a file goes on behind the end');
    const damaged = bytes.slice();
    damaged[3]! ^= 1;
    expect(() => tarMembers(damaged, 'a.tar')).to.throw(FormatError, 'a.tar+0x0: the checksum of a tar header is wrong');
  });

  it('give members or a FormatError, whatever is in them', () => {
    const bytes = tarOf([
      { name: 'a', bytes: TEXT.encode('one') },
      { name: 'b', bytes: new Uint8Array(700) },
    ]);
    const next = random(7);
    for (let i = 0; i < 2000; i++) {
      const mutated = mutate(bytes, next);
      try {
        for (const { bytes: inside } of tarMembers(mutated, 'm')) expect(inside.length).to.be.at.most(mutated.length);
      } catch (error) {
        expect(error).to.be.instanceOf(FormatError);
      }
    }
  });
});
