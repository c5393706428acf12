import type { Kernel } from 'kelf';
import { BtfWriter } from './btf-writer.js';
import { type KernelSpec, kernelOf } from './kernel-writer.js';

/** What BTF of a kernel for BPF has, besides the enums. */
export interface BpfKernelSpec extends Pick<KernelSpec, 'data' | 'config' | 'release' | 'idSets'> {
  /** Names of functions, and whether BTF has a FUNC for each: all of them. */
  readonly functions?: readonly string[];
  /** Names of program types that were compiled: `KPROBE`; no bpf_ctx_convert where not given. */
  readonly compiled?: readonly string[];
  /** Names of LSM hooks in the union of them, of iterators with a context, and of struct_ops with a value. */
  readonly hooks?: readonly string[];
  readonly iterators?: readonly string[];
  readonly structOps?: readonly string[];
}

const PROGRAM_TYPES = { SOCKET_FILTER: 1, KPROBE: 2, XDP: 6, TRACING: 26, STRUCT_OPS: 27, LSM: 29, LIRC_MODE2: 20 };
const ATTACH_TYPES = { XDP: 37, TRACE_FENTRY: 24, TRACE_ITER: 28, LSM_MAC: 27, TRACE_KPROBE_MULTI: 42, TCX_INGRESS: 46, LIRC_MODE2: 16 };
const MAP_TYPES = { HASH: 1, XSKMAP: 17, NEWEST: 200 };
const HELPERS = { map_lookup_elem: 1, trace_printk: 6, get_current_pid_tgid: 14, probe_read_kernel: 113 };
const COMMANDS = { MAP_CREATE: 0, PROG_LOAD: 5, TOKEN_CREATE: 36 };

/** A kernel with what bpf(2) of it has in its BTF. */
export function bpfKernel(spec: BpfKernelSpec): Kernel {
  const { functions = [], hooks = [], iterators = [] } = spec;
  const { btf } = bpfBtf(spec);
  return kernelOf({
    ...spec,
    functions: ['start_kernel', ...functions, ...hooks.map(name => `bpf_lsm_${name}`), ...iterators.map(name => `bpf_iter_${name}`)].map(
      name => ({ name, site: 0 }),
    ),
    btf: btf.bytes(),
  });
}

/** Its BTF, and the ids of its FUNCs. */
export function bpfBtf({ functions = [], compiled, hooks = [], iterators = [], structOps = [] }: BpfKernelSpec): {
  btf: BtfWriter;
  ids: ReadonlyMap<string, number>;
} {
  const btf = new BtfWriter();
  const list = (name: string, prefix: string, values: Readonly<Record<string, number>>): number =>
    btf.enum(
      name,
      4,
      Object.entries(values).map(([key, value]) => [`${prefix}${key}`, value] as const),
    );
  list('bpf_prog_type', 'BPF_PROG_TYPE_', PROGRAM_TYPES);
  list('bpf_attach_type', 'BPF_', ATTACH_TYPES);
  list('bpf_map_type', 'BPF_MAP_TYPE_', MAP_TYPES);
  list('bpf_func_id', 'BPF_FUNC_', HELPERS);
  list('bpf_cmd', 'BPF_', COMMANDS);
  const pointer = btf.ptr(0);
  if (compiled !== undefined)
    btf.struct(
      'bpf_ctx_convert',
      compiled.length * 8,
      compiled.map((name, i) => [`BPF_PROG_TYPE_${name}_prog`, pointer, i * 64] as const),
    );
  if (hooks.length > 0)
    btf.struct(
      'security_list_options',
      8,
      [...hooks, 'of_others'].map(name => [name, pointer, 0] as const),
      true,
    );
  for (const name of iterators) btf.struct(`bpf_iter__${name}`, 8, [['meta', pointer, 0]]);
  for (const name of structOps) {
    const ops = btf.struct(name, 8, [['init', pointer, 0]]);
    btf.struct(`bpf_struct_ops_${name}`, 16, [
      ['common', pointer, 0],
      ['data', ops, 64],
    ]);
  }
  const proto = btf.funcProto(0, []);
  const names = [...functions, ...hooks.map(name => `bpf_lsm_${name}`), ...iterators.map(name => `bpf_iter_${name}`)];
  return { btf, ids: new Map(names.map(name => [name, btf.func(name, proto)])) };
}
