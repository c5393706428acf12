import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { sha1 } from '../../../../lib/bpf/load/sha1.js';

describe('SHA-1', () => {
  it('is what OpenSSL computes, for all lengths around those of a block', () => {
    for (let length = 0; length < 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 167 + length) & 0xff);
      expect(Buffer.from(sha1(bytes)).toString('hex')).to.equal(createHash('sha1').update(bytes).digest('hex'));
    }
  });
});
