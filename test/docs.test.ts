import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { difference, documents, examplesOf, outputOf, ROOT } from './support/examples.js';

describe('The documents', () => {
  for (const file of documents()) {
    // Examples on real kernels are compared by `npm run test:kernels`.
    const examples = examplesOf(file).filter(({ command }) => command.includes('fixtures/'));
    for (const { command, shown } of examples) {
      it(`${file}: $ ${command}`, () => {
        expect(difference(shown, outputOf(command, ROOT))).to.equal(undefined);
      });
    }

    it(`${file} links to files that are there`, () => {
      const text = readFileSync(`${ROOT}${file}`, 'utf8').replace(/```[\s\S]*?```/g, '');
      const links = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, target]) => target!).filter(target => !/^https?:/.test(target));
      const missing = links.filter(target => !existsSync(join(ROOT, dirname(file), target)));
      expect(missing).to.deep.equal([]);
    });
  }
});

describe('The comparison of an example with what is printed', () => {
  const printed = ['one', 'two', 'three', ''];

  it('takes a mark for lines left out, and at the end of a line for its rest', () => {
    expect(difference(['one', '…', 'thr …'], printed)).to.equal(undefined);
  });

  it('tells a line that is not printed', () => {
    expect(difference(['one', 'too'], printed)).to.equal('shown: too\nprinted: two');
  });

  it('tells a line left out without a mark', () => {
    expect(difference(['one', 'two'], printed)).to.equal('printed and not shown: three');
  });
});
