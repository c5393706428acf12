import { Words } from '../../elf/words.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { type FilterFunctions, parseFilterFunctions } from '../../kallsyms/text.js';
import type { FtraceSites } from './ftrace-sites.js';

/** The sites that a list of tracefs has, of either form: `available_filter_functions_addrs` begins with addresses. */
export function sitesOfList(bytes: Uint8Array, source: string, symbols: () => KernelSymbols): FtraceSites {
  const withAddresses = /^[0-9a-f]{8,16} [^[]/.test(new TextDecoder('latin1').decode(bytes.subarray(0, 20)));
  const functions = parseFilterFunctions(bytes, source, withAddresses);
  return withAddresses ? sitesOfAddresses(functions) : sitesOfNames(functions, symbols());
}

/** The sites of `available_filter_functions_addrs`, which come in the order of the file. */
export function sitesOfAddresses({ address, source }: FilterFunctions): FtraceSites {
  const order = address!.order();
  const ip = new Words(order.length);
  order.forEach((row, i) => {
    ip.set(i, address!.low(row), address!.high(row));
  });
  return { source, ip };
}

/**
 * Sites from names alone: if as many functions have a name as the file has lines for it, each of them has a site. Of the other names it is unknown
 * which functions have one.
 */
export function sitesOfNames(functions: FilterFunctions, symbols: KernelSymbols): FtraceSites {
  const lines = new Map<string, number>();
  const decoder = new TextDecoder();
  for (let row = 0; row < functions.count; row++) {
    if (functions.module(row) !== undefined) continue;
    const from = functions.nameOffset[row]!;
    const name = decoder.decode(functions.strings.subarray(from, functions.strings.indexOf(0, from)));
    lines.set(name, (lines.get(name) ?? 0) + 1);
  }
  const addresses: bigint[] = [];
  const undecided = new Set<string>();
  for (const [name, count] of lines) {
    const rows = symbols.find(name).filter(row => symbols.isText(row) && symbols.module(row) === undefined);
    if (rows.length !== count) undecided.add(name);
    else for (const row of rows) addresses.push(symbols.address.big[row]!);
  }
  const ip = new Words(addresses.length);
  ip.big.set(addresses);
  ip.big.sort();
  return { source: functions.source, ip, undecided };
}
