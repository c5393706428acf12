import { expect } from 'chai';
import { median, strongest, time } from '../../bench/measure.js';
import { pairRow, reportTable } from '../../bench/report.js';

describe('bench: the median', () => {
  it('is the middle of an odd number, whatever their order', () => {
    expect(median([100, 3, 20])).to.equal(20);
  });

  it('is the mean of the middle two of an even number', () => {
    expect(median([9, 1, 2, 4])).to.equal(3);
  });
});

describe('bench: the time of a run', () => {
  it('has the processor time of children and threads beside the clock', () => {
    const idle = time(['sleep', '0.1']);
    expect(idle.clock).to.be.greaterThan(99);
    expect(idle.processor).to.be.lessThan(idle.clock);
    const child = time(['sh', '-c', 'i=0; (while [ $i -lt 200000 ]; do i=$((i+1)); done); true']);
    expect(child.processor).to.be.greaterThan(20);
  });

  it('is none of a command that fails', () => {
    expect(() => time(['sh', '-c', 'echo broken >&2; exit 3'])).to.throw('exit 3: broken');
    expect(time(['sh', '-c', 'exit 3'], 3).clock).to.be.a('number');
  });

  it('compares processor time, and the clock beside it', () => {
    const pair = { ours: { clock: 90, processor: 150 }, theirs: { clock: 100, processor: 100 }, ratios: [1.1, 1.4, 1.5, 1.6, 1.9] };
    const { kelf, wall, peer, result, spread, clock } = pairRow('dump', 'amd64', 'peer', pair, 2);
    expect([kelf, wall, result, spread, clock]).to.deep.equal(['150 ms', '90 ms', 1.5, '1.40–1.60', '0.90']);
    expect(peer).to.deep.equal({ title: 'peer', figure: '100 ms', wall: '100 ms' });
  });

  it('is compared with the peer that takes the least of it', () => {
    const busy = (rounds: number): readonly string[] => ['sh', '-c', `i=0; while [ $i -lt ${rounds} ]; do i=$((i+1)); done`];
    expect(strongest([40_000, 1, 20_000], busy)).to.deep.equal([1]);
    expect(strongest([7], () => ['false'])).to.deep.equal([7]);
    expect(strongest([], () => ['false'])).to.deep.equal([]);
  });
});

describe('bench: the table', () => {
  const show = (value: number): string => value.toFixed(2);
  const row = {
    what: 'symbols',
    kernel: 'amd64',
    kelf: '190 ms',
    wall: '170 ms',
    peer: { title: 'nm V', figure: '200 ms', wall: '210 ms' },
    show,
  };

  it('says whether a target is met, by the figure and not by what is shown of it', () => {
    const [met, unmet] = reportTable([
      { ...row, result: 1, target: 1 },
      { ...row, result: 1.004, target: 1 },
    ]).slice(2);
    expect(met).to.match(/ 1\.00 \| +\| +\| ≤ 1\.00 \| met +\|$/);
    expect(unmet).to.match(/ 1\.00 \| +\| +\| ≤ 1\.00 \| not met \|$/);
  });

  it('judges nothing without a target, and shows no ratio without a peer', () => {
    const [ratio, alone] = reportTable([
      { ...row, result: 0.5 },
      { what: 'audit', kernel: 'amd64', kelf: '700 ms', result: 700, target: 800, show },
    ]).slice(2);
    expect(ratio).not.to.contain('met');
    expect(alone!.match(/700/g)).to.have.length(1);
    expect(alone).to.contain('| met');
  });

  it('is Markdown with every column in its place', () => {
    const lines = reportTable([{ ...row, result: 0.5 }]);
    expect(new Set(lines.map(line => line.length)).size).to.equal(1);
    expect(new Set(lines.map(line => line.split('|').length))).to.deep.equal(new Set([14]));
  });
});
