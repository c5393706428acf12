import type { KernelSymbols } from '../../kallsyms/symbols.js';
import type { KernelPieces } from './pieces.js';

/** Where symbols are looked for. */
interface SymbolSources {
  readonly pieces: KernelPieces;
  /** Undefined of BTF alone. */
  readonly symbols: KernelSymbols | undefined;
}

/** Symbols of a prefix, by what follows it: from `.symtab` where there is one, else from kallsyms. */
export function addressesOf(kernel: SymbolSources, prefix: string): Map<string, bigint> {
  const image = kernel.pieces.imageSymbols();
  const found = new Map<string, bigint>();
  if (image !== undefined) {
    for (const [name, address] of image.withPrefix(prefix)) found.set(name.slice(prefix.length), address);
    return found;
  }
  const { symbols } = kernel;
  if (symbols === undefined) return found;
  const { bytes } = symbols.strings;
  const wanted = new TextEncoder().encode(prefix);
  for (let row = 0; row < symbols.count; row++) {
    const at = symbols.nameOffset[row]!;
    if (!wanted.every((byte, i) => bytes[at + i] === byte)) continue;
    const name = symbols.name(row).slice(prefix.length);
    if (!found.has(name)) found.set(name, symbols.address.big[row]!);
  }
  return found;
}
