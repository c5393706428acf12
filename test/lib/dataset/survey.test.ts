import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { FormatError, MemorySource } from 'kelf/elf';
import { indexKernels } from '../../../lib/dataset/index-kernels.js';
import { surveyFunction, surveyMember, surveyObjects, surveyVerdict } from '../../../lib/dataset/survey.js';
import { TableFile } from '../../../lib/fleet/dataset/read.js';
import { UNPACKERS } from '../../../lib/node/packers.js';
import { setsIn } from '../../../lib/node/sets.js';
import { objectsOf } from '../../../lib/open/bpf-objects.js';
import { cli } from '../../support/cli.js';
import { mutate, random } from '../../support/mutate.js';

const fixture = (path: string): string => fileURLToPath(new URL(`../../../../fixtures/${path}`, import.meta.url));

describe('kelf survey', () => {
  let folder: string;
  let fleet: string;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-survey-'));
    fleet = join(folder, 'fleet');
    await indexKernels([fixture('kernel/vmlinux-amd64'), fixture('kernel/vmlinux-arm64')], fleet);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** A copy of the dataset, and its sets. */
  const copied = (name: string): [string, string[]] => {
    const to = join(folder, name);
    cpSync(fleet, to, { recursive: true });
    return [to, setsIn(to)];
  };

  it('function: prototypes, what is refused, and why', async () => {
    const { code, stdout } = await cli('survey', fleet, 'function', 'load_elf_binary');
    expect(code).to.equal(0);
    expect(stdout.split('\n').slice(0, 3)).to.deep.equal([
      'load_elf_binary: in 2 of 2 kernels',
      'prototypes',
      '  int(struct linux_binprm *bprm)  2  AArch64 6.1.0-kelf-arm64, x86-64 6.1.0-kelf-amd64',
    ]);
    expect(stdout).to.match(/\n {2}fentry, fexit +refused +ENOTSUPP +no-trampoline: .* 2 {2}/);
    const survey = await surveyFunction(fleet, 'load_elf_binary');
    expect(survey.several?.kernels).to.equal(2);
  });

  it('function: exit code 4 where no kernel has it', async () => {
    const { code, stdout } = await cli('survey', fleet, 'function', 'no_such', '--json');
    expect(code).to.equal(4);
    expect(JSON.parse(stdout)).to.deep.include({ schema: 'kelf/survey', question: 'function', kernels: 2, prototypes: [] });
  });

  it('member: places', async () => {
    const survey = await surveyMember(fleet, 'task_struct', 'pid');
    expect(survey.variants.reduce((sum, { kernels }) => sum + kernels, 0)).to.equal(2);
    const { stdout } = await cli('survey', fleet, 'member', 'task_struct.pid', '--csv');
    expect(stdout.split('\n')[0]).to.equal('byte,bits,type,kernels,releases');
  });

  it('object: what bpf check says of the same kernels, by their BTF and the tables', async () => {
    const path = fixture('bpf/kelf.bpfel.o');
    const { objects } = objectsOf(path);
    const { objects: surveyed, withoutBtf } = await surveyObjects(fleet, objects, 'libbpf');
    expect(withoutBtf).to.equal(0);
    const run = await cli('bpf', 'check', path, '-k', fixture('kernel/vmlinux-amd64'), '-k', fixture('kernel/vmlinux-arm64'), '--json');
    interface Program {
      readonly program: string;
      readonly outcome: string;
    }
    const checked = JSON.parse(run.stdout) as { objects: { kernels: { kernel: { release: string }; programs: Program[] }[] }[] };
    let told = 0;
    for (const { kernel, programs } of checked.objects[0]!.kernels)
      for (const { program, outcome } of programs) {
        const { outcomes } = surveyed[0]!.programs.find(each => each.program === program)!;
        const own = outcomes.find(({ releases }) => releases.some(({ first }) => first === kernel.release))!;
        if (own.outcome === 'open') continue;
        expect([program, own.outcome]).to.deep.equal([program, outcome]);
        told++;
      }
    expect(told).to.be.greaterThan(6);
    const missing = surveyed[0]!.programs.find(({ program }) => program === 'on_nothing')!;
    expect(missing.outcomes.map(({ outcome, codes }) => [outcome, codes])).to.deep.equal([['fails', ['no-symbol']]]);
  });

  it('verdict: the functions with a reason', async () => {
    const survey = await surveyVerdict(fleet, 'kprobe', 'no-ftrace-site');
    expect(survey.functions.length).to.be.greaterThan(20);
    expect(survey.functions[0]!.kernels).to.equal(2);
    const { code, stderr } = await cli('survey', fleet, 'verdict', 'fentry', 'no-such-code');
    expect([code, stderr]).to.deep.equal([2, "kelf: no reason 'no-such-code'; 'kelf explain' lists them\n"]);
    expect((await cli('survey', fleet, 'verdict', 'uprobe', 'notrace')).stderr).to.match(
      /^kelf: no mechanism 'uprobe'; there are kprobe, /,
    );
  });

  it('gone-between: releases that are there alone', async () => {
    const { code, stdout } = await cli('survey', fleet, 'gone-between', '6.1.0-kelf-amd64', '6.1.0-kelf-amd64');
    expect(code).to.equal(0);
    expect(stdout).to.match(/^x86-64: of x86-64 6\.1\.0-kelf-amd64, x86-64 6\.1\.0-kelf-amd64 lack 0 tracepoints, .*0 functions/);
    expect((await cli('survey', fleet, 'gone-between', '6.1.0-kelf-amd64', '9.9')).code).to.equal(4);
    expect((await cli('survey', fleet, 'gone-between', '6.1.0-kelf-amd64', '6.1.0-kelf-arm64')).code).to.equal(4);
  });

  it('refuses other questions, and a folder that is no dataset', async () => {
    expect((await cli('survey', fleet, 'weather')).stderr).to.match(/^kelf: no question 'weather'; there are function, /);
    expect((await cli('survey', fleet, 'function')).code).to.equal(2);
    for (const path of [folder, join(folder, 'none')]) {
      const { code, stderr } = await cli('survey', join(path, 'none'), 'function', 'f');
      expect([code, stderr]).to.deep.equal([3, `kelf: ${join(path, 'none')}: has no kernel: 'kelf index' makes a dataset\n`]);
    }
  });

  it('leaves out a set that is damaged, with a line', async () => {
    const [to, [first]] = copied('damaged');
    const path = join(to, first!, 'functions.parquet');
    writeFileSync(path, readFileSync(path).subarray(0, -40));
    const { code, stdout, stderr } = await cli('survey', to, 'function', 'tty_write');
    expect(code).to.equal(3);
    expect(stdout).to.match(/^tty_write: in 1 of 1 kernel\n/);
    expect(stderr).to.match(/^kelf: left out: \S+functions\.parquet: the Parquet file can't be read: [^\n]+\n$/);
    rmSync(path);
    expect((await cli('survey', to, 'function', 'tty_write')).stderr).to.equal(`kelf: left out: ${path}: no such file\n`);
  });

  it('does not ask a dataset of another version', async () => {
    const [to, [first]] = copied('version');
    const table = parquetWriteBuffer({
      columnData: [{ name: 'kernel', data: ['a'], type: 'STRING' }],
      kvMetadata: [{ key: 'kelf.dataset', value: '2' }],
    });
    writeFileSync(join(to, first!, 'kernels.parquet'), new Uint8Array(table));
    const { code, stdout, stderr } = await cli('survey', to, 'function', 'tty_write');
    expect([code, stdout]).to.deep.equal([3, '']);
    expect(stderr).to.equal(`kelf: ${join(to, first!, 'kernels.parquet')}: is of version 2 of the dataset; this kelf reads version 1\n`);
  });

  it('reads a table of any damage, or refuses it', async () => {
    const next = random(7);
    const [set] = setsIn(fleet);
    const bytes = readFileSync(join(fleet, set!, 'functions.parquet'));
    let refused = 0;
    for (let i = 0; i < 300; i++) {
      try {
        const file = await TableFile.open(new MemorySource(mutate(new Uint8Array(bytes), next), 'table'), UNPACKERS);
        await file.rowsBetween('name', 'tty_write', 'tty_write\0', ['kernel', 'prototype', 'kprobe']);
        await file.eachGroup(['kernel', 'name', 'kprobe_code'], () => {});
      } catch (error) {
        expect(error).to.be.instanceOf(FormatError);
        refused++;
      }
    }
    expect(refused).to.be.greaterThan(50);
  });
});
