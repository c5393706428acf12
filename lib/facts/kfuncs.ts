import type { Btf } from '../../btf/btf.js';
import { isFormatError } from '../../elf/errors.js';
import { FMODRET_SETS, idsOfImage } from './id-sets.js';
import type { KernelFacts } from './kernel-facts.js';
import { moduleIds } from './module/module-ids.js';
import { oncePerKernel } from './once-per-kernel.js';
import { addressesOf } from './prefixed-symbols.js';
import { flaggedIdsAt, idsAt, type ReadIds } from './read-ids.js';

/** A function of the kernel that BPF programs may call by its BTF id, as it stands in one set of such functions. */
export interface KfuncRow {
  readonly name: string;
  /** In C: `struct task_struct *bpf_task_acquire(struct task_struct *p)`. */
  readonly prototype: string;
  /** KF_… of include/linux/btf.h, bits of {@link KFUNC_FLAGS}; absent where only BTF's declaration tag shows the function. */
  readonly flags?: number;
  /** The set of `.BTF_ids` that it stands in, which is registered for program types; absent where none was read. */
  readonly set?: string;
  /** The module that has it; absent for the kernel itself. */
  readonly module?: string;
}

/** The flags of kfuncs by their bits (include/linux/btf.h): bit 3 was dropped in 6.4, bit 4 in 7.0, where all arguments are trusted. */
export const KFUNC_FLAGS: readonly string[] = [
  'KF_ACQUIRE',
  'KF_RELEASE',
  'KF_RET_NULL',
  'KF_KPTR_GET',
  'KF_TRUSTED_ARGS',
  'KF_SLEEPABLE',
  'KF_DESTRUCTIVE',
  'KF_RCU',
  'KF_ITER_NEW',
  'KF_ITER_NEXT',
  'KF_ITER_DESTROY',
  'KF_RCU_PROTECTED',
  'KF_FASTCALL',
  'KF_ARENA_RET',
  'KF_ARENA_ARG1',
  'KF_ARENA_ARG2',
  'KF_IMPLICIT_ARGS',
];

/** BTF_SET8_KFUNCS, since 6.9 (6f3189f38a3e). */
const OF_KFUNCS = 1;
/** Sets of kernels before 6.0, which had no flags: of the functions that may be called, and of those of them that do one thing (a4703e318432). */
const PLAIN_SET = /^(?:.*_)?kfunc_ids$/;
const PLAIN_FLAGS: readonly (readonly [RegExp, number])[] = [
  [/_acquire_kfunc_ids$/, 1],
  [/_release_kfunc_ids$/, 2],
  [/_ret_null_kfunc_ids$/, 4],
];

/** `KF_ACQUIRE`, `KF_RET_NULL`; a bit without a name as `1 << 20`. */
export function kfuncFlagNames(flags: number): string[] {
  const bits = Array.from({ length: 32 }, (_, bit) => bit).filter(bit => (flags >>> bit) % 2 === 1);
  return bits.map(bit => KFUNC_FLAGS[bit] ?? `1 << ${bit}`);
}

/** All kfuncs of a kernel, and of its modules where they were read, by name; one that stands in several sets has a row for each. */
export const kfuncRows: (kernel: KernelFacts) => readonly KfuncRow[] = oncePerKernel(kernel =>
  [...rowsOfKernel(kernel), ...rowsOfModules(kernel)].sort((a, b) => compare(a.name, b.name) || compare(a.set ?? '', b.set ?? '')),
);

/** The FUNCs with the declaration tag bpf_kfunc, which pahole writes since 1.26; none in older BTF. */
export function taggedKfuncs(btf: Btf): ReadonlySet<number> {
  const found = new Set<number>();
  for (const id of btf.find('bpf_kfunc', 'DECL_TAG')) {
    const tag = btf.type(id);
    if (tag.kind === 'DECL_TAG') found.add(tag.typeId);
  }
  return found;
}

function rowsOfKernel(kernel: KernelFacts): KfuncRow[] {
  const { btf } = kernel;
  if (btf === undefined) return [];
  const ids = idsOfImage(kernel);
  const labels = (kind: 'set' | 'set8'): ReadonlyMap<string, bigint> => addressesOf(kernel, `__BTF_ID__${kind}__`);
  return rows(btf, ids === undefined ? [] : setsAt(ids.read, labels, ids.littleEndian));
}

function rowsOfModules({ modules }: KernelFacts): KfuncRow[] {
  return (modules?.modules ?? []).flatMap(({ path, name, btfIds }) => {
    if (btfIds !== true) return [];
    try {
      using module = modules!.open(path);
      const { btf } = module;
      if (btf === undefined) return [];
      const { read, labels, littleEndian, moved } = moduleIds(module, btf);
      const sets = setsAt(read, labels, littleEndian).map(set => ({
        ...set,
        entries: set.entries.map(entry => ({ ...entry, id: moved(entry.id) })),
      }));
      return rows(btf, sets).map(row => ({ ...row, module: name }));
    } catch (error) {
      // Its line is among the problems of the modules, or its BTF is of another kernel.
      if (!isFormatError(error) && !(error instanceof Error && error.name === 'InputError')) throw error;
      return [];
    }
  });
}

interface KfuncSet {
  readonly name: string;
  readonly entries: readonly { readonly id: number; readonly flags: number }[];
}

/** The sets of kfuncs among all sets. @param labels the places of the sets of a kind, by name */
function setsAt(read: ReadIds, labels: (kind: 'set' | 'set8') => ReadonlyMap<string, bigint>, littleEndian: boolean): KfuncSet[] {
  const flagged = [...labels('set8')].flatMap(([name, at]) => {
    const set = flaggedIdsAt(read, at, littleEndian);
    return set === undefined || FMODRET_SETS.includes(name) ? [] : [{ name, ...set }];
  });
  // Before 6.9 no set says that it is of kfuncs: those of fmod_ret are the only others.
  const isMarked = flagged.some(({ flags }) => (flags & OF_KFUNCS) !== 0);
  const sets = flagged.filter(({ flags }) => !isMarked || (flags & OF_KFUNCS) !== 0);
  return sets.length > 0 ? sets : plainSets(read, labels('set'), littleEndian);
}

/** The sets of 5.13 to 5.19: what their functions do is in sets of its own. */
function plainSets(read: ReadIds, labels: ReadonlyMap<string, bigint>, littleEndian: boolean): KfuncSet[] {
  const all = [...labels]
    .filter(([name]) => PLAIN_SET.test(name))
    .map(([name, at]) => ({ name, ids: idsAt(read, at, littleEndian) ?? [] }));
  const flagsOf = (name: string): number => PLAIN_FLAGS.find(([pattern]) => pattern.test(name))?.[1] ?? 0;
  const flags = new Map<number, number>();
  for (const { name, ids } of all) for (const id of ids) flags.set(id, (flags.get(id) ?? 0) | flagsOf(name));
  return all
    .filter(({ name }) => flagsOf(name) === 0)
    .map(({ name, ids }) => ({ name, entries: ids.map(id => ({ id, flags: flags.get(id)! })) }));
}

/** A row for each function of each set, and for what only a tag shows. An id of 0 is of a function that BTF does not have. */
function rows(btf: Btf, sets: readonly KfuncSet[]): KfuncRow[] {
  const isFunc = (id: number): boolean => id > 0 && id < btf.count && btf.kindOf(id) === 'FUNC';
  const inSets = sets.flatMap(({ name: set, entries }) =>
    entries.filter(({ id }) => isFunc(id)).map(({ id, flags }) => ({ id, name: btf.nameOf(id), prototype: btf.prototype(id), flags, set })),
  );
  const known = new Set(inSets.map(({ id }) => id));
  const tagged = [...taggedKfuncs(btf)].filter(id => id >= btf.firstId && isFunc(id) && !known.has(id));
  return [...inSets.map(({ id: _, ...row }) => row), ...tagged.map(id => ({ name: btf.nameOf(id), prototype: btf.prototype(id) }))];
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
