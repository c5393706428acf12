import { FormatError } from '../../elf/errors.js';
import type { BtfBlob } from '../blob.js';
import { ELEMENT_WORDS, KIND, type Kind, LAST_KIND, LINKAGE_NAMES } from '../wire.js';
import { CHOICE, type LineKernel, linkLineKernel, OP } from './line-kernel.js';
import type { Sink } from './writer.js';

/**
 * How a dump writes types. A template is text with fields as `{name}`, and each kind has one for its record, or three: for what stands before its
 * elements, for each element, and for what stands behind them.
 */
export interface Dialect {
  /** What every type starts with; KIND stands for its kind. */
  readonly start: string;
  readonly kinds: Readonly<Record<Exclude<Kind, 'VOID'>, string | readonly [head: string, element: string, tail: string]>>;
  /** Fields that are one of several literals. */
  readonly choices: Readonly<Record<string, Choice>>;
  readonly anonymous: string;
  /** Between records, and between elements. */
  readonly separator: '' | ',';
  /** True where names are written as inside of quotes in JSON. */
  readonly escape: boolean;
}

export interface Choice {
  /** One of CHOICE. */
  readonly by: number;
  readonly literals: readonly string[];
  /** For values that have none. */
  readonly other: string;
}

/** Fields by name: an operation of the kernel, and its argument. Those of elements are found from the element's start. */
const FIELDS: Readonly<Record<string, readonly [op: number, argument: number]>> = {
  id: [OP.ID, 0],
  name: [OP.NAME, 0],
  size: [OP.UNSIGNED, 8],
  type: [OP.UNSIGNED, 8],
  vlen: [OP.VLEN, 0],
  bitsOffset: [OP.BITS, 16],
  bits: [OP.BITS, 0],
  elementType: [OP.UNSIGNED, 12],
  indexType: [OP.UNSIGNED, 16],
  elements: [OP.UNSIGNED, 20],
  component: [OP.SIGNED, 12],
  memberType: [OP.UNSIGNED, 4],
  memberOffset: [OP.OFFSET, 8],
  memberWidth: [OP.WIDTH, 8],
  value: [OP.VALUE, 4],
  widenedValue: [OP.WIDENED, 4],
  wideValue: [OP.WIDE, 4],
  variable: [OP.UNSIGNED, 0],
  variableOffset: [OP.UNSIGNED, 4],
  variableSize: [OP.UNSIGNED, 8],
  variableName: [OP.TARGET, 0],
};

/** Literals for the choice by linkage, and by the sign of an enum, are the dialect's; bpftool has names for one bit of an INT's encoding at most. */
export const ENCODINGS: readonly string[] = Array.from(
  { length: 16 },
  (_, bits) => ['(none)', 'SIGNED', 'CHAR', undefined, 'BOOL'][bits] ?? 'UNKN',
);
export const LINKAGES: readonly string[] = LINKAGE_NAMES;
export { CHOICE };

/** Bytes that are gathered before they are written, and what a line may take beyond them, without its names. */
const OUTPUT = 1 << 17;
const LINE = 1 << 12;
/** For programs, literals and tables. */
const TABLES = 1 << 15;
const LIMIT = 1 << 30;

/** Prints the types of a blob, without those of its base. @throws FormatError `limit` for more than a gigabyte of them */
export function printLines(blob: BtfBlob, dialect: Dialect, before: string, after: string, sink: Sink): void {
  const layers: BtfBlob[] = [];
  for (let layer: BtfBlob | undefined = blob; layer !== undefined; layer = layer.base) layers.unshift(layer);
  const records = TABLES;
  const words = records + blob.count * 4;
  const strings = words + layers.reduce((sum, layer) => sum + layer.words.length, 0) * 4;
  const output = strings + blob.strings.end;
  const top = output + OUTPUT + LINE;
  if (top > LIMIT) throw new FormatError('limit', { name: blob.name }, `a dump is made of at most ${LIMIT} bytes of types and strings`);
  // What asm.js takes as a heap's length. Pages that nothing touches cost nothing.
  const heap = new ArrayBuffer(top <= 1 << 24 ? 2 ** Math.ceil(Math.log2(top)) : Math.ceil(top / 2 ** 24) * 2 ** 24);
  const bytes = new Uint8Array(heap);
  const flush = (at: number): number => {
    sink(bytes.subarray(output, at));
    return output;
  };
  const text = (at: number, text: string): number => at + encoder.encodeInto(text, bytes.subarray(at)).written;
  const tables = new Tables(heap, dialect);
  const kernel: LineKernel = linkLineKernel(
    heap,
    {
      records,
      strings,
      digits: tables.digits,
      kinds: tables.kinds,
      unknown: LAST_KIND + 1,
      ...tables.anonymous,
      separator: dialect.separator === '' ? 0 : dialect.separator.charCodeAt(0),
      quoting: dialect.escape ? 1 : 0,
      end: output + OUTPUT,
    },
    {
      flush,
      wide(at, low, high, signed) {
        const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
        return text(at, (signed === 0 ? value : BigInt.asIntN(64, value)).toString());
      },
      escaped: (at, byte) => text(at > output + OUTPUT ? flush(at) : at, JSON.stringify(String.fromCharCode(byte)).slice(1, -1)),
    },
  );
  let base = words;
  const places = new Int32Array(heap, records, blob.count);
  for (const layer of layers) {
    new Uint32Array(heap, base, layer.words.length).set(layer.words);
    bytes.set(layer.strings.bytes, strings + layer.strings.start);
    places.set(layer.offsets, layer.firstId);
    kernel.place(layer.firstId, layer.count, base);
    base += layer.words.length * 4;
  }
  flush(text(kernel.print(blob.firstId, blob.count, text(output, before)), after));
}

const encoder = new TextEncoder();

/** The tables of a dialect at the start of the heap. */
class Tables {
  readonly digits: number;
  readonly kinds: number;
  readonly anonymous: { readonly anonymous: number; readonly anonymousLength: number };
  private readonly bytes: Uint8Array;
  private readonly words: Int32Array;
  private top = 0;
  private readonly choices: Map<string, number>;

  constructor(heap: ArrayBuffer, { start, kinds, choices, anonymous }: Dialect) {
    this.bytes = new Uint8Array(heap);
    this.words = new Int32Array(heap);
    this.digits = this.take(4000);
    for (let i = 0, at = this.digits; i < 1000; i++, at += 4) {
      this.bytes[at] = 48 + ((i / 100) | 0);
      this.bytes[at + 1] = 48 + (((i / 10) | 0) % 10);
      this.bytes[at + 2] = 48 + (i % 10);
      this.bytes[at + 3] = i < 10 ? 1 : i < 100 ? 2 : 3;
    }
    const [address, length] = this.literal(anonymous);
    this.anonymous = { anonymous: address, anonymousLength: length };
    this.choices = new Map(
      Object.entries(choices).map(([name, { by, literals, other }]) => {
        const entries = [other, ...literals].flatMap(text => this.literal(text));
        const list = this.take(8 + entries.length * 4);
        this.words.set([by, literals.length, ...entries], list >> 2);
        return [name, list];
      }),
    );
    this.kinds = this.take((LAST_KIND + 2) * 32);
    for (const [name, templates] of Object.entries(kinds)) {
      const number = name === 'UNKNOWN' ? LAST_KIND + 1 : KIND[name as keyof typeof KIND];
      const [head, element = '', tail = ''] = typeof templates === 'string' ? [templates] : templates;
      const parts = [start.replace('KIND', name) + head, element, tail];
      const step = typeof templates === 'string' ? 0 : ELEMENT_WORDS[number]! * 4;
      this.words.set([...parts.flatMap(template => this.program(template)), step], (this.kinds + number * 32) >> 2);
    }
  }

  private take(bytes: number): number {
    const start = this.top;
    this.top = (start + bytes + 3) & ~3;
    if (this.top > TABLES) throw new RangeError('the tables of a dialect are too large');
    return start;
  }

  private literal(text: string): [start: number, length: number] {
    const start = this.take(text.length);
    for (let i = 0; i < text.length; i++) this.bytes[start + i] = text.charCodeAt(i);
    return [start, text.length];
  }

  /** Where the instructions of a template start and end. */
  private program(template: string): [start: number, end: number] {
    const instructions: number[] = [];
    // Text, field, text … field, text.
    const parts = template.split(/\{(\w+)\}/);
    for (let i = 0; i < parts.length; i += 2) {
      const field = parts[i + 1];
      if (field === undefined && parts[i] === '') break;
      const choice = this.choices.get(field ?? '');
      const [op, argument] = field === undefined ? [OP.NOTHING, 0] : choice === undefined ? FIELDS[field]! : [OP.CHOICE, choice];
      instructions.push(...this.literal(parts[i]!), op, argument);
    }
    const start = this.take(instructions.length * 4);
    this.words.set(instructions, start >> 2);
    return [start, start + instructions.length * 4];
  }
}
