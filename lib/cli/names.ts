import { instancesNamed, OF_MODULE } from '../answers/trace/in-modules.js';
import { placeIn } from '../answers/trace/traceability.js';
import { MissingError } from '../errors.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { Kernel } from '../kernel.js';
import { UsageError } from './command.js';
import { glob, isPattern } from './glob.js';

/**
 * The names that arguments stand for, each once: a pattern (`tty_*`, `nf_nat:*_fini`, `tracepoint:sched_*`) stands for all that it matches, in the order
 * of their addresses.
 * @throws MissingError for a pattern that nothing matches, UsageError for one of what has none
 */
export function expandedNames(kernel: Kernel, names: readonly string[]): readonly string[] {
  if (!names.some(isPattern)) return names;
  return [...new Set(names.flatMap(name => (isPattern(name) ? matched(kernel, name) : [name])))];
}

function matched(kernel: Kernel, text: string): string[] {
  if (kernel.functions.find(text).length > 0) return [text];
  const event = /^(?:tracepoint|raw_tp|tp_btf|tp)[:/](.+)$/.exec(text)?.[1]?.replace('/', ':');
  if (event !== undefined) {
    const wanted = glob(event);
    const found = kernel.tracepoints.all().filter(({ name, system }) => wanted(name) || wanted(`${system ?? ''}:${name}`));
    return all(
      text,
      'tracepoint',
      found.map(({ name }) => `tracepoint:${name}`),
    );
  }
  if (/^syscall:/.test(text) || placeIn(text) !== undefined)
    throw new UsageError(`'${text}' is a pattern: patterns stand for functions and tracepoints, not for system calls or places`);
  const wanted = glob(text);
  const [, module] = OF_MODULE.exec(text) ?? [];
  if (module !== undefined) {
    if (kernel.modules === undefined) throw new MissingError(`'${text}' is a pattern for functions in modules: --modules DIR reads them`);
    return all(text, 'function of a module', ofModules(kernel, 'qualified').filter(wanted));
  }
  const own = Array.from({ length: kernel.functions.count }, (_, row) => kernel.functions.name(row)).filter(wanted);
  return all(text, 'function', [...own, ...ofModules(kernel, 'bare').filter(wanted)]);
}

function ofModules({ modules }: KernelFacts, as: 'bare' | 'qualified'): string[] {
  if (modules === undefined) return [];
  if (as === 'bare') return [...modules.names()];
  return Array.from(modules.names(), name => modules.find(name).map(({ module }) => `${module}:${name}`)).flat();
}

function all(pattern: string, what: string, found: readonly string[]): string[] {
  if (found.length === 0) throw new MissingError(`no ${what} matches '${pattern}'`);
  return [...new Set(found)];
}

/** The function that a place is in, by its name: `do_exit` of `do_exit+0x8`. */
export function functionOf(text: string): string {
  return placeIn(text)?.name ?? text;
}

/** Whether the kernel, or a module that was read, has a function of a name, or of MODULE:NAME. */
export function isThere(kernel: KernelFacts, name: string): boolean {
  return kernel.functions.find(name).length > 0 || instancesNamed(kernel, name).length > 0;
}
