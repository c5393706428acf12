import type { Btf } from '../../../btf/btf.js';
import { SHN, STB, STT } from '../../../elf/constants.js';
import { isFormatError } from '../../../elf/errors.js';
import { kernelExports } from '../../facts/exports.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { Module } from '../../facts/module/module.js';
import type { AbiSymbol } from './kernel-abi.js';

type Kind = AbiSymbol['kind'];

/** Who offers symbols to modules: the kernel itself, or a module of it. */
export interface Offering {
  /** The module's name; undefined for the kernel. */
  readonly module?: string;
  /** Whether a symbol has to be exported, or, where there is no table of exports, to be there. */
  readonly against: 'exports' | 'symbols';
  /** What it offers under the name; undefined if it offers nothing. */
  find(name: string): { readonly kind: Kind; readonly crc?: number } | undefined;
  /** Whether a symbol of the name is there at all. */
  has(name: string): boolean;
  /** The BTF, and the ids of the FUNCs of a name that it means by it. */
  functions(name: string): { readonly btf: Btf | undefined; readonly ids: readonly number[] };
}

/** What the kernel itself offers. @throws FormatError for damage */
export function kernelOffering(kernel: KernelFacts): Offering {
  const list = kernelExports(kernel) ?? [];
  const exports = new Map(list.map(entry => [entry.name, entry]));
  const against = list.length === 0 ? 'symbols' : 'exports';
  const { btf } = kernel;
  return {
    against,
    find: name => {
      const facts = kernel.definitions.find(name);
      const found = exports.get(name);
      if (against === 'exports' ? found === undefined : facts.length === 0) return undefined;
      // Several symbols of the name of which none stands where the export points: it can't be told.
      const at = facts.find(({ address, binding }) => (found === undefined ? binding !== 'local' : address === found.address)) ?? facts[0];
      const kind = at === undefined || at.kind === 'label' ? undefined : at.kind === 'data' ? 'variable' : 'function';
      return { kind, ...(found?.crc === undefined ? {} : { crc: found.crc }) };
    },
    has: name => kernel.definitions.find(name).length > 0,
    functions: name => ({ btf, ids: btf?.find(name, 'FUNC') ?? [] }),
  };
}

/**
 * What the modules of a kernel offer. Only those requested by name are opened; to search all for a name, all that export
 * anything are.
 */
export class ModuleOfferings {
  readonly #kernel: KernelFacts;
  readonly #opened = new Map<string, Offering | undefined>();
  #exporters: Map<string, Offering> | undefined;

  /** @param kernel whose `modules` were read */
  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
  }

  /** The module of a name; undefined if there is none, or if it can't be read: the table said so when it was made. */
  named(module: string): Offering | undefined {
    const entry = this.#kernel.modules!.modules.find(({ name }) => name === module);
    return entry === undefined ? undefined : this.#open(entry.path);
  }

  /** The module that exports a symbol: the kernel refuses to load a second one that does. */
  exporting(symbol: string): Offering | undefined {
    if (this.#exporters === undefined) {
      this.#exporters = new Map();
      for (const { path, exports } of this.#kernel.modules!.modules) {
        const offering = exports === 0 ? undefined : this.#open(path);
        for (const name of offering?.exported ?? []) if (!this.#exporters.has(name)) this.#exporters.set(name, offering!);
      }
    }
    return this.#exporters.get(symbol);
  }

  #open(path: string): ModuleOffering | undefined {
    if (!this.#opened.has(path)) this.#opened.set(path, this.#read(path));
    return this.#opened.get(path) as ModuleOffering | undefined;
  }

  #read(path: string): ModuleOffering | undefined {
    try {
      using module = this.#kernel.modules!.open(path);
      return moduleOffering(module, name => {
        const btf = this.#kernel.modules!.btfOf(path);
        const ids = btf?.find(name, 'FUNC') ?? [];
        const own = ids.filter(id => id >= btf!.firstId);
        // Where the kernel has a function of the same name and prototype, pahole keeps that one alone.
        return { btf, ids: own.length > 0 ? own : ids };
      });
    } catch (error) {
      if (error instanceof Error && (isFormatError(error) || error.name === 'InputError')) return undefined;
      throw error;
    }
  }
}

type ModuleOffering = Offering & { readonly exported: Iterable<string> };

/** Reads of a module what it offers, so that it can be closed. */
function moduleOffering(module: Module, functions: Offering['functions']): ModuleOffering {
  const { file, exports: list } = module;
  const kinds = new Map<string, Kind>();
  for (const { name, type, binding, sectionIndex } of file.symbols ?? []) {
    if (binding === STB.LOCAL || sectionIndex === SHN.UNDEF) continue;
    kinds.set(name, type === STT.FUNC ? 'function' : type === STT.OBJECT ? 'variable' : undefined);
  }
  const crcs = new Map(list.map(({ name, crc }) => [name, crc]));
  const against = list.length === 0 ? 'symbols' : 'exports';
  return {
    module: module.name,
    exported: crcs.keys(),
    against,
    find: name => {
      if (against === 'exports' ? !crcs.has(name) : !kinds.has(name)) return undefined;
      const crc = crcs.get(name);
      return { kind: kinds.get(name), ...(crc === undefined ? {} : { crc }) };
    },
    has: name => kinds.has(name),
    functions,
  };
}
