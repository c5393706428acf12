const MAGIC = 0xeb9f;
const INT = 1;
const ENUM = 6;
const TYPEDEF = 8;
const FUNC = 12;
const FLOAT = 16;
const ENUM64 = 19;
/** Words behind the three of a record: once, and for each of its elements, by kind (Documentation/bpf/btf.rst). */
const EXTRA: Readonly<Record<number, readonly [once: number, each: number]>> = {
  [INT]: [1, 0],
  3: [3, 0],
  4: [0, 3],
  5: [0, 3],
  [ENUM]: [0, 2],
  13: [0, 2],
  14: [1, 0],
  15: [0, 3],
  17: [1, 0],
  [ENUM64]: [0, 3],
};

/**
 * A little-endian BTF blob of today as pahole 1.20 would have written it where it takes external functions only. The records keep their order, so
 * that no type's id changes:
 * a FUNC that is not to be kept becomes a TYPEDEF of the same name to the same FUNC_PROTO; an ENUM64 (pahole 1.24) an ENUM with the low halves of its
 * values; a FLOAT (1.21) an INT without encoding. Kernels of that time have neither DECL_TAG nor TYPE_TAG; such a record throws.
 */
export function externalOnly(blob: Uint8Array, keep: (name: string) => boolean): Uint8Array {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.length);
  const u32 = (at: number): number => view.getUint32(at, true);
  if (view.getUint16(0, true) !== MAGIC) throw new Error('not little-endian BTF');
  const headerLength = u32(4);
  const strings = blob.subarray(headerLength + u32(16), headerLength + u32(16) + u32(20));
  const types: number[] = [];
  const end = headerLength + u32(8) + u32(12);
  for (let at = headerLength + u32(8); at < end; ) {
    const [name, info, third] = [u32(at), u32(at + 4), u32(at + 8)];
    const kind = (info >>> 24) & 31;
    const count = info & 0xffff;
    const [once, each] = EXTRA[kind] ?? [0, 0];
    const tail = Array.from({ length: once + each * count }, (_, i) => u32(at + 12 + i * 4));
    at += 12 + tail.length * 4;
    if (kind === FUNC && !keep(nameAt(strings, name))) types.push(name, TYPEDEF << 24, third);
    else if (kind === ENUM64)
      types.push(name, ((info & 0x80ff_ffff) | (ENUM << 24)) >>> 0, Math.min(third, 4), ...tail.filter((_, i) => i % 3 < 2));
    else if (kind === FLOAT) types.push(name, INT << 24, third, third * 8);
    else if (kind === 17 || kind === 18) throw new Error('has DECL_TAG or TYPE_TAG');
    else types.push(name, info, third, ...tail);
  }
  const header = [MAGIC | (1 << 16), 24, 0, types.length * 4, types.length * 4, strings.length];
  const out = new Uint8Array(24 + types.length * 4 + strings.length);
  const words = new DataView(out.buffer);
  for (const [i, word] of [...header].entries()) words.setUint32(i * 4, word, true);
  for (const [i, word] of types.entries()) words.setUint32(24 + i * 4, word, true);
  out.set(strings, 24 + types.length * 4);
  return out;
}

function nameAt(strings: Uint8Array, offset: number): string {
  return new TextDecoder().decode(strings.subarray(offset, strings.indexOf(0, offset)));
}
