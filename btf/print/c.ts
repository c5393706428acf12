import type { BtfBlob } from '../blob.js';
import { alignFrom, alignmentTable, NO_ALIGNMENT, sizeOf } from '../layout.js';
import { flagOfInfo, KIND, kindOfInfo, RECORD_WORDS, vlenOfInfo } from '../wire.js';
import { DeclarationWriter } from './declaration.js';
import { NameCounts } from './name-counts.js';
import { TypeOrder } from './order.js';
import { ascii, type Literal, type Sink, Writer } from './writer.js';

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
const END = ascii(';\n\n');
const STRUCT = ascii('struct');
const UNION = ascii('union');
const ENUM = ascii('enum');
const TYPEDEF = ascii('typedef ');
const BRACE = ascii(' {');
const PACKED = ascii(' __attribute__((packed))');
const VA_LIST = ascii('typedef __builtin_va_list __gnuc_va_list');
const COLON = ascii(': ');
const EQUALS = ascii(' = ');
const LL = ascii('LL');
const ULL = ascii('ULL');

const TAB = 9;
const NEWLINE = 10;
const SPACE = 32;
const COMMA = 44;
const SEMICOLON = 59;
const CLOSE_BRACE = 125;
/** More lines of padding than any budget has. */
const MAX_LINES = 2 ** 30;
/** bpftool indents by 13 tabs at most. */
const MAX_INDENT = 13;

/** Types that GCC names in Arm's vector functions and does not define (btf_dump_emit_missing_aliases of libbpf). */
const ALIASES: Readonly<Record<string, string>> = {
  __Poly8_t: 'unsigned char',
  __Poly16_t: 'unsigned short',
  __Poly64_t: 'unsigned long long',
  __Poly128_t: 'unsigned __int128',
};

/**
 * Prints the types of a blob and its base as a C header, byte for byte as bpftool 7.1 of Debian 12 does (`bpftool btf dump file FILE format c`):
 * in order of id, one-byte enums without an attribute, attributes that are no btf_type_tag as if they were.
 * @throws FormatError for types that C has no form for: cycles, unknown kinds
 */
export function printC(blob: BtfBlob, sink: Sink): void {
  const out = new Writer(sink);
  const order = new TypeOrder(blob);
  const dump = new HeaderWriter(blob, out);
  out.text(PROLOGUE);
  for (let id = 1; id < blob.count; id++) {
    const queue = order.definitionsOf(id);
    for (let i = 0; i < queue.length; i++) dump.emit(queue[i]!, 0, 0);
  }
  out.text(EPILOGUE);
  out.flush();
}

const NEW = 0;
const BUSY = 1;
const DONE = 2;
const MAX_NESTING = 500;

/** Writes definitions, and before each the forward declarations it needs (btf_dump_emit_type of libbpf and what it calls). */
class HeaderWriter extends DeclarationWriter {
  readonly #state: Uint8Array;
  /** 1 where a forward declaration of a struct, or a typedef that others point to, has been written. */
  readonly #forward: Uint8Array;
  /** For named types, the how-manieth of their name they are: 0 while that is open. */
  readonly #copies: Uint32Array;
  /** Names of structs, unions and enums; names of typedefs and enumerators. */
  readonly #tags: NameCounts;
  readonly #identifiers: NameCounts;
  readonly #padding: readonly Pad[];
  readonly #alignments: Uint8Array;

  constructor(blob: BtfBlob, out: Writer) {
    super(blob, out);
    this.#state = new Uint8Array(blob.count);
    this.#state[0] = DONE;
    this.#forward = new Uint8Array(blob.count);
    this.#copies = new Uint32Array(blob.count);
    this.#tags = new NameCounts(blob.strings);
    this.#identifiers = new NameCounts(blob.strings);
    this.#alignments = alignmentTable(blob);
    this.#padding = [pad('long', blob.pointerSize * 8), pad('int', 32), pad('short', 16), pad('char', 8)];
  }

  /**
   * Writes what `id` needs and, at the top level, `id` itself.
   * @param container the struct or typedef that refers to it, 0 at the top level
   */
  emit(id: number, container: number, depth: number): void {
    const { blob } = this;
    if (this.#state[id] === DONE) return;
    if (depth > MAX_NESTING) throw blob.errorAt(id, `type ${id} is nested too deeply, or in a cycle`, 'limit');
    this.spend(1, id);
    const { words, offsets, firstId } = blob.ownerOf(id);
    const at = offsets[id - firstId]!;
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    if (this.#state[id] === BUSY) {
      this.#emitAgain(id, kind, container);
      return;
    }
    switch (kind) {
      case KIND.STRUCT:
      case KIND.UNION:
        this.#emitComposite(id, words, at, container, depth);
        break;
      case KIND.TYPEDEF:
        this.#state[id] = BUSY;
        this.emit(words[at + 2]!, id, depth + 1);
        if (this.#forward[id] === 0) this.#typedef(id, words, at);
        this.#state[id] = DONE;
        break;
      case KIND.PTR:
      case KIND.VOLATILE:
      case KIND.CONST:
      case KIND.RESTRICT:
      case KIND.TYPE_TAG:
        this.emit(words[at + 2]!, container, depth + 1);
        break;
      case KIND.ARRAY:
        this.emit(words[at + RECORD_WORDS]!, container, depth + 1);
        break;
      case KIND.FUNC_PROTO:
        this.emit(words[at + 2]!, container, depth + 1);
        for (let i = at + RECORD_WORDS, end = i + vlenOfInfo(info) * 2; i < end; i += 2) this.emit(words[i + 1]!, container, depth + 1);
        break;
      case KIND.ENUM:
      case KIND.ENUM64:
        if (container === 0) {
          this.#enumBody(id, 0);
          this.put(END);
        }
        this.#state[id] = DONE;
        break;
      case KIND.FWD:
        this.forward(id);
        this.put(END);
        this.#state[id] = DONE;
        break;
      case KIND.INT:
        this.#alias(id, words[at]!);
        this.#state[id] = DONE;
        break;
    }
  }

  /** A type that refers to itself: a declaration breaks the circle. */
  #emitAgain(id: number, kind: number, container: number): void {
    if (this.#forward[id] !== 0) return;
    const { words } = this.blob.ownerOf(id);
    const at = this.blob.recordOf(id);
    if (kind === KIND.TYPEDEF) this.#typedef(id, words, at);
    else {
      // A struct's own members know it.
      if (id === container || words[at] === 0) return;
      this.#structName(id);
      this.put(END);
    }
    this.#forward[id] = 1;
  }

  #emitComposite(id: number, words: Uint32Array, at: number, container: number, depth: number): void {
    const anonymous = words[at] === 0;
    this.#state[id] = BUSY;
    if (container === 0 || anonymous) {
      const inside = anonymous ? container : id;
      for (let i = at + RECORD_WORDS, end = i + vlenOfInfo(words[at + 1]!) * 3; i < end; i += 3)
        this.emit(words[i + 1]!, inside, depth + 1);
    } else if (this.#forward[id] === 0 && id !== container) {
      this.#structName(id);
      this.put(END);
      this.#forward[id] = 1;
    }
    if (container === 0) {
      this.#structBody(id, 0);
      this.put(END);
    }
    this.#state[id] = container === 0 ? DONE : NEW;
  }

  protected override composite(id: number, level: number): void {
    if (this.blob.nameOffset(id) === 0) this.#structBody(id, level);
    else this.#structName(id);
  }

  protected override enumeration(id: number, level: number): void {
    if (this.blob.nameOffset(id) === 0) this.#enumBody(id, level);
    else this.#tagged(ENUM, id);
  }

  protected override copyOfTypedef(id: number): number {
    return this.#copyOf(id, this.#identifiers);
  }

  #structName(id: number): void {
    this.#tagged(this.blob.kindNumber(id) === KIND.STRUCT ? STRUCT : UNION, id);
  }

  /** `struct name`, or `struct` alone. */
  #tagged(keyword: Literal, id: number): void {
    const name = this.blob.nameOffset(id);
    this.put(keyword);
    if (name === 0) return;
    this.out.byte(SPACE);
    this.name(name, this.#copyOf(id, this.#tags));
  }

  #copyOf(id: number, names: NameCounts): number {
    const known = this.#copies[id]!;
    if (known !== 0) return known;
    const { words } = this.blob.ownerOf(id);
    const at = this.blob.recordOf(id);
    // An enum without values is only declared: it does not take the name.
    const declared = kindOfInfo(words[at + 1]!) === KIND.ENUM && vlenOfInfo(words[at + 1]!) === 0;
    return (this.#copies[id] = declared ? 1 : names.count(words[at]!));
  }

  #typedef(id: number, words: Uint32Array, at: number): void {
    const { strings } = this.blob;
    const name = words[at]!;
    // Compilers know it, and refuse to be told.
    if (strings.equals(name, BUILTIN_VA_LIST)) return;
    const copy = this.#copyOf(id, this.#identifiers);
    // Old versions of GCC define it as void, which is no type of a variable.
    if (words[at + 2] === 0 && copy === 1 && strings.equals(name, GNUC_VA_LIST)) this.put(VA_LIST);
    else {
      this.put(TYPEDEF);
      this.declare(words[at + 2]!, name, copy, 0);
    }
    this.put(END);
  }

  #alias(id: number, name: number): void {
    if (name === 0) return;
    this.#copyOf(id, this.#tags);
    const { bytes, start } = this.blob.strings.tableOf(name);
    // `__P`: asked of every integer, so without making a string of its name.
    if (bytes[name - start] !== 95 || bytes[name - start + 2] !== 80) return;
    const text = this.blob.strings.text(name);
    if (!Object.hasOwn(ALIASES, text)) return;
    this.put(TYPEDEF);
    this.out.text(`${ALIASES[text]} ${text}`);
    this.put(END);
  }

  #indent(level: number): void {
    const { out } = this;
    out.room();
    out.byte(NEWLINE);
    for (let i = Math.min(level, MAX_INDENT); i > 0; i--) out.byte(TAB);
  }

  #structBody(id: number, level: number): void {
    const { blob, out } = this;
    const { words } = blob.ownerOf(id);
    const at = blob.recordOf(id);
    const info = words[at + 1]!;
    const size = words[at + 2]!;
    const struct = kindOfInfo(info) === KIND.STRUCT;
    const vlen = vlenOfInfo(info);
    const packed = struct && this.#isPacked(words, at);
    this.#tagged(struct ? STRUCT : UNION, id);
    this.put(BRACE);
    const end = this.#members(words, at, packed, level + 1);
    if (struct) this.#pad(id, end, size * 8, this.#alignOf(id), false, level + 1);
    if (vlen > 0 || size > 0) this.#indent(level);
    out.byte(CLOSE_BRACE);
    if (packed) this.put(PACKED);
  }

  /** In bytes; 0 for what has none. */
  #alignOf(id: number): number {
    const align = alignFrom(this.blob, id, this.#alignments);
    return align === NO_ALIGNMENT ? 0 : align;
  }

  /** True where C would lay the members out otherwise without the attribute (btf_is_struct_packed of libbpf). */
  #isPacked(words: Uint32Array, at: number): boolean {
    const info = words[at + 1]!;
    const bitfields = flagOfInfo(info);
    let largest = 1;
    for (let i = at + RECORD_WORDS, end = i + vlenOfInfo(info) * 3; i < end; i += 3) {
      const align = this.#alignOf(words[i + 1]!);
      const offset = words[i + 2]!;
      if (align !== 0 && (!bitfields || offset >>> 24 === 0) && offset % (8 * align) !== 0) return true;
      if (align > largest) largest = align;
    }
    return words[at + 2]! % largest !== 0;
  }

  /** @returns the bit behind the last member */
  #members(words: Uint32Array, at: number, packed: boolean, level: number): number {
    const { blob, out } = this;
    const info = words[at + 1]!;
    const bitfields = flagOfInfo(info);
    let end = 0;
    let afterBitfield = false;
    for (let i = at + RECORD_WORDS, last = i + vlenOfInfo(info) * 3; i < last; i += 3) {
      const type = words[i + 1]!;
      const offset = bitfields ? words[i + 2]! & 0xffffff : words[i + 2]!;
      const width = bitfields ? words[i + 2]! >>> 24 : 0;
      if (end < offset) this.#pad(type, end, offset, packed ? 1 : this.#alignOf(type), afterBitfield && width !== 0, level);
      this.#indent(level);
      this.declare(type, words[i]!, 1, level);
      if (width !== 0) {
        this.put(COLON);
        out.decimal(width);
      }
      end = offset + (width !== 0 ? width : (sizeOf(blob, type) ?? 0) * 8);
      afterBitfield = width !== 0;
      out.room();
      out.byte(SEMICOLON);
    }
    return end;
  }

  /**
   * Fills bits `from` to `to` with nameless bit-fields, but not where alignment makes the same gap (btf_dump_emit_bit_padding of libbpf).
   * @param align of what follows, in bytes
   */
  #pad(id: number, from: number, to: number, align: number, inBitfield: boolean, level: number): void {
    if (from >= to) return;
    const pads = this.#padding;
    // The largest type whose next boundary is not behind the gap.
    let unit = pads[pads.length - 1]!;
    for (const candidate of pads) {
      unit = candidate;
      if (roundUp(from, unit.bits) <= to) break;
    }
    const boundary = roundUp(from, unit.bits);
    let at = from;
    if (boundary > at && boundary <= to) {
      const unaligned = boundary === to && roundUp(at, align * 8) !== boundary;
      const swallowed = boundary !== to && to - boundary <= boundary - at;
      if (inBitfield || unaligned || swallowed) this.#padLine(unit, inBitfield ? boundary - at : 0, level);
      at = boundary;
    }
    this.spend(Math.min(Math.floor((to - at) / unit.bits), MAX_LINES), id);
    for (; to - at >= unit.bits; at += unit.bits) this.#padLine(unit, unit.bits, level);
    // What is left takes the smallest type that holds it.
    if (at < to) this.#padLine(pads.findLast(({ bits }) => bits >= to - at) ?? unit, to - at, level);
  }

  #padLine(unit: Pad, bits: number, level: number): void {
    this.#indent(level);
    this.out.put(unit.text);
    this.out.decimal(bits);
    this.out.byte(SEMICOLON);
  }

  #enumBody(id: number, level: number): void {
    const { blob } = this;
    const { words } = blob.ownerOf(id);
    const at = blob.recordOf(id);
    const info = words[at + 1]!;
    this.#tagged(ENUM, id);
    const vlen = vlenOfInfo(info);
    if (vlen === 0) return;
    this.put(BRACE);
    this.spend(vlen, id);
    if (kindOfInfo(info) === KIND.ENUM) this.#enumerators(words, at, vlen, flagOfInfo(info), level + 1);
    else this.#wideEnumerators(words, at, vlen, flagOfInfo(info), level + 1);
    this.#indent(level);
    this.out.byte(CLOSE_BRACE);
  }

  #enumerators(words: Uint32Array, at: number, vlen: number, signed: boolean, level: number): void {
    const { out } = this;
    for (let i = at + RECORD_WORDS, end = i + vlen * 2; i < end; i += 2) {
      this.#enumerator(words[i]!, level);
      if (signed) out.signed(words[i + 1]! | 0);
      else out.decimal(words[i + 1]!);
      out.byte(COMMA);
    }
  }

  #wideEnumerators(words: Uint32Array, at: number, vlen: number, signed: boolean, level: number): void {
    const { out } = this;
    for (let i = at + RECORD_WORDS, end = i + vlen * 3; i < end; i += 3) {
      this.#enumerator(words[i]!, level);
      out.wide(words[i + 1]!, words[i + 2]!, signed);
      out.put(signed ? LL : ULL);
      out.byte(COMMA);
    }
  }

  /** `name = `. Enumerators share the names of typedefs, and count each time they are written. */
  #enumerator(name: number, level: number): void {
    this.#indent(level);
    this.name(name, name === 0 ? 1 : this.#identifiers.count(name));
    this.put(EQUALS);
  }
}

const BUILTIN_VA_LIST: Uint8Array = bytesOf('__builtin_va_list');
const GNUC_VA_LIST: Uint8Array = bytesOf('__gnuc_va_list');

interface Pad {
  readonly bits: number;
  /** `long: ` */
  readonly text: Literal;
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, char => char.charCodeAt(0));
}

function pad(type: string, bits: number): Pad {
  return { bits, text: ascii(`${type}: `) };
}

function roundUp(value: number, unit: number): number {
  return unit === 0 ? value : Math.ceil(value / unit) * unit;
}
