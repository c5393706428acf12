import { type DieReader, NONE } from './die.js';
import { DW_AT } from './dw-constants.js';
import { type Distances, type Pay, rangesOffset, readRanges } from './ranges.js';
import type { UnitContext } from './unit-context.js';

/**
 * Where the code of an entry is, of the attributes that say so (§2.17): DW_AT_low_pc and DW_AT_high_pc, or DW_AT_ranges. One serves for
 * entry after entry, since there are millions.
 */
export class Extent {
  /** The first address as a distance; NaN if there is none. */
  low: number = Number.NaN;
  /** Offset of DW_AT_ranges, or NONE. */
  ranges: number = NONE;
  #high = Number.NaN;
  #length = Number.NaN;

  /** For the next entry. @param low where it begins if it does not say so */
  reset(low: number = Number.NaN): void {
    this.low = low;
    this.ranges = NONE;
    this.#high = Number.NaN;
    this.#length = Number.NaN;
  }

  /** Reads the value of an attribute that says where the code is, and skips that of any other. */
  read(die: DieReader, attribute: number, form: number): void {
    switch (attribute) {
      case DW_AT.low_pc:
        this.low = die.address(form);
        break;
      case DW_AT.high_pc:
        // An address, or since DWARF 4 a constant: the length.
        if (die.isAddress(form)) this.#high = die.address(form);
        else this.#length = die.constant(form);
        break;
      case DW_AT.ranges:
        this.ranges = rangesOffset(die, form);
        break;
      default:
        die.skipForm(form);
    }
  }

  /** The address after the last, as a distance; NaN if there is none. */
  get high(): number {
    return Number.isNaN(this.#length) ? this.#high : this.low + this.#length;
  }
}

/**
 * The code that a row of columns stands for: each range its begin and end as distances.
 * @param base of lists, as a distance
 * @param pay for what is read of a list
 * @throws FormatError
 */
export function rangesOfRow(context: UnitContext, base: number, low: number, high: number, ranges: number, pay?: Pay): Distances {
  if (ranges >= 0) return readRanges(context, base, ranges, pay);
  return low < high ? [low, high] : [];
}
