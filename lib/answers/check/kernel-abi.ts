import type { CFunction } from './ctype.js';

/** What an ABI says about a kernel: from ABIXML or STG, or names alone from a list of symbols. */
export interface KernelAbi {
  /** The file it was read from. */
  readonly file: string;
  /** A list has names alone; it and STG do not tell whether the kernel itself or a module of it has them. */
  readonly form: 'abixml' | 'stg' | 'list';
  /** Those of the kernel itself, by name. */
  readonly symbols: ReadonlyMap<string, AbiSymbol>;
  /** Those of the modules of a corpus group, by the names that the kernel has for these: `nf_conntrack`. */
  readonly modules: ReadonlyMap<string, ReadonlyMap<string, AbiSymbol>>;
}

/** A symbol of an ABI. */
export interface AbiSymbol {
  readonly name: string;
  /** Undefined in a list of names. */
  readonly kind?: 'function' | 'variable';
  /** The checksum of its type. */
  readonly crc?: number;
  /** The function's name in the source, where it is declared: BTF knows it by that. */
  readonly declared?: string;
  readonly prototype?: CFunction;
}
