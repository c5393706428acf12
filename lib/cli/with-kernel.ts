import { readFileSync } from 'node:fs';
import type { MissingBtfOptions } from '../answers/missing-btf/missing-btf.js';
import { foreignBtf } from '../facts/foreign-btf.js';
import type { ModuleTable } from '../facts/module-table/module-table.js';
import type { Kernel } from '../kernel.js';
import { readModules } from '../node/read-modules.js';
import { openKernel, openRunningKernel } from '../open/open-kernel.js';
import { JSON_OPTION, type OptionValues, UsageError } from './command.js';
import { Progress } from './progress.js';

/** Which kernel is asked. */
const OF_KERNEL = {
  live: { type: 'boolean', help: 'ask the running kernel; give no FILE' },
  btf: { type: 'string', value: 'FILE', help: "use the BTF in FILE (raw or ELF) instead of the kernel's own" },
  symbols: { type: 'string', value: 'FILE', help: 'the symbols where FILE has none, as BTF alone: /proc/kallsyms or System.map' },
  'filter-functions': { type: 'string', value: 'FILE', help: "tracefs' available_filter_functions: what ftrace can trace" },
  config: { type: 'string', value: 'FILE', help: "the kernel's .config, for settings that the image does not contain" },
} as const;

/** The options of every command that asks a kernel. */
export const KERNEL_OPTIONS: typeof OF_KERNEL & { readonly json: typeof JSON_OPTION } = { ...OF_KERNEL, json: JSON_OPTION };

/** `--modules`, of the commands whose answers cover modules. */
export const MODULES_OPTION = {
  type: 'string',
  value: 'DIR',
  help: "also read the kernel's modules: every .ko under DIR, compressed or not, e.g. /lib/modules/RELEASE",
} as const;

/**
 * Opens the kernel of a command, the first argument or with --live the running one, asks it with the other arguments, and closes it. Reports on
 * stderr what is missing, and damage.
 */
export async function withKernel(
  args: readonly string[],
  options: OptionValues<typeof OF_KERNEL> & { readonly modules?: string },
  note: (line: string) => void,
  ask: (kernel: Kernel, names: readonly string[]) => number | undefined | Promise<number | undefined>,
): Promise<number | undefined> {
  const live = options.live === true;
  const [path] = args;
  if (!live && path === undefined) throw new UsageError('give a FILE, or --live for the running kernel');
  const { btf, config, symbols, 'filter-functions': filterFunctions } = options;
  const beside = { btf, config, symbols, filterFunctions };
  if (live && Object.values(beside).some(file => file !== undefined))
    throw new UsageError('--btf, --config, --symbols and --filter-functions are for a FILE, not for --live');
  const kernel = live ? openRunningKernel() : await openKernel(path!, given(beside));
  try {
    if (options.modules !== undefined) kernel.modules = await readModulesOf(kernel, options.modules);
    const code = await ask(kernel, namesOf(live ? args : args.slice(1)));
    sayNotes(kernel, note);
    const foreign = options.btf === undefined ? undefined : foreignBtf(kernel);
    if (foreign !== undefined) note(`kelf: ${foreign}`);
    return code;
  } finally {
    kernel.close();
  }
}

/** Names, where `-` stands for those on stdin. */
export function namesOf(names: readonly string[]): readonly string[] {
  return names.includes('-') ? names.flatMap(name => (name === '-' ? wordsOf(readFileSync(0, 'utf8')) : [name])) : names;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/).filter(word => word !== '');
}

/** The options that were given. */
export function given<T extends object>(options: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<T>;
}

/** For commands that take no names: a FILE beside --live would be left unread. @throws UsageError */
export function oneKernel(args: readonly string[], { live }: { readonly live?: boolean }): void {
  if (live === true && args.length > 0) throw new UsageError(`--live asks the running kernel: ${args[0]} is not used`);
}

/** The modules under a folder, with progress. @param types whether their types are asked for too */
export async function readModulesOf(kernel: Kernel, folder: string, types = false): Promise<ModuleTable> {
  const progress = new Progress('reading modules');
  try {
    return await readModules(folder, { base: kernel.btf, types, onProgress: (done, total) => progress.update(done, total) });
  } finally {
    progress.end();
  }
}

/** More lines of damage in modules than these are counted. */
const MOST_PROBLEMS = 5;

/** Reports on stderr what is missing, and damage. */
export function sayNotes(kernel: Kernel, note: (line: string) => void): void {
  for (const line of kernel.pieces.notes) note(`kelf: ${kernel.name}: ${line}`);
  for (const { message } of kernel.diagnostics) note(`kelf: ${message}`);
  const { modules } = kernel;
  if (modules === undefined) return;
  // Asked for no sooner: in an image without labels, the banner has to be looked for.
  const { release } = kernel;
  for (const line of modules.problems.slice(0, MOST_PROBLEMS)) note(`kelf: ${line}`);
  const more = modules.problems.length - MOST_PROBLEMS;
  if (more > 0) note(`kelf: ${more} more problems in modules`);
  const foreign = modules.modules.find(
    ({ vermagic }) => vermagic !== undefined && release !== undefined && vermagic.split(' ')[0] !== release,
  );
  if (foreign !== undefined) {
    note(
      `kelf: ${foreign.path} was built for ${foreign.vermagic!.split(' ')[0]}, but the kernel is ${release}: answers about modules may be wrong`,
    );
  }
}

/** @throws UsageError where no name is given, or one without a character */
export function expectNames(names: readonly string[]): void {
  if (names.length === 0 || names.includes('')) throw new UsageError(names.length === 0 ? 'name a function' : 'a name is empty');
}

/** What `why` and `audit` take besides: the pahole that made the BTF. */
export const PAHOLE_OPTION = {
  'pahole-version': {
    type: 'string',
    value: 'N',
    help: 'the pahole release that generated the BTF: 1.20, or 120 as in CONFIG_PAHOLE_VERSION',
  },
} as const;

/** 120 from `1.20`, `v1.20` or `120`. @throws UsageError for anything else */
export function paholeOptions(text: string | undefined): MissingBtfOptions {
  if (text === undefined) return {};
  const match = /^v?(\d)\.(\d{1,2})$/.exec(text) ?? /^(\d)(\d{2})$/.exec(text);
  if (match === null) throw new UsageError(`--pahole-version: '${text}' is not of the form 1.20 or 120`);
  return { paholeVersion: Number(match[1]) * 100 + Number(match[2]) };
}
