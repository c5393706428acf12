import { expect } from 'chai';
import { symbolize } from '../../../lib/answers/address/symbolize.js';
import { kernelOf } from '../../support/kernel-writer.js';

describe('The source file of an address without debug information', () => {
  const file = (label: boolean): string | undefined => {
    const functions = [
      { name: 'code_end', binding: 'local', file: 'head.o', label },
      { name: 'handler', binding: 'local', file: 'irq.c', alias: true },
    ] as const;
    const [answer] = symbolize(kernelOf({ functions }), ['code_end+0x4']);
    return 'file' in answer! ? answer.file : undefined;
  };

  it('is that of the function there, not of a label that ends what is in front', () => {
    expect(file(true)).to.equal('irq.c');
    expect(file(false)).to.equal('head.o');
  });
});
