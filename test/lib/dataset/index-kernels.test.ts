import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { openKernel } from 'kelf';
import { type IndexedKernel, indexKernels } from '../../../lib/dataset/index-kernels.js';
import { fileOf, TABLES } from '../../../lib/fleet/dataset/format.js';
import { columnOf } from '../../../lib/fleet/dataset/tables.js';
import { cellOf } from '../../../lib/fleet/rows/columns.js';
import { functionRows } from '../../../lib/fleet/rows/functions.js';
import { MECHANISMS } from '../../../lib/fleet/rows/mechanisms.js';
import { memberRows } from '../../../lib/fleet/rows/members.js';
import { UNPACKERS } from '../../../lib/node/packers.js';
import { removeUnfinished } from '../../../lib/node/sets.js';
import { cli, KELF, spawnCli } from '../../support/cli.js';

const FIXTURES = ['amd64', 'arm64'].map(arch => fileURLToPath(new URL(`../../../../fixtures/kernel/vmlinux-${arch}`, import.meta.url)));
const [AMD64, ARM64] = FIXTURES as [string, string];

describe('kelf index', () => {
  let folder: string;
  let out: string;
  let duck: DuckDBConnection;

  before(async () => {
    duck = await (await DuckDBInstance.create(':memory:')).connect();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-index-'));
    out = join(folder, 'fleet');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  after(() => duck.closeSync());

  const sql = async (query: string): Promise<Record<string, unknown>[]> =>
    (await duck.runAndReadAll(query.replaceAll('DIR', out))).getRowObjectsJson();
  const outcomes = (kernels: readonly IndexedKernel[]): string[] => kernels.map(({ outcome }) => outcome);

  it('writes tables that hyparquet and DuckDB read, with the rows of the kernel', async () => {
    const [written] = await indexKernels([AMD64], out);
    expect(written).to.include({ outcome: 'written', source: AMD64 });
    using kernel = await openKernel(AMD64);
    const rows = functionRows(kernel);
    const names = ['name', 'anchor', 'size', 'file', 'prototype', 'prototype_id', 'no_btf'];
    const verdicts = MECHANISMS.map(columnOf).flatMap(name => [name, `${name}_code`, `${name}_errno`]);
    const columns = [...names, ...verdicts].join(', ');
    const expected = Array.from({ length: rows.count }, (_, row) => {
      const number = (value: number): string | null => (Number.isNaN(value) ? null : String(value));
      const prototype = cellOf(rows.prototype, row);
      return {
        name: rows.name[row],
        anchor: number(rows.anchor[row]!),
        size: number(rows.size[row]!),
        file: cellOf(rows.file, row) ?? null,
        prototype: prototype?.text ?? null,
        prototype_id: prototype === undefined ? null : String(prototype.id),
        no_btf: cellOf(rows.absence, row)?.code ?? null,
        ...Object.fromEntries(
          MECHANISMS.flatMap(mechanism => {
            const { outcome, code, errno } = cellOf(rows.verdicts[mechanism], row);
            const name = columnOf(mechanism);
            return [
              [name, outcome],
              [`${name}_code`, code],
              [`${name}_errno`, errno ?? null],
            ];
          }),
        ),
      };
    });
    expect(await sql(`select ${columns} from 'DIR/*/functions.parquet'`)).to.deep.equal(expected);
    const bytes = readFileSync(join(out, written!.id!, 'functions.parquet'));
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    const read = await parquetReadObjects({ file, compressors: UNPACKERS, columns: names });
    expect(read.map(({ name }) => name)).to.deep.equal(rows.name);
    const counts = await sql(`select count(*)::int as n, count(distinct struct)::int as structs from 'DIR/*/members.parquet'`);
    const members = memberRows(kernel);
    expect(counts).to.deep.equal([{ n: members.count, structs: new Set(members.struct.values).size }]);
  });

  it('keeps the BTF in the byte order of the kernel, and what is known of the kernel', async () => {
    await indexKernels(FIXTURES, out);
    const kernels = await sql(`select kernel, build_id, release, machine, config_bpf_jit, source, btf_functions from 'DIR/*/kernels.parquet'
      order by release`);
    expect(kernels.map(({ release, machine, source }) => ({ release, machine, source }))).to.deep.equal([
      { release: '6.1.0-kelf-amd64', machine: 'x86-64', source: AMD64 },
      { release: '6.1.0-kelf-arm64', machine: 'AArch64', source: ARM64 },
    ]);
    expect(kernels.every(({ kernel, build_id }) => kernel === build_id)).to.equal(true);
    const btf =
      await sql(`select k.release, octet_length(btf)::int as n from 'DIR/*/btf.parquet' join 'DIR/*/kernels.parquet' k using (kernel)
      order by release`);
    using kernel = await openKernel(AMD64);
    const { typeLength, stringLength } = kernel.btf!.header;
    expect(btf[0]).to.deep.equal({ release: '6.1.0-kelf-amd64', n: 24 + typeLength + stringLength });
  });

  it('leaves kernels that are there, reports what can not be read, and writes the others', async () => {
    expect(outcomes(await indexKernels([AMD64], out))).to.deep.equal(['written']);
    const before = readdirSync(out);
    const broken = join(folder, 'broken');
    writeFileSync(broken, readFileSync(ARM64).subarray(0, 3000));
    const { code, stdout } = await cli('index', AMD64, broken, join(folder, 'none'), ARM64, '--out', out, '--jobs', '2', '--json');
    expect(code).to.equal(3);
    const { kernels } = JSON.parse(stdout) as { kernels: IndexedKernel[] };
    expect(outcomes(kernels)).to.deep.equal(['there', 'unreadable', 'unreadable', 'written']);
    expect(kernels[2]!.problem).to.equal(`${join(folder, 'none')}: no such file`);
    expect(readdirSync(out))
      .to.include.members(before)
      .and.have.length(before.length + 1);
    const text = await cli('index', AMD64, broken, '--out', out);
    expect(text.stdout.split('\n')[1]).to.match(/^unreadable {2}\S*broken\b/);
  });

  it('makes the same files by threads as in one', async () => {
    const other = join(folder, 'other');
    await indexKernels(FIXTURES, out, { jobs: 2 });
    for (const path of FIXTURES) await indexKernels([path], other);
    expect(contents(out)).to.deep.equal(contents(other));
  });

  it('takes a list from stdin, ended by lines or by NUL', () => {
    for (const [i, end] of ['\n', '\0'].entries()) {
      const { KELF_NO_MAIN: _, ...env } = process.env;
      const run = spawnSync(process.execPath, [KELF, 'index', '-', '--out', join(folder, String(i))], {
        input: FIXTURES.map(path => path + end).join(''),
        encoding: 'utf8',
        env,
      });
      expect([run.status, run.stdout.split('\n').at(-2)]).to.deep.equal([
        0,
        `${join(folder, String(i))}: 2 kernels written, ${run.stdout.match(/(\d+) kB/)![1]} kB each, 0 there already, 0 unreadable`,
      ]);
    }
  });

  it('refuses a dataset of another version, and a folder of something else', async () => {
    const place = join(out, 'aa');
    mkdirSync(place, { recursive: true });
    const table = (version?: string): Buffer =>
      Buffer.from(
        parquetWriteBuffer({
          columnData: [{ name: 'kernel', data: ['aa'], type: 'STRING' }],
          ...(version === undefined ? {} : { kvMetadata: [{ key: 'kelf.dataset', value: version }] }),
        }),
      );
    for (const [version, says] of [
      ['99', 'is of version 99 of the dataset; this kelf reads version 1'],
      [undefined, 'is no table of a dataset; this kelf reads version 1'],
    ] as const) {
      writeFileSync(join(place, 'kernels.parquet'), table(version));
      const { code, stderr } = await cli('index', AMD64, '--out', out);
      expect([code, stderr]).to.deep.equal([3, `kelf: ${join(place, 'kernels.parquet')}: ${says}\n`]);
    }
    writeFileSync(join(place, 'kernels.parquet'), table('1').subarray(0, 60));
    expect((await cli('index', AMD64, '--out', out)).stderr).to.match(/kernels\.parquet: the Parquet file can't be read: /);
    expect(existsSync(join(out, '.unfinished'))).to.equal(false);
  });

  it('says what can not be written, and leaves nothing', async () => {
    writeFileSync(out, 'a file');
    const { code, stderr } = await cli('index', ...FIXTURES, '--out', out);
    expect([code, stderr]).to.deep.equal([3, `kelf: ${out}: is not a folder\n`]);
    rmSync(out);
    // Its folder for sets in the making can't be made: in threads as in one.
    mkdirSync(out);
    writeFileSync(join(out, '.unfinished'), '');
    for (const jobs of ['1', '2']) {
      const run = await cli('index', ...FIXTURES, '--out', out, '--jobs', jobs);
      expect([run.code, run.stderr]).to.deep.equal([74, `kelf: ${join(out, '.unfinished')}: can't be written: no folder is there\n`]);
    }
  });

  it('ends at a full disk with a line, and the set that did not fit is not there', function () {
    mkdirSync(out);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48k', 'tmpfs', out]).status !== 0) this.skip();
    try {
      const { code, stderr } = spawnCli('index', ...FIXTURES, '--out', out, '--jobs', '2');
      expect(code).to.equal(74);
      expect(stderr).to.match(/^kelf: \S+: can't be written: no space left on device\n$/);
      const sets = readdirSync(out).filter(name => name !== '.unfinished');
      for (const set of sets) expect(readdirSync(join(out, set))).to.have.members(TABLES.map(fileOf));
      expect(sets.length).to.be.lessThan(2);
      expect(readdirSync(join(out, '.unfinished'))).to.deep.equal([]);
    } finally {
      spawnSync('umount', [out]);
    }
  });

  it('killed in the middle, has whole sets alone; the next run makes the rest', async () => {
    const paths = await kernelsOfBuildIds(folder, 6);
    const whole = join(folder, 'whole');
    await indexKernels(paths, whole, { jobs: 0 });
    const { KELF_NO_MAIN: _, ...env } = process.env;
    const child = spawn(process.execPath, [KELF, 'index', ...paths, '--out', out, '--jobs', '2'], { env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    const sets = (): string[] => (existsSync(out) ? readdirSync(out).filter(name => name !== '.unfinished') : []);
    while (sets().length < 2 && child.exitCode === null) await new Promise(resolve => setTimeout(resolve, 1));
    child.kill('SIGKILL');
    await ended;
    for (const set of sets()) expect(contents(join(out, set))).to.deep.equal(contents(join(whole, set)));
    const before = sets().length;
    const kernels = await indexKernels(paths, out);
    expect(outcomes(kernels).filter(outcome => outcome === 'there')).to.have.length(before);
    for (const set of readdirSync(whole))
      if (set !== '.unfinished') expect(contents(join(out, set))).to.deep.equal(contents(join(whole, set)));
  });

  it('takes away what a run left a day ago, and not what another is at', () => {
    const [old, young] = ['aa.1', 'bb.2'].map(name => join(out, '.unfinished', name)) as [string, string];
    for (const place of [old, young]) mkdirSync(place, { recursive: true });
    utimesSync(old, 0, 0);
    removeUnfinished(out);
    expect(readdirSync(join(out, '.unfinished'))).to.deep.equal(['bb.2']);
  });
});

/** The files under a folder, with their bytes. */
function contents(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter(entry => entry.isFile());
  const paths = names.map(({ parentPath, name }) => join(parentPath, name));
  return Object.fromEntries(paths.map(path => [path.slice(folder.length), readFileSync(path).toString('base64')]).sort());
}

/** Copies of a kernel that have a build id each. */
async function kernelsOfBuildIds(folder: string, count: number): Promise<string[]> {
  using kernel = await openKernel(AMD64);
  const id = Buffer.from(kernel.buildId!, 'hex');
  return Array.from({ length: count }, (_, i) => {
    const path = join(folder, `vmlinux-${i}`);
    copyFileSync(AMD64, path);
    const bytes = readFileSync(path);
    for (let at = bytes.indexOf(id); at >= 0; at = bytes.indexOf(id, at + 1)) bytes[at] = i;
    writeFileSync(path, bytes);
    return path;
  });
}
