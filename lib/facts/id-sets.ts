import type { KernelFacts } from './kernel-facts.js';

/** More ids than these a set does not have. */
const MOST_IDS = 4096;

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
