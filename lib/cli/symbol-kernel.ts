/*
 * Prints the rows of a symbol table, in asm.js: the subset of JavaScript that is compiled ahead of its first call. Why, and by what rules:
 * btf/print/line-kernel.ts. A kernel has 100,000 symbols and a command prints them once.
 */

/** Byte addresses of the columns of a table, row by row, and of what rows share. */
export interface SymbolLayout {
  readonly nameOffset: number;
  /** 64-bit values, the low half first. */
  readonly value: number;
  readonly size: number;
  readonly info: number;
  readonly sectionIndex: number;
  /** The address and length of a file's text, by the index of its STT_FILE symbol; 0 where not made. */
  readonly files: number;
  /** The index of that symbol, by row. */
  readonly fileSymbol: number;
  readonly strings: number;
  readonly stringsLength: number;
  /** A hash table of 2^16 slots: st_info, section index, address and length of the text for both. */
  readonly kinds: number;
  /** Hexadecimal digits. */
  readonly digits: number;
  /** Where output is written out. A row may go some kilobytes beyond, without its name. */
  readonly end: number;
}

/** What is left to the caller. Where output stands goes in, where it goes on comes back. */
export interface SymbolHost {
  flush(at: number): number;
  /** Makes the text of a row's type, binding and section, in the slot at that address. */
  kind(row: number, slot: number): void;
  /** Makes the text of a file. */
  file(symbol: number): void;
  /** Writes a size beyond 32 bits. */
  wide(at: number, row: number): number;
  /** Writes a control character. */
  control(at: number, byte: number): number;
  /** A name is outside of the table of names. */
  damaged(): void;
}

export interface SymbolKernel {
  setup(
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
    l: number,
  ): void;
  /** Prints the rows whose indices are the words from `first` to `last`. @returns where output stands */
  print(first: number, last: number, wide: number, at: number): number;
}

interface Standard {
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly Int32Array: Int32ArrayConstructor;
  readonly Math: { imul(a: number, b: number): number };
}

/** @param heap its length is to be a power of two from 2^16 on, or a multiple of 2^24 */
export function linkSymbolKernel(heap: ArrayBuffer, l: SymbolLayout, host: SymbolHost): SymbolKernel {
  const kernel = SymbolsInAsm(globalThis, host, heap);
  kernel.setup(
    l.nameOffset,
    l.value,
    l.size,
    l.info,
    l.sectionIndex,
    l.files,
    l.fileSymbol,
    l.strings,
    l.stringsLength,
    l.kinds,
    l.digits,
    l.end,
  );
  return kernel;
}

function SymbolsInAsm(stdlib: Standard, host: SymbolHost, heap: ArrayBuffer): SymbolKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var imul = stdlib.Math.imul;
  var flush = host.flush;
  var kindOf = host.kind;
  var fileOf = host.file;
  var wideOf = host.wide;
  var control = host.control;
  var damaged = host.damaged;
  var nameOffsets = 0;
  var values = 0;
  var sizes = 0;
  var infos = 0;
  var sections = 0;
  var files = 0;
  var fileSymbols = 0;
  var strings = 0;
  var stringsLength = 0;
  var kinds = 0;
  var digits = 0;
  var limit = 0;

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
    l: number,
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
    l = l | 0;
    nameOffsets = a;
    values = b;
    sizes = c;
    infos = d;
    sections = e;
    files = f;
    fileSymbols = g;
    strings = h;
    stringsLength = i;
    kinds = j;
    digits = k;
    limit = l;
  }

  function putText(at: number, from: number, length: number): number {
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

  function putHex(at: number, word: number): number {
    at = at | 0;
    word = word | 0;
    var shift = 28;
    for (; (shift | 0) >= 0; shift = (shift - 4) | 0) {
      u8[at >> 0] = u8[(digits + ((word >>> shift) & 15)) >> 0]! | 0;
      at = (at + 1) | 0;
    }
    return at | 0;
  }

  /** In decimal, eight characters wide at least. */
  function putDecimal(at: number, value: number): number {
    at = at | 0;
    value = value | 0;
    var end = 0;
    var place = 0;
    end = (at + 8) | 0;
    if (value >>> 0 > 99999999) end = (end + 1) | 0;
    if (value >>> 0 > 999999999) end = (end + 1) | 0;
    place = end;
    do {
      place = (place - 1) | 0;
      u8[place >> 0] = (48 + (((value >>> 0) % 10) | 0)) | 0;
      value = ((value >>> 0) / 10) | 0;
    } while (value | 0);
    while ((place | 0) > (at | 0)) {
      place = (place - 1) | 0;
      u8[place >> 0] = 32;
    }
    return end | 0;
  }

  /** As far as the NUL; there is one behind the strings. */
  function putName(at: number, from: number): number {
    at = at | 0;
    from = from | 0;
    var byte = 0;
    byte = u8[from >> 0]! | 0;
    while (byte) {
      if ((byte | 0) < 32 ? 1 : (byte | 0) == 127) at = control(at | 0, byte | 0) | 0;
      else {
        u8[at >> 0] = byte;
        at = (at + 1) | 0;
      }
      if ((at | 0) > (limit | 0)) at = flush(at | 0) | 0;
      from = (from + 1) | 0;
      byte = u8[from >> 0]! | 0;
    }
    return at | 0;
  }

  function putKind(at: number, row: number): number {
    at = at | 0;
    row = row | 0;
    var info = 0;
    var section = 0;
    var slot = 0;
    info = u8[(infos + row) >> 0]! | 0;
    section = i32[(sections + (row << 2)) >> 2]! | 0;
    slot = imul((section << 8) ^ info, 0x9e3779b1 | 0) >>> 16;
    while (1) {
      slot = (kinds + ((slot & 0xffff) << 4)) | 0;
      if (!(i32[(slot + 8) >> 2]! | 0)) {
        kindOf(row | 0, slot | 0);
        break;
      }
      if ((i32[slot >> 2]! | 0) == (info | 0)) if ((i32[(slot + 4) >> 2]! | 0) == (section | 0)) break;
      slot = (((slot - kinds) >> 4) + 1) | 0;
    }
    return putText(at, i32[(slot + 8) >> 2]! | 0, i32[(slot + 12) >> 2]! | 0) | 0;
  }

  function print(first: number, last: number, wide: number, at: number): number {
    first = first | 0;
    last = last | 0;
    wide = wide | 0;
    at = at | 0;
    var row = 0;
    var word = 0;
    for (; (first | 0) < (last | 0); first = (first + 4) | 0) {
      if ((at | 0) > (limit | 0)) at = flush(at | 0) | 0;
      row = i32[first >> 2]! | 0;
      word = (values + (row << 3)) | 0;
      if (wide) at = putHex(at, i32[(word + 4) >> 2]! | 0) | 0;
      at = putHex(at, i32[word >> 2]! | 0) | 0;
      u8[at >> 0] = 32;
      at = (at + 1) | 0;
      word = (sizes + (row << 3)) | 0;
      if (i32[(word + 4) >> 2]! | 0) at = wideOf(at | 0, row | 0) | 0;
      else at = putDecimal(at, i32[word >> 2]! | 0) | 0;
      at = putKind(at, row) | 0;
      word = i32[(nameOffsets + (row << 2)) >> 2]! | 0;
      if (word >>> 0 < stringsLength >>> 0) at = putName(at, (strings + word) | 0) | 0;
      else damaged();
      word = i32[(fileSymbols + (row << 2)) >> 2]! | 0;
      if (word) {
        row = (files + (word << 3)) | 0;
        if (!(i32[row >> 2]! | 0)) fileOf(word | 0);
        at = putText(at, i32[row >> 2]! | 0, i32[(row + 4) >> 2]! | 0) | 0;
      }
      u8[at >> 0] = 10;
      at = (at + 1) | 0;
    }
    return at | 0;
  }

  return { setup: setup, print: print };
}
