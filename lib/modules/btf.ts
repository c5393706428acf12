import { LRUCache } from 'lru-cache';
import type { Btf } from '../../btf/btf.js';
import { openModule } from '../open/module.js';

/** Modules whose BTF is kept: answers come by name, and names by module. */
const KEPT = 32;

/** The BTF of modules on disk, split over the kernel's. */
export class ModuleBtfs {
  readonly #base: Btf | undefined;
  readonly #kept = new LRUCache<string, { readonly btf: Btf | undefined }>({ max: KEPT });

  /** @param base the kernel's BTF; without it, only BTF that brings its base along is read */
  constructor(base: Btf | undefined) {
    this.#base = base;
  }

  /** The BTF of a module by its path; undefined where it has none, or where it can't be read: the table of modules said so when it was made. */
  of(path: string): Btf | undefined {
    let known = this.#kept.get(path);
    if (known === undefined) this.#kept.set(path, (known = { btf: this.#read(path) }));
    return known.btf;
  }

  #read(path: string): Btf | undefined {
    try {
      using module = openModule(path, this.#base === undefined ? {} : { base: this.#base });
      return module.btfBase === undefined ? undefined : module.btf;
    } catch (error) {
      if (error instanceof Error && (error.name === 'FormatError' || error.name === 'InputError')) return undefined;
      throw error;
    }
  }
}
