/*
 * The pass over the records of a blob, in asm.js (why, and by what rules: print/line-kernel.ts). A kernel's BTF has a hundred thousand records, and
 * every command on BTF reads them once.
 */

/** What a record does wrong, as `fail` is told it. */
export const FLAW = { KIND: 0, LENGTH: 1, NAME: 2 } as const;

/** What is said of a kind, four words for each of 128. */
export const KIND_TABLE = {
  /** Bytes that it adds once, or -1 where that is not known; and for each of its elements. */
  TAIL: 0,
  ELEMENT: 1,
  /** 1 where the third word is a type id; 2 where elements begin with a name; 4 where the first two words of the tail are type ids. */
  FLAGS: 2,
  /** Where elements have a type id, in bytes; -1 for nowhere. */
  PLACE: 3,
  WORDS: 4,
} as const;

export interface ScanHost {
  /** The address of the table of kinds. */
  readonly kinds: number;
  /** The address of four words: where the pass ended, how many records there are, the largest type id, and where that stands. */
  readonly results: number;
  /** Throws. @param at the address of the record, or of the name @param count of the records before it */
  fail(flaw: number, at: number, count: number): void;
}

export interface ScanKernel {
  /** Reads the records from `start` up to `end`, and writes to `offsets` where each begins, as an index of words from `start`. */
  scan(start: number, end: number, offsets: number, stringEnd: number): void;
}

interface Standard {
  readonly Int32Array: Int32ArrayConstructor;
  readonly Math: { imul(a: number, b: number): number };
}

export function linkScanKernel(heap: ArrayBuffer, host: ScanHost): ScanKernel {
  return ScanInAsm(globalThis, host, heap);
}

function ScanInAsm(stdlib: Standard, host: ScanHost, heap: ArrayBuffer): ScanKernel {
  'use asm';
  var i32 = new stdlib.Int32Array(heap);
  var imul = stdlib.Math.imul;
  var fail = host.fail;
  var kinds = host.kinds | 0;
  var results = host.results | 0;

  function scan(start: number, end: number, offsets: number, stringEnd: number): void {
    start = start | 0;
    end = end | 0;
    offsets = offsets | 0;
    stringEnd = stringEnd | 0;
    var at = 0;
    var count = 0;
    var kind = 0;
    var element = 0;
    var next = 0;
    var step = 0;
    var flags = 0;
    var place = 0;
    var left = 0;
    var largest = 0;
    var largestAt = 0;
    at = start;
    while (((at + 12) | 0) <= (end | 0)) {
      left = i32[(at + 4) >> 2]! | 0;
      kind = (kinds + (((left >>> 24) & 127) << 4)) | 0;
      left = left & 0xffffff;
      element = i32[kind >> 2]! | 0;
      if ((element | 0) < 0) fail(0, at | 0, count | 0);
      step = i32[(kind + 4) >> 2]! | 0;
      flags = i32[(kind + 8) >> 2]! | 0;
      element = (at + 12 + element) | 0;
      if ((element | 0) > (end | 0)) fail(1, at | 0, count | 0);
      // Divided, for the product may have more than 32 bits.
      if (step) if (left >>> 0 > ((((end - element) | 0) >>> 0) / (step >>> 0)) >>> 0) fail(1, at | 0, count | 0);
      next = (element + imul(left, step)) | 0;
      i32[(offsets + (count << 2)) >> 2] = (at - start) >> 2;
      if (i32[at >> 2]! >>> 0 >= stringEnd >>> 0) fail(2, at | 0, count | 0);
      if (flags & 1)
        if (i32[(at + 8) >> 2]! >>> 0 > largest >>> 0) {
          largestAt = (at + 8) | 0;
          largest = i32[largestAt >> 2]! | 0;
        }
      if (flags & 4) {
        if (i32[(at + 12) >> 2]! >>> 0 > largest >>> 0) {
          largestAt = (at + 12) | 0;
          largest = i32[largestAt >> 2]! | 0;
        }
        if (i32[(at + 16) >> 2]! >>> 0 > largest >>> 0) {
          largestAt = (at + 16) | 0;
          largest = i32[largestAt >> 2]! | 0;
        }
      }
      place = i32[(kind + 12) >> 2]! | 0;
      if ((flags & 2) | ((place | 0) >= 0 ? 1 : 0))
        for (; (element | 0) < (next | 0); element = (element + step) | 0) {
          if (flags & 2) if (i32[element >> 2]! >>> 0 >= stringEnd >>> 0) fail(2, element | 0, count | 0);
          if ((place | 0) >= 0)
            if (i32[(element + place) >> 2]! >>> 0 > largest >>> 0) {
              largestAt = (element + place) | 0;
              largest = i32[largestAt >> 2]! | 0;
            }
        }
      count = (count + 1) | 0;
      at = next;
    }
    i32[results >> 2] = at;
    i32[(results + 4) >> 2] = count;
    i32[(results + 8) >> 2] = largest;
    i32[(results + 12) >> 2] = largestAt;
  }

  return { scan: scan };
}
