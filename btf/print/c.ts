import type { BtfBlob } from '../blob.js';
import { type BodyKernel, linkBodyKernel } from './body-kernel.js';
import { type Header, linkParts, PARTS, type Parts } from './declaration.js';
import { BlobHeap } from './heap.js';
import { linkOrderKernel, type OrderKernel } from './order-kernel.js';
import type { Sink } from './writer.js';

const PROLOGUE = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;
const EPILOGUE = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

/** Types that GCC names in Arm's vector functions and does not define (btf_dump_emit_missing_aliases of libbpf). */
const ALIASES: Readonly<Record<string, string>> = {
  __Poly8_t: 'unsigned char',
  __Poly16_t: 'unsigned short',
  __Poly64_t: 'unsigned long long',
  __Poly128_t: 'unsigned __int128',
};

/** For each id: its number among those of its name, its place in the queue, and what ordering, writing and alignment keep of it. */
const EACH = 4 + 4 + 5;
/** Bytes that are gathered before they are written, at most. */
const OUTPUT = 1 << 17;
/** For the prologue, the epilogue and the aliases. */
const TEXTS = 1 << 12;
/** A header of a larger kernel than there is. Damaged blobs may repeat a name of a megabyte for as often as they have types. */
const MAX_TEXT = 1 << 28;

/**
 * Prints the types of a blob and its base as a C header, byte for byte as bpftool 7.1 of Debian 12 does (`bpftool btf dump file FILE format c`):
 * in order of id, one-byte enums without an attribute, attributes that are no btf_type_tag as if they were.
 * @throws FormatError for types that C has no form for: cycles, unknown kinds
 */
export function printC(blob: BtfBlob, sink: Sink): void {
  const { heap, parts, order } = linkHeader(blob, sink);
  const [prologue, epilogue] = [heap.text(PROLOGUE), heap.text(EPILOGUE)];
  parts.begin();
  parts.reset();
  parts.put(prologue);
  order.print(blob.count);
  parts.put(epilogue);
  parts.finish();
}

/**
 * All parts of the C printer, over one heap with their tables. They are asm.js throughout: a header is printed once, in some hundredths of a second,
 * and ordinary code for it takes several times as long to become fast. What declares a single type for someone else is the same code
 * (declaration.ts), so that how C is written stands in one place.
 */
export function linkHeader(blob: BtfBlob, sink: Sink): { heap: BlobHeap; parts: Parts; bodies: BodyKernel; order: OrderKernel } {
  const { count, pointerSize } = blob;
  const heads = 2 ** Math.ceil(Math.log2(count));
  // Names that count are those of types, which take three words, and of enumerators, which take two.
  let names = 0;
  for (let layer: BtfBlob | undefined = blob; layer !== undefined; layer = layer.base) names += layer.words.length >> 1;
  const heap = new BlobHeap(blob, PARTS + TEXTS + count * EACH + heads * 4 + names * 16, Math.min(OUTPUT, 4096 + 8 * names));
  let length = 0;
  const flush = (at: number): number => {
    length += at - heap.output;
    if (length > MAX_TEXT) throw blob.errorAt(0, `the header takes more than ${MAX_TEXT} bytes`, 'limit');
    sink(heap.outputTo(at));
    return heap.output;
  };
  const header: Header = {
    copies: heap.take(count * 4),
    heads: heap.take(heads * 4),
    mask: heads - 1,
    names: heap.take(names * 16),
    putBody: (id, level) => bodies.putBody(id, level),
  };
  const parts = linkParts(blob, heap, { flush, given: at => at }, header);
  const bodies = linkBodyKernel(heap.buffer, { ...parts, alignments: heap.take(count), pointerSize });
  const order = linkOrderKernel(heap.buffer, {
    ...parts,
    ...bodies,
    ordered: heap.take(count),
    written: heap.take(count),
    referenced: heap.take(count),
    forwarded: heap.take(count),
    queue: heap.take(count * 4),
    aliases: aliasTable(heap),
  });
  return { heap, parts, bodies, order };
}

/** Pairs of addresses, of a name and its definition, and a zero behind them. */
function aliasTable(heap: BlobHeap): number {
  const addresses = Object.entries(ALIASES).flatMap(([name, type]) => [heap.text(name), heap.text(`typedef ${type} ${name}`)]);
  const table = heap.take(addresses.length * 4 + 4);
  heap.words.set(addresses, table >> 2);
  return table;
}
