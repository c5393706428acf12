import type { Built } from './built.js';

/** What a kernel's `enum bpf_map_type` has under one number. */
export interface MapType {
  /** `hash` for BPF_MAP_TYPE_HASH: in lower case, as libbpf's and bpftool's texts have it. */
  readonly name: string;
  /** What shows whether a kernel was built with it. */
  readonly built: Built;
  /** What the member `values` of its definition may list, which is in the map from the start (parse_btf_map_def of libbpf). */
  readonly slots?: 'maps' | 'programs';
}

/**
 * A line for each type, in the order of their numbers, as of Linux 7.3: its name (include/uapi/linux/bpf.h), its operations and the option it
 * depends on (include/linux/bpf_types.h), functions of its own where it depends on one, and what `values` lists. What is newer is shown by its
 * number. The operations of arenas are there without the rest where memory is of 32 bits.
 */
const TABLE = `
unspec                  -                           -            -                           -
hash                    htab_map_ops                -            -                           -
array                   array_map_ops               -            -                           -
prog_array              prog_array_map_ops          -            -                           programs
perf_event_array        perf_event_array_map_ops    -            -                           -
percpu_hash             htab_percpu_map_ops         -            -                           -
percpu_array            percpu_array_map_ops        -            -                           -
stack_trace             stack_trace_map_ops         PERF_EVENTS  stack_map_alloc             -
cgroup_array            cgroup_array_map_ops        CGROUPS      cgroup_fd_array_get_ptr     -
lru_hash                htab_lru_map_ops            -            -                           -
lru_percpu_hash         htab_lru_percpu_map_ops     -            -                           -
lpm_trie                trie_map_ops                -            -                           -
array_of_maps           array_of_maps_map_ops       -            -                           maps
hash_of_maps            htab_of_maps_map_ops        -            -                           maps
devmap                  dev_map_ops                 NET          dev_map_alloc               -
sockmap                 sock_map_ops                INET         sock_map_alloc              -
cpumap                  cpu_map_ops                 NET          cpu_map_alloc               -
xskmap                  xsk_map_ops                 XDP_SOCKETS  xsk_map_alloc               -
sockhash                sock_hash_ops               INET         sock_hash_alloc             -
cgroup_storage          cgroup_storage_map_ops      CGROUP_BPF   cgroup_storage_get_next_key -
reuseport_sockarray     reuseport_array_ops         INET         reuseport_array_alloc       -
percpu_cgroup_storage   cgroup_storage_map_ops      CGROUP_BPF   cgroup_storage_get_next_key -
queue                   queue_map_ops               -            -                           -
stack                   stack_map_ops               -            -                           -
sk_storage              sk_storage_map_ops          NET          bpf_sk_storage_map_alloc,sk_storage_map_alloc -
devmap_hash             dev_map_hash_ops            NET          dev_map_hash_lookup_elem    -
struct_ops              bpf_struct_ops_map_ops      BPF_JIT      bpf_struct_ops_map_alloc    -
ringbuf                 ringbuf_map_ops             -            -                           -
inode_storage           inode_storage_map_ops       BPF_LSM      inode_storage_map_alloc     -
task_storage            task_storage_map_ops        -            -                           -
bloom_filter            bloom_filter_map_ops        -            -                           -
user_ringbuf            user_ringbuf_map_ops        -            -                           -
cgrp_storage            cgrp_storage_map_ops        CGROUPS      bpf_cgrp_storage_lookup_elem -
arena                   arena_map_alloc             64BIT        arena_map_alloc             -
insn_array              insn_array_map_ops          -            -                           -
rhash                   rhtab_map_ops               -            -                           -
`;

/** By number. */
export const MAP_TYPES: readonly MapType[] = TABLE.trim()
  .split('\n')
  .map(line => {
    const [name, symbol, option, own, slots] = line.split(/\s+/);
    return {
      name: name!,
      built: {
        ...(symbol === '-' ? {} : { symbol: symbol! }),
        ...(option === '-' ? {} : { option: `CONFIG_${option}` }),
        functions: own === '-' ? [] : own!.split(','),
      },
      ...(slots === '-' ? {} : { slots: slots as 'maps' | 'programs' }),
    };
  });

/** What is known about a map's type, by its number; undefined for one that is newer. */
export function mapType(number: number): MapType | undefined {
  return MAP_TYPES[number];
}

/** `hash`, or `type 99`. */
export function mapTypeName(number: number): string {
  return MAP_TYPES[number]?.name ?? `type ${number}`;
}

/** The number of a type of the table; -1 for none. */
export function mapTypeNumber(name: string): number {
  return MAP_TYPES.findIndex(type => type.name === name);
}
