import { expect } from 'chai';
import type { Verdict } from 'kelf';
import { BtfWriter } from '../../support/btf-writer.js';
import { type FunctionSpec, kernelOf } from '../../support/kernel-writer.js';

const say = ({ outcome, code, errno, certainty }: Verdict): string => `${errno ?? outcome} ${code} ${certainty}`;

describe('Names that ThinLTO promoted', () => {
  const writer = new BtfWriter();
  const proto = writer.funcProto(writer.int('int', 4, 1), []);
  for (const name of ['kernfs_put', 'twice']) writer.func(name, proto);
  const functions: readonly FunctionSpec[] = [
    { name: 'kernfs_put.llvm.123456', site: 0 },
    { name: 'twice', site: 0 },
    { name: 'twice.llvm.99', site: 0 },
    { name: 'register_ftrace_direct', site: 0 },
    { name: 'count_symbols', site: 0 },
  ];
  const on = (release: string, name: string): string[] => {
    const { kprobe, fentry } = kernelOf({ release, functions, btf: writer.bytes() }).traceability(name);
    return [say(kprobe.byName), say(fentry.load)];
  };

  it('are found by the name before the suffix from 5.12 to 6.10', () => {
    expect(on('6.6.30', 'kernfs_put')).to.deep.equal(['accepted accepted likely', 'accepted accepted likely']);
    expect(on('6.12.0', 'kernfs_put')).to.deep.equal(['ENOENT no-symbol likely', 'ENOENT no-symbol likely']);
    expect(on('5.10.0', 'kernfs_put')).to.deep.equal(['ENOENT no-symbol likely', 'ENOENT no-symbol likely']);
  });

  it('are counted together with that name', () => {
    expect(on('6.6.30', 'twice')[0]).to.equal('EADDRNOTAVAIL ambiguous-name likely');
    expect(on('6.12.0', 'twice')[0]).to.equal('accepted accepted likely');
  });

  it('are not found by their full name while that is compared with cut ones', () => {
    const byFullName = (release: string): string =>
      say(kernelOf({ release, functions }).traceability('kernfs_put.llvm.123456').kprobe.byName);
    expect(byFullName('5.10.0')).to.equal('accepted accepted likely');
    expect(byFullName('6.6.30')).to.equal('ENOENT no-symbol likely');
    expect(byFullName('6.12.0')).to.equal('accepted accepted likely');
  });
});
