/*
 * Chains the rows of a table by their names, in asm.js: the subset of JavaScript that is compiled ahead of its first call. Why, and by what rules:
 * btf/print/line-kernel.ts. A kernel has 150,000 names, and a command goes over them once.
 */

import { asmHeap, LARGEST_HEAP } from './asm-heap.js';
import { FormatError } from './errors.js';

/** Rows by name: see {@link NameIndex}, whose columns these are. */
export interface NameChains {
  readonly slots: Uint32Array;
  readonly next: Uint32Array;
  readonly last: Uint32Array;
  /** The first row of each name that several rows bear, in the order in which the second one is met. */
  readonly repeated: Uint32Array;
}

interface NameKernel {
  setup(a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number): void;
  /** Chains the rows up to `count`. @returns how many names are repeated */
  chain(count: number): number;
}

interface Standard {
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly Int32Array: Int32ArrayConstructor;
  readonly Math: { imul(a: number, b: number): number };
}

/** Small tables share a heap: linking the loop to one takes longer than they do. */
const SMALL = 1 << 16;
let small: NameHeap | undefined;

interface NameHeap {
  readonly heap: ArrayBuffer;
  readonly kernel: NameKernel;
}

/**
 * Chains rows whose names begin at `offsets` of `bytes`, each up to its NUL or the end of the bytes; an offset behind them is that of an empty name.
 * @throws FormatError `limit` for more than asm.js addresses
 */
export function chainNames(bytes: Uint8Array, offsets: Uint32Array): NameChains {
  const count = offsets.length;
  let slotCount = 16;
  while (slotCount < count * 2) slotCount *= 2;
  const offsetsAt = slotCount * 4;
  const nextAt = offsetsAt + count * 4;
  const lastAt = nextAt + count * 4;
  const repeatedAt = lastAt + count * 4;
  const stringsAt = repeatedAt + count * 4;
  const size = stringsAt + bytes.length + 1;
  if (size > LARGEST_HEAP)
    throw new FormatError('limit', { name: 'names' }, `${count} names in ${bytes.length} bytes are too many for an index`);
  const isSmall = size <= SMALL;
  const { heap, kernel } = isSmall ? (small ??= link(SMALL)) : link(size);
  const words = new Uint32Array(heap);
  const copy = new Uint8Array(heap);
  if (isSmall) copy.fill(0, 0, size);
  words.set(offsets, offsetsAt >> 2);
  copy.set(bytes, stringsAt);
  kernel.setup(0, slotCount, offsetsAt, nextAt, lastAt, repeatedAt, stringsAt, bytes.length);
  const repeated = kernel.chain(count);
  const column = (at: number, length: number): Uint32Array => {
    const column = words.subarray(at >> 2, (at >> 2) + length);
    return isSmall ? column.slice() : column;
  };
  return { slots: column(0, slotCount), next: column(nextAt, count), last: column(lastAt, count), repeated: column(repeatedAt, repeated) };
}

function link(size: number): NameHeap {
  const heap = asmHeap(size);
  return { heap, kernel: NamesInAsm(globalThis, {}, heap) };
}

function NamesInAsm(stdlib: Standard, _: object, heap: ArrayBuffer): NameKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var imul = stdlib.Math.imul;
  var slots = 0;
  var mask = 0;
  var offsets = 0;
  var nexts = 0;
  var lasts = 0;
  var repeated = 0;
  var strings = 0;
  var stringsLength = 0;

  function setup(a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number): void {
    a = a | 0;
    b = b | 0;
    c = c | 0;
    d = d | 0;
    e = e | 0;
    f = f | 0;
    g = g | 0;
    h = h | 0;
    slots = a;
    mask = (b - 1) | 0;
    offsets = c;
    nexts = d;
    lasts = e;
    repeated = f;
    strings = g;
    stringsLength = h;
  }

  /** The address of a row's name; of the NUL behind the strings for one outside of them. */
  function nameOf(row: number): number {
    row = row | 0;
    var offset = 0;
    offset = i32[(offsets + (row << 2)) >> 2]! | 0;
    if (offset >>> 0 > stringsLength >>> 0) offset = stringsLength;
    return (strings + offset) | 0;
  }

  /** As hashAt() of name-index.ts. */
  function hash(at: number): number {
    at = at | 0;
    var sum = 0x811c9dc5;
    var byte = 0;
    byte = u8[at >> 0]! | 0;
    while (byte) {
      sum = imul(sum ^ byte, 0x01000193) | 0;
      at = (at + 1) | 0;
      byte = u8[at >> 0]! | 0;
    }
    return (sum ^ (sum >>> 15)) | 0;
  }

  function equal(a: number, b: number): number {
    a = a | 0;
    b = b | 0;
    var byte = 0;
    byte = u8[a >> 0]! | 0;
    while ((byte | 0) == (u8[b >> 0]! | 0)) {
      if (!byte) return 1;
      a = (a + 1) | 0;
      b = (b + 1) | 0;
      byte = u8[a >> 0]! | 0;
    }
    return 0;
  }

  function chain(count: number): number {
    count = count | 0;
    var row = 0;
    var name = 0;
    var slot = 0;
    var first = 0;
    var place = 0;
    var found = 0;
    for (; (row | 0) < (count | 0); row = (row + 1) | 0) {
      name = nameOf(row) | 0;
      slot = hash(name) | 0;
      while (1) {
        slot = slot & mask;
        place = (slots + (slot << 2)) | 0;
        first = i32[place >> 2]! | 0;
        if (!first) {
          i32[place >> 2] = (row + 1) | 0;
          i32[(lasts + (row << 2)) >> 2] = (row + 1) | 0;
          break;
        }
        first = (first - 1) | 0;
        if (equal(nameOf(first) | 0, name) | 0) {
          place = (lasts + (first << 2)) | 0;
          slot = i32[place >> 2]! | 0;
          if ((slot | 0) == ((first + 1) | 0)) {
            i32[(repeated + (found << 2)) >> 2] = first;
            found = (found + 1) | 0;
          }
          i32[(nexts + ((slot - 1) << 2)) >> 2] = (row + 1) | 0;
          i32[place >> 2] = (row + 1) | 0;
          break;
        }
        slot = (slot + 1) | 0;
      }
    }
    return found | 0;
  }

  return { setup: setup, chain: chain };
}
