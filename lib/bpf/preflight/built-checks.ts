import type { Certainty, Evidence } from '../../evidence.js';
import { isOwnConfig } from '../../facts/config.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { Built } from '../names/built.js';

/** Whether a kernel was built with a part of bpf(2); `built` is undefined where nothing shows it. */
export interface BuiltCheck {
  readonly built: boolean | undefined;
  readonly certainty: Certainty;
  readonly evidence: Evidence;
}

/** A symbol of data that every kernel with bpf(2) has: where kallsyms lists it, it lists the others too (CONFIG_KALLSYMS_ALL). */
export const ALWAYS = 'array_map_ops';

/** What a kernel shows of a part: its symbols, functions of its BTF, its .config. @param what the part is called: `map type xskmap` */
export function builtCheck(kernel: KernelFacts, { symbol, functions, hints = [], option }: Built, what: string): BuiltCheck {
  const shown = [...(symbol === undefined ? [] : [symbol]), ...functions];
  const found = [...shown, ...hints].find(name => kernel.hasFunction(name) === true);
  if (found !== undefined) return shownBy('kallsyms', found, true);
  const [first] = shown;
  const missing = `no ${first}: ${what} was not compiled`;
  const isMissing = first !== undefined && shown.every(name => kernel.hasFunction(name) === false);
  if (isMissing && (symbol === undefined || kernel.hasFunction(ALWAYS) === true)) return shownBy('kallsyms', missing, false);
  // Data that kallsyms leaves out.
  const table = kernel.pieces.imageSymbols();
  if (symbol !== undefined && table?.addressOf(ALWAYS) !== undefined) {
    const isThere = table.addressOf(symbol) !== undefined;
    return shownBy('.symtab', isThere ? symbol : `no ${symbol}: ${what} was not compiled`, isThere);
  }
  const { btf, btfSource } = kernel;
  for (const name of [...functions, ...hints]) {
    const [id] = btf?.find(name, 'FUNC') ?? [];
    if (id !== undefined) return shownBy(btfSource ?? '.BTF', `FUNC [${id}] ${name}`, true);
  }
  // Without data, functions that are called through a table alone keep their names, unless the compiler gave them others.
  if (isMissing && functions.length > 0) return shownBy('kallsyms', `no ${functions[0]}: ${what} was not compiled`, false, 'likely');
  const config = kernel.pieces.config();
  if (option !== undefined && config !== undefined) {
    const value = config.get(option);
    const says = value === undefined ? `${option} is not set` : `${option}=${value}`;
    // A file that was given is not known to be of this very kernel.
    return shownBy(config.source, says, value === 'y', isOwnConfig(config) ? 'proven' : 'likely');
  }
  const wanted = [...(option === undefined ? [] : [`${option} of .config`]), ...shown.map(name => `the symbol ${name}`)];
  const says = `whether it was built with ${what} is not shown: ${wanted.join(', or ')} would settle it`;
  return { built: undefined, certainty: 'open', evidence: { source: 'kernel', says } };
}

function shownBy(source: string, says: string, built: boolean, certainty: Certainty = 'proven'): BuiltCheck {
  return { built, certainty, evidence: { source, says } };
}
