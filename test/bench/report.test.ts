import { expect } from 'chai';
import { median } from '../../bench/measure.js';
import { reportTable } from '../../bench/report.js';

describe('bench: the median', () => {
  it('is the middle of an odd number, whatever their order', () => {
    expect(median([100, 3, 20])).to.equal(20);
  });

  it('is the mean of the middle two of an even number', () => {
    expect(median([9, 1, 2, 4])).to.equal(3);
  });
});

describe('bench: the table', () => {
  const show = (value: number): string => value.toFixed(2);
  const row = { what: 'symbols', kernel: 'amd64', kelf: '190 ms', peer: { title: 'nm V', figure: '200 ms' }, show };

  it('says whether a target is met, by the figure and not by what is shown of it', () => {
    const [met, unmet] = reportTable([
      { ...row, result: 1, target: 1 },
      { ...row, result: 1.004, target: 1 },
    ]).slice(2);
    expect(met).to.match(/\| {2,}1\.00 \| ≤ 1\.00 \| met +\|$/);
    expect(unmet).to.match(/\| {2,}1\.00 \| ≤ 1\.00 \| not met \|$/);
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
    expect(new Set(lines.map(line => line.split('|').length))).to.deep.equal(new Set([10]));
  });
});
