import { float64Column, uint32Column } from './columns.js';
import { type DieReader, NONE } from './die.js';
import { DW_AT, DW_TAG } from './dw-constants.js';
import { Extent, rangesOfRow } from './extent.js';
import type { Distances } from './ranges.js';
import type { SubprogramTable } from './subprogram-table.js';
import type { UnitContext } from './unit-context.js';
import type { UnitRoot } from './unit-root.js';

/** Not inside another inlined call. */
export const OUTERMOST = 0xffff_ffff;

/**
 * The inlined calls (DW_TAG_inlined_subroutine) of a unit as columns, in the order of their entries: which function's code is there, in
 * which subprogram, and where the call was written.
 */
export class InlinedCalls {
  readonly count: number;
  /** Offset of the entry in .debug_info. */
  readonly offset: Float64Array;
  /** Offset of the abstract instance that was inlined, or -1. */
  readonly origin: Float64Array;
  /** Row of the subprogram, in `unit.subprograms`, whose code holds it. */
  readonly caller: Uint32Array;
  /** Row of the inlined call that it is inside, or OUTERMOST. */
  readonly inside: Uint32Array;
  /** How many calls it is inside. */
  readonly depth: Uint32Array;
  /** The first address as a distance; NaN if all of its code was optimized away. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Offset of DW_AT_ranges, or -1. */
  readonly ranges: Float64Array;
  /** The file of the call, a number of the unit's line table. */
  readonly callFile: Uint32Array;
  readonly callLine: Uint32Array;
  readonly callColumn: Uint32Array;
  /** Row of the first call of each subprogram; the next one's is its end. */
  readonly #first: Uint32Array;
  readonly #context: UnitContext;
  readonly #base: number;

  /**
   * @param die a walk over the unit
   * @param only the row of a subprogram: its calls alone
   */
  constructor(die: DieReader, root: UnitRoot, subprograms: SubprogramTable, only?: number) {
    const columns = new Collector();
    const first = new Uint32Array(subprograms.count + 1);
    for (let row = 0; row < subprograms.count; row++) {
      first[row] = columns.offset.length;
      if ((only === undefined || row === only) && subprograms.hasCode(row)) collect(die, subprograms, row, columns);
    }
    first[subprograms.count] = columns.offset.length;
    this.#context = die.context;
    this.#base = root.low;
    this.count = columns.offset.length;
    this.offset = columns.offset.done();
    this.origin = columns.origin.done();
    this.caller = columns.caller.done();
    this.inside = columns.inside.done();
    this.depth = columns.depth.done();
    this.low = columns.low.done();
    this.high = columns.high.done();
    this.ranges = columns.ranges.done();
    this.callFile = columns.callFile.done();
    this.callLine = columns.callLine.done();
    this.callColumn = columns.callColumn.done();
    this.#first = first;
  }

  /** The code of a call, as distances. @throws FormatError */
  rangesOf(row: number): Distances {
    return rangesOfRow(this.#context, this.#base, this.low[row]!, this.high[row]!, this.ranges[row]!);
  }

  /** The calls that an address of a subprogram's code is inside, the innermost first. */
  chainAt(subprogram: number, distance: number): number[] {
    let innermost = -1;
    let depth = -1;
    for (let row = this.#first[subprogram]!; row < this.#first[subprogram + 1]!; row++) {
      const at = this.depth[row]!;
      if (at > depth && this.#holds(row, distance)) {
        innermost = row;
        depth = at;
      }
    }
    const chain: number[] = [];
    for (let row = innermost; row >= 0 && row !== OUTERMOST; row = this.inside[row]!) chain.push(row);
    return chain;
  }

  #holds(row: number, distance: number): boolean {
    if (this.ranges[row]! < 0) return this.low[row]! <= distance && distance < this.high[row]!;
    const ranges = this.rangesOf(row);
    for (let i = 0; i < ranges.length; i += 2) if (ranges[i]! <= distance && distance < ranges[i + 1]!) return true;
    return false;
  }
}

/** Walks what belongs to one subprogram. */
function collect(die: DieReader, subprograms: SubprogramTable, caller: number, columns: Collector): void {
  die.seek(subprograms.offset[caller]!);
  // A subprogram inside this one is damage, and its entries are not looked at twice.
  const end = subprograms.offset[caller + 1] ?? Number.POSITIVE_INFINITY;
  /** The inlined calls that the walk is inside, by the depth of their entries. */
  const open: { readonly depth: number; readonly row: number }[] = [];
  while (die.next() && die.depth > 0 && die.offset < end) {
    while (open.length > 0 && open[open.length - 1]!.depth >= die.depth) open.pop();
    if (die.tag === DW_TAG.inlined_subroutine) {
      const row = columns.add(die, caller, open.at(-1)?.row ?? OUTERMOST);
      open.push({ depth: die.depth, row });
    } else if (die.tag !== DW_TAG.lexical_block) die.skipTree();
  }
}

class Collector {
  readonly offset = float64Column();
  readonly origin = float64Column();
  readonly caller = uint32Column();
  readonly inside = uint32Column();
  readonly depth = uint32Column();
  readonly low = float64Column();
  readonly high = float64Column();
  readonly ranges = float64Column();
  readonly callFile = uint32Column();
  readonly callLine = uint32Column();
  readonly callColumn = uint32Column();
  readonly #code = new Extent();

  /** @returns its row */
  add(die: DieReader, caller: number, inside: number): number {
    let origin = NONE;
    let callFile = 0;
    let callLine = 0;
    let callColumn = 0;
    const code = this.#code;
    code.reset();
    const { lastSpec } = die;
    for (let spec = die.firstSpec; spec < lastSpec; spec++) {
      const form = die.form(spec);
      const attribute = die.attribute(spec);
      switch (attribute) {
        case DW_AT.abstract_origin:
          origin = die.reference(form);
          break;
        case DW_AT.call_file:
          callFile = die.constant(form);
          break;
        case DW_AT.call_line:
          callLine = die.constant(form);
          break;
        case DW_AT.call_column:
          callColumn = die.constant(form);
          break;
        default:
          code.read(die, attribute, form);
      }
    }
    this.offset.push(die.offset);
    this.origin.push(origin);
    this.caller.push(caller);
    this.inside.push(inside);
    this.depth.push(inside === OUTERMOST ? 0 : this.depth.at(inside) + 1);
    this.low.push(code.low);
    this.high.push(code.high);
    this.ranges.push(code.ranges);
    this.callFile.push(callFile);
    this.callLine.push(callLine);
    this.callColumn.push(callColumn);
    return this.offset.length - 1;
  }
}
