import type { KernelFacts } from '../facts/kernel-facts.js';

/** More ids than these a set does not have. */
const MOST_IDS = 4096;

/** btf_id_deny in kernel/bpf/verifier.c */
const DENIED = [
  'migrate_disable',
  'migrate_enable',
  'rcu_read_unlock_strict',
  'preempt_count_add',
  'preempt_count_sub',
  '__rcu_read_lock',
  '__rcu_read_unlock',
];

/**
 * The FUNCs that the verifier denies (btf_id_deny in kernel/bpf/verifier.c). Without the set in the image, the names that it has in all
 * releases: a kernel without one of these functions has no FUNC of it.
 */
export function deniedIds(kernel: KernelFacts): ReadonlySet<number> {
  return idSet(kernel, 'btf_id_deny') ?? new Set(DENIED.flatMap(name => kernel.btf?.find(name, 'FUNC') ?? []));
}

/** The FUNCs that do not return, which fexit is refused for (noreturn_deny in kernel/bpf/verifier.c); none in kernels without the set. */
export function noreturnIds(kernel: KernelFacts): ReadonlySet<number> {
  return idSet(kernel, 'noreturn_deny') ?? new Set();
}

/** A set of BTF ids in the image, as resolve_btfids filled it: a count, then the ids (include/linux/btf_ids.h). */
export function idSet({ image, pieces, btfSource }: KernelFacts, label: string): Set<number> | undefined {
  const at = pieces.labels(label);
  // The ids are those of the image's own BTF.
  if (image === undefined || at === undefined || btfSource !== '.BTF' || !image.memory.has(at, 4)) return undefined;
  const { memory } = image;
  const u32 = (address: bigint): number => {
    const bytes = memory.read(address, 4);
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, memory.littleEndian);
  };
  const count = u32(at);
  if (count > MOST_IDS || !memory.has(at, 4 + count * 4)) return undefined;
  return new Set(Array.from({ length: count }, (_, i) => u32(at + BigInt(4 + i * 4))));
}

/** The same of a set whose ids have flags beside them (struct btf_id_set8): a count, flags, then pairs of id and flags. */
export function idSet8({ image, pieces, btfSource }: KernelFacts, label: string): Set<number> | undefined {
  const at = pieces.labels(label);
  if (image === undefined || at === undefined || btfSource !== '.BTF' || !image.memory.has(at, 8)) return undefined;
  const { memory } = image;
  const head = memory.read(at, 4);
  const count = new DataView(head.buffer, head.byteOffset).getUint32(0, memory.littleEndian);
  if (count > MOST_IDS || !memory.has(at, 8 + count * 8)) return undefined;
  const bytes = memory.read(at + 8n, count * 8);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return new Set(Array.from({ length: count }, (_, i) => view.getUint32(i * 8, memory.littleEndian)));
}
