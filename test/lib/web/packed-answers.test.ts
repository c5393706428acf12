import { expect } from 'chai';
import { packAnswers, unpackAnswer } from '../../../lib/web/packed-answers.js';
import type { Json } from '../../../lib/web/page-data.js';
import { random } from '../../support/mutate.js';

/** Answers about functions whose names are short, are in each other, are digits, or have the marks of packed texts in them. */
const NAMES = ['tty_write', 'a', 'f', '0x', '', 'x1', 'tty', '$&', '\ue000', '\ue001ff;', '\ue002', 'ü'];
const TEXTS = [
  'ftrace site at NAME+0x0',
  '0xffffffff81000010',
  'at 0xffffffff81000010 and 0xffffffff8fffffff and 0x12 and 0xFFFFFFFF81000010',
  'p:NAME NAME 0xffffffff81000000;',
  '\ue001a;',
  '\ue002NAME',
  '',
];

describe('packed answers', () => {
  it('are as they were, whatever is in them', () => {
    const next = random(11);
    const pick = <T>(list: readonly T[]): T => list[next(list.length)]!;
    const value = (name: string, depth: number): Json => {
      const kind = next(depth > 3 ? 4 : 6);
      if (kind === 0) return next(1000);
      if (kind === 1) return pick([true, false, null]);
      if (kind < 4) return pick(TEXTS).replaceAll('NAME', () => name);
      const children = Array.from({ length: next(4) }, () => value(name, depth + 1));
      return kind === 4 ? children : Object.fromEntries(children.map((child, i) => [`key${i}`, child]));
    };
    const list = Array.from({ length: 500 }, () => {
      const name = pick(NAMES);
      return { name, origin: pick(['0xffffffff81000000', '0x0', '0xffff']), answer: value(name, 0) };
    });
    const packed = JSON.parse(JSON.stringify(packAnswers(list))) as ReturnType<typeof packAnswers>;
    expect(list.map((_, i) => unpackAnswer(packed, i))).to.deep.equal(list.map(({ answer }) => answer));
  });

  it('have what is said alike of all once', () => {
    const list = Array.from({ length: 100 }, (_, i) => ({
      name: `f${i}`,
      origin: `0xffffffff8100${(i + 16).toString(16).padStart(4, '0')}`,
      answer: { says: `ftrace site at f${i}+0x0`, address: `0xffffffff8100${(i + 16).toString(16).padStart(4, '0')}` },
    }));
    const { shapes, columns } = packAnswers(list);
    expect(shapes).to.have.length(1);
    expect(columns.map(({ length }) => length)).to.deep.equal([1, 1]);
  });
});
