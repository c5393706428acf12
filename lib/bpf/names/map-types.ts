/** What a kernel's `enum bpf_map_type` has under one number. */
export interface MapType {
  /** `hash` for BPF_MAP_TYPE_HASH: in lower case, as libbpf's and bpftool's texts have it. */
  readonly name: string;
  /**
   * The operations of a type that depends on the kernel's configuration (include/linux/bpf_types.h): a symbol of kernels that were built
   * with it. The types without are in every kernel that has bpf(2).
   */
  readonly operations?: string;
  /** What the member `values` of its definition may list, which is in the map from the start (parse_btf_map_def of libbpf). */
  readonly slots?: 'maps' | 'programs';
}

/**
 * A line for each type, in the order of their numbers, as of Linux 6.18 (include/uapi/linux/bpf.h): the name, the operations, what `values`
 * lists. What is newer is shown by its number.
 */
const TABLE = `
unspec                  -                           -
hash                    -                           -
array                   -                           -
prog_array              -                           programs
perf_event_array        perf_event_array_map_ops    -
percpu_hash             -                           -
percpu_array            -                           -
stack_trace             stack_trace_map_ops         -
cgroup_array            cgroup_array_map_ops        -
lru_hash                -                           -
lru_percpu_hash         -                           -
lpm_trie                -                           -
array_of_maps           -                           maps
hash_of_maps            -                           maps
devmap                  dev_map_ops                 -
sockmap                 sock_map_ops                -
cpumap                  cpu_map_ops                 -
xskmap                  xsk_map_ops                 -
sockhash                sock_hash_ops               -
cgroup_storage          cgroup_storage_map_ops      -
reuseport_sockarray     reuseport_array_ops         -
percpu_cgroup_storage   -                           -
queue                   -                           -
stack                   -                           -
sk_storage              sk_storage_map_ops          -
devmap_hash             dev_map_hash_ops            -
struct_ops              bpf_struct_ops_map_ops      -
ringbuf                 -                           -
inode_storage           inode_storage_map_ops       -
task_storage            task_storage_map_ops        -
bloom_filter            -                           -
user_ringbuf            -                           -
cgrp_storage            cgrp_storage_map_ops        -
arena                   arena_map_ops               -
`;

/** By number. */
const MAP_TYPES: readonly MapType[] = TABLE.trim()
  .split('\n')
  .map(line => {
    const [name, operations, slots] = line.split(/\s+/);
    return {
      name: name!,
      ...(operations === '-' ? {} : { operations: operations! }),
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
