import { expect } from 'chai';
import type { Row } from '../../../lib/fleet/dataset/read.js';
import { FUNCTION_COLUMNS, functionSurvey } from '../../../lib/fleet/survey/function.js';
import { goneSurvey, kernelsOf } from '../../../lib/fleet/survey/gone.js';
import { compareReleases, releaseName, SurveyKernels } from '../../../lib/fleet/survey/kernels.js';
import { memberSurvey, splitMember } from '../../../lib/fleet/survey/member.js';
import { verdictSurvey } from '../../../lib/fleet/survey/verdict.js';

const RELEASES = ['6.1.0-9-amd64', '5.10.0-32-amd64', '6.1.0-56-amd64', '6.12.4-amd64'];
const kernels = new SurveyKernels([
  ...RELEASES.map((release, i) => ({ id: `x${i}`, release, machine: 'x86-64', hasSymbols: true })),
  { id: 'a0', release: '6.1.0-9-arm64', machine: 'AArch64', hasSymbols: false },
  // Of two sets.
  { id: 'x0', release: '6.1.0-9-amd64', machine: 'x86-64', hasSymbols: true },
]);

/** A row of `functions` whose mechanisms all accept, but those that are given. */
function functionRow(kernel: string, name: string, cells: Readonly<Record<string, string | null>> = {}): Row {
  const row = Object.fromEntries(
    FUNCTION_COLUMNS.map(column => [column, column.endsWith('_errno') || column.startsWith('no_btf') ? null : 'accepted']),
  );
  return { ...row, kernel, name, prototype: 'int(void)', ...cells };
}

describe('Releases', () => {
  it('are in the order of their numbers', () => {
    expect([...RELEASES].sort(compareReleases)).to.deep.equal([RELEASES[1], RELEASES[0], RELEASES[2], RELEASES[3]]);
    expect(['6.1.0', '6.1', '6.1.0-rc1', '6'].sort(compareReleases)).to.deep.equal(['6', '6.1', '6.1.0', '6.1.0-rc1']);
  });

  it('are ranges as long as no other kernel of the dataset is between them, machine by machine', () => {
    const all = kernels.list.map((_, ordinal) => ordinal);
    expect(kernels.count).to.equal(5);
    expect(kernels.ranges(all)).to.deep.equal([
      { machine: 'AArch64', first: '6.1.0-9-arm64', last: '6.1.0-9-arm64', kernels: 1 },
      { machine: 'x86-64', first: '5.10.0-32-amd64', last: '6.12.4-amd64', kernels: 4 },
    ]);
    const without = [kernels.ordinal('x1'), kernels.ordinal('x3'), kernels.ordinal('x2')];
    expect(kernels.ranges(without).map(({ first, last }) => [first, last])).to.deep.equal([
      ['5.10.0-32-amd64', '5.10.0-32-amd64'],
      ['6.1.0-56-amd64', '6.12.4-amd64'],
    ]);
  });

  it('of BTF alone are the name of its file, where that has none', () => {
    expect(releaseName(null, '/b/a12-lts.btf.tar.xz: a12-lts.btf')).to.equal('a12-lts.btf');
    expect(releaseName('5.4.0', '/b/x.btf')).to.equal('5.4.0');
  });

  it('are asked for whole, or by their beginning', () => {
    const of = (release: string): string[] => kernelsOf(kernels, release).map(ordinal => kernels.list[ordinal]!.release);
    expect(of('6.1')).to.deep.equal(['6.1.0-9-arm64', '6.1.0-9-amd64', '6.1.0-56-amd64']);
    expect(of('6.1.0-9-amd64')).to.deep.equal(['6.1.0-9-amd64']);
    expect(of('6.1.0-5')).to.deep.equal([]);
  });
});

describe('A function across kernels', () => {
  const refusedBy = { fentry: 'refused', fentry_code: 'no-ftrace-site', fentry_errno: 'EBUSY' };
  const survey = functionSurvey(kernels, 'f', [
    functionRow('x1', 'f', { prototype: 'long(int a)' }),
    functionRow('x0', 'f', { ...refusedBy, fexit: 'refused', fexit_code: 'no-ftrace-site', fexit_errno: 'EBUSY' }),
    functionRow('x0', 'f', refusedBy),
    functionRow('x2', 'f', {
      prototype: null,
      no_btf: 'pahole-external-only',
      no_btf_certainty: 'likely',
      kprobe: 'open',
      kprobe_code: 'sites-unknown',
    }),
    functionRow('x3', 'f.isra.0'),
    functionRow('x2', 'f.cold'),
  ]);

  it('has its prototypes, oldest first, and why BTF lacks it', () => {
    expect(survey.prototypes.map(({ prototype, kernels: n }) => [prototype, n])).to.deep.equal([
      ['long(int a)', 1],
      ['int(void)', 1],
    ]);
    expect(survey.noBtf).to.have.length(1);
    expect(survey.noBtf[0]).to.deep.include({ code: 'pahole-external-only', certainty: 'likely', kernels: 1 });
  });

  it('has the mechanisms that fare alike in a line', () => {
    expect(survey.verdicts.map(({ mechanisms, outcome, code, errno, kernels: n }) => [mechanisms, outcome, code, errno, n])).to.deep.equal([
      [['kprobe'], 'open', 'sites-unknown', undefined, 1],
      [['fentry', 'fexit'], 'refused', 'no-ftrace-site', 'EBUSY', 1],
    ]);
  });

  it('tells where it is several, where it is none, and what is there instead', () => {
    expect(survey.several).to.deep.include({ kernels: 1 });
    expect(survey.absent).to.deep.include({ kernels: 1 });
    // Of BTF alone.
    expect(survey.untold?.releases[0]?.machine).to.equal('AArch64');
    expect(survey.clones.map(({ name, releases }) => [name, releases[0]!.first])).to.deep.equal([['f.isra.0', '6.12.4-amd64']]);
  });
});

describe('A member across kernels', () => {
  it('is named by struct and path', () => {
    expect(splitMember('task_struct.thread.cr2')).to.deep.equal({ struct: 'task_struct', path: 'thread.cr2' });
    expect(splitMember('struct task_struct.state')).to.deep.equal({ struct: 'task_struct', path: 'state' });
    for (const text of ['task_struct', '.state', 'task_struct.']) expect(splitMember(text)).to.equal(undefined);
  });

  it('has its places, and where it is gone from what is called alike', () => {
    const row = (kernel: string, path: string, offset: bigint, size: bigint | null = 64n): Row => ({
      ...{ kernel, path, bit_offset: offset, bit_size: size, type: 'long' },
    });
    const survey = memberSurvey(kernels, 's', 'state', [
      row('x1', 'state', 0n),
      row('x0', 'state', 0n),
      row('x2', 'state', 128n, null),
      row('x3', '__state', 64n),
      row('x3', 'other', 0n),
    ]);
    expect(survey.variants.map(({ bitOffset, bitSize, kernels: n }) => [bitOffset, bitSize, n])).to.deep.equal([
      [0, 64, 2],
      [128, null, 1],
    ]);
    expect(survey.without?.kernels).to.equal(1);
    expect(survey.instead.map(({ path }) => path)).to.deep.equal(['__state']);
    expect(survey.absent?.releases[0]?.machine).to.equal('AArch64');
  });
});

describe('Functions with a reason', () => {
  it('are those of most kernels first', () => {
    const survey = verdictSurvey(kernels, 'fentry', 'notrace', [
      { kernels: ['x0', 'x1'], names: ['b', 'a'], counts: Uint32Array.of(1, 2), at: Uint32Array.of(1, 0, 1) },
      { kernels: ['x2'], names: ['b', 'c'], counts: Uint32Array.of(1, 1), at: Uint32Array.of(0, 0) },
    ]);
    expect(survey.functions.map(({ name, kernels: n }) => [name, n])).to.deep.equal([
      ['a', 2],
      ['b', 2],
      ['c', 1],
    ]);
    expect(survey.among.kernels).to.equal(3);
  });
});

describe('What is gone between releases', () => {
  it('is what all kernels of the new one lack, on the same machine; of a table that they do not have nothing is said', () => {
    const names: Readonly<Record<string, readonly string[]>> = { x0: ['f', 'g', 'h'], x2: ['f', 'i'], x3: ['f', 'g'] };
    const survey = goneSurvey(kernels, ['6.1', '6.12'], (ordinal, table) => {
      const { id } = kernels.list[ordinal]!;
      return table === 'functions' || (table === 'exports' && id !== 'x3') ? (names[id] ?? []) : [];
    });
    expect(survey.machines.map(({ machine }) => machine)).to.deep.equal(['x86-64']);
    expect(survey.machines[0]!.gone.functions).to.deep.equal(['h', 'i']);
    expect(survey.machines[0]!.gone.exports).to.deep.equal([]);
    expect(survey.machines[0]!.untold).to.deep.equal(['exports']);
  });
});
