import { FormatError, type FormatErrorCode } from '../elf/errors.js';
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
  const { words, firstId } = input;
  const offsets = new Uint32Array(Math.floor(words.length / RECORD_WORDS));
  const kinds = new Uint8Array(offsets.length);
  const scan = new Scan(input);
  let count = 0;
  let at = 0;
  for (; at + RECORD_WORDS <= words.length; count++) {
    offsets[count] = at;
    kinds[count] = kindOfInfo(words[at + 1]!);
    at = scan.record(at, firstId + count);
  }
  if (at * 4 !== input.byteLength) fail(input, 'bad-value', at, `${input.byteLength - at * 4} bytes are left after the last type`);
  // How many types there are is known at the end.
  const { largestId, largestAt } = scan;
  if (largestId >= firstId + count) fail(input, 'out-of-range', largestAt, `type id ${largestId}; the last type is ${firstId + count - 1}`);
  return { offsets: offsets.slice(0, count), kinds: kinds.slice(0, count) };
}

const KINDS = 128;

class Scan {
  /** The largest id of a type that any record refers to, and where it stands. */
  largestId = 0;
  largestAt = 0;
  private readonly input: ScanInput;
  private readonly words: Uint32Array;
  private readonly stringEnd: number;
  /** For each kind, the words that it adds once, -1 where that is unknown; and for each of its elements. */
  private readonly tails = new Int32Array(KINDS).fill(-1);
  private readonly steps = new Int32Array(KINDS);

  constructor(input: ScanInput) {
    this.input = input;
    this.words = input.words;
    this.stringEnd = input.stringEnd;
    // Kind 0 is void, which has no record. Kinds of the future come from the layout section.
    for (let kind = 1; kind < KINDS; kind++) {
      const known = kind <= LAST_KIND;
      const layout = input.layout[kind];
      if (!known && (layout === undefined || layout.infoSize % 4 !== 0 || layout.elementSize % 4 !== 0)) continue;
      this.tails[kind] = known ? TAIL_WORDS[kind]! : layout!.infoSize / 4;
      this.steps[kind] = known ? ELEMENT_WORDS[kind]! : layout!.elementSize / 4;
    }
  }

  /** Checks a record. @returns where the next one begins */
  record(at: number, id: number): number {
    const { words } = this;
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    const tail = this.tails[kind]!;
    if (tail < 0) this.failKind(at, kind, id);
    const step = this.steps[kind]!;
    const first = at + RECORD_WORDS + tail;
    const next = first + vlenOfInfo(info) * step;
    if (next > words.length) {
      const [takes, left] = [(next - at) * 4, (words.length - at) * 4];
      fail(this.input, 'truncated', at, `type ${id} takes ${takes} bytes, ${left} are left`);
    }
    if (words[at]! >= this.stringEnd) this.failName(at);
    const typeAt = typeWords(kind);
    for (let i = 0; i < typeAt.length; i++) this.type(at + typeAt[i]!);
    if (first === next || kind > LAST_KIND) return next;
    if (ELEMENT_NAME[kind]! >= 0) this.names(first + ELEMENT_NAME[kind]!, next, step);
    if (ELEMENT_TYPE[kind]! >= 0) for (let element = first + ELEMENT_TYPE[kind]!; element < next; element += step) this.type(element);
    return next;
  }

  /** Takes note of the id at a word. */
  private type(at: number): void {
    const id = this.words[at]!;
    if (id <= this.largestId) return;
    this.largestId = id;
    this.largestAt = at;
  }

  private names(first: number, end: number, step: number): void {
    for (let at = first; at < end; at += step) if (this.words[at]! >= this.stringEnd) this.failName(at);
  }

  private failName(at: number): never {
    const { input } = this;
    fail(input, 'out-of-range', at, `string offset ${input.words[at]}; the strings end at ${input.stringEnd}`);
  }

  private failKind(at: number, kind: number, id: number): never {
    const entry = this.input.layout[kind];
    if (kind !== 0 && entry !== undefined) {
      const sizes = `info_sz ${entry.infoSize}, elem_sz ${entry.elementSize}`;
      fail(this.input, 'bad-value', at + 1, `type ${id} is of kind ${kind}, whose layout (${sizes}) is not in multiples of 4`);
    }
    fail(this.input, 'unsupported', at + 1, `type ${id} is of kind ${kind}, which is neither known nor in a layout section`);
  }
}

/** @param word where in the type section */
function fail(input: ScanInput, code: FormatErrorCode, word: number, message: string): never {
  throw new FormatError(code, { name: input.name, offset: input.start + word * 4 }, message);
}
