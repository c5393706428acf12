import { isPlainName } from '../../../elf/escape.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ModuleAnchor, ModuleInstance } from '../../facts/module-table/module-table.js';

/** The place of a probe: a symbol that stands for one place alone, and the distance from it. */
export interface ProbePlace {
  /** The module that it is in, and the section of that. */
  readonly module?: string;
  readonly section?: string;
  /** Undefined if an address is all there is. */
  readonly symbol?: string;
  readonly offset: bigint;
  /** `do_sys_openat2`, `_stext+0x3ce620`, `xfs:xfs_trans_alloc+0x40`, `0xffffffff813ce620`. */
  readonly text: string;
  /** False for an address: the image is elsewhere on the next boot (CONFIG_RANDOMIZE_BASE). */
  readonly everyBoot: boolean;
  /** Of a module: whether the symbol alone, without the module's name, leads here too, whichever of the kernel's modules are loaded. */
  readonly bare?: boolean;
  /** Of a module: whether the symbol is the only one of its name there. */
  readonly alone?: boolean;
  /**
   * False where available_filter_functions does not have the symbol: no ftrace site is in the function, or another name for it is listed.
   */
  readonly listed?: boolean;
}

/** By a name that only one symbol has. @param listed whether available_filter_functions has it */
export function placeOfName(name: string, listed: boolean): ProbePlace {
  return { symbol: name, offset: 0n, text: name, everyBoot: true, listed };
}

/**
 * By the distance from a symbol in front: `_stext`, or if that does not exist or is not the only one of its name, the nearest function that
 * is. The kernel counts the symbols of the anchor's name (number_of_same_symbols()), adds the distance, and takes the symbol that it finds
 * there from then on.
 */
export function placeOfAddress(kernel: KernelFacts, address: bigint): ProbePlace {
  const anchor = anchorOf(kernel, address);
  if (anchor === undefined) return { offset: address, text: `0x${address.toString(16)}`, everyBoot: false };
  const { symbol, offset } = anchor;
  return { symbol, offset, text: offset === 0n ? symbol : `${symbol}+0x${offset.toString(16)}`, everyBoot: true };
}

/**
 * In a module, by the distance from a symbol that is the only one of its name there: `MOD:SYM+OFFSET`, whose symbols alone the kernel looks
 * at.
 */
export function placeInModule(
  { module, section, site }: ModuleInstance,
  { symbol, offset }: ModuleAnchor,
  { bare, alone }: { readonly bare: boolean; readonly alone: boolean },
): ProbePlace {
  const text = `${module}:${symbol}${offset === 0 ? '' : `+0x${offset.toString(16)}`}`;
  return { module, section, symbol, offset: BigInt(offset), text, everyBoot: true, bare, alone, listed: site };
}

/** Symbols in front that are looked at for an anchor. */
const NEAR = 4096;

function anchorOf({ symbols, pieces }: KernelFacts, address: bigint): { symbol: string; offset: bigint } | undefined {
  const stext = symbols.find('_stext');
  const at = stext.length === 1 ? symbols.address.big[stext[0]!]! : undefined;
  const end = pieces.labels('_etext');
  if (at !== undefined && address >= at && (end === undefined || address < end)) return { symbol: '_stext', offset: address - at };
  const row = symbols.containing(address);
  if (row === undefined) return undefined;
  const { order } = symbols;
  for (let position = order.indexOf(row), least = Math.max(0, position - NEAR); position >= least; position--) {
    const candidate = order[position]!;
    if (!symbols.isText(candidate) || symbols.module(candidate) !== symbols.module(row) || !symbols.index.isOnly(candidate)) continue;
    const symbol = symbols.name(candidate);
    if (!isPlainName(symbol)) continue;
    return { symbol, offset: address - symbols.address.big[candidate]! };
  }
  return undefined;
}
