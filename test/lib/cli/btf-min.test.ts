import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Btf, minimalBtf, parseCoreSpec } from 'kelf/btf';
import { BtfWriter } from '../../support/btf-writer.js';
import { cli } from '../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));

describe('kelf btf min', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-min-'));
  after(() => rmSync(folder, { recursive: true }));

  for (const arch of ['amd64', 'arm64'])
    it(`keeps what bpftool gen min_core_btf keeps: ${arch}`, async () => {
      const file = join(folder, `${arch}.btf`);
      const { code } = await cli('btf', 'min', fixture('bpf/kelf.bpfel.o'), '--kernel', fixture(`kernel/vmlinux-${arch}`), '--out', file);
      expect(code).to.equal(0);
      const { stdout } = await cli('btf', 'dump', file);
      expect(stdout).to.equal(readFileSync(fixture(`expected/bpf/kelf.bpfel.o.min-core-${arch}.btf.txt`), 'utf8'));
    });

  it('is enough for the object itself', async () => {
    const file = join(folder, 'enough.btf');
    const object = fixture('bpf/kelf.bpfel.o');
    const kernel = fixture('kernel/vmlinux-amd64');
    await cli('btf', 'min', object, '--kernel', kernel, '--out', file);
    const values = async (path: string): Promise<string[]> =>
      (await cli('bpf', 'core', object, '--kernel', path, '--log')).stdout
        .match(/patched insn.*|substituting.*/g)!
        .filter(line => !line.includes('LDIMM64'));
    expect(await values(file)).to.deep.equal(await values(kernel));
  });

  it('needs a kernel and a file', async () => {
    expect((await cli('btf', 'min', fixture('bpf/kelf.bpfel.o'))).code).to.equal(2);
  });
});

describe('minimalBtf', () => {
  it('keeps all members of what is compared whole, and no more behind pointers than names', () => {
    const w = new BtfWriter();
    const int = w.int('int', 4, 1);
    const far = w.struct('far', 4, [['x', int, 0]]);
    const near = w.struct('near', 8, [
      ['a', int, 0],
      ['b', int, 32],
    ]);
    const root = w.struct('root', 16, [
      ['near', near, 0],
      ['far', w.ptr(far), 64],
    ]);
    const btf = Btf.parse(w.bytes());
    const least = Btf.parse(minimalBtf(btf, [parseCoreSpec(btf, root, '0', 12)]));
    const members = (name: string): string[] => {
      const type = least.type(least.find(name)[0]!);
      return type.kind === 'STRUCT' ? type.members.map(member => member.name) : [];
    };
    expect([members('root'), members('near'), members('far')]).to.deep.equal([['near', 'far'], ['a', 'b'], []]);
  });
});
