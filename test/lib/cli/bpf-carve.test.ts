import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli } from '../../support/cli.js';

const OBJECT = fileURLToPath(new URL('../../../../fixtures/bpf/kelf.bpfel.o', import.meta.url));

describe('kelf bpf carve', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-carve-'));
  const object = readFileSync(OBJECT);
  before(() => {
    mkdirSync(join(folder, 'bin'));
    writeFileSync(join(folder, 'bin', 'daemon'), Buffer.concat([Buffer.alloc(100), object]));
    writeFileSync(join(folder, 'notes.txt'), 'nothing');
    symlinkSync('bin/daemon', join(folder, 'link'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('searches a folder, and writes what it finds', async () => {
    const out = join(folder, 'out');
    const { code, stdout, stderr } = await cli('bpf', 'carve', folder, '--out', out);
    expect(code).to.equal(0);
    const written = join(out, 'bin', 'daemon@0x64.bpf.o');
    expect(stdout).to.match(new RegExp(`^${folder}/bin/daemon\\+0x64: ELF, ${object.length} bytes, sha256 [0-9a-f]{64}\n`));
    expect(stdout).to.match(/\n {2}\w+ +kprobe\/load_elf_binary\n/);
    expect(stdout).to.contain(`written to ${written}`);
    expect(stderr).to.equal('kelf: objects found: 1, in 1 of 2 files\n');
    expect(readFileSync(written).equals(object)).to.equal(true);
  });

  it('writes objects of files with one name beside each other', async () => {
    const out = join(folder, 'beside');
    const bin = join(folder, 'bin');
    await cli('bpf', 'carve', bin, join(bin, 'daemon'), '--out', out);
    expect(readdirSync(out)).to.deep.equal(['daemon@0x64.bpf.o', 'daemon~2@0x64.bpf.o']);
  });

  it('exits with 74 where it can not write', async () => {
    const { code, stderr } = await cli('bpf', 'carve', join(folder, 'bin'), '--out', join(folder, 'notes.txt'));
    expect(code).to.equal(74);
    expect(stderr).to.match(/notes\.txt/);
  });

  it('prints JSON', async () => {
    const { stdout } = await cli('bpf', 'carve', join(folder, 'bin', 'daemon'), '--json');
    const { schema, objects } = JSON.parse(stdout);
    expect(schema).to.equal('kelf/bpf-carve');
    expect(objects[0]).to.deep.include({ form: 'ELF', offset: 100, extent: object.length, length: object.length });
  });

  it('exits with 4 where there is none, with 3 for what is not there', async () => {
    expect(await cli('bpf', 'carve', join(folder, 'notes.txt'))).to.deep.equal({
      code: 4,
      stdout: '',
      stderr: `kelf: ${join(folder, 'notes.txt')}: contains no BPF object\n`,
    });
    symlinkSync('itself', join(folder, 'itself'));
    for (const [name, says] of [
      ['nowhere', 'no such file'],
      ['itself', 'ELOOP'],
    ] as const) {
      const path = join(folder, name);
      expect(await cli('bpf', 'carve', path)).to.deep.equal({ code: 3, stdout: '', stderr: `kelf: ${path}: ${says}\n` });
    }
  });
});
