import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { callingConventionOf } from '../../../lib/arch/arch-of.js';
import type { CallingConvention } from '../../../lib/arch/calling-convention.js';
import { type Part, passArguments } from '../../../lib/arch/pass.js';
import type { Value } from '../../../lib/arch/value.js';
import { ABIS } from '../../support/abis.js';

/** The names of types in fixtures/abi/make.mjs; longs and pointers are words. */
function typeNamed(name: string, { name: abi, wordSize }: CallingConvention): Value {
  const integer = (size: number): Value => ({ kind: 'integer', size, signed: true, hex: false });
  const struct = (size: number, align: number): Value => ({ kind: 'struct', size, align, floats: false, packed: false });
  const longLong = abi === 'i386' ? 4 : 8;
  const types: Readonly<Record<string, Value>> = {
    void: { kind: 'void' },
    char: integer(1),
    short: integer(2),
    int: integer(4),
    long: integer(wordSize),
    llong: integer(8),
    int128: integer(16),
    ptr: { kind: 'pointer', size: wordSize, to: 'other', constant: false, user: false },
    c1: struct(1, 1),
    c3: struct(3, 1),
    c5: struct(5, 1),
    i1: struct(4, 4),
    i2: struct(8, 4),
    i3: struct(12, 4),
    i5: struct(20, 4),
    l1: struct(wordSize, wordSize),
    l2: struct(wordSize * 2, wordSize),
    l3: struct(wordSize * 3, wordSize),
    l9: struct(wordSize * 9, wordSize),
    q1: struct(8, longLong),
    q2: struct(16, longLong),
    o1: struct(16, 16),
  };
  return types[name]!;
}

describe('Where a compiler finds arguments', () => {
  const facts = readFileSync(new URL('../../../../fixtures/abi/facts.tsv', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')
    .map(line => line.split('\t') as [abi: string, prototype: string, places: string]);

  for (const [name, machine] of Object.entries(ABIS)) {
    it(`is where the table for ${name} says`, () => {
      const abi = callingConventionOf(...machine)!;
      const own = facts.filter(([convention]) => convention === name);
      const differing = own.flatMap(([, prototype, places]) => {
        const [result, ...types] = prototype.split(' ').map(type => typeNamed(type, abi));
        const word = (part: Part): string => ('register' in part ? `r${part.register}` : `s${part.stack - abi.firstStack}`);
        const passed = passArguments(abi, types, result!).map(
          ({ parts, byPointer }) => `${byPointer ? '&' : ''}${parts.map(word).join(' ')}`,
        );
        return passed.join('|') === places ? [] : [{ prototype, passed: passed.join('|'), places }];
      });
      expect(own.length).to.be.greaterThan(50);
      expect(differing).to.deep.equal([]);
    });
  }
});
