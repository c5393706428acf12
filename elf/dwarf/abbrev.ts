import type { ByteReader } from './byte-reader.js';
import { DW_AT, DW_FORM } from './dw-constants.js';
import { type Encoding, formSize } from './form.js';

/** Attributes of one abbreviation: compilers give an entry a dozen. One without bytes costs an entry nothing, and whoever reads it a step. */
const MOST_ATTRIBUTES = 128;

/**
 * The abbreviations that a unit uses, §7.5.3, as columns. A row is an abbreviation: its tag, whether it has children, its attributes, and
 * the steps that skip its attributes without looking at each: runs of forms of a known size are one step.
 */
export class AbbrevTable {
  readonly count: number;
  /** DW_TAG_* by row. */
  readonly tag: Uint16Array;
  /** 1 where DW_CHILDREN_yes. */
  readonly children: Uint8Array;
  /** Index of a row's first attribute; the next row's is its end. */
  readonly firstSpec: Uint32Array;
  /** DW_AT_* by attribute. */
  readonly attribute: Uint16Array;
  /** DW_FORM_* by attribute. */
  readonly form: Uint16Array;
  /** The value of DW_FORM_implicit_const by attribute. */
  readonly implicit: Float64Array;
  /** The attribute DW_AT_sibling of a row, or -1. */
  readonly sibling: Int32Array;
  /** Index of a row's first step; the next row's is its end. */
  readonly firstStep: Uint32Array;
  /** A number of bytes to skip, or ~form for a form whose size its value tells. */
  readonly step: Int32Array;
  /** Rows by code, where codes are not 1, 2, 3 …, as all compilers number them. */
  readonly #rows: ReadonlyMap<number, number> | undefined;

  /** Reads the table that begins where the reader stands, up to its end, or `most` rows of it. @param pay for the bytes of each row */
  constructor(reader: ByteReader, encoding: Encoding, most: number = Number.POSITIVE_INFINITY, pay: (bytes: number) => void = () => {}) {
    const codes: number[] = [];
    const tag: number[] = [];
    const children: number[] = [];
    const firstSpec: number[] = [0];
    const attribute: number[] = [];
    const form: number[] = [];
    const implicit: number[] = [];
    const sibling: number[] = [];
    const firstStep: number[] = [0];
    const step: number[] = [];
    while (codes.length < most) {
      const start = reader.pos;
      const code = reader.uleb();
      if (code === 0) break;
      codes.push(code);
      // No number of DWARF is above 16 bits: larger ones are kept from looking like smaller ones.
      tag.push(Math.min(reader.uleb(), 0xffff));
      children.push(reader.u8());
      sibling.push(-1);
      let run = 0;
      for (;;) {
        const at = reader.pos;
        const name = reader.uleb();
        const kind = reader.uleb();
        if (name === 0 && kind === 0) break;
        if (attribute.length - firstSpec.at(-1)! === MOST_ATTRIBUTES)
          reader.fail('limit', `an abbreviation has more than ${MOST_ATTRIBUTES} attributes`);
        const size = formSize(kind, encoding);
        if (size === undefined) {
          reader.pos = at;
          reader.fail('unsupported', `form 0x${kind.toString(16)} is unknown, so kelf cannot find what follows its value`);
        }
        if (name === DW_AT.sibling) sibling[sibling.length - 1] = attribute.length;
        attribute.push(Math.min(name, 0xffff));
        form.push(kind);
        implicit.push(kind === DW_FORM.implicit_const ? reader.sleb() : 0);
        if (size >= 0) run += size;
        else {
          if (run > 0) step.push(run);
          run = 0;
          step.push(~kind);
        }
      }
      if (run > 0) step.push(run);
      pay(reader.pos - start);
      firstSpec.push(attribute.length);
      firstStep.push(step.length);
    }
    this.count = codes.length;
    this.tag = Uint16Array.from(tag);
    this.children = Uint8Array.from(children);
    this.firstSpec = Uint32Array.from(firstSpec);
    this.attribute = Uint16Array.from(attribute);
    this.form = Uint16Array.from(form);
    this.implicit = Float64Array.from(implicit);
    this.sibling = Int32Array.from(sibling);
    this.firstStep = Uint32Array.from(firstStep);
    this.step = Int32Array.from(step);
    this.#rows = codes.every((code, row) => code === row + 1) ? undefined : new Map(codes.map((code, row) => [code, row]));
  }

  /** The row of a code; -1 where the table has none. */
  row(code: number): number {
    if (this.#rows === undefined) return code <= this.count ? code - 1 : -1;
    return this.#rows.get(code) ?? -1;
  }
}
