import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli } from '../../support/cli.js';
import { WorkCounter } from '../../support/counted-work.js';
import { argumentsFor, EVIL_FILES } from '../../support/evil/files.js';

const KERNEL = fileURLToPath(new URL('../../../../fixtures/kernel/vmlinux-amd64', import.meta.url));
const SIZE = 100_000;
/**
 * Blocks of code that a call may enter: some for each byte, and what small files may cost. A list that is read for each of its users takes a thousand
 * times as many. `npm run hostile` has the times.
 */
const MOST_WORK = 12_000_000 + 60 * SIZE;

describe('files made to cost more than their size', () => {
  let folder = '';
  const counter = new WorkCounter();
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-'));
    await counter.start();
  });
  after(async () => {
    await counter.stop();
    rmSync(folder, { recursive: true });
  });

  for (const evil of EVIL_FILES) {
    it(evil.name, async () => {
      const file = join(folder, 'file');
      writeFileSync(file, evil.bytes(SIZE));
      for (const call of evil.calls) {
        const args = argumentsFor(call, { file, kernel: KERNEL, folder });
        await counter.take();
        const { code, stderr } = await cli(...args);
        const work = await counter.take();
        if (process.env['KELF_SHOW_WORK'] !== undefined)
          console.log(`${(work / 1e6).toFixed(1).padStart(8)} ${evil.name}: ${call.join(' ')}`);
        expect(code, stderr).to.be.oneOf([0, 1, 2, 3, 4]);
        expect(work, call.join(' ')).to.be.lessThan(MOST_WORK);
      }
    });
  }
});
