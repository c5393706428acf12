import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { BtfWriter, everyKind } from '../../support/btf-writer.js';
import { KELF } from '../../support/cli.js';

const kernelFixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/kernel/${name}`, import.meta.url));
const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/btf/${name}`, import.meta.url));

function kelf(...args: string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [KELF, ...args], { encoding: 'utf8' });
  return { code: status, out: stdout, err: stderr };
}

describe('kelf btf', function () {
  this.timeout(60_000);
  const sample = fixture('sample.o');
  const folder = mkdtempSync(join(tmpdir(), 'kelf-btf-'));
  const baseFile = join(folder, 'base.btf');
  const splitFile = join(folder, 'split.btf');

  before(() => {
    const base = everyKind(new BtfWriter());
    const split = new BtfWriter({ base });
    split.struct('mine', 8, [['point', 10, 0]]);
    writeFileSync(baseFile, base.bytes());
    writeFileSync(splitFile, split.bytes());
  });

  after(() => rmSync(folder, { recursive: true }));

  it('dump prints each format of an ELF file and of a blob', () => {
    expect(kelf('btf', 'dump', sample)).to.deep.equal({ code: 0, out: readFileSync(fixture('sample.raw'), 'utf8'), err: '' });
    expect(kelf('btf', 'dump', sample, '--format', 'json').out).to.equal(readFileSync(fixture('sample.json'), 'utf8'));
    expect(kelf('btf', 'dump', sample, '--format', 'c').out).to.equal(readFileSync(fixture('sample.h'), 'utf8'));
    expect(kelf('btf', 'dump', baseFile).out).to.match(/^\[1\] INT 'int' size=4/);
  });

  it('dump takes the base of split BTF', () => {
    expect(kelf('btf', 'dump', splitFile, '--base', baseFile).out).to.equal(
      `[${everyKind(new BtfWriter()).nextId}] STRUCT 'mine' size=8 vlen=1\n\t'point' type_id=10 bits_offset=0\n`,
    );
    expect(kelf('btf', 'dump', splitFile)).to.deep.include({ code: 3, out: '' });
  });

  it('dump takes what is packed, the base too', () => {
    const [packedBase, packedSplit] = [join(folder, 'base.btf.gz'), join(folder, 'split.ko.gz')];
    writeFileSync(packedBase, gzipSync(readFileSync(sample)));
    writeFileSync(packedSplit, gzipSync(readFileSync(kernelFixture('kelf-mod-amd64.ko'))));
    expect(kelf('btf', 'dump', packedBase)).to.deep.equal({ code: 0, out: readFileSync(fixture('sample.raw'), 'utf8'), err: '' });
    const { code, out } = kelf('btf', 'dump', packedSplit, '--base', kernelFixture('vmlinux-amd64'));
    expect(code).to.equal(0);
    expect(out).to.equal(kelf('btf', 'dump', kernelFixture('kelf-mod-amd64.ko'), '--base', kernelFixture('vmlinux-amd64')).out);
  });

  it('dump says what is wrong with a call or a file', () => {
    expect(kelf('btf', 'dump', sample, '--format', 'xml')).to.deep.include({
      code: 2,
      err: "kelf: no format 'xml'; there are raw, json, c\n",
    });
    expect(kelf('btf', 'dump', fixture('sample.c')).err).to.match(/sample\.c\+0x0: is neither an ELF file nor BTF\n$/);
    expect(kelf('btf', 'dump', process.execPath).code).to.equal(4);
  });

  it('show prints types as pahole does, and prototypes', () => {
    const { code, out } = kelf('btf', 'show', sample, 'bits', 'variadic');
    expect(code).to.equal(0);
    expect(readFileSync(fixture('sample.pahole'), 'utf8')).to.include(out.slice(0, out.indexOf('int variadic')));
    expect(out).to.match(/\nint variadic\(const char \*format, \.\.\.\);\n$/);
  });

  it('show says which names there are not, with exit code 4', () => {
    expect(kelf('btf', 'show', sample, 'nowhere')).to.deep.equal({ code: 4, out: '', err: `kelf: ${sample} has no type called nowhere\n` });
  });

  it('show --json gives offsets and sizes', () => {
    const { types, missing } = JSON.parse(kelf('btf', 'show', sample, 'packed', 'nowhere', '--json').out);
    expect(missing).to.deep.equal(['nowhere']);
    expect(types).to.have.length(1);
    expect(types[0]).to.deep.include({ kind: 'STRUCT', name: 'packed', size: 9, packed: true, cachelines: 1, padding: 0 });
    expect(types[0].members[1]).to.deep.include({ name: 'value', type: 'u64', offset: 1, size: 8 });
  });

  it('list selects by kind and pattern', () => {
    expect(kelf('btf', 'list', sample, 'v*', '--kind', 'func').out).to.match(/^\d+\tFUNC\tvariadic\n$/);
    const { types } = JSON.parse(kelf('btf', 'list', sample, '*', '--kind', 'struct,union', '--json').out);
    expect(types.map(({ name }: { name: string }) => name)).to.include.members(['bits', 'holes', 'node']);
    expect(JSON.parse(kelf('btf', 'list', sample, 'nothing*', '--kind', 'func', '--json').out)).to.deep.equal({
      $schema: 'kelf/schemas/btf-list.1.json',
      schema: 'kelf/btf-list',
      version: 1,
      file: sample,
      types: [],
    });
    expect(kelf('btf', 'list', sample, '--kind', 'thing').code).to.equal(2);
  });

  it('find gives every candidate, and exit code 4 where there is none', () => {
    const { code, out } = kelf('btf', 'find', sample, 'local');
    expect(code).to.equal(0);
    expect(out).to.match(/^\d+\tSTRUCT\t[48]\tstruct local\n\d+\tSTRUCT\t[48]\tstruct local\n$/);
    expect(kelf('btf', 'find', sample, 'local', '--kind', 'func')).to.deep.equal({
      code: 4,
      out: '',
      err: `kelf: ${sample} has no func called local; local is a struct\n`,
    });
    expect(kelf('btf', 'dump', sample, '--json').out).to.equal(kelf('btf', 'dump', sample, '--format', 'json').out);
    expect(kelf('btf', 'dump', sample, '--json', '--format', 'c').code).to.equal(2);
    expect(JSON.parse(kelf('btf', 'find', sample, 'thrice', '--json').out).types[0]).to.deep.include({
      kind: 'FUNC',
      declaration: 'int thrice(long int n)',
    });
  });
});
