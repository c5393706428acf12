import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect } from 'chai';
import { indexKernels } from '../../../lib/dataset/index-kernels.js';
import { mergeSets } from '../../../lib/dataset/merge-sets.js';
import { surveyFunction, surveyMember, surveyObjects, surveyVerdict } from '../../../lib/dataset/survey.js';
import { isMerged, TABLES } from '../../../lib/fleet/dataset/format.js';
import { setsIn } from '../../../lib/node/sets.js';
import { objectsOf } from '../../../lib/open/bpf-objects.js';
import { cli } from '../../support/cli.js';

const fixture = (path: string): string => fileURLToPath(new URL(`../../../../fixtures/${path}`, import.meta.url));

describe('kelf index --merge', () => {
  let folder: string;
  let fleet: string;
  let out: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-merge-'));
    fleet = join(folder, 'fleet');
    out = join(folder, 'merged');
    await indexKernels([fixture('kernel/vmlinux-amd64'), fixture('kernel/vmlinux-arm64')], fleet);
    await mergeSets(fleet, out);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('keeps every row of every table, and has rows of a name beside each other', async () => {
    expect(setsIn(out)).to.have.length(1);
    expect(isMerged(setsIn(out)[0]!)).to.equal(true);
    const duck = await (await DuckDBInstance.create(':memory:')).connect();
    const rows = async (query: string): Promise<unknown> => (await duck.runAndReadAll(query)).getRowObjectsJson();
    for (const table of TABLES) {
      const [one, other] = [fleet, out].map(at => `select * from '${at}/*/${table}.parquet'`);
      expect([table, await rows(`(${one}) except all (${other})`), await rows(`(${other}) except all (${one})`)]).to.deep.equal([
        table,
        [],
        [],
      ]);
    }
    const names = (await rows(`select name from '${out}/*/functions.parquet'`)) as { name: string }[];
    expect(names.map(({ name }) => name)).to.deep.equal(names.map(({ name }) => name).sort());
    duck.closeSync();
  });

  it('is asked with the same answers', async () => {
    const { objects } = objectsOf(fixture('bpf/kelf.bpfel.o'));
    for (const ask of [
      (at: string) => surveyFunction(at, 'load_elf_binary'),
      (at: string) => surveyFunction(at, 'tty_write'),
      (at: string) => surveyMember(at, 'task_struct', 'pid'),
      (at: string) => surveyVerdict(at, 'kprobe', 'no-ftrace-site'),
      (at: string) => surveyObjects(at, objects, 'libbpf'),
    ])
      expect(await ask(out)).to.deep.equal(await ask(fleet));
  });

  it('is made once: kernels that are there are left out, by merging and by indexing, and one in two sets counts once', async () => {
    expect(await mergeSets(fleet, out)).to.deep.equal([]);
    const [again] = await indexKernels([fixture('kernel/vmlinux-amd64')], out);
    expect(again!.outcome).to.equal('there');
    const both = join(folder, 'both');
    for (const from of [fleet, out]) cpSync(from, both, { recursive: true });
    expect(await surveyFunction(both, 'tty_write')).to.deep.equal(await surveyFunction(fleet, 'tty_write'));
  });

  it('leaves out what is damaged, and refuses its own folder', async () => {
    const damaged = join(folder, 'damaged');
    cpSync(fleet, damaged, { recursive: true });
    const path = join(damaged, setsIn(damaged)[0]!, 'members.parquet');
    writeFileSync(path, readFileSync(path).subarray(0, 200));
    const { code, stdout, stderr } = await cli('index', '--merge', damaged, '--out', join(folder, 'rest'));
    expect(code).to.equal(3);
    expect(stdout).to.match(/rest: 1 kernel in 1 set, \d+ kB each\n$/);
    expect(stderr).to.match(/^kelf: left out: \S+members\.parquet: [^\n]+\n$/);
    expect((await cli('index', '--merge', fleet, '--out', fleet)).stderr).to.equal(
      `kelf: ${fleet}: is the dataset that is merged: give another folder\n`,
    );
  });
});
