import { expect } from 'chai';
import { Btf, printJson, printRaw } from 'kelf/btf';
import { ELEMENT_WORDS, KIND, KIND_NAMES, KINDS, LAST_KIND, type RecordKind } from '../../btf/kinds.js';
import { idsIn, recordWords, rewriteRecord } from '../../btf/rewrite.js';
import { BtfWriter, everyKind } from '../support/btf-writer.js';
import { textOf } from '../support/text.js';

const kinds = Object.keys(KINDS) as RecordKind[];

describe('the table of kinds', () => {
  it('has a row for each number, up to the last', () => {
    expect(kinds.map(kind => KIND[kind])).to.deep.equal(Array.from({ length: LAST_KIND }, (_, i) => i + 1));
    expect(KIND_NAMES).to.have.length(LAST_KIND + 1);
  });

  for (const kind of kinds) {
    it(`${kind}: a dump writes elements where records have them`, () => {
      const { raw, json, element } = KINDS[kind];
      for (const template of [raw, json]) expect(Array.isArray(template)).to.equal(element.length > 0);
    });
  }

  it('tells how long each record is: they follow each other without a gap', () => {
    const { words, offsets } = Btf.parse(everyKind(new BtfWriter()).bytes());
    const met = new Set<number>();
    for (const [i, at] of offsets.entries()) {
      const info = words[at + 1]!;
      met.add((info >>> 24) & 0x7f);
      expect(at + recordWords(info)).to.equal(offsets[i + 1] ?? words.length);
    }
    expect(met).to.have.all.keys(kinds.map(kind => KIND[kind]));
  });

  it('tells where ids stand: those that are read are those that are moved, and a dump prints them', () => {
    const btf = Btf.parse(everyKind(new BtfWriter()).bytes());
    const lines = textOf(sink => printRaw(btf, sink)).split(/^(?=\[)/m);
    for (const [i, at] of btf.offsets.entries()) {
      const moved: number[] = [];
      rewriteRecord(
        btf.words.slice(),
        at,
        id => moved.push(id),
        offset => offset,
      );
      expect([...idsIn(btf.words, at)]).to.deep.equal(moved);
      const printed = [...lines[i]!.matchAll(/type_id=(\d+)/g)].map(([, id]) => Number(id));
      expect(printed).to.deep.equal(moved);
    }
  });

  it('has a template for every field: nothing in braces is left in a dump', () => {
    const btf = Btf.parse(everyKind(new BtfWriter()).bytes());
    for (const print of [printRaw, printJson]) expect(textOf(sink => print(btf, sink))).not.to.match(/\{\w+\}/);
    expect(ELEMENT_WORDS).to.have.length(LAST_KIND + 1);
  });
});
