import type { BtfBlob } from '../blob.js';
import { alignFrom, alignmentTable, NO_ALIGNMENT, sizeOf } from '../layout.js';
import { flagOfInfo, KIND, kindOfInfo, RECORD_WORDS, vlenOfInfo } from '../wire.js';
import { ByteText } from './byte-text.js';
import { DeclarationWriter } from './declaration.js';
import { TypeOrder } from './order.js';
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
/** bpftool indents by 13 tabs at most. */
const LINES: readonly string[] = Array.from({ length: 14 }, (_, level) => `\n${'\t'.repeat(level)}`);
/** More lines of padding than any budget has. */
const MAX_LINES = 2 ** 30;
/** Characters that are gathered before they are written. */
const CHUNK = 1 << 16;

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
  const order = new TypeOrder(blob);
  const dump = new HeaderWriter(blob, sink);
  for (let id = 1; id < blob.count; id++) {
    const queue = order.definitionsOf(id);
    for (let i = 0; i < queue.length; i++) dump.define(queue[i]!);
  }
  dump.finish();
}

const NEW = 0;
const BUSY = 1;
const DONE = 2;
const MAX_NESTING = 500;

/** A declaration's text around the name, and the steps that making it took. */
interface Declared {
  readonly front: string;
  readonly back: string;
  readonly steps: number;
}

/**
 * Writes definitions, and before each the forward declarations it needs (btf_dump_emit_type of libbpf and what it calls).
 *
 * A command runs this once, for some hundredths of a second, in which little of it is compiled. What counts is how much is done at all: the text
 * of a type is made once and joined with each name, and what a type needs is looked for until nothing can be missing. Fields are `private`, not
 * `#`: these cost a look-up each time while the code is interpreted.
 */
class HeaderWriter extends DeclarationWriter {
  private readonly sink: Sink;
  private readonly strings: ByteText;
  private text = PROLOGUE;
  private readonly state: Uint8Array;
  /** 1 where a forward declaration of a struct, or a typedef that others point to, has been written. */
  private readonly forwarded: Uint8Array;
  /** 1 where all that a use of the type needs has been written, for good. */
  private readonly settled: Uint8Array;
  /** For named types, the how-manieth of their name they are: 0 while that is open. */
  private readonly copies: Uint32Array;
  /** How often each name has come: of structs, unions and enums; of typedefs and enumerators. */
  private readonly tags = new Map<string, number>();
  private readonly identifiers = new Map<string, number>();
  /** Texts of types by id, of uses with a name and of those without. */
  private readonly named: (Declared | undefined)[];
  private readonly bare: (Declared | undefined)[];
  /** How many bodies have been written inside declarations: text that is not to be used twice, for it is indented, and its enumerators count. */
  private bodies = 0;
  private readonly padding: readonly Pad[];
  private readonly alignments: Uint8Array;
  /** sizeof in bits by id, 0 where not asked for yet. */
  private readonly sizes: Float64Array;

  constructor(blob: BtfBlob, sink: Sink) {
    super(blob);
    this.sink = sink;
    this.strings = new ByteText(blob.strings, blob.name);
    this.state = new Uint8Array(blob.count);
    this.state[0] = DONE;
    this.forwarded = new Uint8Array(blob.count);
    this.settled = new Uint8Array(blob.count);
    this.settled[0] = 1;
    this.copies = new Uint32Array(blob.count);
    this.named = new Array(blob.count);
    this.bare = new Array(blob.count);
    this.alignments = alignmentTable(blob);
    this.sizes = new Float64Array(blob.count);
    this.padding = [
      { bits: blob.pointerSize * 8, type: 'long' },
      { bits: 32, type: 'int' },
      { bits: 16, type: 'short' },
      { bits: 8, type: 'char' },
    ];
  }

  /** Writes what `id` needs, and `id`. */
  define(id: number): void {
    this.emit(id, 0, 0);
    if (this.text.length < CHUNK) return;
    this.strings.write(this.text, this.sink);
    this.text = '';
  }

  finish(): void {
    this.strings.write(`${this.text}${EPILOGUE}`, this.sink);
  }

  /**
   * Writes what `id` needs and, at the top level, `id` itself.
   * @param container the struct or typedef that refers to it, 0 at the top level
   */
  private emit(id: number, container: number, depth: number): void {
    const { blob, state } = this;
    if (state[id] === DONE) return;
    if (depth > MAX_NESTING) throw blob.errorAt(id, `type ${id} is nested too deeply, or in a cycle`, 'limit');
    this.spend(1, id);
    const { words, offsets, firstId } = blob.ownerOf(id);
    const at = offsets[id - firstId]!;
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    if (state[id] === BUSY) {
      this.emitAgain(id, kind, container);
      return;
    }
    switch (kind) {
      case KIND.STRUCT:
      case KIND.UNION:
        this.emitComposite(id, words, at, container, depth);
        break;
      case KIND.TYPEDEF:
        state[id] = BUSY;
        this.emit(words[at + 2]!, id, depth + 1);
        if (this.forwarded[id] === 0) this.typedef(id, words, at);
        state[id] = DONE;
        this.settled[id] = 1;
        break;
      case KIND.PTR:
      case KIND.VOLATILE:
      case KIND.CONST:
      case KIND.RESTRICT:
      case KIND.TYPE_TAG:
        this.settled[id] = this.need(words[at + 2]!, container, depth + 1);
        break;
      case KIND.ARRAY:
        this.settled[id] = this.need(words[at + RECORD_WORDS]!, container, depth + 1);
        break;
      case KIND.FUNC_PROTO: {
        let settled = this.need(words[at + 2]!, container, depth + 1);
        for (let i = at + RECORD_WORDS, end = i + vlenOfInfo(info) * 2; i < end; i += 2)
          settled &= this.need(words[i + 1]!, container, depth + 1);
        this.settled[id] = settled;
        break;
      }
      case KIND.ENUM:
      case KIND.ENUM64:
        if (container === 0) this.text += `${this.enumBody(id, 0)};\n\n`;
        state[id] = DONE;
        this.settled[id] = 1;
        break;
      case KIND.FWD:
        this.text += `${this.forward(id)};\n\n`;
        state[id] = DONE;
        this.settled[id] = 1;
        break;
      case KIND.INT:
        this.alias(id, words[at]!);
        state[id] = DONE;
        this.settled[id] = 1;
        break;
    }
  }

  /** Writes what a use of `id` inside of another type needs. @returns 1 where no later use of it needs anything */
  private need(id: number, container: number, depth: number): number {
    if (this.settled[id] === 0) this.emit(id, container, depth);
    return this.settled[id]!;
  }

  /** A type that refers to itself: a declaration breaks the circle. */
  private emitAgain(id: number, kind: number, container: number): void {
    if (this.forwarded[id] !== 0) return;
    const { words } = this.blob.ownerOf(id);
    const at = this.blob.recordOf(id);
    if (kind === KIND.TYPEDEF) this.typedef(id, words, at);
    else {
      // A struct's own members know it.
      if (id === container || words[at] === 0) return;
      this.text += `${this.structName(id)};\n\n`;
    }
    this.forwarded[id] = 1;
    this.settled[id] = 1;
  }

  private emitComposite(id: number, words: Uint32Array, at: number, container: number, depth: number): void {
    const anonymous = words[at] === 0;
    let settled = 1;
    this.state[id] = BUSY;
    if (container === 0 || anonymous) {
      const inside = anonymous ? container : id;
      for (let i = at + RECORD_WORDS, end = i + vlenOfInfo(words[at + 1]!) * 3; i < end; i += 3)
        settled &= this.settled[words[i + 1]!] === 1 ? 1 : this.need(words[i + 1]!, inside, depth + 1);
    } else if (this.forwarded[id] === 0 && id !== container) {
      this.text += `${this.structName(id)};\n\n`;
      this.forwarded[id] = 1;
    }
    if (container === 0) this.text += `${this.structBody(id, 0)};\n\n`;
    this.state[id] = container === 0 ? DONE : NEW;
    this.settled[id] = container === 0 ? 1 : anonymous ? settled : this.forwarded[id]!;
  }

  /** As {@link DeclarationWriter.declaration}, with the text of types that have come before. */
  override declaration(id: number, name: string, level: number): string {
    const known = (name === '' ? this.bare : this.named)[id] ?? this.declared(id, name, level);
    this.spend(known.steps, id);
    return `${known.front}${name}${known.back}`;
  }

  private declared(id: number, name: string, level: number): Declared {
    const { bodies, budget } = this;
    const front = this.front(id, name !== '', level);
    const { back } = this;
    this.measure(front, id);
    this.measure(back, id);
    const declared = { front, back, steps: budget - this.budget };
    if (bodies === this.bodies) (name === '' ? this.bare : this.named)[id] = declared;
    return declared;
  }

  protected override name(offset: number): string {
    return this.strings.at(offset);
  }

  protected override composite(id: number, level: number): string {
    if (this.blob.nameOffset(id) !== 0) return this.structName(id);
    this.bodies++;
    return this.structBody(id, level);
  }

  protected override enumeration(id: number, level: number): string {
    if (this.blob.nameOffset(id) !== 0) return this.tagged('enum', id);
    this.bodies++;
    return this.enumBody(id, level);
  }

  protected override typedefName(id: number): string {
    return this.numbered(id, this.blob.nameOffset(id), this.identifiers);
  }

  private structName(id: number): string {
    return this.tagged(this.blob.kindNumber(id) === KIND.STRUCT ? 'struct' : 'union', id);
  }

  /** `struct name`, or `struct` alone. */
  private tagged(keyword: string, id: number): string {
    const name = this.blob.nameOffset(id);
    return name === 0 ? keyword : `${keyword} ${this.numbered(id, name, this.tags)}`;
  }

  /** The name of a type, from the second of that name on with its number: `name___2`. */
  private numbered(id: number, offset: number, names: Map<string, number>): string {
    const name = offset === 0 ? '' : this.strings.at(offset);
    const copy = this.copyOf(id, name, names);
    return copy === 1 ? name : `${name}___${copy}`;
  }

  private copyOf(id: number, name: string, names: Map<string, number>): number {
    const known = this.copies[id]!;
    if (known !== 0) return known;
    const info = this.blob.ownerOf(id).words[this.blob.recordOf(id) + 1]!;
    // An enum without values is only declared: it does not take the name.
    const declared = kindOfInfo(info) === KIND.ENUM && vlenOfInfo(info) === 0;
    return (this.copies[id] = declared ? 1 : count(names, name));
  }

  private typedef(id: number, words: Uint32Array, at: number): void {
    const name = this.strings.at(words[at]!);
    // Compilers know it, and refuse to be told.
    if (name === '__builtin_va_list') return;
    const numbered = this.numbered(id, words[at]!, this.identifiers);
    // Old versions of GCC define it as void, which is no type of a variable.
    if (words[at + 2] === 0 && numbered === '__gnuc_va_list') this.text += 'typedef __builtin_va_list __gnuc_va_list;\n\n';
    else this.text += `typedef ${this.declaration(words[at + 2]!, numbered, 0)};\n\n`;
  }

  private alias(id: number, offset: number): void {
    if (offset === 0) return;
    const name = this.strings.at(offset);
    this.copyOf(id, name, this.tags);
    if (Object.hasOwn(ALIASES, name)) this.text += `typedef ${ALIASES[name]} ${name};\n\n`;
  }

  private structBody(id: number, level: number): string {
    const { blob, sizes } = this;
    const { words } = blob.ownerOf(id);
    const at = blob.recordOf(id);
    const info = words[at + 1]!;
    const bits = words[at + 2]! * 8;
    const struct = kindOfInfo(info) === KIND.STRUCT;
    const bitfields = flagOfInfo(info);
    const packed = struct && this.isPacked(words, at);
    const line = lineOf(level + 1);
    let text = `${this.tagged(struct ? 'struct' : 'union', id)} {`;
    // The bit behind the last member.
    let end = 0;
    let afterBitfield = false;
    for (let i = at + RECORD_WORDS, last = i + vlenOfInfo(info) * 3; i < last; i += 3) {
      const name = words[i]!;
      const type = words[i + 1]!;
      const offset = bitfields ? words[i + 2]! & 0xffffff : words[i + 2]!;
      const width = bitfields ? words[i + 2]! >>> 24 : 0;
      if (end < offset) text += this.pad(type, end, offset, packed ? 1 : this.alignOf(type), afterBitfield && width !== 0, line);
      const member = this.declaration(type, name === 0 ? '' : this.strings.at(name), level + 1);
      text += width === 0 ? `${line}${member};` : `${line}${member}: ${width};`;
      end = offset + (width !== 0 ? width : sizes[type]! || this.sizeOf(type));
      afterBitfield = width !== 0;
      this.measure(text, id);
    }
    if (struct && end < bits) text += this.pad(id, end, bits, this.alignOf(id), false, line);
    if (vlenOfInfo(info) > 0 || bits > 0) text += lineOf(level);
    return packed ? `${text}} __attribute__((packed))` : `${text}}`;
  }

  /** In bits; 0 for what has none. */
  private sizeOf(id: number): number {
    return (this.sizes[id] = (sizeOf(this.blob, id) ?? 0) * 8);
  }

  /** In bytes; 0 for what has none. */
  private alignOf(id: number): number {
    const align = this.alignments[id]! || alignFrom(this.blob, id, this.alignments);
    return align === NO_ALIGNMENT ? 0 : align;
  }

  /** True where C would lay the members out otherwise without the attribute (btf_is_struct_packed of libbpf). */
  private isPacked(words: Uint32Array, at: number): boolean {
    const info = words[at + 1]!;
    const bitfields = flagOfInfo(info);
    let largest = 1;
    for (let i = at + RECORD_WORDS, end = i + vlenOfInfo(info) * 3; i < end; i += 3) {
      const align = this.alignOf(words[i + 1]!);
      const offset = words[i + 2]!;
      if (align !== 0 && (!bitfields || offset >>> 24 === 0) && offset % (8 * align) !== 0) return true;
      if (align > largest) largest = align;
    }
    return words[at + 2]! % largest !== 0;
  }

  /**
   * Fills bits `from` to `to` with nameless bit-fields, but not where alignment makes the same gap (btf_dump_emit_bit_padding of libbpf).
   * @param align of what follows, in bytes
   */
  private pad(id: number, from: number, to: number, align: number, inBitfield: boolean, line: string): string {
    const pads = this.padding;
    // The largest type whose next boundary is not behind the gap.
    let unit = pads[pads.length - 1]!;
    for (const candidate of pads) {
      unit = candidate;
      if (roundUp(from, unit.bits) <= to) break;
    }
    const boundary = roundUp(from, unit.bits);
    let at = from;
    let text = '';
    if (boundary > at && boundary <= to) {
      const unaligned = boundary === to && roundUp(at, align * 8) !== boundary;
      const swallowed = boundary !== to && to - boundary <= boundary - at;
      if (inBitfield || unaligned || swallowed) text += `${line}${unit.type}: ${inBitfield ? boundary - at : 0};`;
      at = boundary;
    }
    const units = Math.floor((to - at) / unit.bits);
    this.spend(Math.min(units, MAX_LINES), id);
    for (; to - at >= unit.bits; at += unit.bits) {
      text += `${line}${unit.type}: ${unit.bits};`;
      this.measure(text, id);
    }
    // What is left takes the smallest type that holds it.
    if (at < to) text += `${line}${(pads.findLast(({ bits }) => bits >= to - at) ?? unit).type}: ${to - at};`;
    return text;
  }

  private enumBody(id: number, level: number): string {
    const { blob } = this;
    const { words } = blob.ownerOf(id);
    const at = blob.recordOf(id);
    const info = words[at + 1]!;
    const vlen = vlenOfInfo(info);
    const tagged = this.tagged('enum', id);
    if (vlen === 0) return tagged;
    this.spend(vlen, id);
    const wide = kindOfInfo(info) === KIND.ENUM64;
    const signed = flagOfInfo(info);
    const step = wide ? 3 : 2;
    const line = lineOf(level + 1);
    let text = `${tagged} {`;
    for (let i = at + RECORD_WORDS, end = i + vlen * step; i < end; i += step) {
      const low = words[i + 1]!;
      const value = wide ? wideValue(low, words[i + 2]!, signed) : signed ? low | 0 : low;
      text += `${line}${this.enumerator(words[i]!)} = ${value},`;
      this.measure(text, id);
    }
    return `${text}${lineOf(level)}}`;
  }

  /** Enumerators share the names of typedefs, and count each time they are written. */
  private enumerator(offset: number): string {
    if (offset === 0) return '';
    const name = this.strings.at(offset);
    const copy = count(this.identifiers, name);
    return copy === 1 ? name : `${name}___${copy}`;
  }
}

interface Pad {
  readonly bits: number;
  readonly type: string;
}

/** @returns 1 when the name comes for the first time, 2 for the second … */
function count(names: Map<string, number>, name: string): number {
  const times = (names.get(name) ?? 0) + 1;
  names.set(name, times);
  return times;
}

/** The end of a line and the indentation of the next. */
function lineOf(level: number): string {
  return LINES[Math.min(level, LINES.length - 1)]!;
}

/** With the suffix that its type asks for. */
function wideValue(low: number, high: number, signed: boolean): string {
  const value = (BigInt(high) << 32n) | BigInt(low);
  return signed ? `${BigInt.asIntN(64, value)}LL` : `${value}ULL`;
}

function roundUp(value: number, unit: number): number {
  return unit === 0 ? value : Math.ceil(value / unit) * unit;
}
