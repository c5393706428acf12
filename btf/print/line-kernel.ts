/*
 * The inner loop of the raw and JSON printers, in asm.js: the subset of JavaScript that V8 compiles ahead of its first call, to the same code as
 * WebAssembly. A dump runs once, for some hundredths of a second: as ordinary JavaScript a loop is interpreted for most of that time, while the
 * optimizing compiler takes longer than the dump will, and the processor with it. An engine without asm.js runs this text as the ordinary
 * JavaScript that it is.
 *
 * The rules of the subset (asmjs.org, "Validation"): values are 32-bit integers, and `| 0` or `>>> 0` says so wherever one is made; memory is one
 * ArrayBuffer, and `i32[p >> 2]` the word at the byte address p; there is no `&&`; `var` stands at the start of a function.
 */

/** What an instruction prints behind its literal. Its argument, where it has one, is said with it. */
export const OP: {
  readonly NOTHING: 0;
  /** The type's id. */
  readonly ID: 1;
  /** The string whose offset is in the word at that byte of the element (of the record, in its head). */
  readonly NAME: 2;
  readonly UNSIGNED: 3;
  readonly SIGNED: 4;
  /** vlen. */
  readonly VLEN: 5;
  /** A member's offset: 24 bits of its word where kind_flag says that the others are a width. */
  readonly OFFSET: 6;
  /** That width, and the literal, only where there is one. */
  readonly WIDTH: 7;
  /** An enumerator's value: signed where kind_flag is set; and as bpftool's JSON has it, which widens it as signed first. */
  readonly VALUE: 8;
  readonly WIDENED: 9;
  /** An enumerator's value of 64 bits. */
  readonly WIDE: 10;
  /** Eight bits of the record's fourth word, from that bit on. */
  readonly BITS: 11;
  /** One of several literals: see CHOICE. The argument is the list's address. */
  readonly CHOICE: 12;
  /** The name of the type whose id is the element's first word. */
  readonly TARGET: 13;
} = {
  NOTHING: 0,
  ID: 1,
  NAME: 2,
  UNSIGNED: 3,
  SIGNED: 4,
  VLEN: 5,
  OFFSET: 6,
  WIDTH: 7,
  VALUE: 8,
  WIDENED: 9,
  WIDE: 10,
  BITS: 11,
  CHOICE: 12,
  TARGET: 13,
};

/** What chooses a literal: kind_flag, vlen, the fourth word, its bits 24 to 27, the kind of the type that an element names. */
export const CHOICE: { readonly FLAG: 0; readonly VLEN: 1; readonly WORD: 2; readonly ENCODING: 3; readonly TARGET: 4 } = {
  FLAG: 0,
  VLEN: 1,
  WORD: 2,
  ENCODING: 3,
  TARGET: 4,
};

/** Byte addresses of what the kernel works on. */
export interface LineLayout {
  /** For each id, the address of its record. */
  readonly records: number;
  readonly strings: number;
  /** For numbers below 1000, three digits and how many they are without leading zeros (4 bytes). */
  readonly digits: number;
  /** By kind number to LAST_KIND + 1, which stands for all others: start and end of the programs of head, element and tail, bytes of an element (32 bytes). */
  readonly kinds: number;
  readonly unknown: number;
  /** What a nameless type is called: address and length. */
  readonly anonymous: number;
  readonly anonymousLength: number;
  /** Between records and between elements, 0 for nothing. */
  readonly separator: number;
  /** 1 where names are escaped as in JSON. */
  readonly quoting: number;
  /** Where output is written out. A line may go a kilobyte beyond, without its names. */
  readonly end: number;
}

/** What the kernel leaves to others. Each is given where output stands, and gives where it goes on. */
export interface LineHost {
  flush(at: number): number;
  /** Writes a number of 64 bits. */
  wide(at: number, low: number, high: number, signed: number): number;
  /** Writes a character that JSON has an quoting for. */
  escaped(at: number, byte: number): number;
}

export interface LineKernel {
  setup(
    records: number,
    strings: number,
    digits: number,
    kinds: number,
    unknown: number,
    anonymous: number,
    anonymousLength: number,
    separator: number,
    quoting: number,
    end: number,
  ): void;
  /** Turns the records of ids, indices of words, into addresses from `base` on. */
  place(first: number, count: number, base: number): void;
  /** Prints the types `first` to `count - 1`. @returns where output stands */
  print(first: number, count: number, at: number): number;
}

interface Standard {
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly Int32Array: Int32ArrayConstructor;
}

/** @param heap its length is to be a power of two from 2^16 on, or a multiple of 2^24 */
export function linkLineKernel(heap: ArrayBuffer, layout: LineLayout, host: LineHost): LineKernel {
  const kernel = LinesInAsm(globalThis, host, heap);
  const { records, strings, digits, kinds, unknown, anonymous, anonymousLength, separator, quoting, end } = layout;
  kernel.setup(records, strings, digits, kinds, unknown, anonymous, anonymousLength, separator, quoting, end);
  return kernel;
}

function LinesInAsm(stdlib: Standard, host: LineHost, heap: ArrayBuffer): LineKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var flush = host.flush;
  var wide = host.wide;
  var escaped = host.escaped;
  var records = 0;
  var strings = 0;
  var digits = 0;
  var kinds = 0;
  var unknown = 0;
  var anonymous = 0;
  var anonymousLength = 0;
  var separator = 0;
  var quoting = 0;
  var limit = 0;

  function setup(a: number, b: number, c: number, d: number, e: number, f: number, g: number, h: number, i: number, j: number): void {
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
    records = a;
    strings = b;
    digits = c;
    kinds = d;
    unknown = e;
    anonymous = f;
    anonymousLength = g;
    separator = h;
    quoting = i;
    limit = j;
  }

  function place(first: number, count: number, base: number): void {
    first = first | 0;
    count = count | 0;
    base = base | 0;
    var at = 0;
    for (; (first | 0) < (count | 0); first = (first + 1) | 0) {
      at = (records + (first << 2)) | 0;
      i32[at >> 2] = (base + (i32[at >> 2]! << 2)) | 0;
    }
  }

  function putLiteral(at: number, from: number, length: number): number {
    at = at | 0;
    from = from | 0;
    length = length | 0;
    var end = 0;
    end = (from + length) | 0;
    for (; (from | 0) < (end | 0); from = (from + 1) | 0) {
      u8[at >> 0] = u8[from >> 0]! | 0;
      at = (at + 1) | 0;
    }
    return at | 0;
  }

  function putName(at: number, offset: number): number {
    at = at | 0;
    offset = offset | 0;
    var from = 0;
    var byte = 0;
    if (!offset) return putLiteral(at, anonymous, anonymousLength) | 0;
    from = (strings + offset) | 0;
    byte = u8[from >> 0]! | 0;
    while (byte) {
      if (quoting)
        if ((byte | 0) < 32 ? 1 : (byte | 0) == 34 ? 1 : (byte | 0) == 92) {
          at = escaped(at | 0, byte | 0) | 0;
          from = (from + 1) | 0;
          byte = u8[from >> 0]! | 0;
          continue;
        }
      u8[at >> 0] = byte;
      at = (at + 1) | 0;
      if ((at | 0) > (limit | 0)) at = flush(at | 0) | 0;
      from = (from + 1) | 0;
      byte = u8[from >> 0]! | 0;
    }
    return at | 0;
  }

  /** Three digits at a time. */
  function putUnsigned(at: number, value: number): number {
    at = at | 0;
    value = value | 0;
    var high = 0;
    var low = 0;
    var length = 0;
    if (value >>> 0 < 1000) {
      low = (digits + (value << 2)) | 0;
      length = u8[(low + 3) >> 0]! | 0;
      low = (low + 3 - length) | 0;
      return putLiteral(at, low, length) | 0;
    }
    high = ((value >>> 0) / 1000) | 0;
    at = putUnsigned(at, high) | 0;
    low = (digits + ((((value >>> 0) % 1000) | 0) << 2)) | 0;
    u8[at >> 0] = u8[low >> 0]! | 0;
    u8[(at + 1) >> 0] = u8[(low + 1) >> 0]! | 0;
    u8[(at + 2) >> 0] = u8[(low + 2) >> 0]! | 0;
    return (at + 3) | 0;
  }

  function putSigned(at: number, value: number): number {
    at = at | 0;
    value = value | 0;
    if ((value | 0) >= 0) return putUnsigned(at, value) | 0;
    u8[at >> 0] = 45;
    return putUnsigned((at + 1) | 0, -value | 0) | 0;
  }

  /** A list is what it goes by, how many literals it has, the address and length of the one for all other values, then theirs. */
  function putChoice(at: number, list: number, record: number, element: number): number {
    at = at | 0;
    list = list | 0;
    record = record | 0;
    element = element | 0;
    var value = 0;
    var entry = 0;
    switch (i32[list >> 2]! | 0) {
      case 0:
        value = i32[(record + 4) >> 2]! >>> 31;
        break;
      case 1:
        value = i32[(record + 4) >> 2]! & 0xffffff;
        break;
      case 2:
        value = i32[(record + 12) >> 2]! | 0;
        break;
      case 3:
        value = (i32[(record + 12) >> 2]! >>> 24) & 15;
        break;
      case 4:
        value = i32[element >> 2]! | 0;
        if (value) value = (i32[((i32[(records + (value << 2)) >> 2]! | 0) + 4) >> 2]! >>> 24) & 127;
        break;
    }
    entry = (list + 8) | 0;
    if (value >>> 0 < i32[(list + 4) >> 2]! >>> 0) entry = (list + 16 + (value << 3)) | 0;
    return putLiteral(at, i32[entry >> 2]! | 0, i32[(entry + 4) >> 2]! | 0) | 0;
  }

  /** Runs a program: instructions of a literal's address and length, an operation and its argument. */
  function run(pc: number, end: number, at: number, record: number, element: number, id: number): number {
    pc = pc | 0;
    end = end | 0;
    at = at | 0;
    record = record | 0;
    element = element | 0;
    id = id | 0;
    var op = 0;
    var word = 0;
    var flag = 0;
    flag = i32[(record + 4) >> 2]! >>> 31;
    for (; (pc | 0) < (end | 0); pc = (pc + 16) | 0) {
      op = i32[(pc + 8) >> 2]! | 0;
      word = (element + (i32[(pc + 12) >> 2]! | 0)) | 0;
      if ((op | 0) == 7) {
        if (!flag) continue;
        if (!(i32[word >> 2]! >>> 24)) continue;
      }
      at = putLiteral(at, i32[pc >> 2]! | 0, i32[(pc + 4) >> 2]! | 0) | 0;
      switch (op | 0) {
        case 1:
          at = putUnsigned(at, id) | 0;
          break;
        case 2:
          at = putName(at, i32[word >> 2]! | 0) | 0;
          break;
        case 3:
          at = putUnsigned(at, i32[word >> 2]! | 0) | 0;
          break;
        case 4:
          at = putSigned(at, i32[word >> 2]! | 0) | 0;
          break;
        case 5:
          at = putUnsigned(at, i32[(record + 4) >> 2]! & 0xffffff) | 0;
          break;
        case 6:
          word = i32[word >> 2]! | 0;
          if (flag) word = word & 0xffffff;
          at = putUnsigned(at, word) | 0;
          break;
        case 7:
          at = putUnsigned(at, i32[word >> 2]! >>> 24) | 0;
          break;
        case 8:
          word = i32[word >> 2]! | 0;
          if (flag) at = putSigned(at, word) | 0;
          else at = putUnsigned(at, word) | 0;
          break;
        case 9:
          word = i32[word >> 2]! | 0;
          if (flag ? 1 : (word | 0) >= 0) at = putSigned(at, word) | 0;
          else at = wide(at | 0, word | 0, -1, 0) | 0;
          break;
        case 10:
          at = wide(at | 0, i32[word >> 2]! | 0, i32[(word + 4) >> 2]! | 0, flag | 0) | 0;
          break;
        case 11:
          at = putUnsigned(at, (i32[(record + 12) >> 2]! >>> (i32[(pc + 12) >> 2]! | 0)) & 255) | 0;
          break;
        case 12:
          at = putChoice(at, i32[(pc + 12) >> 2]! | 0, record, element) | 0;
          break;
        case 13:
          word = i32[element >> 2]! | 0;
          if (word) word = i32[(i32[(records + (word << 2)) >> 2]! | 0) >> 2]! | 0;
          at = putName(at, word) | 0;
          break;
      }
    }
    return at | 0;
  }

  function print(first: number, count: number, at: number): number {
    first = first | 0;
    count = count | 0;
    at = at | 0;
    var id = 0;
    var record = 0;
    var element = 0;
    var kind = 0;
    var step = 0;
    var left = 0;
    for (id = first; (id | 0) < (count | 0); id = (id + 1) | 0) {
      if ((at | 0) > (limit | 0)) at = flush(at | 0) | 0;
      if (separator)
        if ((id | 0) > (first | 0)) {
          u8[at >> 0] = separator;
          at = (at + 1) | 0;
        }
      record = i32[(records + (id << 2)) >> 2]! | 0;
      kind = (i32[(record + 4) >> 2]! >>> 24) & 127;
      if ((kind | 0) > (unknown | 0)) kind = unknown;
      kind = (kinds + (kind << 5)) | 0;
      at = run(i32[kind >> 2]! | 0, i32[(kind + 4) >> 2]! | 0, at, record, record, id) | 0;
      step = i32[(kind + 24) >> 2]! | 0;
      if (step) {
        element = (record + 12) | 0;
        for (left = i32[(record + 4) >> 2]! & 0xffffff; left | 0; left = (left - 1) | 0) {
          if ((at | 0) > (limit | 0)) at = flush(at | 0) | 0;
          at = run(i32[(kind + 8) >> 2]! | 0, i32[(kind + 12) >> 2]! | 0, at, record, element, id) | 0;
          element = (element + step) | 0;
          if (separator)
            if ((left | 0) > 1) {
              u8[at >> 0] = separator;
              at = (at + 1) | 0;
            }
        }
      }
      at = run(i32[(kind + 16) >> 2]! | 0, i32[(kind + 20) >> 2]! | 0, at, record, record, id) | 0;
    }
    return at | 0;
  }

  return { setup: setup, place: place, print: print };
}
