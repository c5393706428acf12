import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { openSource } from '../../../lib/node/source.js';

const MAPPINGS = '/proc/self/smaps';

describe('openSource', () => {
  // Linux alone has it.
  if (existsSync(MAPPINGS))
    it('reads a file of /proc, of which a read gives a page, with the room that its bytes take', () => {
      const before = process.memoryUsage().arrayBuffers;
      const source = openSource(MAPPINGS);
      const taken = process.memoryUsage().arrayBuffers - before;
      const text = new TextDecoder().decode(source.read(0, source.size));
      source.close();
      expect(text.match(/^Rss:/gm)?.length).to.be.greaterThan(10);
      expect(text.endsWith('\n')).to.equal(true);
      expect(taken).to.be.lessThan(source.size * 4 + (1 << 20));
    });
});
