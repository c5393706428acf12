import { type KernelExport, kernelExports } from '../exports.js';
import type { Kernel } from '../kernel.js';
import type { AbiSymbol, KernelAbi } from './abi.js';
import { PrototypeComparison } from './compare-types.js';
import { declareType } from './ctype.js';

/** A symbol that is not as the ABI has it. */
export interface AbiDifference {
  readonly symbol: string;
  readonly kind: 'missing' | 'kind' | 'crc' | 'prototype';
  /** One sentence. */
  readonly says: string;
}

/** A kernel beside an ABI. */
export interface AbiComparison {
  readonly ok: boolean;
  readonly file: string;
  /** How many were compared: symbols by name, and those of which both sides know the kind, the checksum, the prototype. */
  readonly compared: { readonly symbols: number; readonly kinds: number; readonly crcs: number; readonly prototypes: number };
  /** What the ABI has and the kernel's file does not tell. */
  readonly uncompared: { readonly crcs: number; readonly prototypes: number; readonly symbolsOfModules: number };
  /** Whether a symbol has to be exported, or, where no exports are found, to be there. */
  readonly against: 'exports' | 'symbols';
  readonly differences: readonly AbiDifference[];
}

/**
 * Compares a kernel with an ABI: whether each symbol is offered and is a function or a variable, its checksum (`__kcrctab`), and its prototype by
 * BTF, by the names of types. What one side does not tell is counted, not taken for a difference.
 * @throws FormatError for damage in the kernel
 */
export function compareAbi(kernel: Kernel, abi: KernelAbi): AbiComparison {
  const list = kernelExports(kernel);
  const exports = list === undefined || list.length === 0 ? undefined : new Map(list.map(entry => [entry.name, entry]));
  const { btf } = kernel;
  const comparison = btf === undefined ? undefined : new PrototypeComparison(btf);
  const compared = { symbols: 0, kinds: 0, crcs: 0, prototypes: 0 };
  const uncompared = { crcs: 0, prototypes: 0, symbolsOfModules: abi.ofModules };
  const differences: AbiDifference[] = [];
  const differs = ({ name: symbol }: AbiSymbol, kind: AbiDifference['kind'], says: string): void => {
    differences.push({ symbol, kind, says });
  };
  for (const symbol of abi.symbols.values()) {
    compared.symbols++;
    const facts = kernel.facts.find(symbol.name);
    const found = exports?.get(symbol.name);
    if (exports === undefined ? facts.length === 0 : found === undefined) {
      differs(symbol, 'missing', facts.length > 0 ? 'is there, and not exported' : 'is not there');
      continue;
    }
    const kind = kindOf(facts, found);
    if (symbol.kind !== undefined && kind !== undefined) {
      compared.kinds++;
      if (kind !== symbol.kind) differs(symbol, 'kind', `is a ${kind}, not a ${symbol.kind}`);
    }
    if (symbol.crc !== undefined) {
      if (found?.crc === undefined) uncompared.crcs++;
      else {
        compared.crcs++;
        if (found.crc !== symbol.crc) differs(symbol, 'crc', `has the checksum ${crcText(found.crc)}, not ${crcText(symbol.crc)}`);
      }
    }
    if (symbol.prototype === undefined) continue;
    const { prototype } = symbol;
    const results = (btf?.find(symbol.declared ?? symbol.name, 'FUNC') ?? []).map(id => {
      const type = btf!.type(id);
      return type.kind === 'FUNC' ? comparison!.difference(prototype, type.typeId) : undefined;
    });
    if (results.length === 0 || results.includes(undefined)) uncompared.prototypes++;
    else {
      compared.prototypes++;
      if (!results.includes('')) differs(symbol, 'prototype', `${results[0]}; the ABI has ${declareType(prototype, symbol.declared)}`);
    }
  }
  const against = exports === undefined ? 'symbols' : 'exports';
  return { ok: differences.length === 0, file: abi.file, compared, uncompared, against, differences };
}

/** Undefined where it can't be told: a label of assembly; several symbols of the name of which none stands where the export points. */
function kindOf(facts: ReturnType<Kernel['facts']['find']>, found: KernelExport | undefined): AbiSymbol['kind'] {
  const fact = facts.find(({ address, binding }) => (found === undefined ? binding !== 'local' : address === found.address)) ?? facts[0];
  if (fact === undefined || fact.kind === 'label') return undefined;
  return fact.kind === 'data' ? 'variable' : 'function';
}

function crcText(crc: number): string {
  return `0x${crc.toString(16).padStart(8, '0')}`;
}
