import { copyMatch } from './copy.js';
import type { Job } from './job.js';

// The format: "LZMA specification", Igor Pavlov, in the LZMA SDK. Names of the variables are its own.

/** A model of 11 bits; it moves by 1/32 of its distance to what came. */
const MODEL_BITS = 11;
const MODEL_START = 1 << (MODEL_BITS - 1);
const MOVE_BITS = 5;
/** Below this the range takes in another byte. */
const TOP = 1 << 24;

const STATES = 12;
const POS_STATES = 16;
const SHORTEST_MATCH = 2;

/**
 * Where each kind of model begins in the one array of models. A length coder: choice, choice2, low and mid of 8 for each posState, high of
 * 256.
 */
const IS_MATCH = 0;
const IS_REP = IS_MATCH + STATES * POS_STATES;
const IS_REP_G0 = IS_REP + STATES;
const IS_REP_G1 = IS_REP_G0 + STATES;
const IS_REP_G2 = IS_REP_G1 + STATES;
const IS_REP0_LONG = IS_REP_G2 + STATES;
const POS_SLOT = IS_REP0_LONG + STATES * POS_STATES;
const POS_SPECIAL = POS_SLOT + 4 * 64;
const ALIGN = POS_SPECIAL + 128;
const LENGTH = ALIGN + 16;
const LENGTH_LOW = 2;
const LENGTH_MID = LENGTH_LOW + POS_STATES * 8;
const LENGTH_HIGH = LENGTH_MID + POS_STATES * 8;
const LENGTH_MODELS = LENGTH_HIGH + 256;
const REP_LENGTH = LENGTH + LENGTH_MODELS;
const LITERAL = REP_LENGTH + LENGTH_MODELS;

/**
 * The LZMA decoder: what .lzma files and the chunks of LZMA2 are made of. It unpacks to the job's output, which is its dictionary. What the
 * input does not have reads as zeros; whoever calls `decode` sees by `at` that it went too far.
 */
export class LzmaDecoder {
  /** Offset of the next packed byte. */
  at = 0;
  /** Offset in the output where the dictionary begins: matches reach no further back. */
  dictionaryStart = 0;
  readonly #job: Job;
  readonly #dictionarySize: number;
  #range = 0;
  #code = 0;
  #lc = 0;
  #literalMask = 0;
  #posMask = 0;
  #models = new Uint16Array(0);
  #state = 0;
  #rep0 = 0;
  #rep1 = 0;
  #rep2 = 0;
  #rep3 = 0;

  constructor(job: Job, dictionarySize: number) {
    this.#job = job;
    this.#dictionarySize = dictionarySize;
  }

  /** Sets lc, lp and pb from the byte that holds them, and begins anew. @returns false if they are out of range */
  setProperties(byte: number): boolean {
    if (byte >= 9 * 5 * 5) return false;
    this.#lc = byte % 9;
    const lp = Math.floor(byte / 9) % 5;
    this.#literalMask = (1 << lp) - 1;
    this.#posMask = (1 << Math.floor(byte / 45)) - 1;
    this.#models = new Uint16Array(LITERAL + (0x300 << (this.#lc + lp)));
    this.reset();
    return true;
  }

  /** Forgets what was learnt, except for lc, lp and pb. */
  reset(): void {
    this.#models.fill(MODEL_START);
    this.#state = this.#rep0 = this.#rep1 = this.#rep2 = this.#rep3 = 0;
  }

  /** Starts the range coder on the five bytes at `at`. */
  start(): void {
    const { at } = this;
    if (this.#job.u8(at) !== 0) this.#job.fail('corrupt', at, 'an LZMA stream starts with a zero byte');
    this.#job.need(at, 5);
    this.#range = -1;
    this.#code = this.#job.view.getInt32(at + 1);
    this.at = at + 5;
  }

  /** Takes in what is left of the range coder, after which a stream that is whole leaves a code of zero. */
  finish(): boolean {
    this.#normalize();
    return this.#code === 0;
  }

  /**
   * Unpacks until the output is `pause` bytes long, or longer by the rest of a match, and by no means longer than `until`.
   *
   * @param inputEnd where the packed bytes end; going beyond is a FormatError
   * @returns false if an end marker came first
   */
  decode(pause: number, until: number, inputEnd: number): boolean {
    const { output } = this.#job;
    while (output.length < pause) {
      if (this.at > inputEnd) this.#job.fail('truncated', inputEnd, 'the LZMA stream continues past its end');
      const posState = (output.length - this.dictionaryStart) & this.#posMask;
      const state = this.#state;
      if (this.#bit(IS_MATCH + (state << 4) + posState) === 0) {
        this.#literal();
        continue;
      }
      let length: number;
      if (this.#bit(IS_REP + state) === 0) {
        this.#rep3 = this.#rep2;
        this.#rep2 = this.#rep1;
        this.#rep1 = this.#rep0;
        length = this.#length(LENGTH, posState);
        this.#state = state < 7 ? 7 : 10;
        this.#rep0 = this.#distance(Math.min(length, 3));
        if (this.#rep0 === 0xffffffff) return false;
      } else {
        if (this.#bit(IS_REP_G0 + state) === 0) {
          if (this.#bit(IS_REP0_LONG + (state << 4) + posState) === 0) {
            this.#state = state < 7 ? 9 : 11;
            this.#copy(1, until);
            continue;
          }
        } else {
          this.#swapDistances(state);
        }
        length = this.#length(REP_LENGTH, posState);
        this.#state = state < 7 ? 8 : 11;
      }
      this.#copy(length + SHORTEST_MATCH, until);
    }
    return true;
  }

  /** One of the last four distances becomes the last one. */
  #swapDistances(state: number): void {
    const rep1 = this.#rep1;
    if (this.#bit(IS_REP_G1 + state) === 0) {
      this.#rep1 = this.#rep0;
      this.#rep0 = rep1;
      return;
    }
    const rep2 = this.#rep2;
    if (this.#bit(IS_REP_G2 + state) === 0) {
      this.#rep2 = rep1;
      this.#rep1 = this.#rep0;
      this.#rep0 = rep2;
      return;
    }
    const rep3 = this.#rep3;
    this.#rep3 = rep2;
    this.#rep2 = rep1;
    this.#rep1 = this.#rep0;
    this.#rep0 = rep3;
  }

  #copy(length: number, until: number): void {
    const { output } = this.#job;
    const distance = this.#rep0 + 1;
    const there = output.length - this.dictionaryStart;
    if (distance > there || distance > this.#dictionarySize) {
      this.#job.fail(
        'corrupt',
        this.at,
        `a match from ${distance} bytes back, but there are only ${Math.min(there, this.#dictionarySize)}`,
      );
    }
    if (output.length + length > until) this.#job.fail('corrupt', this.at, 'a match goes beyond the end of the output');
    this.#room(length);
    copyMatch(output.bytes, output.view, output.length, distance, length);
    output.length += length;
  }

  #room(length: number): void {
    const { output } = this.#job;
    if (output.length + length <= output.capacity) return;
    output.reserve(length);
    if (output.length + length > output.capacity) output.exceed(output.length + length, this.at, 'no room');
  }

  #literal(): void {
    const { output } = this.#job;
    this.#room(1);
    const there = output.length - this.dictionaryStart;
    const { bytes, length } = output;
    const previous = there === 0 ? 0 : bytes[length - 1]!;
    const context = ((there & this.#literalMask) << this.#lc) + (previous >> (8 - this.#lc));
    const base = LITERAL + 0x300 * context;
    const state = this.#state;
    if (state < 7) {
      bytes[length] = this.#tree(base, 0x100);
    } else {
      // After a match, the byte that would have gone on with it helps to guess.
      if (this.#rep0 >= there)
        this.#job.fail('corrupt', this.at, `a literal after a match from ${this.#rep0 + 1} bytes back, but there are only ${there}`);
      bytes[length] = this.#matchedLiteral(base, bytes[length - this.#rep0 - 1]!);
    }
    this.#state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
    output.length = length + 1;
  }

  #matchedLiteral(base: number, match: number): number {
    let node = 1;
    let guess = match;
    do {
      const expected = (guess >> 7) & 1;
      guess <<= 1;
      const bit = this.#bit(base + ((1 + expected) << 8) + node);
      node = (node << 1) | bit;
      if (bit !== expected) break;
    } while (node < 0x100);
    return node < 0x100 ? this.#tree(base, 0x100, node) : node & 0xff;
  }

  #length(coder: number, posState: number): number {
    if (this.#bit(coder) === 0) return this.#tree(coder + LENGTH_LOW + (posState << 3), 8);
    if (this.#bit(coder + 1) === 0) return 8 + this.#tree(coder + LENGTH_MID + (posState << 3), 8);
    return 16 + this.#tree(coder + LENGTH_HIGH, 256);
  }

  #distance(lengthState: number): number {
    const slot = this.#tree(POS_SLOT + (lengthState << 6), 64);
    if (slot < 4) return slot;
    const bits = (slot >> 1) - 1;
    const high = (2 | (slot & 1)) << bits;
    if (slot < 14) return high + this.#reverseTree(POS_SPECIAL + high - slot, bits);
    const middle = (this.#direct(bits - 4) << 4) >>> 0;
    return ((high >>> 0) + middle + this.#reverseTree(ALIGN, 4)) >>> 0;
  }

  #normalize(): void {
    if (this.#range >>> 0 < TOP) {
      this.#range <<= 8;
      this.#code = (this.#code << 8) | this.#job.bytes[this.at++]!;
    }
  }

  #bit(model: number): 0 | 1 {
    this.#normalize();
    const range = this.#range;
    const probability = this.#models[model]!;
    const bound = Math.imul(range >>> MODEL_BITS, probability);
    if (this.#code >>> 0 < bound >>> 0) {
      this.#range = bound;
      this.#models[model] = probability + (((1 << MODEL_BITS) - probability) >> MOVE_BITS);
      return 0;
    }
    this.#range = (range - bound) | 0;
    this.#code = (this.#code - bound) | 0;
    this.#models[model] = probability - (probability >> MOVE_BITS);
    return 1;
  }

  /** A number of log2(`limit`) bits, highest bit first; each bit's model depends on the bits before it. */
  #tree(base: number, limit: number, start = 1): number {
    const models = this.#models;
    const input = this.#job.bytes;
    let range = this.#range;
    let code = this.#code;
    let at = this.at;
    let node = start;
    do {
      if (range >>> 0 < TOP) {
        range <<= 8;
        code = (code << 8) | input[at++]!;
      }
      const probability = models[base + node]!;
      const bound = Math.imul(range >>> MODEL_BITS, probability);
      if (code >>> 0 < bound >>> 0) {
        range = bound;
        models[base + node] = probability + (((1 << MODEL_BITS) - probability) >> MOVE_BITS);
        node <<= 1;
      } else {
        range = (range - bound) | 0;
        code = (code - bound) | 0;
        models[base + node] = probability - (probability >> MOVE_BITS);
        node = (node << 1) | 1;
      }
    } while (node < limit);
    this.#range = range;
    this.#code = code;
    this.at = at;
    return node - limit;
  }

  /** A number of `bits` bits, lowest bit first. */
  #reverseTree(base: number, bits: number): number {
    let node = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + node);
      node = (node << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  /** A number of `bits` bits that no model guesses. */
  #direct(bits: number): number {
    let value = 0;
    for (let i = 0; i < bits; i++) {
      this.#normalize();
      this.#range >>>= 1;
      value <<= 1;
      if (this.#code >>> 0 >= this.#range) {
        this.#code = (this.#code - this.#range) | 0;
        value |= 1;
      }
    }
    return value;
  }
}
