import type { Evidence } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ReasonCode } from '../../reasons.js';
import type { Entry } from './entry.js';
import type { DwarfFacts, UnderName } from './facts.js';
import type { Reason } from './rule.js';

/** More places than these are counted, not listed. */
const LISTED = 4;

/**
 * What became of a function that has no symbol: inlined, and into which callers; declared only; renamed. Undefined if DWARF has no such
 * name.
 */
export function withoutSymbol(kernel: KernelFacts, name: string, dwarf: DwarfFacts): Reason | undefined {
  const found = dwarf.under(name);
  const definitions = found.entries.filter(({ kind }) => kind !== 'declaration');
  if (definitions.length === 0) return found.entries.length === 0 ? undefined : declaredOnly(name, found);
  for (const { address, unit } of definitions) {
    const row = address === undefined ? undefined : kernel.functions.find(name).length === 0 && symbolAt(kernel, address);
    if (typeof row !== 'string') continue;
    const says = `${unit} defines ${name} at this address, where the symbol is ${row}: it was renamed after compilation`;
    return proven('pahole-renamed', { source: 'DWARF', address: address!, says });
  }
  const defined = definedAt(definitions);
  if (found.inlined.length === 0) {
    return proven('pahole-no-symbol', { source: 'DWARF', says: `${name} is defined (${defined}), but no code of it is left` });
  }
  const into = found.inlined.slice(0, LISTED).map(({ caller, call }) => (call === undefined ? `${caller}()` : `${caller}() at ${call}`));
  const more = found.inlined.length > LISTED || !found.complete ? ', and more' : '';
  return proven(
    'pahole-inlined',
    { source: 'DWARF', says: `${name} (${defined}) has no code of its own: pahole finds no function symbol for it` },
    { source: 'DWARF', says: `its code is inlined into ${into.join(', ')}${more}` },
  );
}

function declaredOnly(name: string, { entries, complete }: UnderName): Reason {
  const units = new Set(entries.map(({ unit }) => unit)).size;
  const count = `${complete ? '' : 'at least '}${units} unit${units === 1 ? '' : 's'}`;
  const says = `${name} is declared in ${count} (${definedAt(entries)}) and defined in none: it is in a module, or was not built, or its calls were optimized away`;
  return proven('pahole-declaration', { source: 'DWARF', says });
}

/** `fs/open.c:12, fs/stat.c:3 and more` */
function definedAt(entries: readonly Entry[]): string {
  const places = [...new Set(entries.map(({ declared, unit }) => declared ?? unit))];
  return places.length > LISTED ? `${places.slice(0, LISTED).join(', ')} and more` : places.join(', ');
}

/** The name of the function symbol at an address. */
function symbolAt({ symbols, functions }: KernelFacts, address: bigint): string | undefined {
  const row = symbols.containing(address);
  return row !== undefined && symbols.address.big[row] === address && functions.ofSymbol(row) !== undefined ? symbols.name(row) : undefined;
}

function proven(code: ReasonCode, ...because: Evidence[]): Reason {
  return { code, certainty: 'proven', because };
}
