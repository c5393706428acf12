import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { obstacleToRunningKernel } from 'kelf';
import { showsAddresses } from '../../../lib/node/live.js';

describe('the running kernel: whether /proc/kallsyms shows addresses', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-live-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const shows = (text: string): boolean => {
    const path = join(folder, 'kallsyms');
    writeFileSync(path, text);
    return showsAddresses(path);
  };
  const zeros = '0000000000000000 T hidden_f00d\n';

  it('sees an address in the first line, in one behind many that are zero, and in a line without an end', () => {
    expect(shows(`ffffffff81000000 T _stext\n${zeros}`)).to.equal(true);
    expect(shows(`${'0000000000000000 A per_cpu\n'.repeat(10_000)}0000000000001000 A cpu_debug_store\n${zeros}`)).to.equal(true);
    expect(shows(`${zeros}0000000000000001 T x`)).to.equal(true);
  });

  it('sees none where all are zero, whatever digits the names have', () => {
    expect(shows(zeros)).to.equal(false);
    expect(shows(zeros.repeat(20_000))).to.equal(false);
    expect(shows('')).to.equal(false);
  });
});

describe('the running kernel: what keeps it from being audited', () => {
  it('is a sentence with the file that it is about, or nothing', () => {
    const obstacle = obstacleToRunningKernel();
    if (obstacle !== undefined)
      expect(obstacle).to.match(/^\/(proc\/kallsyms|sys\/kernel\/btf\/vmlinux) (can't be read|shows no addresses)/);
  });
});
