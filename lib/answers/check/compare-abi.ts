import type { Btf } from '../../../btf/btf.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { PrototypeComparison } from './compare-types.js';
import { declareType } from './ctype.js';
import type { AbiSymbol, KernelAbi } from './kernel-abi.js';
import { kernelOffering, ModuleOfferings, type Offering } from './offering.js';

/** A symbol that differs from the ABI. */
export interface AbiDifference {
  readonly symbol: string;
  /** The module that the ABI has it in. */
  readonly module?: string;
  readonly kind: 'missing' | 'kind' | 'crc' | 'prototype';
  /** One sentence. */
  readonly says: string;
}

/** The comparison of a kernel with an ABI. */
export interface AbiComparison {
  readonly ok: boolean;
  readonly file: string;
  /**
   * How many were compared: symbols by name, and those of which both sides know the kind, the checksum, the prototype; and of how many
   * modules some of them are.
   */
  readonly compared: {
    readonly symbols: number;
    readonly kinds: number;
    readonly crcs: number;
    readonly prototypes: number;
    readonly modules: number;
  };
  /** What the ABI has and the kernel's files do not tell; and what is of modules, where none were read. */
  readonly uncompared: {
    readonly crcs: number;
    readonly prototypes: number;
    readonly symbolsOfModules: number;
    readonly modules: number;
  };
  /** Whether a symbol of the kernel has to be exported, or, where no exports are found, to be there. */
  readonly against: 'exports' | 'symbols';
  /** In the order of the ABI. */
  readonly differences: readonly AbiDifference[];
}

/**
 * Compares a kernel with an ABI: whether each symbol is offered and is a function or a variable, its checksum (`__kcrctab`), and its
 * prototype by BTF, by the names of types. What one side does not tell is counted, not taken for a difference. Where the kernel's modules
 * were read (`kernel.modules`), those of the ABI are compared with them; who offers a module's symbol, that module, another one or the
 * kernel itself, makes no difference to who uses it.
 * @throws FormatError for damage in the kernel
 */
export function compareAbi(kernel: KernelFacts, abi: KernelAbi): AbiComparison {
  return new AbiComparer(kernel, abi).compare();
}

class AbiComparer {
  readonly #abi: KernelAbi;
  readonly #own: Offering;
  /** Undefined if the kernel's modules were not read. */
  readonly #modules: ModuleOfferings | undefined;
  readonly #prototypes = new Map<Btf, PrototypeComparison>();
  readonly #compared = { symbols: 0, kinds: 0, crcs: 0, prototypes: 0, modules: 0 };
  readonly #uncompared = { crcs: 0, prototypes: 0, symbolsOfModules: 0, modules: 0 };
  readonly #differences: AbiDifference[] = [];

  constructor(kernel: KernelFacts, abi: KernelAbi) {
    this.#abi = abi;
    this.#own = kernelOffering(kernel);
    this.#modules = kernel.modules === undefined ? undefined : new ModuleOfferings(kernel);
  }

  compare(): AbiComparison {
    const { file, symbols, modules } = this.#abi;
    for (const symbol of symbols.values()) this.#symbol(symbol, undefined);
    for (const [module, list] of modules) {
      if (this.#modules === undefined) {
        this.#uncompared.modules++;
        this.#uncompared.symbolsOfModules += list.size;
      } else {
        this.#compared.modules++;
        for (const symbol of list.values()) this.#symbol(symbol, module);
      }
    }
    const [compared, uncompared, differences] = [this.#compared, this.#uncompared, this.#differences];
    return { ok: differences.length === 0, file, compared, uncompared, against: this.#own.against, differences };
  }

  #symbol(symbol: AbiSymbol, module: string | undefined): void {
    this.#compared.symbols++;
    const differs = (kind: AbiDifference['kind'], says: string): void => {
      this.#differences.push({ symbol: symbol.name, ...(module === undefined ? {} : { module }), kind, says });
    };
    const offering = this.#offering(symbol.name, module);
    const found = offering?.find(symbol.name);
    if (offering === undefined || found === undefined) {
      differs('missing', this.#whyMissing(symbol.name, module));
      return;
    }
    if (symbol.kind !== undefined && found.kind !== undefined) {
      this.#compared.kinds++;
      if (found.kind !== symbol.kind) differs('kind', `is a ${found.kind}, not a ${symbol.kind}`);
    }
    if (symbol.crc !== undefined) {
      if (found.crc === undefined) this.#uncompared.crcs++;
      else {
        this.#compared.crcs++;
        if (found.crc !== symbol.crc) differs('crc', `has the checksum ${crcText(found.crc)}, not ${crcText(symbol.crc)}`);
      }
    }
    const says = this.#prototype(symbol, offering);
    if (says !== '') differs('prototype', says);
  }

  /**
   * Who offers a symbol. One of the kernel's own has to be the kernel's, for who loads modules in a certain order; a list and STG do not
   * tell.
   */
  #offering(name: string, module: string | undefined): Offering | undefined {
    if (module === undefined && (this.#abi.form === 'abixml' || this.#own.find(name) !== undefined)) return this.#own;
    const named = module === undefined ? undefined : this.#modules?.named(module);
    if (named?.find(name) !== undefined) return named;
    return this.#own.against === 'exports' && this.#own.find(name) !== undefined ? this.#own : this.#modules?.exporting(name);
  }

  #whyMissing(name: string, module: string | undefined): string {
    const named = module === undefined ? this.#own : this.#modules?.named(module);
    if (named === undefined) return `is not there, nor is a module ${module}`;
    const there = named.has(name) ? 'is there, and not exported' : 'is not there';
    const other = module === undefined ? this.#modules?.exporting(name)?.module : undefined;
    if (other !== undefined) return `${there}: the module ${other} exports it`;
    return module === undefined && this.#abi.form !== 'abixml' && this.#modules === undefined ? `${there}; modules were not read` : there;
  }

  /** The difference of the prototypes; '' if there is none, or if they can't be compared. */
  #prototype({ name, declared, prototype }: AbiSymbol, offering: Offering): string {
    if (prototype === undefined) return '';
    const { btf, ids } = offering.functions(declared ?? name);
    const results = ids.map(id => {
      const type = btf!.type(id);
      return type.kind === 'FUNC' ? this.#comparison(btf!).difference(prototype, type.typeId) : undefined;
    });
    if (results.length === 0 || results.includes(undefined)) {
      this.#uncompared.prototypes++;
      return '';
    }
    this.#compared.prototypes++;
    return results.includes('') ? '' : `${results[0]}; the ABI has ${declareType(prototype, declared)}`;
  }

  #comparison(btf: Btf): PrototypeComparison {
    let known = this.#prototypes.get(btf);
    if (known === undefined) this.#prototypes.set(btf, (known = new PrototypeComparison(btf)));
    return known;
  }
}

function crcText(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
