import type { Btf } from '../../../btf/btf.js';
import { isFormatError } from '../../../elf/errors.js';
import type { Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ModuleInstance } from '../../facts/module-table/module-table.js';
import type { ModuleEntry } from '../../facts/module-table/part.js';

/** More modules than these are not opened for one name: names that drivers copy from each other are in hundreds. */
const MOST_OPENED = 64;

/** What the kernel's modules have that a BPF object may find once they are loaded. It reads the BTF only of the modules that are needed. */
export class PreflightModules {
  readonly #kernel: KernelFacts;
  readonly #opened = new Map<number, { readonly btf: Btf | undefined; readonly symbols: ReadonlySet<string> }>();

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
  }

  /** A refusal of a name that a module may have: whether any was looked at. */
  unless(verdict: Verdict): Verdict {
    if (verdict.outcome !== 'refused') return verdict;
    const { modules } = this.#kernel;
    const says =
      modules === undefined
        ? 'a module may have it, but no modules were read'
        : `none of the ${modules.modules.length} modules that were read has it`;
    const because = [...verdict.because, { source: 'kernel', says }];
    return { ...verdict, certainty: modules === undefined ? 'likely' : verdict.certainty, because };
  }

  /** What is accepted in a module is so once that is loaded; what is refused there is refused. */
  in(module: string, verdict: Verdict): Verdict {
    if (verdict.outcome !== 'accepted') return verdict;
    return {
      ...verdict,
      code: 'needs-module',
      certainty: 'likely',
      because: [...verdict.because, { source: 'kernel', says: `${module} must be loaded first` }],
    };
  }

  /** Functions of a name that stay when their module is loaded; of one module alone, where it is named. */
  functions(name: string, module?: string): ModuleInstance[] {
    const found = this.#kernel.modules?.find(name) ?? [];
    return found.filter(instance => instance.phase !== 'init' && (module === undefined || instance.module === module));
  }

  /** The modules whose own BTF names a type or a variable so, with that BTF, in the order of their paths. */
  withType(name: string): { readonly module: ModuleEntry; readonly btf: Btf }[] {
    return this.#withBtf(this.#kernel.modules?.withType(name) ?? []);
  }

  /** The same of names that begin so. */
  withTypeLike(prefix: string): { readonly module: ModuleEntry; readonly btf: Btf }[] {
    return this.#withBtf(this.#kernel.modules?.withTypeLike(prefix) ?? []);
  }

  #withBtf(found: readonly number[]): { readonly module: ModuleEntry; readonly btf: Btf }[] {
    return found.slice(0, MOST_OPENED).flatMap(index => {
      const { btf } = this.#open(index);
      return btf === undefined ? [] : [{ module: this.#kernel.modules!.modules[index]!, btf }];
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

  #open(index: number): { readonly btf: Btf | undefined; readonly symbols: ReadonlySet<string> } {
    let opened = this.#opened.get(index);
    if (opened === undefined) this.#opened.set(index, (opened = this.#read(this.#kernel.modules!.modules[index]!)));
    return opened;
  }

  #read({ path }: ModuleEntry): { readonly btf: Btf | undefined; readonly symbols: ReadonlySet<string> } {
    try {
      using module = this.#kernel.modules!.open(path);
      const symbols = new Set<string>();
      for (const { name } of module.file.symbols ?? []) symbols.add(name);
      return { btf: module.btf, symbols };
    } catch (error) {
      // It was read before: it is gone, or its BTF is of another kernel.
      if (!isFormatError(error) && !(error instanceof Error && error.name === 'InputError')) throw error;
      return { btf: undefined, symbols: new Set() };
    }
  }
}
