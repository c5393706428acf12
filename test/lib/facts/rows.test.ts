import { expect } from 'chai';
import type { SymbolRow } from '../../../kallsyms/symbols.js';
import type { FunctionTable } from '../../../lib/facts/function-table.js';
import { kernelOf } from '../../support/kernel-writer.js';

describe('rows of different tables', () => {
  it('are different types: the compiler refuses one for the other', () => {
    const { functions, symbols } = kernelOf({ functions: [{ name: 'first', site: 0 }, { name: 'second' }] });
    const [function_] = functions.find('second');
    const symbol: SymbolRow = functions.symbolRow[function_!]!;
    expect(symbols.name(symbol)).to.equal('second');
    const wrong = (table: FunctionTable): string[] => [
      // @ts-expect-error a row of the symbols is none of the functions
      table.name(symbol),
      // @ts-expect-error and the other way round
      symbols.name(function_!),
    ];
    expect(wrong).to.be.a('function');
  });
});
