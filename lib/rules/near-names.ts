import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { once } from '../facts/once.js';
import { oncePerKernel } from '../facts/once-per-kernel.js';
import { listed, similarNames } from '../similar-names.js';

/** What is near a name that no symbol has, in sentences for whoever asked for it: nothing of this is claimed to be what was meant. */
export function nearFunctions(kernel: KernelFacts, name: string): Evidence[] {
  const clones = clonesLeft(kernel, name);
  if (clones.length > 0) {
    const left = listed(clones);
    return [{ source: kernel.definitions.source, says: `the compiler left ${left}: ask for that full name` }];
  }
  const calls = systemCalls(kernel, name);
  if (calls.length > 0) {
    const call = calls[0]!.call;
    return [
      {
        source: 'kallsyms',
        says: `the system call is ${listed(calls.map(({ symbol }) => symbol))} here; SEC("ksyscall/${call}") finds it`,
      },
    ];
  }
  const [, module, own] = /^([\w-]+):([^:]+)$/.exec(name) ?? [];
  if (module !== undefined) return nearInModule(kernel, module, own!);
  if (/[*?[]/.test(name)) return [{ source: 'kallsyms', says: 'a pattern is taken for a name here' }];
  const similar = similarFunctions(kernel, name);
  // One slip of a key, in a word that no function has: nothing else needs to be thought of.
  const isSlip = wordsOf(name).some(word => !byWordOf(kernel)().has(word)) && similarNames(name, similar, 1).length > 0;
  if (isSlip) return [{ source: 'kallsyms', says: `similar names: ${listed(similar)}` }];
  const alike = alikeFunctions(kernel, name).filter(other => !similar.includes(other));
  const elsewhere = kernel.modules === undefined ? [] : similarNames(name, kernel.modules.names());
  return [
    ...(similar.length === 0 ? [] : [{ source: 'kallsyms', says: `similar names: ${listed(similar)}` }]),
    ...(alike.length === 0 ? [] : [{ source: 'kallsyms', says: renamedTo(kernel, alike) }]),
    ...(elsewhere.length === 0 ? [] : [{ source: 'modules', says: `similar names in modules: ${listed(elsewhere)}` }]),
    ...(kernel.image?.section('.debug_info') === undefined
      ? []
      : [{ source: 'DWARF', says: "the compiler may have inlined it everywhere: 'kelf why' tells, and names the callers" }]),
    ...(kernel.modules === undefined ? [{ source: 'modules', says: 'the modules were not read: --modules DIR also looks there' }] : []),
  ];
}

function nearInModule({ modules }: KernelFacts, module: string, name: string): Evidence[] {
  if (modules === undefined)
    return [{ source: 'modules', says: `${name} of module ${module}: the modules were not read; --modules DIR looks there` }];
  const wanted = module.replaceAll('-', '_');
  if (!modules.modules.some(entry => entry.name === wanted)) {
    const similar = similarNames(wanted, new Set(modules.modules.map(entry => entry.name)));
    const says = `no module ${module} was read${similar.length === 0 ? '' : `; similar names: ${listed(similar)}`}`;
    return [{ source: 'modules', says }];
  }
  const others = new Set(modules.find(name).map(instance => instance.module));
  if (others.size > 0) return [{ source: 'modules', says: `${name} is in other modules: ${listed([...others])}` }];
  const own = Array.from(modules.names()).filter(other => modules.find(other).some(instance => instance.module === wanted));
  const similar = similarNames(name, own);
  return similar.length === 0 ? [] : [{ source: 'modules', says: `similar names in module ${module}: ${listed(similar)}` }];
}

/** Words that say who calls a function, not what it does: new names differ in these. */
const COMMON = new Set(['do', 'sys', 'ksys', 'vfs', 'the', 'of', 'get', 'set', 'is', 'to', 'noprof', 'internal', 'common', 'generic']);
/** A word that more functions have says little. */
const MOST_OF_WORD = 64;
/** Of what the compiler and the kernel's macros make: a function of the source has another name. */
const MADE = /\.|^__(?:x64|ia32|arm64|s390x?|riscv|se|do|pfx|bpf_trace|probestub|traceiter)_|^trace_event_|^perf_trace_|^event_/;

function wordsOf(name: string): string[] {
  return name.split('_').filter(word => word !== '' && !COMMON.has(word));
}

/** The functions that have a word in their names, by it. */
const byWordOf = oncePerKernel(kernel =>
  once(() => {
    const byWord = new Map<string, string[]>();
    for (const name of functionNamesOf(kernel)()) {
      if (MADE.test(name)) continue;
      for (const word of new Set(wordsOf(name))) {
        const names = byWord.get(word);
        if (names === undefined) byWord.set(word, [name]);
        else names.push(name);
      }
    }
    return byWord;
  }),
);

/** Functions of the same words but for one: what a function is called in another release, as `filename_unlinkat` for `do_unlinkat`. */
function alikeFunctions(kernel: KernelFacts, name: string): string[] {
  const words = new Set(wordsOf(name));
  const byWord = byWordOf(kernel)();
  const lists = [...words].flatMap(word => byWord.get(word) ?? []);
  const found = [...new Set(lists)].flatMap(other => {
    const others = new Set(wordsOf(other));
    const shared = [...others].filter(word => words.has(word));
    const apart = words.size + others.size - 2 * shared.length;
    if (apart === 0) return [{ other, apart }];
    // One word more, one less, or one for another where others are shared; words that many functions have do not make them alike.
    const tells = shared.some(word => word.length >= 4 && byWord.get(word)!.length <= MOST_OF_WORD);
    return tells && (apart === 1 || (apart === 2 && shared.length > 1)) ? [{ other, apart }] : [];
  });
  const least = Math.min(...found.map(({ apart }) => apart));
  return found.flatMap(({ other, apart }) => (apart === least ? [other] : [])).sort();
}

/** With what tells them apart: nothing here shows which of them it is. */
function renamedTo({ btf }: KernelFacts, names: readonly string[]): string {
  const shown = names.slice(0, MOST_PROTOTYPES).map(name => {
    const id = btf?.find(name, 'FUNC')[0];
    return id === undefined ? name : btf!.prototype(id);
  });
  return `it may have another name in this release; of the same words: ${[...shown, ...names.slice(MOST_PROTOTYPES, MOST_PROTOTYPES + 1).map(() => `${names.length - MOST_PROTOTYPES} more`)].join('; ')}`;
}

/** So many are listed with their prototypes. */
const MOST_PROTOTYPES = 3;

/** The names that the compiler left of a function: each once. The kernel takes a kprobe on X.cold where X has a site: here there is no X. */
export function clonesLeft({ definitions }: KernelFacts, name: string): string[] {
  return [...new Set(definitions.clones(name).flatMap(clone => (/\.cold\b/.test(clone.name) ? [] : [clone.name])))];
}

/** The same of a tracepoint or event. */
export function nearTracepoints({ tracepoints }: KernelFacts, name: string): Evidence[] {
  const names = tracepoints.all().map(tracepoint => tracepoint.name);
  const similar = similarNames(name, names);
  return similar.length === 0 ? [] : [{ source: 'kallsyms', says: `similar names: ${listed(similar)}` }];
}

/** What is before the name of a system call, on any machine and in any release: `__x64_sys_`, `SyS_`, `compat_sys_`. */
const SYSTEM_CALL = /^(?:__\w+?_)?(?:compat_)?(?:sys|SyS|ksys)_(\w+)$/;

/** The functions that a system call enters by on this machine, for the name that it has elsewhere. */
function systemCalls({ arch, callingConvention, functions }: KernelFacts, name: string): { call: string; symbol: string }[] {
  const call = SYSTEM_CALL.exec(name)?.[1];
  if (call === undefined) return [];
  const prefixes = [...(callingConvention?.syscalls.map(({ prefix }) => prefix) ?? []), arch.syscalls.table, arch.syscalls.libbpf, 'sys_'];
  return [...new Set(prefixes)].flatMap(prefix => {
    const symbol = `${prefix ?? ''}${call}`;
    return prefix !== undefined && functions.find(symbol).length > 0 ? [{ call, symbol }] : [];
  });
}

/** The names of all functions, each once: of kallsyms. */
const functionNamesOf = oncePerKernel(({ functions }) =>
  once(() => new Set(Array.from({ length: functions.count }, (_, row) => functions.name(row)))),
);

/** Each mechanism asks for the same name, and objects of one tool for the same names. */
const similarOf = oncePerKernel(() => new Map<string, readonly string[]>());

function similarFunctions(kernel: KernelFacts, name: string): readonly string[] {
  const known = similarOf(kernel);
  let similar = known.get(name);
  if (similar === undefined) known.set(name, (similar = similarNames(name, functionNamesOf(kernel)())));
  return similar;
}
