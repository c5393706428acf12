import { asmHeap, LARGEST_HEAP } from './asm-heap.js';
import { FormatError } from './errors.js';

/*
 * A radix sort by digits of 16 bits, in asm.js: the subset of JavaScript that is compiled ahead of its first call. Why, and by what rules:
 * btf/print/line-kernel.ts. A command sorts 120,000 addresses once.
 */

interface OrderKernel {
  setup(values: number, one: number, other: number, counts: number): void;
  /** Orders the rows up to `count`. @returns where they are: `one` or `other` */
  order(count: number): number;
}

interface Standard {
  readonly Uint16Array: Uint16ArrayConstructor;
  readonly Int32Array: Int32ArrayConstructor;
}

/** Indices of 64-bit values, given by their halves, the low one first, in ascending order; equal values keep their order. */
export function radixOrder(halves: Uint32Array): Uint32Array<ArrayBuffer> {
  const count = halves.length >>> 1;
  const one = count * 8;
  const other = one + count * 4;
  const counts = other + count * 4;
  const size = counts + (4 << 16);
  if (size > LARGEST_HEAP) throw new FormatError('limit', { name: 'addresses' }, `${count} are too many to order`);
  const heap = asmHeap(size);
  const kernel = OrderInAsm(globalThis, {}, heap);
  const words = new Uint32Array(heap);
  words.set(halves);
  kernel.setup(0, one, other, counts);
  const start = kernel.order(count) >>> 2;
  return words.slice(start, start + count);
}

function OrderInAsm(stdlib: Standard, _: object, heap: ArrayBuffer): OrderKernel {
  'use asm';
  var u16 = new stdlib.Uint16Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var values = 0;
  var one = 0;
  var other = 0;
  var counts = 0;

  function setup(a: number, b: number, c: number, d: number): void {
    a = a | 0;
    b = b | 0;
    c = c | 0;
    d = d | 0;
    values = a;
    one = b;
    other = c;
    counts = d;
  }

  /** Counts how often each value of a digit occurs. @returns 1 where all rows share one: such a digit orders nothing */
  function tally(digit: number, count: number): number {
    digit = digit | 0;
    count = count | 0;
    var place = 0;
    var end = 0;
    for (end = (counts + 0x40000) | 0, place = counts; (place | 0) < (end | 0); place = (place + 4) | 0) i32[place >> 2] = 0;
    end = (digit + (count << 3)) | 0;
    for (; (digit | 0) < (end | 0); digit = (digit + 8) | 0) {
      place = (counts + ((u16[digit >> 1]! | 0) << 2)) | 0;
      i32[place >> 2] = ((i32[place >> 2]! | 0) + 1) | 0;
    }
    if ((i32[place >> 2]! | 0) == (count | 0)) return 1;
    return 0;
  }

  /** Turns how often each digit occurs into where its first row goes. */
  function sumUp(to: number): void {
    to = to | 0;
    var place = 0;
    var end = 0;
    var found = 0;
    end = (counts + 0x40000) | 0;
    for (place = counts; (place | 0) < (end | 0); place = (place + 4) | 0) {
      found = i32[place >> 2]! | 0;
      i32[place >> 2] = to;
      to = (to + (found << 2)) | 0;
    }
  }

  function distribute(digit: number, from: number, count: number): void {
    digit = digit | 0;
    from = from | 0;
    count = count | 0;
    var end = 0;
    var row = 0;
    var place = 0;
    var to = 0;
    end = (from + (count << 2)) | 0;
    for (; (from | 0) < (end | 0); from = (from + 4) | 0) {
      row = i32[from >> 2]! | 0;
      place = (counts + ((u16[(digit + (row << 3)) >> 1]! | 0) << 2)) | 0;
      to = i32[place >> 2]! | 0;
      i32[to >> 2] = row;
      i32[place >> 2] = (to + 4) | 0;
    }
  }

  function order(count: number): number {
    count = count | 0;
    var row = 0;
    var from = 0;
    var to = 0;
    var spare = 0;
    var digit = 0;
    var end = 0;
    from = one;
    to = other;
    for (; (row | 0) < (count | 0); row = (row + 1) | 0) i32[(from + (row << 2)) >> 2] = row;
    digit = values;
    end = (values + 8) | 0;
    for (; (digit | 0) < (end | 0); digit = (digit + 2) | 0) {
      if (tally(digit, count) | 0) continue;
      sumUp(to);
      distribute(digit, from, count);
      spare = from;
      from = to;
      to = spare;
    }
    return from | 0;
  }

  return { setup: setup, order: order };
}
