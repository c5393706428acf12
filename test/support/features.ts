import { BtfWriter } from './btf-writer.js';

/** BTF with what bpf(2) of a kernel has: helpers and map types up to a number, program types 0 to 3, of which kprobe was compiled. */
export function featuresBtf(writer: BtfWriter = new BtfWriter()): Uint8Array {
  const pointer = writer.ptr(0);
  writer.enum('bpf_prog_type', 4, [
    ['BPF_PROG_TYPE_UNSPEC', 0],
    ['BPF_PROG_TYPE_SOCKET_FILTER', 1],
    ['BPF_PROG_TYPE_KPROBE', 2],
    ['BPF_PROG_TYPE_SCHED_CLS', 3],
  ]);
  writer.enum('bpf_attach_type', 4, [
    ['BPF_CGROUP_INET_INGRESS', 0],
    ['__MAX_BPF_ATTACH_TYPE', 1],
  ]);
  writer.enum('bpf_map_type', 4, [
    ['BPF_MAP_TYPE_UNSPEC', 0],
    ['BPF_MAP_TYPE_HASH', 1],
    ['BPF_MAP_TYPE_XSKMAP', 17],
  ]);
  writer.enum('bpf_func_id', 4, [
    ['BPF_FUNC_map_lookup_elem', 1],
    ['BPF_FUNC_probe_read', 4],
    ['__BPF_FUNC_MAX_ID', 5],
  ]);
  writer.struct('bpf_ctx_convert', 16, [
    ['BPF_PROG_TYPE_SOCKET_FILTER_prog', pointer, 0],
    ['BPF_PROG_TYPE_SOCKET_FILTER_kern', pointer, 64],
  ]);
  return writer.bytes();
}
