import type { Dwarf } from '../../../elf/dwarf/dwarf.js';
import { type Entry, entryOf } from './entry.js';
import { type AtAddress, type DwarfFacts, entriesNamed, LazyFacts, tolerating, type UnderName, wantedNames } from './facts.js';

/** What pahole sees of the wanted names in some units, in their order. */
export function collectEntries(dwarf: Dwarf, wanted: ReadonlySet<string>): (units: Iterable<number>) => Entry[] {
  const isWanted = wantedNames(dwarf, name => wanted.has(name));
  return units => {
    const entries: Entry[] = [];
    for (const offset of units)
      tolerating(undefined, () => entries.push(...entriesNamed(dwarf, dwarf.unit(offset), isWanted).map(entryOf)));
    return entries;
  };
}

/** Facts that were gathered of all units before; what is at an address that no gathered entry begins at is read on first use. */
export class CollectedFacts implements DwarfFacts {
  readonly #lazy: LazyFacts;
  readonly #byName = new Map<string, Entry[]>();
  readonly #byAddress = new Map<bigint, Entry>();

  constructor(dwarf: Dwarf, parts: readonly (readonly Entry[])[]) {
    this.#lazy = new LazyFacts(dwarf);
    for (const entry of parts.flat()) {
      const known = this.#byName.get(entry.name);
      if (known === undefined) this.#byName.set(entry.name, [entry]);
      else known.push(entry);
      if (entry.address !== undefined) this.#byAddress.set(entry.address, entry);
    }
  }

  at(address: bigint): AtAddress {
    const entry = this.#byAddress.get(address);
    return entry === undefined ? this.#lazy.at(address) : { unit: { name: entry.unit, language: entry.language }, entry };
  }

  /** Inlined copies are not among what is gathered: every name that is asked has a symbol. */
  under(name: string): UnderName {
    return { entries: this.#byName.get(name) ?? [], inlined: [], complete: true };
  }
}
