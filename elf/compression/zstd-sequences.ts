import { copyLiterals, copyMatch } from './copy.js';
import type { Output } from './output.js';
import { type BlockBytes, buildFseTable, type FseTable, readFseTable, singleSymbol, startOfBits } from './zstd-entropy.js';
import type { Literals } from './zstd-literals.js';

// Sections are those of RFC 8878.

/** Codes of lengths (3.1.1.3.2.1.1): what each stands for at least, and how many bits to add. */
const LITERAL_LENGTH_BITS = Uint8Array.of(...new Array(16).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
const MATCH_LENGTH_BITS = Uint8Array.of(...new Array(32).fill(0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16);
const LITERAL_LENGTH_BASE = /* @__PURE__ */ bases(LITERAL_LENGTH_BITS, 0, { 25: 64 });
const MATCH_LENGTH_BASE = /* @__PURE__ */ bases(MATCH_LENGTH_BITS, 3, { 43: 131 });

/** The three kinds of codes: the largest code, the largest table, and the table that need not be described (3.1.1.3.2.2). */
const KINDS = [
  {
    maxSymbol: 35,
    maxLog: 9,
    predefined: /* @__PURE__ */ buildFseTable(
      [4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1],
      6,
    ),
  },
  {
    maxSymbol: 31,
    maxLog: 8,
    predefined: /* @__PURE__ */ buildFseTable(
      [1, 1, 1, 1, 1, 1, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1],
      5,
    ),
  },
  {
    maxSymbol: 52,
    maxLog: 9,
    predefined: /* @__PURE__ */ buildFseTable(
      [
        1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
        1, 1, -1, -1, -1, -1, -1, -1, -1,
      ],
      6,
    ),
  },
] as const;

/** Where the sequences of a frame's blocks go, and how far back they may reach. */
export interface Target {
  readonly output: Output;
  /** Offset in the output where the frame begins. */
  readonly frameStart: number;
  readonly windowSize: number;
  /** How many bytes a block may unpack to. */
  readonly largest: number;
}

/** Reads the sequences of a frame's blocks (3.1.1.3.2) and carries them out. Tables and offsets are kept from block to block. */
export class SequenceReader {
  readonly #block: BlockBytes;
  readonly #target: Target;
  readonly #tables: (FseTable | undefined)[] = [undefined, undefined, undefined];
  #offset1 = 1;
  #offset2 = 4;
  #offset3 = 8;

  constructor(block: BlockBytes, target: Target) {
    this.#block = block;
    this.#target = target;
  }

  /**
   * Unpacks the rest of a block, from the sequences section on.
   *
   * @param packedAt offset of the block in the packed bytes, for messages about the limit
   */
  run(start: number, end: number, literals: Literals, packedAt: number): void {
    const { bytes } = this.#block;
    if (start >= end) this.#block.fail(start, 'a block ends before its sequences');
    let count = bytes[start]!;
    let at = start + 1;
    if (count >= 128) {
      if (count < 255) count = ((count - 128) << 8) + bytes[at++]!;
      else {
        count = bytes[at]! + (bytes[at + 1]! << 8) + 0x7f00;
        at += 2;
      }
    }
    if (count === 0) {
      if (at !== end) this.#block.fail(at, 'a block without sequences has bytes left');
    } else {
      at = this.#readTables(at, end);
    }
    this.#carryOut(count, at, end, literals, packedAt);
  }

  #readTables(start: number, end: number): number {
    const block = this.#block;
    const modes = block.bytes[start]!;
    if ((modes & 3) !== 0) block.fail(start, 'reserved bits of the modes are set');
    let at = start + 1;
    for (const [i, { maxSymbol, maxLog, predefined }] of KINDS.entries()) {
      const mode = (modes >> (6 - 2 * i)) & 3;
      if (mode === 0) {
        this.#tables[i] = predefined;
      } else if (mode === 1) {
        const symbol = block.bytes[at]!;
        if (symbol > maxSymbol) block.fail(at, `code ${symbol} is larger than ${maxSymbol}`);
        this.#tables[i] = singleSymbol(symbol);
        at++;
      } else if (mode === 2) {
        [this.#tables[i], at] = readFseTable(block, at, end, maxSymbol, maxLog);
      } else if (this.#tables[i] === undefined) {
        block.fail(start, 'the block reuses the table of an earlier block, but there is none');
      }
    }
    return at;
  }

  #carryOut(count: number, start: number, end: number, literals: Literals, packedAt: number): void {
    const { output, frameStart, windowSize, largest } = this.#target;
    output.reserve(largest);
    const { bytes: out, view: outView } = output;
    const room = Math.min(output.length + largest, output.capacity);
    const tooMuch = `a block unpacks to more than ${largest} bytes`;
    const { view: source } = literals;
    const literalsEnd = literals.at + literals.size;
    let literal = literals.at;
    let to = output.length;
    if (count > 0) {
      const { view } = this.#block;
      const first = start * 8;
      const [literalTable, offsetTable, matchTable] = this.#tables as [FseTable, FseTable, FseTable];
      const [literalEntries, offsetEntries, matchEntries] = [literalTable.entries, offsetTable.entries, matchTable.entries];
      let [offset1, offset2, offset3] = [this.#offset1, this.#offset2, this.#offset3];
      // Read backwards: `n` bits end at `bit`, and begin at `bit - n`.
      let bit = startOfBits(this.#block, start, end);
      bit -= literalTable.accuracyLog;
      let literalState = bitsAt(view, bit, literalTable.accuracyLog);
      bit -= offsetTable.accuracyLog;
      let offsetState = bitsAt(view, bit, offsetTable.accuracyLog);
      bit -= matchTable.accuracyLog;
      let matchState = bitsAt(view, bit, matchTable.accuracyLog);
      for (let left = count; ; ) {
        if (bit < first) this.#block.fail(start, 'the sequences of a block need more bits than it has');
        const literalEntry = literalEntries[literalState]!;
        const offsetEntry = offsetEntries[offsetState]!;
        const matchEntry = matchEntries[matchState]!;

        const offsetCode = offsetEntry & 0xff;
        bit -= offsetCode;
        let distance: number;
        // Up to 24 bits come with one word.
        if (offsetCode <= 24) distance = (1 << offsetCode) + bitsAt(view, bit, offsetCode);
        else distance = 2 ** offsetCode + bitsAt(view, bit + 16, offsetCode - 16) * 2 ** 16 + bitsAt(view, bit, 16);
        const matchCode = matchEntry & 0xff;
        const matchBits = MATCH_LENGTH_BITS[matchCode]!;
        bit -= matchBits;
        const matchLength = MATCH_LENGTH_BASE[matchCode]! + bitsAt(view, bit, matchBits);
        const literalCode = literalEntry & 0xff;
        const literalBits = LITERAL_LENGTH_BITS[literalCode]!;
        bit -= literalBits;
        const literalLength = LITERAL_LENGTH_BASE[literalCode]! + bitsAt(view, bit, literalBits);

        if (distance > 3) {
          distance -= 3;
          offset3 = offset2;
          offset2 = offset1;
          offset1 = distance;
        } else {
          // One of the last three offsets (3.1.1.5); without literals the first of them would only lengthen the match before.
          const which = distance + (literalLength === 0 ? 1 : 0);
          distance = which === 1 ? offset1 : which === 2 ? offset2 : which === 3 ? offset3 : offset1 - 1;
          if (which > 2) offset3 = offset2;
          if (which > 1) offset2 = offset1;
          offset1 = distance;
        }

        if (literal + literalLength > literalsEnd) this.#block.fail(start, 'the sequences of a block need more literals than it has');
        if (to + literalLength + matchLength > room) output.exceed(to + literalLength + matchLength, packedAt, tooMuch);
        copyLiterals(outView, to, source, literal, literalLength);
        literal += literalLength;
        to += literalLength;
        if (distance <= 0 || distance > to - frameStart || distance > windowSize) {
          this.#block.fail(start, `a match from ${distance} bytes back, but there are only ${Math.min(to - frameStart, windowSize)}`);
        }
        copyMatch(out, outView, to, distance, matchLength);
        to += matchLength;

        if (--left === 0) break;
        const literalMore = (literalEntry >> 8) & 0xff;
        bit -= literalMore;
        literalState = (literalEntry >>> 16) + bitsAt(view, bit, literalMore);
        const matchMore = (matchEntry >> 8) & 0xff;
        bit -= matchMore;
        matchState = (matchEntry >>> 16) + bitsAt(view, bit, matchMore);
        const offsetMore = (offsetEntry >> 8) & 0xff;
        bit -= offsetMore;
        offsetState = (offsetEntry >>> 16) + bitsAt(view, bit, offsetMore);
      }
      if (bit !== first) this.#block.fail(start, 'the sequences of a block leave bits unused');
      [this.#offset1, this.#offset2, this.#offset3] = [offset1, offset2, offset3];
    }
    const rest = literalsEnd - literal;
    if (to + rest > room) output.exceed(to + rest, packedAt, tooMuch);
    copyLiterals(outView, to, source, literal, rest);
    output.length = to + rest;
  }
}

/** The `count` bits, 25 at most, that begin at bit `bit`. */
function bitsAt(view: DataView, bit: number, count: number): number {
  return (view.getUint32(bit >> 3, true) >>> (bit & 7)) & ((1 << count) - 1);
}

/** Each code begins where the one before ends, apart from those that begin at a round number. */
function bases(bits: Uint8Array, start: number, exceptions: Readonly<Record<number, number>>): Uint32Array {
  let next = start;
  return Uint32Array.from(bits, (count, code) => {
    const base = exceptions[code] ?? next;
    next = base + 2 ** count;
    return base;
  });
}
