import { FormatError, type FormatErrorCode } from '../elf/errors.js';
import type { TypeId } from './ids.js';
import { ELEMENT_NAME, ELEMENT_TYPE, ELEMENT_WORDS, LAST_KIND, RECORD_WORDS, TAIL_WORDS, typeWords } from './kinds.js';
import { type KindLayout, kindOfInfo, vlenOfInfo } from './wire.js';

/** What a scan is given. */
export interface ScanInput {
  /** The type section. */
  readonly words: Uint32Array;
  /** Its length in bytes: no multiple of 4 in a damaged blob. */
  readonly byteLength: number;
  readonly layout: readonly KindLayout[];
  readonly firstId: number;
  /** String offsets from here on are outside the strings. */
  readonly stringEnd: number;
  /** The blob's name and where its type section starts in it, for messages. */
  readonly name: string;
  readonly start: number;
}

/** Columns of the records of a blob. */
export interface Records {
  /** The word where each begins. */
  readonly offsets: Uint32Array;
  readonly kinds: Uint8Array;
}

/**
 * The one pass over the types of a blob: tells where each record starts and its kind. On the way it checks what libbpf's btf_validate_type
 * checks of names and ids, so that whoever reads a record later need not: every name is inside the strings, every id is one of a type.
 * @throws FormatError
 */
export function scanTypes(input: ScanInput): Records {
  const most = Math.floor(input.words.length / RECORD_WORDS);
  const records = { offsets: new Uint32Array(most), kinds: new Uint8Array(most) };
  const count = scanRecords(input, shapesOf(input.layout), records);
  return { offsets: records.offsets.slice(0, count), kinds: records.kinds.slice(0, count) };
}

const KINDS = 128;

/** What a record of a kind consists of, by its number. */
interface Shapes {
  /** Words that the kind adds once, -1 where that is unknown; and for each of its elements. */
  readonly tails: Int32Array;
  readonly steps: Int32Array;
  /** Bit n is set where word n of the record is the id of a type. */
  readonly ids: Int32Array;
  /** Where in an element its name and its type id stand; -1 for nowhere. */
  readonly names: Int32Array;
  readonly types: Int32Array;
}

function shapesOf(layouts: readonly KindLayout[]): Shapes {
  const none = (): Int32Array => new Int32Array(KINDS).fill(-1);
  const shapes = { tails: none(), steps: new Int32Array(KINDS), ids: new Int32Array(KINDS), names: none(), types: none() };
  // Kind 0 is void, which has no record.
  for (let kind = 1; kind <= LAST_KIND; kind++) {
    shapes.tails[kind] = TAIL_WORDS[kind]!;
    shapes.steps[kind] = ELEMENT_WORDS[kind]!;
    for (const word of typeWords(kind)) shapes.ids[kind]! |= 1 << word;
    shapes.names[kind] = ELEMENT_NAME[kind]!;
    shapes.types[kind] = ELEMENT_TYPE[kind]!;
  }
  // Kinds of the future come from the layout section.
  for (let kind = LAST_KIND + 1; kind < KINDS; kind++) {
    const layout = layouts[kind];
    if (layout === undefined || layout.infoSize % 4 !== 0 || layout.elementSize % 4 !== 0) continue;
    shapes.tails[kind] = layout.infoSize / 4;
    shapes.steps[kind] = layout.elementSize / 4;
  }
  return shapes;
}

/** Fills in the columns, in one loop that calls nothing of size: V8 compiles it once. @returns how many records there are */
function scanRecords(input: ScanInput, shapes: Shapes, { offsets, kinds }: Records): number {
  const { words, firstId, stringEnd } = input;
  const { tails, steps, ids, names, types } = shapes;
  /** The largest id of a type that any record refers to, and where it stands. */
  let largestId = 0;
  let largestAt = 0;
  let count = 0;
  let at = 0;
  while (at + RECORD_WORDS <= words.length) {
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    const first = at + RECORD_WORDS + tails[kind]!;
    const step = steps[kind]!;
    const next = first + vlenOfInfo(info) * step;
    if (tails[kind]! < 0) failKind(input, at, kind, firstId + count);
    if (next > words.length) failLength(input, at, next, firstId + count);
    if (words[at]! >= stringEnd) failName(input, at);
    for (let word = at, left = ids[kind]!; left !== 0; word++, left >>= 1) {
      if ((left & 1) === 0 || words[word]! <= largestId) continue;
      largestId = words[word]!;
      largestAt = word;
    }
    const name = names[kind]!;
    if (name >= 0) for (let word = first + name; word < next; word += step) if (words[word]! >= stringEnd) failName(input, word);
    const type = types[kind]!;
    if (type >= 0) {
      for (let word = first + type; word < next; word += step) {
        if (words[word]! <= largestId) continue;
        largestId = words[word]!;
        largestAt = word;
      }
    }
    offsets[count] = at;
    kinds[count++] = kind;
    at = next;
  }
  if (at * 4 !== input.byteLength) fail(input, 'bad-value', at, `${input.byteLength - at * 4} bytes are left after the last type`);
  // How many types there are is known at the end.
  if (largestId >= firstId + count) fail(input, 'out-of-range', largestAt, `type id ${largestId}; the last type is ${firstId + count - 1}`);
  return count;
}

function failName(input: ScanInput, at: number): never {
  fail(input, 'out-of-range', at, `string offset ${input.words[at]}; the strings end at ${input.stringEnd}`);
}

function failLength(input: ScanInput, at: number, next: number, id: TypeId): never {
  fail(input, 'truncated', at, `type ${id} takes ${(next - at) * 4} bytes, ${(input.words.length - at) * 4} are left`);
}

function failKind(input: ScanInput, at: number, kind: number, id: TypeId): never {
  const entry = input.layout[kind];
  if (kind !== 0 && entry !== undefined) {
    const sizes = `info_sz ${entry.infoSize}, elem_sz ${entry.elementSize}`;
    fail(input, 'bad-value', at + 1, `type ${id} is of kind ${kind}, whose layout (${sizes}) is not in multiples of 4`);
  }
  fail(input, 'unsupported', at + 1, `type ${id} is of kind ${kind}, which is neither known nor in a layout section`);
}

/** @param word where in the type section */
function fail(input: ScanInput, code: FormatErrorCode, word: number, message: string): never {
  throw new FormatError(code, { name: input.name, offset: input.start + word * 4 }, message);
}
