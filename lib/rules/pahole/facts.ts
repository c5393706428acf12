import type { StringHandle } from '../../../elf/dwarf/debug-strings.js';
import type { Dwarf } from '../../../elf/dwarf/dwarf.js';
import { unitsNaming } from '../../../elf/dwarf/name-search.js';
import { type InlinedInto, Subprogram } from '../../../elf/dwarf/subprogram.js';
import { subprogramName } from '../../../elf/dwarf/subprogram-chain.js';
import type { Unit } from '../../../elf/dwarf/unit.js';
import { FormatError } from '../../../elf/errors.js';
import { type Entry, entryOf, unitName } from './entry.js';

/** What DWARF has at an address. */
export interface AtAddress {
  /** The unit whose code holds it; absent if no unit does. */
  readonly unit?: { readonly name: string; readonly language: number };
  /** The subprogram whose code begins there. */
  readonly entry?: Entry;
  /** The name of the one whose code begins before it and holds it. */
  readonly inside?: string;
}

/** What DWARF has under a name. */
export interface UnderName {
  readonly entries: readonly Entry[];
  /** Where its code was copied to: `into()`, at `fs/open.c:12`; some of the places where there are many. */
  readonly inlined: readonly InlinedAt[];
  /** False where more units mention the name than were read. */
  readonly complete: boolean;
}

export interface InlinedAt {
  readonly caller: string;
  /** Where the call is written. */
  readonly call?: string;
}

/** What the rules of pahole ask DWARF. */
export interface DwarfFacts {
  at(address: bigint): AtAddress;
  under(name: string): UnderName;
}

/** Units that are read for one name: the names of helpers in headers are in thousands, and a few hundred tell whether prototypes differ. */
const MOST_UNITS = 256;
/** Copies of a function that are listed. */
export const MOST_INLINED = 8;
/** Once copies were found, more units are read for them up to this. */
const MOST_UNITS_FOR_CALLERS = 16;

/** Facts for one name after the other: only the units of what is asked are read. Damage is as if the unit were not there. */
export class LazyFacts implements DwarfFacts {
  readonly #dwarf: Dwarf;
  #last: { readonly name: string; readonly found: UnderName } | undefined;

  constructor(dwarf: Dwarf) {
    this.#dwarf = dwarf;
  }

  at(address: bigint): AtAddress {
    return tolerating({}, () => {
      const unit = this.#dwarf.unitAt(address);
      if (unit === undefined) return {};
      const row = unit.subprograms.rowAtAddress(this.#dwarf.distance(address));
      const fn = row < 0 ? undefined : new Subprogram(this.#dwarf, unit, row);
      return {
        unit: { name: unitName(unit), language: unit.root.language },
        ...(fn === undefined ? {} : fn.address === address ? { entry: entryOf(fn) } : { inside: fn.name ?? '?' }),
      };
    });
  }

  under(name: string): UnderName {
    if (this.#last?.name !== name) this.#last = { name, found: tolerating(NOTHING, () => this.#search(name)) };
    return this.#last.found;
  }

  #search(name: string): UnderName {
    const entries: Entry[] = [];
    const inlined: InlinedAt[] = [];
    const wanted = wantedNames(this.#dwarf, text => text === name);
    let read = 0;
    for (const unit of unitsNaming(this.#dwarf, name)) {
      const withCode = entries.some(({ address }) => address !== undefined);
      if (read === MOST_UNITS || (read >= MOST_UNITS_FOR_CALLERS && inlined.length > 0 && !withCode)) {
        return { entries, inlined, complete: false };
      }
      tolerating(undefined, () => {
        const own = entriesNamed(this.#dwarf, unit, wanted);
        if (own.length > 0) read++;
        entries.push(...own.map(entryOf));
        if (inlined.length < MOST_INLINED) inlined.push(...copiesOf(own).slice(0, MOST_INLINED - inlined.length));
      });
    }
    return { entries, inlined, complete: true };
  }
}

const NOTHING: UnderName = { entries: [], inlined: [], complete: true };

/** Whether the name of a handle is wanted. Equal names are equal handles mostly: each is decoded once. */
export function wantedNames({ strings }: Dwarf, wanted: (name: string) => boolean): (handle: StringHandle) => boolean {
  const known = new Map<StringHandle, boolean>();
  return handle => {
    let is = known.get(handle);
    if (is === undefined) {
      const name = strings.get(handle);
      is = name !== undefined && wanted(name);
      known.set(handle, is);
    }
    return is;
  };
}

/** The subprograms of a unit whose names are wanted. */
export function entriesNamed(dwarf: Dwarf, unit: Unit, wanted: (handle: StringHandle) => boolean): Subprogram[] {
  const { count } = unit.subprograms;
  const found: Subprogram[] = [];
  for (let row = 0; row < count; row++) if (wanted(subprogramName(dwarf, unit, row))) found.push(new Subprogram(dwarf, unit, row));
  return found;
}

/** Where the code of subprograms was copied to: of abstract instances only, since nothing else is inlined. */
export function copiesOf(found: readonly Subprogram[]): InlinedAt[] {
  return found.filter(({ kind }) => kind === 'abstract').flatMap(fn => fn.inlinedInto(MOST_INLINED).map(copyAt));
}

function copyAt({ caller, call }: InlinedInto): InlinedAt {
  return { caller: caller.name ?? '?', ...(call === undefined ? {} : { call: `${call.file}:${call.line}` }) };
}

/** What a damaged unit would have said is unknown. */
export function tolerating<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FormatError) return otherwise;
    throw error;
  }
}
