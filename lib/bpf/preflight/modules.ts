import type { Btf } from '../../../btf/btf.js';
import type { Verdict } from '../../evidence.js';
import type { Kernel } from '../../kernel.js';
import type { ModuleEntry } from '../../modules/part.js';
import type { ModuleInstance } from '../../modules/table.js';

/** More modules than these are not opened for one name: names that drivers copy from each other are in hundreds. */
const MOST_OPENED = 64;

/** What is read of one module. */
export interface ModuleContents {
  /** Undefined where it has none, or none that is of the kernel. */
  readonly btf: Btf | undefined;
  /** The names of its symbols, of data too. */
  readonly symbols: ReadonlySet<string>;
}

/**
 * Reads a module that the table of modules names. It was read before: where it is gone by now, there is nothing in it.
 * @param base the kernel's BTF, which the module's goes on from
 */
export type ReadModule = (path: string, base: Btf | undefined) => ModuleContents;

const NOTHING: ModuleContents = { btf: undefined, symbols: new Set() };

/** What the kernel's modules have that a BPF object may find once they are loaded. Their BTF is read of those that are asked for alone. */
export class PreflightModules {
  readonly #kernel: Kernel;
  readonly #read: ReadModule;
  readonly #opened = new Map<number, ModuleContents>();

  /** @param read where it is not given, what only a module's file has is missing: its BTF, and the names of its data */
  constructor(kernel: Kernel, read: ReadModule = () => NOTHING) {
    this.#kernel = kernel;
    this.#read = read;
  }

  /** A refusal of a name that a module may have: whether any was looked at. */
  unless(verdict: Verdict): Verdict {
    if (verdict.ok !== false) return verdict;
    const { modules } = this.#kernel;
    const says =
      modules === undefined
        ? 'a module that is loaded by then may have it: none was read'
        : `none of the ${modules.modules.length} modules that were read has it`;
    const because = [...verdict.because, { source: 'kernel', says }];
    return { ...verdict, certainty: modules === undefined ? 'likely' : verdict.certainty, because };
  }

  /** What is accepted in a module is so once that is loaded; what is refused there is refused. */
  in(module: string, verdict: Verdict): Verdict {
    if (verdict.ok !== true) return verdict;
    return {
      ...verdict,
      code: 'needs-module',
      certainty: 'likely',
      because: [...verdict.because, { source: 'kernel', says: `${module} has to be loaded` }],
    };
  }

  /** Functions of a name that stay when their module is loaded; of one module alone, where it is named. */
  functions(name: string, module?: string): ModuleInstance[] {
    const found = this.#kernel.modules?.find(name) ?? [];
    return found.filter(instance => instance.phase !== 'init' && (module === undefined || instance.module === module));
  }

  /** The modules whose own BTF names a type or a variable so, with that BTF, in the order of their paths. */
  withType(name: string): { readonly module: ModuleEntry; readonly btf: Btf }[] {
    const { modules } = this.#kernel;
    const found = modules?.withType(name).slice(0, MOST_OPENED) ?? [];
    return found.flatMap(index => {
      const { btf } = this.#open(index);
      return btf === undefined ? [] : [{ module: modules!.modules[index]!, btf }];
    });
  }

  /** The BTF of the module that a function is in. */
  btfOf({ row }: ModuleInstance): Btf | undefined {
    return this.#open(this.#kernel.modules!.moduleOf(row)).btf;
  }

  /** The symbols of the module that a function is in, data too. */
  symbolsOf({ row }: ModuleInstance): ReadonlySet<string> {
    return this.#open(this.#kernel.modules!.moduleOf(row)).symbols;
  }

  #open(index: number): ModuleContents {
    let opened = this.#opened.get(index);
    if (opened === undefined) {
      const { btf, modules } = this.#kernel;
      this.#opened.set(index, (opened = this.#read(modules!.modules[index]!.path, btf)));
    }
    return opened;
  }
}
