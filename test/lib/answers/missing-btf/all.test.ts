import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { collectInThreads, type Kernel, type MissingBtf, missingBtfOfAll, openKernel } from 'kelf';
import { BtfWriter } from '../../../support/btf-writer.js';
import { kernelOf } from '../../../support/kernel-writer.js';

const FILE = fileURLToPath(new URL('../../../../../fixtures/elf/dwarf-5.elf', import.meta.url));

/** BTF with a FUNC for each name. */
function btfOf(...names: string[]): Uint8Array {
  const writer = new BtfWriter();
  const proto = writer.funcProto(writer.int('int', 4, 1), []);
  for (const name of names) writer.func(name, proto);
  return writer.bytes();
}

// dwarf.c and dwarf-other.c by gcc, with a BTF that lacks some of their functions.
describe('why BTF lacks functions of a file with DWARF', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  let kernel: Kernel;
  before(async () => {
    const btf = join(folder, 'some.btf');
    writeFileSync(btf, btfOf('_start', 'other'));
    kernel = await openKernel(FILE, { btf });
  });
  after(() => {
    kernel.close();
    rmSync(folder, { recursive: true });
  });
  const text = ({ because }: MissingBtf): string => because.map(({ says }) => says).join('\n');

  it('an inlined one: its callers, and where the calls are written', () => {
    const answer = kernel.missingBtf('square', { paholeVersion: 124 });
    expect(`${answer.code} ${answer.certainty}`).to.equal('pahole-inlined proven');
    expect(text(answer)).to.match(/inlined into .*distance\(\) at .*dwarf\.c:\d+/);
    expect(kernel.missingBtf('square', { dwarf: false }).code).to.equal('pahole-no-symbol');
  });

  it('two of one name: both prototypes', () => {
    const answer = kernel.missingBtf('twin', { paholeVersion: 128 });
    expect(`${answer.code} ${answer.certainty}`).to.equal('pahole-inconsistent-prototypes proven');
    expect(text(answer)).to.contain('int twin(const struct point *p), of ').and.contain('int twin(int a, int b), of ');
    expect(kernel.missingBtf('twin', { paholeVersion: 128, dwarf: false }).certainty).to.not.equal('proven');
    expect(kernel.missingBtf('twin', { paholeVersion: 131 }).code).to.equal('pahole-ambiguous-address');
  });

  it('all of them, alike with threads and without', async () => {
    const seen: number[] = [];
    const alone = await missingBtfOfAll(kernel, { paholeVersion: 128, onProgress: done => seen.push(done) });
    const shared = await missingBtfOfAll(kernel, { paholeVersion: 128, collect: collectInThreads(FILE, 2) });
    expect(shared).to.deep.equal(alone);
    expect(alone.names - alone.withFunc).to.equal(alone.functions.length);
    expect(alone.units).to.be.greaterThan(1);
    expect(seen.at(-1)).to.equal(alone.units);
    for (const { name, code, certainty } of alone.functions) {
      if (name.includes('.')) continue;
      const { code: one, certainty: sure } = kernel.missingBtf(name, { paholeVersion: 128 });
      expect(`${name} ${code} ${certainty}`).to.equal(`${name} ${one} ${sure}`);
    }
    expect(alone.reasons.reduce((sum, { count }) => sum + count, 0)).to.equal(alone.functions.length);
  });

  it('refuses a kernel without BTF, and one whose BTF has no functions', async () => {
    for (const btf of [undefined, btfOf()]) {
      const other = kernelOf({ functions: [{ name: 'f' }], ...(btf === undefined ? {} : { btf }) });
      let message = 'accepted';
      try {
        await missingBtfOfAll(other);
      } catch (error) {
        message = (error as Error).message;
        expect((error as Error).name).to.equal('MissingError');
      }
      expect(message).to.contain('has no BTF with functions');
    }
  });

  it('without the debug information, and of a kernel that has none', async () => {
    const without = await missingBtfOfAll(kernel, { paholeVersion: 128, dwarf: false });
    expect(without.units).to.equal(0);
    const other = kernelOf({ functions: [{ name: 'f' }, { name: 'f.isra.0' }, { name: 'g.cold' }, { name: '__pfx_f' }], btf: btfOf('f') });
    const all = await missingBtfOfAll(other, { paholeVersion: 124 });
    expect(all.functions).to.deep.equal([
      { name: 'f.isra.0', code: 'pahole-clone', certainty: 'proven' },
      { name: 'g.cold', code: 'pahole-suffix', certainty: 'proven' },
    ]);
  });
});
