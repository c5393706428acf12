/*
 * Writes the bodies of structs, unions and enums in C, in asm.js (why, and by what rules: line-kernel.ts), with the padding that makes a compiler
 * put the members where they were. The sizes and alignments for that are worked out by the rules of ../layout.ts, which a test compares with these:
 * those answer one question from the records as they are; a header asks for ten thousand, and would wait for that code to be compiled.
 */
import type { DeclarationKernel } from './declaration-kernel.js';
import type { Fail, Places, Standard, TextKernel } from './text-kernel.js';

export interface BodyHost
  extends Places,
    Pick<TextKernel, 'put' | 'putByte' | 'putUnsigned' | 'putWide' | 'putLine' | 'putName' | 'count'>,
    Pick<DeclarationKernel, 'declare' | 'putTag'> {
  /** For each id a byte, all zero. */
  readonly alignments: number;
  readonly pointerSize: number;
  fail: Fail;
}

export interface BodyKernel {
  /** A struct, union or enum with its body. */
  putBody(id: number, level: number): void;
  /** sizeof in bytes; 0 for what has none. */
  sizeOf(id: number): number;
  /** alignof in bytes; 0 for what has none. @param depth 0 */
  alignOf(id: number, depth: number): number;
}

export function linkBodyKernel(heap: ArrayBuffer, host: BodyHost): BodyKernel {
  return BodiesInAsm(globalThis, host, heap);
}

function BodiesInAsm(stdlib: Standard, host: BodyHost, heap: ArrayBuffer): BodyKernel {
  'use asm';
  var u8 = new stdlib.Uint8Array(heap);
  var i32 = new stdlib.Int32Array(heap);
  var ceil = stdlib.Math.ceil;
  var put = host.put;
  var putByte = host.putByte;
  var putUnsigned = host.putUnsigned;
  var putWide = host.putWide;
  var putLine = host.putLine;
  var putName = host.putName;
  var count = host.count;
  var declare = host.declare;
  var putTag = host.putTag;
  var fail = host.fail;
  var records = host.records | 0;
  var strings = host.strings | 0;
  var alignments = host.alignments | 0;
  var pointerSize = host.pointerSize | 0;
  var work = host.work | 0;
  var OPEN = host.open | 0;
  var PACKED = host.packed | 0;
  var VALUE = host.value | 0;
  var WIDTH = host.width | 0;
  var LONG = host.long | 0;
  var INT = host.int | 0;
  var SHORT = host.short | 0;
  var CHAR = host.char | 0;

  function sizeOf(id: number): number {
    id = id | 0;
    var target = 0;
    var record = 0;
    var depth = 0;
    var elements = 1.0;
    target = id;
    for (; (depth | 0) <= 32; depth = (depth + 1) | 0) {
      record = i32[(records + (target << 2)) >> 2]! | 0;
      switch ((i32[(record + 4) >> 2]! >>> 24) & 127) {
        case 1: // INT
        case 4: // STRUCT
        case 5: // UNION
        case 6: // ENUM
        case 15: // DATASEC
        case 16: // FLOAT
        case 19: // ENUM64
          elements = elements * +(i32[(record + 8) >> 2]! >>> 0);
          if (elements > 9007199254740991.0) fail(7, id | 0);
          return +elements;
        case 2: // PTR
          elements = elements * +(pointerSize | 0);
          if (elements > 9007199254740991.0) fail(7, id | 0);
          return +elements;
        case 3: // ARRAY
          elements = elements * +(i32[(record + 20) >> 2]! >>> 0);
          if (elements > 9007199254740991.0) fail(7, id | 0);
          target = i32[(record + 12) >> 2]! | 0;
          break;
        case 8: // TYPEDEF
        case 9: // VOLATILE
        case 10: // CONST
        case 11: // RESTRICT
        case 14: // VAR
        case 17: // DECL_TAG
        case 18: // TYPE_TAG
          target = i32[(record + 8) >> 2]! | 0;
          break;
        default:
          return 0.0;
      }
    }
    fail(6, id | 0);
    return 0.0;
  }

  /** In the table 0 stands for not known yet, 254 for being worked out, 255 for none. */
  function alignOf(id: number, depth: number): number {
    id = id | 0;
    depth = depth | 0;
    var target = 0;
    var record = 0;
    var align = 0;
    var steps = 0;
    target = id;
    for (; (steps | 0) <= 32; steps = (steps + 1) | 0) {
      align = u8[(alignments + target) >> 0]! | 0;
      if ((align | 0) == 254) fail(1, target | 0);
      if (align) return ((align | 0) == 255 ? 0 : align) | 0;
      record = i32[(records + (target << 2)) >> 2]! | 0;
      switch ((i32[(record + 4) >> 2]! >>> 24) & 127) {
        case 1: // INT
        case 6: // ENUM
        case 16: // FLOAT
        case 19: // ENUM64
          align = i32[(record + 8) >> 2]! | 0;
          if (align >>> 0 > pointerSize >>> 0) align = pointerSize;
          if (!align) align = 1;
          u8[(alignments + target) >> 0] = align;
          return align | 0;
        case 2: // PTR
          u8[(alignments + target) >> 0] = pointerSize;
          return pointerSize | 0;
        case 3: // ARRAY
          target = i32[(record + 12) >> 2]! | 0;
          break;
        case 8: // TYPEDEF
        case 9: // VOLATILE
        case 10: // CONST
        case 11: // RESTRICT
        case 18: // TYPE_TAG
          target = i32[(record + 8) >> 2]! | 0;
          break;
        case 4: // STRUCT
        case 5: // UNION
          if ((depth | 0) >= 32) fail(6, target | 0);
          u8[(alignments + target) >> 0] = 254;
          align = alignOfMembers(record, (depth + 1) | 0) | 0;
          if (!align) align = 1;
          u8[(alignments + target) >> 0] = align;
          return align | 0;
        default:
          u8[(alignments + target) >> 0] = 255;
          return 0;
      }
    }
    fail(6, id | 0);
    return 0;
  }

  /** The largest alignment of a member; 0 where a member's place or the size shows that the struct is packed (btf_is_struct_packed of libbpf). */
  function alignOfMembers(record: number, depth: number): number {
    record = record | 0;
    depth = depth | 0;
    var member = 0;
    var end = 0;
    var widths = 0;
    var align = 0;
    var largest = 1;
    var packed = 0;
    widths = i32[(record + 4) >> 2]! >>> 31;
    member = (record + 12) | 0;
    end = (member + (((i32[(record + 4) >> 2]! & 0xffffff) * 12) | 0)) | 0;
    for (; (member | 0) < (end | 0); member = (member + 12) | 0) {
      align = alignOf(i32[(member + 4) >> 2]! | 0, depth) | 0;
      if (!align) continue;
      if ((align | 0) > (largest | 0)) largest = align;
      // A bit-field may stand anywhere.
      if (widths ? i32[(member + 8) >> 2]! >>> 24 : 0) continue;
      if (((i32[(member + 8) >> 2]! >>> 0) % ((align << 3) >>> 0)) | 0) packed = 1;
    }
    if (((i32[(record + 8) >> 2]! >>> 0) % (largest >>> 0)) | 0) packed = 1;
    return (packed ? 0 : largest) | 0;
  }

  function putBody(id: number, level: number): void {
    id = id | 0;
    level = level | 0;
    var record = 0;
    var kind = 0;
    record = i32[(records + (id << 2)) >> 2]! | 0;
    kind = (i32[(record + 4) >> 2]! >>> 24) & 127;
    putTag(id | 0);
    if ((kind | 0) == 6) putEnumerators(id, record, 8, level);
    else if ((kind | 0) == 19) putEnumerators(id, record, 12, level);
    else putMembers(id, record, (kind | 0) == 4 ? 1 : 0, level);
  }

  function putMembers(id: number, record: number, struct: number, level: number): void {
    id = id | 0;
    record = record | 0;
    struct = struct | 0;
    level = level | 0;
    var member = 0;
    var last = 0;
    var type = 0;
    var name = 0;
    var width = 0;
    var before = 0;
    var widths = 0;
    var packed = 0;
    var inner = 0;
    var place = 0.0;
    // The bit behind the last member, and behind the struct.
    var end = 0.0;
    var bits = 0.0;
    if (struct) packed = (alignOfMembers(record, 0) | 0 ? 0 : 1) | 0;
    inner = (level + 1) | 0;
    widths = i32[(record + 4) >> 2]! >>> 31;
    bits = +(i32[(record + 8) >> 2]! >>> 0) * 8.0;
    member = (record + 12) | 0;
    last = (member + (((i32[(record + 4) >> 2]! & 0xffffff) * 12) | 0)) | 0;
    put(OPEN | 0);
    for (; (member | 0) < (last | 0); member = (member + 12) | 0) {
      name = i32[member >> 2]! | 0;
      type = i32[(member + 4) >> 2]! | 0;
      place = +(i32[(member + 8) >> 2]! >>> 0);
      if (widths) {
        width = i32[(member + 8) >> 2]! >>> 24;
        place = +(i32[(member + 8) >> 2]! & 0xffffff);
      }
      if (end < place) putPadding(id, end, place, packed ? 1 : alignOf(type, 0) | 0, before ? width : 0, inner);
      putLine(inner | 0);
      declare(type | 0, (name ? (strings + name) | 0 : 0) | 0, 1, inner | 0);
      if (width) {
        put(WIDTH | 0);
        putUnsigned(width | 0);
        end = place + +(width | 0);
      } else end = place + +sizeOf(type) * 8.0;
      putByte(59);
      before = width;
    }
    if (struct ? end < bits : 0) putPadding(id, end, bits, alignOf(id, 0) | 0, 0, inner);
    if ((last | 0) > ((record + 12) | 0) ? 1 : bits > 0.0) putLine(level | 0);
    putByte(125);
    if (packed) put(PACKED | 0);
  }

  /** Bits of the types that padding is made of, from the largest: long, int, short, char. */
  function bitsOf(unit: number): number {
    unit = unit | 0;
    return (unit ? 64 >> unit : pointerSize << 3) | 0;
  }

  function roundUp(value: number, unit: number): number {
    value = +value;
    unit = unit | 0;
    if (!unit) return +value;
    return +(+ceil(value / +(unit | 0)) * +(unit | 0));
  }

  /**
   * Fills bits `from` to `to` with nameless bit-fields, but not where alignment makes the same gap (btf_dump_emit_bit_padding of libbpf).
   * `align` is of what follows, in bytes; `inside` is not 0 between bit-fields.
   */
  function putPadding(id: number, from: number, to: number, align: number, inside: number, level: number): void {
    id = id | 0;
    from = +from;
    to = +to;
    align = align | 0;
    inside = inside | 0;
    level = level | 0;
    var unit = 0;
    var needed = 0;
    var bits = 0.0;
    var boundary = 0.0;
    // The largest type whose next boundary is not behind the gap.
    boundary = +roundUp(from, bitsOf(0) | 0);
    while (boundary > to ? (unit | 0) < 3 : 0) {
      unit = (unit + 1) | 0;
      boundary = +roundUp(from, bitsOf(unit) | 0);
    }
    bits = +(bitsOf(unit) | 0);
    if (boundary > from ? boundary <= to : 0) {
      if (boundary == to) needed = +roundUp(from, align << 3) != boundary ? 1 : 0;
      else needed = to - boundary <= boundary - from ? 1 : 0;
      if (inside) putPad(id, unit, ~~(boundary - from), level);
      else if (needed) putPad(id, unit, 0, level);
      from = boundary;
    }
    while (to - from >= bits) {
      putPad(id, unit, ~~bits, level);
      from = from + bits;
    }
    if (from < to) {
      // What is left takes the smallest type that holds it.
      unit = 3;
      while (+(bitsOf(unit) | 0) < to - from) unit = (unit - 1) | 0;
      putPad(id, unit, ~~(to - from), level);
    }
  }

  function putPad(id: number, unit: number, bits: number, level: number): void {
    id = id | 0;
    unit = unit | 0;
    bits = bits | 0;
    level = level | 0;
    work = (work - 1) | 0;
    if ((work | 0) < 0) fail(3, id | 0);
    putLine(level | 0);
    put(((unit | 0) == 0 ? LONG : (unit | 0) == 1 ? INT : (unit | 0) == 2 ? SHORT : CHAR) | 0);
    put(WIDTH | 0);
    putUnsigned(bits | 0);
    putByte(59);
  }

  function putEnumerators(id: number, record: number, step: number, level: number): void {
    id = id | 0;
    record = record | 0;
    step = step | 0;
    level = level | 0;
    var at = 0;
    var left = 0;
    var signed = 0;
    var name = 0;
    var value = 0;
    left = i32[(record + 4) >> 2]! & 0xffffff;
    if (!left) return;
    work = (work - left) | 0;
    if ((work | 0) < 0) fail(3, id | 0);
    signed = i32[(record + 4) >> 2]! >>> 31;
    put(OPEN | 0);
    for (at = (record + 12) | 0; left; left = (left - 1) | 0) {
      name = i32[at >> 2]! | 0;
      value = i32[(at + 4) >> 2]! | 0;
      putLine((level + 1) | 0);
      // Enumerators share the names of typedefs, and count each time they are written.
      if (name) putName((strings + name) | 0, count((strings + name) | 0, 1) | 0);
      put(VALUE | 0);
      if ((step | 0) == 12) putWide(value | 0, i32[(at + 8) >> 2]! | 0, signed | 0);
      else {
        if (signed ? (value | 0) < 0 : 0) {
          putByte(45);
          value = -value | 0;
        }
        putUnsigned(value | 0);
      }
      putByte(44);
      at = (at + step) | 0;
    }
    putLine(level | 0);
    putByte(125);
  }

  return { putBody: putBody, sizeOf: sizeOf, alignOf: alignOf };
}
