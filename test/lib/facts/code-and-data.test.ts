import { expect } from 'chai';
import { type FunctionSpec, kernelOf } from '../../support/kernel-writer.js';

const functions: readonly FunctionSpec[] = [
  { name: 'vfs_read', site: 0 },
  { name: 'verbose', binding: 'local', file: 'a.c', site: 0 },
];

describe('What a function is', () => {
  const kernel = kernelOf({ functions, data: ['jiffies', 'verbose', 'files.3'], executableData: true, release: '6.6.0' });

  it('goes by where it lies, not by the letter that kallsyms gives it', () => {
    const { symbols } = kernel;
    expect(String.fromCharCode(symbols.type[symbols.lookup('jiffies')!]!).toLowerCase()).to.equal('t');
    expect(kernel.functions.find('jiffies')).to.deep.equal([]);
    expect(kernel.functions.find('vfs_read')).to.have.length(1);
    expect([...Array(kernel.functions.count).keys()].map(row => kernel.functions.name(row))).to.not.include('files.3');
  });

  it('leaves what the kernel counts as it is', () => {
    expect(kernel.functions.find('verbose')).to.have.length(1);
    expect(kernel.duplicates()).to.deep.equal([]);
    expect(kernel.traceability('verbose').kprobe.byName).to.include({ code: 'ambiguous-name', errno: 'EADDRNOTAVAIL' });
    expect(kernel.traceability('verbose').kprobe.byName.because[0]!.says).to.equal('2 symbols are named verbose, 1 of them data');
  });
});
