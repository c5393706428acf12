import { copyMatch } from './copy.js';
import type { Job } from './job.js';

// Sections are those of RFC 1951.

/** Codes of lengths and distances (3.2.5): how many bits to add; each begins where the one before ends. */
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0] as const;
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13] as const;
const LENGTH_BASE = /* @__PURE__ */ bases(LENGTH_BITS, 3).with(28, 258);
const DISTANCE_BASE = /* @__PURE__ */ bases(DISTANCE_BITS, 1);
/** The order in which the lengths of the codes for code lengths come (3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15] as const;
const END_OF_BLOCK = 256;
const LONGEST_CODE = 15;
const LONGEST_MATCH = 258;
const STEP = 1 << 16;

/** For every `maxBits` bits, as they are in the stream: the symbol, and in the low 4 bits the length of its code; 0 for no code. */
interface Codes {
  readonly entries: Uint16Array;
  readonly maxBits: number;
}

/** Unpacks the deflate stream at an offset to the job's output, where matches reach no further back than to `job.output.length` of now. */
export class Inflater {
  readonly #job: Job;
  readonly #start: number;
  /** The next byte; `#bits` bits before it are in `#hold`, lowest first. */
  #at: number;
  #hold = 0;
  #bits = 0;

  constructor(job: Job, offset: number) {
    this.#job = job;
    this.#at = offset;
    this.#start = job.output.length;
  }

  /** Returns the offset after the stream. */
  run(): number {
    for (let last = false; !last; ) {
      last = this.#read(1) === 1;
      const type = this.#read(2);
      if (type === 0) this.#stored();
      else if (type === 1) this.#block(FIXED_LITERALS, FIXED_DISTANCES);
      else if (type === 2) this.#block(...this.#readCodes());
      else this.#fail('a block of the reserved type');
      this.#job.progress(Math.min(this.#at, this.#job.bytes.length));
    }
    return this.#at - (this.#bits >> 3);
  }

  /** Three more bytes in `#hold`, or as many as fit; zeros past the end, which `#check` notices. */
  #fill(): void {
    const { bytes } = this.#job;
    while (this.#bits <= 24) {
      this.#hold |= bytes[this.#at++]! << this.#bits;
      this.#bits += 8;
    }
  }

  #check(): void {
    const { length } = this.#job.bytes;
    if (this.#at - (this.#bits >> 3) > length) this.#job.fail('truncated', length, 'the deflate stream continues past the end');
  }

  #read(count: number): number {
    this.#fill();
    const value = this.#hold & ((1 << count) - 1);
    this.#hold >>>= count;
    this.#bits -= count;
    this.#check();
    return value;
  }

  #fail(message: string): never {
    return this.#job.fail('corrupt', this.#at - (this.#bits >> 3), message);
  }

  #stored(): void {
    const { bytes, output } = this.#job;
    const at = this.#at - (this.#bits >> 3);
    this.#job.need(at, 4);
    const length = bytes[at]! | (bytes[at + 1]! << 8);
    if ((length ^ (bytes[at + 2]! | (bytes[at + 3]! << 8))) !== 0xffff)
      this.#job.fail('corrupt', at, 'the two lengths of a stored block differ');
    this.#job.need(at + 4, length);
    output.reserve(length);
    if (output.length + length > output.capacity) output.exceed(output.length + length, at, 'no room');
    output.bytes.set(bytes.subarray(at + 4, at + 4 + length), output.length);
    output.length += length;
    this.#at = at + 4 + length;
    this.#hold = this.#bits = 0;
  }

  /** Reads the codes of a block (3.2.7). */
  #readCodes(): [literals: Codes, distances: Codes] {
    const literals = this.#read(5) + 257;
    const distances = this.#read(5) + 1;
    const count = this.#read(4) + 4;
    if (literals > 286 || distances > 30) this.#fail('a block has more codes than there are symbols');
    const orderLengths = new Uint8Array(19);
    for (let i = 0; i < count; i++) orderLengths[ORDER[i]!] = this.#read(3);
    const orderCodes = codesOf(orderLengths) ?? this.#fail('the code for code lengths is invalid');
    const lengths = new Uint8Array(literals + distances);
    for (let i = 0; i < lengths.length; ) {
      const symbol = this.#symbol(orderCodes);
      if (symbol < 16) {
        lengths[i++] = symbol;
        continue;
      }
      if (symbol === 16 && i === 0) this.#fail('the first code length is a repetition');
      const value = symbol === 16 ? lengths[i - 1]! : 0;
      const times = symbol === 16 ? 3 + this.#read(2) : symbol === 17 ? 3 + this.#read(3) : 11 + this.#read(7);
      if (i + times > lengths.length) this.#fail('a block has more code lengths than codes');
      lengths.fill(value, i, i + times);
      i += times;
    }
    if (lengths[END_OF_BLOCK] === 0) this.#fail('a block has no code for its end');
    const distanceCodes = codesOf(lengths.subarray(literals));
    return [
      codesOf(lengths.subarray(0, literals)) ?? this.#fail('the code for literals is invalid'),
      distanceCodes ?? this.#fail('the code for distances is invalid'),
    ];
  }

  #symbol({ entries, maxBits }: Codes): number {
    this.#fill();
    const entry = entries[this.#hold & ((1 << maxBits) - 1)]!;
    const length = entry & 15;
    if (length === 0) this.#fail('bits that are not a code');
    this.#hold >>>= length;
    this.#bits -= length;
    this.#check();
    return entry >> 4;
  }

  #block(literals: Codes, distances: Codes): void {
    const { output } = this.#job;
    for (;;) {
      if (output.length + LONGEST_MATCH > output.capacity) output.reserve(STEP);
      const { bytes, view, capacity } = output;
      let to = output.length;
      // While there is room for any match:
      while (to + LONGEST_MATCH <= capacity || capacity - output.length < LONGEST_MATCH) {
        const symbol = this.#symbol(literals);
        if (symbol === END_OF_BLOCK) {
          output.length = to;
          return;
        }
        if (symbol < END_OF_BLOCK) {
          if (to === capacity) output.exceed(to + 1, this.#at, 'no room');
          bytes[to++] = symbol;
          continue;
        }
        if (symbol > 285) this.#fail(`${symbol} is not a length code`);
        const length = LENGTH_BASE[symbol - 257]! + this.#read(LENGTH_BITS[symbol - 257]!);
        const code = this.#symbol(distances);
        if (code > 29) this.#fail(`${code} is not a distance code`);
        const distance = DISTANCE_BASE[code]! + this.#read(DISTANCE_BITS[code]!);
        if (distance > to - this.#start) this.#fail(`a match from ${distance} bytes back, but there are only ${to - this.#start}`);
        if (to + length > capacity) output.exceed(to + length, this.#at, 'no room');
        copyMatch(bytes, view, to, distance, length);
        to += length;
      }
      output.length = to;
    }
  }
}

/** Codes from their lengths (3.2.2); undefined if they are too many. A code may be incomplete, as that of a single distance is. */
function codesOf(lengths: Uint8Array): Codes | undefined {
  const counts = new Uint16Array(LONGEST_CODE + 1);
  let maxBits = 1;
  for (const length of lengths) {
    counts[length]!++;
    maxBits = Math.max(maxBits, length);
  }
  const next = new Uint32Array(LONGEST_CODE + 1);
  let code = 0;
  for (let length = 1; length <= maxBits; length++) {
    next[length] = code;
    code = (code + counts[length]!) << 1;
    if (code > 2 << length) return undefined;
  }
  const entries = new Uint16Array(1 << maxBits);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol]!;
    if (length === 0) continue;
    // Codes come highest bit first, all else lowest first.
    let reversed = 0;
    for (let bit = 0, value = next[length]!++; bit < length; bit++, value >>= 1) reversed = (reversed << 1) | (value & 1);
    for (let i = reversed; i < entries.length; i += 1 << length) entries[i] = (symbol << 4) | length;
  }
  return { entries, maxBits };
}

/** The codes of blocks that bring none (3.2.6). */
const FIXED_LITERALS = /* @__PURE__ */ fixed(288, i => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
const FIXED_DISTANCES = /* @__PURE__ */ fixed(32, () => 5);

function fixed(count: number, lengthOf: (symbol: number) => number): Codes {
  return codesOf(Uint8Array.from({ length: count }, (_, i) => lengthOf(i)))!;
}

function bases(bits: readonly number[], start: number): Uint16Array {
  let next = start;
  return Uint16Array.from(bits, count => {
    next += 1 << count;
    return next - (1 << count);
  });
}
