/*
 * What the parts of the C printer share, in asm.js (why, and by what rules: line-kernel.ts): they put text, number names, and count their work.
 */

/** The text that C is made of. It stands on the heap, each piece with a NUL behind it; the parts are given the addresses by these names. */
export const TEXT = {
  void: 'void',
  struct: 'struct',
  union: 'union',
  enum: 'enum',
  anonymous: ' {...}',
  open: ' {',
  packed: ' __attribute__((packed))',
  typedef: 'typedef ',
  close: ';\n\n',
  compilersList: '__builtin_va_list',
  oldList: '__gnuc_va_list',
  oldListDefined: 'typedef __builtin_va_list __gnuc_va_list',
  copy: '___',
  star: ' *',
  const: ' const',
  volatile: ' volatile',
  restrict: ' restrict',
  tagBefore: ' __attribute__((btf_type_tag("',
  tagBehind: '")))',
  noParameters: '(void)',
  separator: ', ',
  variadic: '...',
  value: ' = ',
  width: ': ',
  long: 'long',
  int: 'int',
  short: 'short',
  char: 'char',
} as const;

/** What all parts are told: the addresses of the text and of what {@link BlobHeap} has. */
export interface Places extends Readonly<Record<keyof typeof TEXT, number>> {
  /** For each id, the address of its record. */
  readonly records: number;
  readonly strings: number;
  readonly output: number;
  readonly end: number;
  /** Steps that the blob's size justifies, for each part. A damaged blob of a few hundred bytes can describe a text of as many terabytes. */
  readonly work: number;
}

/** Kinds of errors, as {@link Fail} is told them. */
export const FAULT = { NESTING: 0, ITSELF: 1, KIND: 2, LENGTH: 3, DECLARATIONS: 4, CHAIN: 5, DEPTH: 6, SIZE: 7, PART: 8 } as const;

/** Throws. */
export type Fail = (fault: number, id: number) => void;

/** Where names are counted. */
export interface NameTables {
  /** For each id a word, all zero. */
  readonly copies: number;
  /** A hash table of words, all zero: a power of two of them, of which `mask` is one less. */
  readonly heads: number;
  readonly mask: number;
  /** 16 bytes for each name that may come. */
  readonly names: number;
}

export interface TextHost extends Places, NameTables {
  /** 1 in a header, where types of one name are numbered. Elsewhere the tables for that are not used. */
  readonly header: number;
  /** Writes out. @param at where output stands @returns where it goes on */
  flush(at: number): number;
  /** Puts the name that is declared, where its address is 1. */
  given(at: number): number;
  /** Puts an enumerator of 64 bits. */
  wide(at: number, low: number, high: number, signed: number): number;
  fail: Fail;
}

export interface TextKernel {
  /** Turns the records of ids, indices of words, into addresses, `base` being that of the first word. To be called for each layer, and first. */
  place(first: number, count: number, base: number): void;
  /** Begins anew. */
  begin(): void;
  /** Writes out what there is. */
  finish(): void;
  /** Puts text up to its NUL: a literal or a name. */
  put(from: number): void;
  putByte(byte: number): void;
  putUnsigned(value: number): void;
  putWide(low: number, high: number, signed: number): void;
  /** The end of a line and the indentation of the next: 13 tabs at most, as bpftool has it. */
  putLine(level: number): void;
  /** A name, from the second of that name on with its number: `name___2`. */
  putName(name: number, copy: number): void;
  /** The how-manieth of its name a named type is. */
  copyOf(id: number): number;
  /** How often a name has come, this time among them. Structs, unions and enums (0) count apart from typedefs and enumerators (1). */
  count(name: number, space: number): number;
  /** 1 where the text at two addresses is the same. */
  same(one: number, other: number): number;
}

export interface Standard {
  readonly Uint8Array: Uint8ArrayConstructor;
  readonly Int32Array: Int32ArrayConstructor;
  readonly Math: { imul(a: number, b: number): number; ceil(value: number): number };
}

export function linkTextKernel(heap: ArrayBuffer, host: TextHost): TextKernel {
  return TextInAsm(globalThis, host, heap);
}

function TextInAsm(stdlib: Standard, host: TextHost, heap: ArrayBuffer): TextKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var imul = stdlib.Math.imul;
  var flush = host.flush;
  var given = host.given;
  var wide = host.wide;
  var fail = host.fail;
  var records = host.records | 0;
  var strings = host.strings | 0;
  var output = host.output | 0;
  var limit = host.end | 0;
  var header = host.header | 0;
  var copies = host.copies | 0;
  var heads = host.heads | 0;
  var mask = host.mask | 0;
  var free = host.names | 0;
  var work = host.work | 0;
  var COPY = host.copy | 0;
  /** Where output stands. */
  var out = 0;

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

  function begin(): void {
    out = output;
  }

  function finish(): void {
    out = flush(out | 0) | 0;
  }

  function put(from: number): void {
    from = from | 0;
    var at = 0;
    var byte = 0;
    at = out;
    byte = u8[from >> 0]! | 0;
    while (byte) {
      u8[at >> 0] = byte;
      at = (at + 1) | 0;
      if ((at | 0) > (limit | 0)) at = flush(at | 0) | 0;
      from = (from + 1) | 0;
      byte = u8[from >> 0]! | 0;
    }
    out = at;
  }

  function putByte(byte: number): void {
    byte = byte | 0;
    u8[out >> 0] = byte;
    out = (out + 1) | 0;
  }

  function putUnsigned(value: number): void {
    value = value | 0;
    var rest = 0;
    var at = 0;
    rest = value;
    do {
      out = (out + 1) | 0;
      rest = ((rest >>> 0) / 10) | 0;
    } while (rest);
    at = out;
    do {
      at = (at - 1) | 0;
      u8[at >> 0] = (48 + (((value >>> 0) % 10) | 0)) | 0;
      value = ((value >>> 0) / 10) | 0;
    } while (value);
  }

  function putWide(low: number, high: number, signed: number): void {
    low = low | 0;
    high = high | 0;
    signed = signed | 0;
    out = wide(out | 0, low | 0, high | 0, signed | 0) | 0;
  }

  function putLine(level: number): void {
    level = level | 0;
    if ((out | 0) > (limit | 0)) out = flush(out | 0) | 0;
    u8[out >> 0] = 10;
    out = (out + 1) | 0;
    if ((level | 0) > 13) level = 13;
    for (; level; level = (level - 1) | 0) {
      u8[out >> 0] = 9;
      out = (out + 1) | 0;
    }
  }

  function putName(name: number, copy: number): void {
    name = name | 0;
    copy = copy | 0;
    if ((name | 0) == 1) {
      out = given(out | 0) | 0;
      return;
    }
    put(name);
    if ((copy | 0) > 1) {
      put(COPY);
      putUnsigned(copy);
    }
  }

  /** FNV-1a of 64 bytes at most: damaged blobs may have a name of megabytes. */
  function hash(name: number): number {
    name = name | 0;
    var value = 0;
    var end = 0;
    var byte = 0;
    value = 0x811c9dc5 | 0;
    end = (name + 64) | 0;
    for (; (name | 0) < (end | 0); name = (name + 1) | 0) {
      byte = u8[name >> 0]! | 0;
      if (!byte) break;
      value = imul(value ^ byte, 0x01000193) | 0;
    }
    return (value ^ (value >>> 15)) | 0;
  }

  function same(one: number, other: number): number {
    one = one | 0;
    other = other | 0;
    var byte = 0;
    if ((one | 0) == (other | 0)) return 1;
    do {
      byte = u8[one >> 0]! | 0;
      if ((byte | 0) != (u8[other >> 0]! | 0)) return 0;
      one = (one + 1) | 0;
      other = (other + 1) | 0;
      work = (work - 1) | 0;
    } while (byte);
    return 1;
  }

  /** An entry has the next of its chain, the name's address and a counter for each space. */
  function count(name: number, space: number): number {
    name = name | 0;
    space = space | 0;
    var head = 0;
    var entry = 0;
    head = (heads + (((hash(name) | 0) & mask) << 2)) | 0;
    entry = i32[head >> 2]! | 0;
    while (entry) {
      if (same(i32[(entry + 4) >> 2]! | 0, name) | 0) break;
      entry = i32[entry >> 2]! | 0;
      work = (work - 1) | 0;
      if ((work | 0) < 0) fail(3, 0);
    }
    if (!entry) {
      entry = free;
      free = (free + 16) | 0;
      i32[entry >> 2] = i32[head >> 2]! | 0;
      i32[(entry + 4) >> 2] = name;
      i32[head >> 2] = entry;
    }
    entry = (entry + 8 + (space << 2)) | 0;
    i32[entry >> 2] = ((i32[entry >> 2]! | 0) + 1) | 0;
    return i32[entry >> 2]! | 0;
  }

  function copyOf(id: number): number {
    id = id | 0;
    var copy = 0;
    var record = 0;
    var kind = 0;
    if (!header) return 1;
    copy = (copies + (id << 2)) | 0;
    if (!(i32[copy >> 2]! | 0)) {
      record = i32[(records + (id << 2)) >> 2]! | 0;
      kind = (i32[(record + 4) >> 2]! >>> 24) & 127;
      // An enum without values is only declared: it does not take the name. What has no name is not numbered.
      if ((kind | 0) == 6 ? !(i32[(record + 4) >> 2]! & 0xffffff) : !(i32[record >> 2]! | 0)) i32[copy >> 2] = 1;
      else i32[copy >> 2] = count((strings + (i32[record >> 2]! | 0)) | 0, (kind | 0) == 8 ? 1 : 0) | 0;
    }
    return i32[copy >> 2]! | 0;
  }

  return {
    begin: begin,
    finish: finish,
    place: place,
    put: put,
    putByte: putByte,
    putUnsigned: putUnsigned,
    putWide: putWide,
    putLine: putLine,
    putName: putName,
    copyOf: copyOf,
    count: count,
    same: same,
  };
}
