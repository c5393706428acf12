import { asmHeap, LARGEST_HEAP } from '../elf/asm-heap.js';
import { FormatError, type FormatErrorCode } from '../elf/errors.js';
import { FLAW, KIND_TABLE, linkScanKernel, type ScanKernel } from './scan-kernel.js';
import {
  ELEMENT_WORDS,
  KIND,
  type KindLayout,
  kindOfInfo,
  NAMED_ELEMENTS,
  RECORD_WORDS,
  REFERRING,
  TAIL_WORDS,
  TYPED_ELEMENTS,
  vlenOfInfo,
} from './wire.js';

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

const KINDS = 128;
/** Addresses on the heap of a scanner. */
const RESULTS = KINDS * KIND_TABLE.WORDS * 4;
const RECORDS = RESULTS + 16;
/** Bytes of heap that blobs share which need no more: of modules, and of objects for BPF. */
const SMALL = 1 << 18;

/**
 * The one pass over the types of a blob: gives the word where each record starts. On the way it checks what libbpf's btf_validate_type checks of
 * names and ids, so that whoever reads a record later need not: every name is inside the strings, every id is one of a type.
 * @throws FormatError; `limit` for more than two gigabytes with where the records start
 */
export function scanTypes(input: ScanInput): Uint32Array {
  const { words, firstId } = input;
  const offsets = RECORDS + words.length * 4;
  const size = offsets + Math.floor(words.length / RECORD_WORDS) * 4;
  if (size > LARGEST_HEAP) throw new FormatError('limit', { name: input.name }, `the types take more than ${LARGEST_HEAP} bytes to read`);
  const scanner = size <= SMALL ? (small ??= new Scanner(SMALL)) : new Scanner(size);
  const { count, stop, largestId, largestAt } = scanner.scan(input, offsets);
  if (stop * 4 !== input.byteLength) fail(input, 'bad-value', stop, `${input.byteLength - stop * 4} bytes are left behind the last type`);
  // How many types there are is known at the end.
  if (largestId >= firstId + count) fail(input, 'out-of-range', largestAt, `type id ${largestId}; the last type is ${firstId + count - 1}`);
  return scanner.words.slice(offsets >> 2, (offsets >> 2) + count);
}

/** A heap for the pass, and the pass. */
class Scanner {
  readonly words: Uint32Array;
  readonly #kernel: ScanKernel;
  #input: ScanInput | undefined;

  constructor(size: number) {
    const heap = asmHeap(size);
    this.words = new Uint32Array(heap);
    this.#kernel = linkScanKernel(heap, {
      kinds: 0,
      results: RESULTS,
      fail: (flaw, at, count) => failAs(this.#input!, flaw, (at - RECORDS) >> 2, count),
    });
  }

  /** Places are in words, `offsets` is the address where they are to go. */
  scan(input: ScanInput, offsets: number): { stop: number; count: number; largestId: number; largestAt: number } {
    const { words } = this;
    words.set(input.layout.length === 0 ? (plainKinds ??= kindTable([])) : kindTable(input.layout));
    words.set(input.words, RECORDS >> 2);
    this.#input = input;
    try {
      this.#kernel.scan(RECORDS, offsets, offsets, input.stringEnd);
    } finally {
      this.#input = undefined;
    }
    const [stop, count, largestId, largestAt] = words.subarray(RESULTS >> 2, RECORDS >> 2);
    return { stop: (stop! - RECORDS) >> 2, count: count!, largestId: largestId!, largestAt: (largestAt! - RECORDS) >> 2 };
  }
}

let small: Scanner | undefined;
/** For blobs without a layout section, nearly all that there are. */
let plainKinds: Int32Array | undefined;

/** What the pass is told of each kind. Kinds of the future come from the layout section. */
function kindTable(layout: readonly KindLayout[]): Int32Array {
  const table = new Int32Array(KINDS * KIND_TABLE.WORDS);
  for (let kind = 0; kind < KINDS; kind++) {
    const known = kind > 0 && kind < TAIL_WORDS.length;
    const tail = known ? TAIL_WORDS[kind]! * 4 : (layout[kind]?.infoSize ?? 0);
    const element = known ? ELEMENT_WORDS[kind]! * 4 : (layout[kind]?.elementSize ?? 0);
    // Kind 0 is void, which has no record.
    const unknown = kind === 0 || (!known && layout[kind] === undefined) || tail % 4 !== 0 || element % 4 !== 0;
    const flags = (REFERRING.has(kind) ? 1 : 0) | (NAMED_ELEMENTS.has(kind) ? 2 : 0) | (kind === KIND.ARRAY ? 4 : 0);
    const place = TYPED_ELEMENTS.has(kind) ? 4 : kind === KIND.DATASEC ? 0 : -1;
    table.set([unknown ? -1 : tail, element, flags, place], kind * KIND_TABLE.WORDS);
  }
  return table;
}

function fail(input: ScanInput, code: FormatErrorCode, word: number, message: string): never {
  throw new FormatError(code, { name: input.name, offset: input.start + word * 4 }, message);
}

/** @param word where the record begins, or the name stands @param count of the records before it */
function failAs(input: ScanInput, flaw: number, word: number, count: number): never {
  const id = input.firstId + count;
  if (flaw === FLAW.NAME) fail(input, 'out-of-range', word, `string offset ${input.words[word]}; the strings end at ${input.stringEnd}`);
  const info = input.words[word + 1]!;
  const kind = kindOfInfo(info);
  if (flaw === FLAW.KIND) failKind(input, word, kind, id);
  const table = kindTable(input.layout);
  const at = kind * KIND_TABLE.WORDS;
  const bytes = RECORD_WORDS * 4 + table[at + KIND_TABLE.TAIL]! + table[at + KIND_TABLE.ELEMENT]! * vlenOfInfo(info);
  fail(input, 'truncated', word, `type ${id} takes ${bytes} bytes, ${(input.words.length - word) * 4} are left`);
}

function failKind(input: ScanInput, word: number, kind: number, id: number): never {
  const entry = input.layout[kind];
  if (kind !== 0 && entry !== undefined) {
    const sizes = `info_sz ${entry.infoSize}, elem_sz ${entry.elementSize}`;
    fail(input, 'bad-value', word + 1, `type ${id} is of kind ${kind}, whose layout (${sizes}) is not in multiples of 4`);
  }
  fail(input, 'unsupported', word + 1, `type ${id} is of kind ${kind}, which is neither known nor in a layout section`);
}
