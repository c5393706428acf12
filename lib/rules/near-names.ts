import type { Evidence } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { once } from '../facts/once.js';
import { oncePerKernel } from '../facts/once-per-kernel.js';

/** So many names are listed. */
const MOST = 4;

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

export function listed(names: readonly string[]): string {
  return names.length > MOST ? `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more` : names.join(', ');
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

/** Names that are a few slips of a key away, or the same but for underscores in front; the nearest first. */
export function similarNames(name: string, names: Iterable<string>): string[] {
  const most = Math.min(3, Math.floor(name.length / 4));
  if (most === 0) return [];
  const bare = name.replace(/^_+/, '');
  const letters = new Letters(name);
  const found: { name: string; distance: number }[] = [];
  for (const other of names) {
    if (Math.abs(other.length - name.length) > most || letters.missingOf(other) > most) continue;
    const distance = other.replace(/^_+/, '') === bare ? 1 : editDistance(name, other, most);
    if (distance <= most) found.push({ name: other, distance });
  }
  found.sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1));
  // Those that are farther away than the nearest are noise.
  return found.filter(({ distance }) => distance === found[0]!.distance).map(each => each.name);
}

/** The letters of a name, without their order: what another lacks of them is the least number of slips, and quicker to tell. */
class Letters {
  readonly #counts = new Uint16Array(128);
  readonly #left = new Uint16Array(128);
  readonly #length: number;

  constructor(name: string) {
    this.#length = name.length;
    for (let i = 0; i < name.length; i++) this.#counts[name.charCodeAt(i) & 127]!++;
  }

  /** How many letters of the name another lacks. */
  missingOf(other: string): number {
    this.#left.set(this.#counts);
    let common = 0;
    for (let i = 0; i < other.length; i++) {
      const letter = other.charCodeAt(i) & 127;
      if (this.#left[letter] === 0) continue;
      this.#left[letter]!--;
      common++;
    }
    return this.#length - common;
  }
}

/** Letters inserted, deleted, changed, or swapped with the next (optimal string alignment); more than `most` is given as `most + 1`. */
function editDistance(a: string, b: string, most: number): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1);
      row.push(cost);
      least = Math.min(least, cost);
    }
    if (least > most) return most + 1;
    before = last;
    last = row;
  }
  return last[b.length]!;
}
