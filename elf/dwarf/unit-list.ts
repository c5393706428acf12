import { type Diagnostic, FormatError } from '../errors.js';
import { ByteReader, readUnitLength } from './byte-reader.js';
import { lastNotAbove } from './columns.js';
import type { DebugFile } from './debug-file.js';
import type { DieReader } from './die.js';
import { Unit } from './unit.js';

/** Bytes of units that are kept for the next question. Questions about many places ask unit by unit: more is garbage to collect again and again. */
const KEPT_BYTES = 8 << 20;
/** What a unit takes however short it is: its tables. */
const LEAST_BYTES = 1 << 15;

/** The units of .debug_info, each read on first use: by its offset, by that of an entry in it, or one after another. */
export class UnitList {
  readonly file: DebugFile;
  /** Damage that was met and did not keep the rest from being read. */
  readonly diagnostics: Diagnostic[] = [];
  readonly #cacheBytes: number;
  /** The units that were used last, the latest at the end. */
  readonly #units = new Map<number, Unit>();
  #latest: Unit | undefined;
  #unitBytes = 0;
  #offsets: Float64Array | undefined;

  /** @param cacheBytes of units that are kept */
  constructor(file: DebugFile, cacheBytes: number = KEPT_BYTES) {
    this.file = file;
    this.#cacheBytes = cacheBytes;
  }

  /** The unit at an offset in .debug_info. @throws FormatError where none begins there */
  unit(offset: number): Unit {
    if (this.#latest?.offset === offset) return this.#latest;
    let unit = this.#units.get(offset);
    if (unit !== undefined) this.#units.delete(offset);
    else {
      unit = new Unit(this.file, offset);
      this.#unitBytes += unit.length + LEAST_BYTES;
    }
    this.#units.set(offset, unit);
    while (this.#unitBytes > this.#cacheBytes && this.#units.size > 1) {
      const [oldest, { length }] = this.#units.entries().next().value!;
      this.#units.delete(oldest);
      this.#unitBytes -= length + LEAST_BYTES;
    }
    this.#latest = unit;
    return unit;
  }

  /** The unit that an entry is in; undefined for none. @param near tried first */
  unitContaining(offset: number, near?: Unit): Unit | undefined {
    if (near !== undefined && offset >= near.offset && offset < near.end) return near;
    const at = lastNotAbove(this.unitOffsets, offset);
    if (at < 0) return undefined;
    const unit = this.unit(this.unitOffsets[at]!);
    return offset < unit.end ? unit : undefined;
  }

  /** A reader at an entry, whichever unit it is in; undefined if no unit holds the offset. @param near tried first @throws FormatError */
  entryAt(offset: number, near?: Unit): DieReader | undefined {
    const die = this.unitContaining(offset, near)?.reader();
    die?.seek(offset);
    return die;
  }

  /** Where each unit begins, by the lengths before them. Damage ends the list and is a diagnostic. */
  get unitOffsets(): Float64Array {
    if (this.#offsets === undefined) {
      const offsets: number[] = [];
      const { info, littleEndian } = this.file;
      const { size, label } = info;
      const head = new Uint8Array(12);
      for (let at = 0; at < size; ) {
        try {
          const reader = new ByteReader(info.glance(at, Math.min(head.length, size - at), head), littleEndian, label, at);
          const { length } = readUnitLength(reader);
          if (length > size - at - reader.pos) reader.fail('out-of-range', `a unit of ${length} bytes does not fit into the section`);
          // A length of zero is a gap that a linker left.
          if (length > 0) offsets.push(at);
          at += reader.pos + length;
        } catch (error) {
          this.note(error);
          break;
        }
      }
      this.#offsets = Float64Array.from(offsets);
    }
    return this.#offsets;
  }

  /** Every unit in the order of the file, one at a time: a unit is not kept after its turn. One that is damaged is a diagnostic. */
  *units(): Generator<Unit> {
    for (const offset of this.unitOffsets) {
      let unit: Unit;
      try {
        unit = this.#units.get(offset) ?? new Unit(this.file, offset);
      } catch (error) {
        this.note(error);
        continue;
      }
      yield unit;
    }
  }

  /** Notes damage; other errors are rethrown. */
  protected note(error: unknown): void {
    if (!(error instanceof FormatError)) throw error;
    // What is used up is so for each unit.
    if (this.diagnostics.at(-1)?.message !== error.message) this.diagnostics.push({ place: error.place, message: error.message });
  }
}
