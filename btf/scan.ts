import { FormatError, type FormatErrorCode } from '../elf/errors.js';
import { ELEMENT_WORDS, KIND, type KindLayout, kindOfInfo, RECORD_WORDS, TAIL_WORDS, vlenOfInfo } from './wire.js';

/** What a scan is given. */
export interface ScanInput {
  /** The type section. */
  readonly words: Uint32Array;
  /** Its length in bytes: no multiple of 4 in a damaged blob. */
  readonly byteLength: number;
  readonly layout: readonly KindLayout[];
  readonly firstId: number;
  /** String offsets from here on are outside of the strings. */
  readonly stringEnd: number;
  /** The blob's name and where its type section starts in it, for messages. */
  readonly name: string;
  readonly start: number;
}

/** In the table of record lengths: a kind whose records can't be stepped over. */
const UNKNOWN = 0xffff;

/** Kinds whose third word is a type id. What it means in an unknown kind is not known. */
const REFERS: Uint8Array = flags([
  KIND.PTR,
  KIND.TYPEDEF,
  KIND.VOLATILE,
  KIND.CONST,
  KIND.RESTRICT,
  KIND.FUNC,
  KIND.FUNC_PROTO,
  KIND.VAR,
  KIND.DECL_TAG,
  KIND.TYPE_TAG,
]);

/** Kinds whose elements begin with a name. */
const NAMED_ELEMENTS: Uint8Array = flags([KIND.STRUCT, KIND.UNION, KIND.ENUM, KIND.FUNC_PROTO, KIND.ENUM64]);

/** Kinds whose elements have a type id as their second word. Only those of DATASEC have it first. */
const TYPED_ELEMENTS: Uint8Array = flags([KIND.STRUCT, KIND.UNION, KIND.FUNC_PROTO]);

/**
 * The one pass over the types of a blob: gives the word where each record starts. On the way it checks what libbpf's btf_validate_type checks of
 * names and ids, so that whoever reads a record later need not: every name is inside the strings, every id is one of a type. It goes by tables, not
 * by a case for each kind: code that rare kinds reach late is compiled anew each time.
 * @throws FormatError
 */
export function scanTypes(input: ScanInput): Uint32Array {
  const { words, stringEnd, firstId } = input;
  const [tails, elements] = recordLengths(input.layout);
  const end = words.length;
  const offsets = new Uint32Array(Math.floor(end / RECORD_WORDS));
  let count = 0;
  // How many types there are is known at the end, so the largest id is kept, and where it stands.
  let largestId = 0;
  let largestAt = 0;
  let at = 0;
  while (at + RECORD_WORDS <= end) {
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    const tail = tails[kind]!;
    if (tail === UNKNOWN) failKind(input, at, kind, firstId + count);
    const step = elements[kind]!;
    const first = at + RECORD_WORDS;
    const next = first + tail + step * vlenOfInfo(info);
    if (next > end) fail(input, 'truncated', at, `type ${firstId + count} takes ${(next - at) * 4} bytes, ${(end - at) * 4} are left`);
    offsets[count++] = at;
    if (words[at]! >= stringEnd) failName(input, at);
    if (REFERS[kind] === 1 && words[at + 2]! > largestId) largestId = words[(largestAt = at + 2)]!;
    if (NAMED_ELEMENTS[kind] === 1) {
      for (let i = first; i < next; i += step) if (words[i]! >= stringEnd) failName(input, i);
    }
    if (TYPED_ELEMENTS[kind] === 1) {
      for (let i = first + 1; i < next; i += step) if (words[i]! > largestId) largestId = words[(largestAt = i)]!;
    } else if (kind === KIND.ARRAY || kind === KIND.DATASEC) {
      // An array's tail is its element's type, its index's type and a number. Elements of a DATASEC begin with their type.
      const stop = kind === KIND.ARRAY ? first + 2 : next;
      const pace = kind === KIND.ARRAY ? 1 : step;
      for (let i = first; i < stop; i += pace) if (words[i]! > largestId) largestId = words[(largestAt = i)]!;
    }
    at = next;
  }
  if (at * 4 !== input.byteLength) fail(input, 'bad-value', at, `${input.byteLength - at * 4} bytes are left behind the last type`);
  if (largestId >= firstId + count) fail(input, 'out-of-range', largestAt, `type id ${largestId}; the last type is ${firstId + count - 1}`);
  return offsets.slice(0, count);
}

/** Words of a record by kind number: what a kind adds once, and for each element. Kinds of the future come from the layout section. */
function recordLengths(layout: readonly KindLayout[]): [tails: Uint16Array, elements: Uint16Array] {
  const tails = new Uint16Array(128).fill(UNKNOWN);
  const elements = new Uint16Array(128);
  layout.forEach(({ infoSize, elementSize }, kind) => {
    // Kind 0 is void, which has no record.
    if (kind === 0 || infoSize % 4 !== 0 || elementSize % 4 !== 0) return;
    tails[kind] = infoSize / 4;
    elements[kind] = elementSize / 4;
  });
  tails.set(TAIL_WORDS.subarray(1), 1);
  elements.set(ELEMENT_WORDS.subarray(1), 1);
  return [tails, elements];
}

function flags(kinds: readonly number[]): Uint8Array {
  const table = new Uint8Array(128);
  for (const kind of kinds) table[kind] = 1;
  return table;
}

function fail(input: ScanInput, code: FormatErrorCode, word: number, message: string): never {
  throw new FormatError(code, { name: input.name, offset: input.start + word * 4 }, message);
}

function failName(input: ScanInput, word: number): never {
  fail(input, 'out-of-range', word, `string offset ${input.words[word]}; the strings end at ${input.stringEnd}`);
}

function failKind(input: ScanInput, word: number, kind: number, id: number): never {
  const entry = input.layout[kind];
  if (kind !== 0 && entry !== undefined) {
    const sizes = `info_sz ${entry.infoSize}, elem_sz ${entry.elementSize}`;
    fail(input, 'bad-value', word + 1, `type ${id} is of kind ${kind}, whose layout (${sizes}) is not in multiples of 4`);
  }
  fail(input, 'unsupported', word + 1, `type ${id} is of kind ${kind}, which is neither known nor in a layout section`);
}
