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
  const similar = similarFunctions(kernel, name);
  if (similar.length > 0) return [{ source: 'kallsyms', says: `similar names: ${listed(similar)}` }];
  return [
    ...(kernel.image?.section('.debug_info') === undefined
      ? []
      : [{ source: 'DWARF', says: "the compiler may have inlined it everywhere: 'kelf why' tells, and names the callers" }]),
    ...(kernel.modules === undefined ? [{ source: 'modules', says: 'the modules were not read: --modules DIR also looks there' }] : []),
  ];
}

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
