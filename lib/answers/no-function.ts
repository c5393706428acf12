import type { KernelFacts } from '../facts/kernel-facts.js';
import { nearFunctions } from '../rules/near-names.js';
import { tracingOf } from '../rules/tracing.js';
import { placeIn } from './trace/traceability.js';
import { tracepointName } from './trace/tracepoint.js';

/** What a name is if no function has it, and where to ask about it: `no function of that name`, `data, not a function`. */
export function noFunction(kernel: KernelFacts, name: string): string {
  const { symbols, functions, modules } = kernel;
  const rows = symbols.find(name);
  if (rows.length > 0)
    return rows.every(row => functions.isCode(row)) ? 'a label in front of a function, not a function' : 'data, not a function';
  if (tracepointName(name) !== undefined) return `a tracepoint, not a function: 'kelf trace' shows what can attach to it`;
  const place = placeIn(name);
  if (place !== undefined) return place.name === undefined ? 'not in a function' : `no such place: ${noFunction(kernel, place.name)}`;
  const [, module, bare] = /^([\w-]+):(.+)$/.exec(name) ?? [];
  if (module === 'syscall') return 'no system call of that name';
  if (bare !== undefined) {
    return modules === undefined
      ? `no function of that name: pass --modules DIR for functions of modules`
      : `no module ${module} among those that were read has a function ${bare}`;
  }
  const near = [...nearFunctions(kernel, name), ...tracingOf(kernel).kprobes.onClones(name)];
  return ['no function of that name', ...near.map(({ says }) => says)].join('; ');
}
