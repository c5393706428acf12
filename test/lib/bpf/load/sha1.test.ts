import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { digestOf } from '../../../../lib/bpf/load/digest.js';
import { sha1 } from '../../../../lib/bpf/load/sha1.js';

describe('SHA-1', () => {
  it('is what OpenSSL computes, for all lengths around those of a block', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 167 + length) & 0xff);
      expect(Buffer.from(sha1(bytes)).toString('hex')).to.equal(createHash('sha1').update(bytes).digest('hex'));
    }
  });
});

describe('a digest', () => {
  const { getBuiltinModule } = process;
  after(() => {
    process.getBuiltinModule = getBuiltinModule;
  });

  it('is the same where there is no node:crypto', () => {
    const bytes = new TextEncoder().encode('a program');
    const here = (['sha1', 'sha256'] as const).map(algorithm => [...digestOf(algorithm, bytes)]);
    process.getBuiltinModule = (() => undefined) as typeof getBuiltinModule;
    expect((['sha1', 'sha256'] as const).map(algorithm => [...digestOf(algorithm, bytes)])).to.deep.equal(here);
  });
});
