import type { Errno } from '../../evidence.js';
import { mapFlagNames } from '../names/uapi.js';
import type { BpfMap } from '../object/maps.js';

/** What a map's definition must be for the kernel to make it. */
interface MapRule {
  readonly key: Size;
  readonly value: Size;
  readonly entries: Size;
  /** Flags that have to be there. */
  readonly needs: number;
  /** Flags that may be there. */
  readonly flags: number;
  readonly marks: readonly string[];
}

/** Whether a number is allowed, and in words what is. */
interface Size {
  readonly text: string;
  allows(size: number, flags: number): boolean;
}

/**
 * The map_alloc_check functions of kernel/bpf, as the maps that were asked for of 5.10, 6.1, 6.12, 6.18 and 7.3 came out: map types; sizes of
 * keys and values, and entries, as `any` but 0, one number, several, or a range; flags that are needed; those that are allowed. Marks: `cpus`
 * where libbpf fills in the entries (map_set_def_max_entries), `inner` for maps of maps, `btf` where the types of key and value have to be known.
 * What is newer has no line.
 */
const TABLE = `
hash                                         any     any    any  0     0x1dd
percpu_hash                                  any     any    any  0     0x1d9
lru_hash                                     any     any    any  0     0x1de
lru_percpu_hash                              any     any    any  0     0x1da
array                                        4       any    any  0     0x159c
percpu_array                                 4       any    any  0     0x198
prog_array cgroup_array                      4       4      any  0     0x1c
perf_event_array                             4       4      cpus 0     0x81c   cpus
stack_trace                                  4       stack  any  0     0x3c
lpm_trie                                     5-260   any    any  0x1   0x19d
array_of_maps                                4       4      any  0     0x1c    inner
hash_of_maps                                 any     4      any  0     0x1dd   inner
devmap devmap_hash sockmap                   4       4,8    any  0     0x1c
cpumap                                       4       4,8    any  0     0x4
xskmap                                       4       4      any  0     0x1c
sockhash                                     any     4,8    any  0     0x1c
cgroup_storage percpu_cgroup_storage         8,16    any    0    0     0x19c
reuseport_sockarray                          4       4,8    any  0     0x19c
queue stack                                  0       any    any  0     0x19c
sk_storage                                   4       any    0    0x1   0x201   btf
inode_storage task_storage cgrp_storage      4       any    0    0x1   0x1     btf
ringbuf user_ringbuf                         0       0      any  0     0x4
bloom_filter                                 0       any    any  0     0x1dc
arena                                        0       0      any  0x400 0x60400
`;

const STACK_BUILD_ID = 1 << 5;

const RULES: ReadonlyMap<string, MapRule> = new Map(
  TABLE.trim()
    .split('\n')
    .flatMap(line => {
      const cells = line.split(/\s+/);
      const from = cells.findIndex(cell => /^(any|\d)/.test(cell));
      const [key, value, entries, needs, flags, ...marks] = cells.slice(from);
      const rule = {
        key: sizeOf(key!),
        value: sizeOf(value!),
        entries: sizeOf(entries!),
        needs: Number(needs),
        flags: Number(flags),
        marks,
      };
      return cells.slice(0, from).map((name): [string, MapRule] => [name, rule]);
    }),
);

function sizeOf(cell: string): Size {
  if (cell === 'cpus') return { text: 'any number', allows: () => true };
  if (cell === 'any') return { text: 'more than 0', allows: size => size > 0 };
  // Addresses, or with BPF_F_STACK_BUILD_ID a build id and an offset each (stack_map_alloc).
  if (cell === 'stack')
    return {
      text: 'a multiple of 8, or with build ids of 32',
      allows: (size, flags) => size > 0 && size % ((flags & STACK_BUILD_ID) === 0 ? 8 : 32) === 0,
    };
  const [low, high] = cell.split('-').map(Number);
  if (high !== undefined) return { text: `${low} to ${high}`, allows: size => size >= low! && size <= high };
  const sizes = cell.split(',').map(Number);
  return { text: sizes.join(' or '), allows: size => sizes.includes(size) };
}

/** Why the kernel does not make a map as its definition stands; undefined where nothing is against it. */
export function againstMap(map: BpfMap): string | undefined {
  const { typeName, keySize, valueSize, maxEntries, flags } = map;
  const rule = RULES.get(typeName);
  if (rule === undefined) return undefined;
  const sizes: readonly (readonly [string, number, Size])[] = [
    ['keys of', keySize, rule.key],
    ['values of', valueSize, rule.value],
    ['max_entries', maxEntries, rule.entries],
  ];
  const wrong = sizes.find(([, size, allowed]) => !allowed.allows(size, flags));
  if (wrong !== undefined) {
    const [what, size, { text }] = wrong;
    return what === 'max_entries'
      ? `max_entries is ${size}, and a ${typeName} has ${text}`
      : `it has ${what} ${size} bytes, and a ${typeName} ${what} ${text}`;
  }
  const lacking = rule.needs & ~flags;
  if (lacking !== 0) return `a ${typeName} needs the flag ${mapFlagNames(lacking)}`;
  const strange = flags & ~rule.flags;
  if (strange !== 0) return `a ${typeName} does not take the flag ${mapFlagNames(strange)}`;
  if ((map.mapExtra ?? 0n) !== 0n && typeName !== 'bloom_filter' && typeName !== 'arena')
    return `map_extra is set, which a ${typeName} does not take`;
  if (rule.marks.includes('btf') && (map.keyTypeId === undefined || map.valueTypeId === undefined))
    return `a ${typeName} needs the types of its key and value`;
  if (!rule.marks.includes('inner')) return undefined;
  if (map.inner === undefined) return `a ${typeName} needs an inner map, which its definition does not give`;
  const inner = againstMap(map.inner);
  return inner === undefined ? undefined : `its inner map: ${inner}`;
}

/** The errno that goes with it: an LRU map without preallocation is told apart (htab_map_alloc_check). */
export function errnoAgainst({ typeName, flags }: BpfMap): Errno {
  return /^lru_/.test(typeName) && (flags & 1) !== 0 ? 'ENOTSUPP' : 'EINVAL';
}
