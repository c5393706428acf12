import { float64Column, lastNotAbove, uint8Column, uint32Column } from './columns.js';
import { NO_STRING } from './debug-strings.js';
import { type DieReader, NONE } from './die.js';
import { DW_AT, DW_TAG } from './dw-constants.js';
import { Extent, rangesOfRow } from './extent.js';
import { type Distances, rangesAllowance } from './ranges.js';
import type { UnitContext } from './unit-context.js';
import type { UnitRoot } from './unit-root.js';

/** Bits of {@link SubprogramTable.flags}. */
export const SUBPROGRAM: {
  readonly external: 1;
  readonly declaration: 2;
  readonly prototyped: 4;
  readonly noreturn: 8;
  readonly hasChildren: 16;
  readonly artificial: 32;
} = { external: 1, declaration: 2, prototyped: 4, noreturn: 8, hasChildren: 16, artificial: 32 };

/** No number was given. */
const ABSENT = 0xffff_ffff;

/** Functions are in these, in C++ and Rust. */
const SCOPES: ReadonlySet<number> = new Set([DW_TAG.namespace, DW_TAG.module, DW_TAG.structure_type, DW_TAG.class_type, DW_TAG.union_type]);
/** DW_LANG_*: C89, C, C99, C11, C17, C23, and assembly: types hold no functions. */
const WITHOUT_METHODS: ReadonlySet<number> = new Set([0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e, 0x8001]);

/**
 * The subprograms of a unit as columns, in the order of their entries: definitions, declarations, abstract instances of inlined functions,
 * and the concrete instances of these. A row holds what its own entry says; what it takes over from its abstract origin or declaration is
 * found by `subprogramChain`. One pass over the unit makes it, which steps over types and bodies.
 */
export class SubprogramTable {
  readonly count: number;
  /** Offset of the entry in .debug_info. */
  readonly offset: Float64Array;
  /** Handles of DW_AT_name; NO_STRING where the entry has none. */
  readonly name: Float64Array;
  readonly linkageName: Float64Array;
  /** DW_AT_low_pc as a distance; NaN if there is none. */
  readonly low: Float64Array;
  /** DW_AT_high_pc as a distance. */
  readonly high: Float64Array;
  /** Offset of DW_AT_ranges, or -1. */
  readonly ranges: Float64Array;
  /** Offset of DW_AT_abstract_origin in .debug_info, or -1. */
  readonly origin: Float64Array;
  /** Offset of DW_AT_specification, or -1. */
  readonly specification: Float64Array;
  /** Offset of the type it returns, or -1. */
  readonly type: Float64Array;
  /** Bits of {@link SUBPROGRAM}. */
  readonly flags: Uint8Array;
  /**
   * DW_INL_*: 0 not inlined, 1 inlined, 2 declared inline and not inlined, 3 declared inline and inlined; 0xff where the entry does not
   * say.
   */
  readonly inline: Uint8Array;
  /** DW_CC_*; 0 if the entry does not say. */
  readonly convention: Uint8Array;
  /** Numbers of DW_AT_decl_file, line, column; 0xffffffff where the entry does not say. */
  readonly declFile: Uint32Array;
  readonly declLine: Uint32Array;
  readonly declColumn: Uint32Array;
  readonly #context: UnitContext;
  readonly #base: number;
  #byAddress: { readonly low: Float64Array; readonly high: Float64Array; readonly row: Uint32Array } | undefined;

  /** @param die a walk over the unit, before its first entry */
  constructor(die: DieReader, root: UnitRoot) {
    const columns = new Collector();
    const methods = !WITHOUT_METHODS.has(root.language);
    while (die.next()) {
      if (die.depth === 0) continue;
      if (die.tag === DW_TAG.subprogram) {
        columns.add(die);
        die.skipTree();
      } else if (!methods || !SCOPES.has(die.tag)) die.skipTree();
    }
    this.#context = die.context;
    this.#base = root.low;
    this.count = columns.offset.length;
    this.offset = columns.offset.done();
    this.name = columns.name.done();
    this.linkageName = columns.linkageName.done();
    this.low = columns.low.done();
    this.high = columns.high.done();
    this.ranges = columns.ranges.done();
    this.origin = columns.origin.done();
    this.specification = columns.specification.done();
    this.type = columns.type.done();
    this.flags = columns.flags.done();
    this.inline = columns.inline.done();
    this.convention = columns.convention.done();
    this.declFile = columns.declFile.done();
    this.declLine = columns.declLine.done();
    this.declColumn = columns.declColumn.done();
  }

  /** The row of an entry by its offset; -1 where it is not a subprogram of this unit. */
  rowAt(offset: number): number {
    const row = lastNotAbove(this.offset, offset);
    return row >= 0 && this.offset[row] === offset ? row : -1;
  }

  /** Whether code stands for the row. */
  hasCode(row: number): boolean {
    return this.ranges[row]! >= 0 || !Number.isNaN(this.low[row]!);
  }

  /** The code of a row: hot and cold parts, each its begin and end as distances. @throws FormatError */
  rangesOf(row: number): Distances {
    return rangesOfRow(this.#context, this.#base, this.low[row]!, this.high[row]!, this.ranges[row]!);
  }

  /** The row whose code an address is in; -1 for none. @param distance the address less the origin */
  rowAtAddress(distance: number): number {
    const { low, high, row } = this.#addresses;
    // Nested ranges do not occur in C; a range that ends before the address may be after one that holds it in damaged files only.
    const at = lastNotAbove(low, distance);
    return at >= 0 && distance < high[at]! ? row[at]! : -1;
  }

  get #addresses(): { readonly low: Float64Array; readonly high: Float64Array; readonly row: Uint32Array } {
    if (this.#byAddress === undefined) {
      const all: { low: number; high: number; row: number }[] = [];
      const pay = rangesAllowance(this.#context).account(this.#context.header.offset);
      for (let row = 0; row < this.count; row++) {
        if (!this.hasCode(row)) continue;
        const ranges = rangesOfRow(this.#context, this.#base, this.low[row]!, this.high[row]!, this.ranges[row]!, pay);
        for (let i = 0; i < ranges.length; i += 2) all.push({ low: ranges[i]!, high: ranges[i + 1]!, row });
      }
      all.sort((a, b) => a.low - b.low);
      this.#byAddress = {
        low: Float64Array.from(all, ({ low }) => low),
        high: Float64Array.from(all, ({ high }) => high),
        row: Uint32Array.from(all, ({ row }) => row),
      };
    }
    return this.#byAddress;
  }
}

/** True for a number that an entry gave. */
export function isGiven(value: number): boolean {
  return value !== ABSENT;
}

class Collector {
  readonly offset = float64Column();
  readonly name = float64Column();
  readonly linkageName = float64Column();
  readonly low = float64Column();
  readonly high = float64Column();
  readonly ranges = float64Column();
  readonly origin = float64Column();
  readonly specification = float64Column();
  readonly type = float64Column();
  readonly flags = uint8Column();
  readonly inline = uint8Column();
  readonly convention = uint8Column();
  readonly declFile = uint32Column();
  readonly declLine = uint32Column();
  readonly declColumn = uint32Column();
  readonly #code = new Extent();

  add(die: DieReader): void {
    let name = NO_STRING;
    let linkageName = NO_STRING;
    let origin = NONE;
    let specification = NONE;
    let type = NONE;
    let flags = die.hasChildren ? SUBPROGRAM.hasChildren : 0;
    let inline = 0xff;
    let convention = 0;
    let declFile = ABSENT;
    let declLine = ABSENT;
    let declColumn = ABSENT;
    const code = this.#code;
    code.reset();
    const { lastSpec } = die;
    for (let spec = die.firstSpec; spec < lastSpec; spec++) {
      const form = die.form(spec);
      const attribute = die.attribute(spec);
      switch (attribute) {
        case DW_AT.name:
          name = die.string(form);
          break;
        case DW_AT.linkage_name:
        case DW_AT.MIPS_linkage_name:
          linkageName = die.string(form);
          break;
        case DW_AT.abstract_origin:
          origin = die.reference(form);
          break;
        case DW_AT.specification:
          specification = die.reference(form);
          break;
        case DW_AT.type:
          type = die.reference(form);
          break;
        case DW_AT.external:
          if (die.flag(form)) flags |= SUBPROGRAM.external;
          break;
        case DW_AT.declaration:
          if (die.flag(form)) flags |= SUBPROGRAM.declaration;
          break;
        case DW_AT.prototyped:
          if (die.flag(form)) flags |= SUBPROGRAM.prototyped;
          break;
        case DW_AT.noreturn:
          if (die.flag(form)) flags |= SUBPROGRAM.noreturn;
          break;
        case DW_AT.artificial:
          if (die.flag(form)) flags |= SUBPROGRAM.artificial;
          break;
        case DW_AT.inline:
          inline = die.constant(form);
          break;
        case DW_AT.calling_convention:
          convention = die.constant(form);
          break;
        case DW_AT.decl_file:
          declFile = die.constant(form);
          break;
        case DW_AT.decl_line:
          declLine = die.constant(form);
          break;
        case DW_AT.decl_column:
          declColumn = die.constant(form);
          break;
        default:
          code.read(die, attribute, form);
      }
    }
    this.offset.push(die.offset);
    this.name.push(name);
    this.linkageName.push(linkageName);
    this.low.push(code.low);
    this.high.push(code.high);
    this.ranges.push(code.ranges);
    this.origin.push(origin);
    this.specification.push(specification);
    this.type.push(type);
    this.flags.push(flags);
    this.inline.push(inline);
    this.convention.push(convention);
    this.declFile.push(declFile);
    this.declLine.push(declLine);
    this.declColumn.push(declColumn);
  }
}
