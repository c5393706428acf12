import { asmHeap, LARGEST_HEAP } from '../elf/asm-heap.js';

/*
 * The loops over the packed symbols of a kernel, in asm.js: the subset of JavaScript that is compiled ahead of its first call. Why, and by what
 * rules: btf/print/line-kernel.ts. A kernel has 120,000 symbols of ten tokens each, and a command unpacks them once.
 */

/** What {@link UnpackKernel.expand} ends with. */
export const ENDS: { readonly ALL: 0; readonly CUT: 1; readonly LONG_TABLE: 2; readonly LONG_NAME: 3; readonly FULL: 4 } = {
  /** All names are expanded. */
  ALL: 0,
  /** A name has no tokens, or more than are left. */
  CUT: 1,
  /** The names together are longer than allowed. */
  LONG_TABLE: 2,
  /** One name is longer than allowed. */
  LONG_NAME: 3,
  /** The space for the names is used up. */
  FULL: 4,
};

/** How an address is made of a word of `kallsyms_offsets`. */
export const MAKES: { readonly ABSOLUTE: 0; readonly BASE: 1; readonly PERCPU: 2; readonly PLACE: 3 } = {
  /** It is the word. */
  ABSOLUTE: 0,
  /** The base and the word, unsigned. */
  BASE: 1,
  /** The word where it is not negative, else the base and what it is below -1. */
  PERCPU: 2,
  /** The word's own place and the word, signed. */
  PLACE: 3,
};

/** What a {@link UnpackKernel} is made for. Columns are views of its memory. */
export interface UnpackMemory {
  readonly kernel: UnpackKernel;
  /** The letters. */
  readonly type: Uint8Array;
  readonly nameOffset: Uint32Array;
  /** What the names go to. */
  readonly strings: Uint8Array;
  /** The words of `kallsyms_offsets`: to be filled. */
  readonly offsets: Int32Array;
  /** Addresses, as pairs of halves, the low one first. */
  readonly addresses: Uint32Array;
}

export interface UnpackInput {
  readonly count: number;
  /** Runs of tokens, each behind its length. */
  readonly packed: Uint8Array;
  readonly tokens: Uint8Array;
  /** Where each of the 256 tokens begins, and where it ends. */
  readonly tokenStart: ArrayLike<number>;
  readonly tokenEnd: ArrayLike<number>;
  /** Where each 256th symbol begins; -1 where that is not known. */
  readonly markers: ArrayLike<number>;
  /** Bytes for the names. */
  readonly space: number;
}

export interface UnpackKernel {
  setup(a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number, j: number, k: number): void;
  /** 1 where lengths, read so, lead to each marker and to the end. */
  arrives(count: number, long: number): number;
  /** Expands the names. @param longest of a name, with its letter @param most of all names @returns one of {@link ENDS} */
  expand(count: number, long: number, longest: number, most: number): number;
  /** Where `expand` ended: the row, how many tokens it has, its place in the packed names, the length of the names. */
  row(): number;
  tokens(): number;
  at(): number;
  length(): number;
  negative(count: number): number;
  /** @param makes one of {@link MAKES} @param wide 0 where addresses have 32 bits */
  place(count: number, makes: number, low: number, high: number, wide: number): void;
}

interface Standard {
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly Int32Array: Int32ArrayConstructor;
}

/** @returns undefined where that is more than asm.js addresses */
export function unpackMemory({ count, packed, tokens, tokenStart, tokenEnd, markers, space }: UnpackInput): UnpackMemory | undefined {
  let top = 0;
  const take = (bytes: number): number => {
    const start = top;
    top += (bytes + 7) & ~7;
    return start;
  };
  const startsAt = take(1024);
  const endsAt = take(1024);
  const markersAt = take(markers.length * 4);
  const tokensAt = take(tokens.length);
  const offsetsAt = take(count * 4);
  const addressesAt = take(count * 8);
  const namesAt = take(count * 4);
  const typesAt = take(count);
  const packedAt = take(packed.length);
  const stringsAt = take(space);
  if (top > LARGEST_HEAP) return undefined;
  const heap = asmHeap(top);
  const bytes = new Uint8Array(heap);
  const words = new Int32Array(heap);
  for (let token = 0; token < 256; token++) {
    words[(startsAt >> 2) + token] = tokensAt + tokenStart[token]!;
    words[(endsAt >> 2) + token] = tokensAt + tokenEnd[token]!;
  }
  words.set(markers, markersAt >> 2);
  bytes.set(tokens, tokensAt);
  bytes.set(packed, packedAt);
  const kernel = UnpackInAsm(globalThis, {}, heap);
  kernel.setup(packedAt, packed.length, startsAt, endsAt, markersAt, typesAt, namesAt, stringsAt, space, offsetsAt, addressesAt);
  return {
    kernel,
    type: bytes.subarray(typesAt, typesAt + count),
    nameOffset: new Uint32Array(heap, namesAt, count),
    strings: bytes.subarray(stringsAt, stringsAt + space),
    offsets: words.subarray(offsetsAt >> 2, (offsetsAt >> 2) + count),
    addresses: new Uint32Array(heap, addressesAt, count * 2),
  };
}

function UnpackInAsm(stdlib: Standard, _: object, heap: ArrayBuffer): UnpackKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var packed = 0;
  var packedEnd = 0;
  var starts = 0;
  var ends = 0;
  var markers = 0;
  var types = 0;
  var names = 0;
  var strings = 0;
  var stringsEnd = 0;
  var offsets = 0;
  var addresses = 0;
  var lastRow = 0;
  var lastTokens = 0;
  var lastAt = 0;
  var lastLength = 0;

  function setup(
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
    g: number,
    h: number,
    i: number,
    j: number,
    k: number,
  ): void {
    a = a | 0;
    b = b | 0;
    c = c | 0;
    d = d | 0;
    e = e | 0;
    f = f | 0;
    g = g | 0;
    h = h | 0;
    i = i | 0;
    j = j | 0;
    k = k | 0;
    packed = a;
    packedEnd = (a + b) | 0;
    starts = c;
    ends = d;
    markers = e;
    types = f;
    names = g;
    strings = h;
    stringsEnd = (h + i) | 0;
    offsets = j;
    addresses = k;
  }

  /** How many tokens the name at that address has. */
  function tokensAt(at: number, long: number): number {
    at = at | 0;
    long = long | 0;
    var first = 0;
    if ((at | 0) >= (packedEnd | 0)) return 0;
    first = u8[at >> 0]! | 0;
    if (!long) return first | 0;
    if ((first | 0) < 0x80) return first | 0;
    at = (at + 1) | 0;
    first = first & 0x7f;
    if ((at | 0) < (packedEnd | 0)) first = first | ((u8[at >> 0]! | 0) << 7);
    return first | 0;
  }

  /** How many bytes the length at that address takes. */
  function widthAt(at: number, long: number): number {
    at = at | 0;
    long = long | 0;
    if (!long) return 1;
    return (1 + ((u8[at >> 0]! | 0) >>> 7)) | 0;
  }

  function arrives(count: number, long: number): number {
    count = count | 0;
    long = long | 0;
    var row = 0;
    var at = 0;
    at = packed;
    for (; (row | 0) < (count | 0); row = (row + 1) | 0) {
      if (!(row & 255)) if ((i32[(markers + (row >> 6)) >> 2]! | 0) != ((at - packed) | 0)) return 0;
      if ((at | 0) >= (packedEnd | 0)) return 0;
      at = (at + (widthAt(at, long) | 0) + (tokensAt(at, long) | 0)) | 0;
      if ((at | 0) > (packedEnd | 0)) return 0;
    }
    if (((packedEnd - at) | 0) < 8) return 1;
    return 0;
  }

  function expand(count: number, long: number, longest: number, most: number): number {
    count = count | 0;
    long = long | 0;
    longest = longest | 0;
    most = most | 0;
    var at = 0;
    var next = 0;
    var to = 0;
    var begin = 0;
    var from = 0;
    var end = 0;
    var token = 0;
    at = packed;
    to = strings;
    most = (strings + most) | 0;
    for (lastRow = 0; (lastRow | 0) < (count | 0); lastRow = (lastRow + 1) | 0) {
      lastAt = (at - packed) | 0;
      lastTokens = tokensAt(at, long) | 0;
      if (!lastTokens) return 1;
      at = (at + (widthAt(at, long) | 0)) | 0;
      next = (at + lastTokens) | 0;
      if ((next | 0) > (packedEnd | 0)) return 1;
      if ((to | 0) > (most | 0)) return 2;
      if (((to + longest) | 0) > (stringsEnd | 0)) return 4;
      begin = to;
      for (; (at | 0) < (next | 0); at = (at + 1) | 0) {
        token = (u8[at >> 0]! | 0) << 2;
        from = i32[(starts + token) >> 2]! | 0;
        end = i32[(ends + token) >> 2]! | 0;
        if (((to - begin + end - from) | 0) >= (longest | 0)) return 3;
        for (; (from | 0) < (end | 0); from = (from + 1) | 0) {
          u8[to >> 0] = u8[from >> 0]! | 0;
          to = (to + 1) | 0;
        }
      }
      // The letter stays where it is: the name begins behind it.
      u8[(types + lastRow) >> 0] = u8[begin >> 0]! | 0;
      i32[(names + (lastRow << 2)) >> 2] = (begin - strings + 1) | 0;
      if ((to | 0) == (begin | 0)) to = (to + 1) | 0;
      u8[to >> 0] = 0;
      to = (to + 1) | 0;
      lastLength = (to - strings) | 0;
    }
    return 0;
  }

  function row(): number {
    return lastRow | 0;
  }

  function tokens(): number {
    return lastTokens | 0;
  }

  function at(): number {
    return lastAt | 0;
  }

  function length(): number {
    return lastLength | 0;
  }

  function negative(count: number): number {
    count = count | 0;
    var found = 0;
    var place = 0;
    var end = 0;
    place = offsets;
    end = (offsets + (count << 2)) | 0;
    for (; (place | 0) < (end | 0); place = (place + 4) | 0) found = (found + ((i32[place >> 2]! | 0) >>> 31)) | 0;
    return found | 0;
  }

  function place(count: number, makes: number, low: number, high: number, wide: number): void {
    count = count | 0;
    makes = makes | 0;
    low = low | 0;
    high = high | 0;
    wide = wide | 0;
    var from = 0;
    var to = 0;
    var end = 0;
    var word = 0;
    var based = 0;
    var sum = 0;
    var upper = 0;
    from = offsets;
    to = addresses;
    end = (offsets + (count << 2)) | 0;
    for (; (from | 0) < (end | 0); from = (from + 4) | 0) {
      word = i32[from >> 2]! | 0;
      based = makes;
      if ((makes | 0) == 2) {
        based = word >>> 31;
        if (based) word = ~word;
      }
      sum = word;
      upper = 0;
      if (based) {
        sum = (low + word) | 0;
        upper = high;
        if ((makes | 0) == 3) upper = (upper + (word >> 31)) | 0;
        if (sum >>> 0 < low >>> 0) upper = (upper + 1) | 0;
      }
      i32[to >> 2] = sum;
      i32[(to + 4) >> 2] = wide ? upper : 0;
      to = (to + 8) | 0;
      if ((makes | 0) == 3) {
        low = (low + 4) | 0;
        if (low >>> 0 < 4) high = (high + 1) | 0;
      }
    }
  }

  return {
    setup: setup,
    arrives: arrives,
    expand: expand,
    row: row,
    tokens: tokens,
    at: at,
    length: length,
    negative: negative,
    place: place,
  };
}
