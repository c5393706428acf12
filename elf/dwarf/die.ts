import type { AbbrevTable } from './abbrev.js';
import { ByteReader } from './byte-reader.js';
import { NO_STRING, type StringHandle, stringHandle } from './debug-strings.js';
import { DW_FORM } from './dw-constants.js';
import type { UnitContext } from './unit-context.js';

/** Entries inside each other: those of compilers are some dozens. A walk that skips what belongs to one would meet the innermost again for each. */
const DEEPEST = 512;

/** No section offset, and no reference. */
export const NONE = -1;

/**
 * Walks the debugging information entries (DIEs) of one unit, §2.3, without making an object of any:
 *
 * ```ts
 * const die = unit.reader();
 * while (die.next()) {
 *   if (die.tag !== DW_TAG.subprogram) { die.skipTree(); continue; }
 *   for (let spec = die.firstSpec; spec < die.lastSpec; spec++) {
 *     const form = die.form(spec);
 *     if (die.attribute(spec) === DW_AT.name) name = die.string(form);
 *     else die.skipForm(form);
 *   }
 * }
 * ```
 *
 * Attributes come in the order of the abbreviation, and each is to be read or skipped; a walk that stops before the last one, or looks at
 * none, may go on with `next()` all the same: it skips from the first attribute by the steps of the abbreviation.
 */
export class DieReader extends ByteReader {
  /** What its values are read with. */
  readonly context: UnitContext;
  readonly abbrevs: AbbrevTable;
  /** Offset of the entry in .debug_info. */
  offset: number;
  /** Row of its abbreviation. */
  row = 0;
  /** DW_TAG_*. */
  tag = 0;
  /** 0 for the first entry, one more for each ancestor. Counted from the entry that `seek` went to. */
  depth = 0;
  #attributes: number;
  #childrenFollow = false;

  constructor(context: UnitContext, bytes: Uint8Array, abbrevs: AbbrevTable) {
    super(bytes, context.littleEndian, context.file.info.label, context.header.offset);
    this.context = context;
    this.abbrevs = abbrevs;
    this.pos = context.header.headerSize;
    this.offset = this.base + this.pos;
    this.#attributes = -1;
  }

  /** Goes to the next entry, whose attributes are then to be read. False at the end of the unit. */
  next(): boolean {
    if (this.#attributes >= 0) {
      this.skipAttributes();
      if (this.#childrenFollow) this.#descend();
    }
    for (;;) {
      if (this.pos >= this.end) {
        this.#attributes = -1;
        this.#childrenFollow = false;
        return false;
      }
      const at = this.pos;
      const code = this.uleb();
      if (code !== 0) {
        this.#enter(at, code);
        return true;
      }
      // Zeros after the last entry fill the unit up.
      if (this.depth > 0) this.depth--;
    }
  }

  /** Goes to the entry at an offset in .debug_info. @throws FormatError where the unit has none */
  seek(offset: number): void {
    this.pos = offset - this.base;
    if (!(this.pos >= this.context.header.headerSize && this.pos < this.end)) {
      this.pos = Math.max(0, Math.min(this.end, this.pos)) || 0;
      this.fail('out-of-range', `an entry at 0x${offset.toString(16)} is not in the unit at 0x${this.base.toString(16)}`);
    }
    this.depth = 0;
    const at = this.pos;
    const code = this.uleb();
    if (code === 0) this.fail('bad-value', 'no entry begins here');
    this.#enter(at, code);
  }

  /** Whether entries that belong to this one follow it. */
  get hasChildren(): boolean {
    return this.#childrenFollow;
  }

  /** Makes the next `next()` go behind everything that belongs to this entry: by DW_AT_sibling, or by skipping each. */
  skipTree(): void {
    if (!this.#childrenFollow) return;
    const { sibling, firstSpec } = this.abbrevs;
    const spec = sibling[this.row]!;
    if (spec >= 0) {
      this.pos = this.#attributes;
      for (let i = firstSpec[this.row]!; i < spec; i++) this.skipForm(this.form(i));
      const to = this.reference(this.form(spec)) - this.base;
      // Only forwards: a sibling in front would make a walk endless.
      if (to > this.pos && to <= this.end) {
        this.pos = to;
        this.#attributes = -1;
        this.#childrenFollow = false;
        return;
      }
    }
    const { depth } = this;
    this.skipAttributes();
    this.#descend();
    this.#attributes = -1;
    this.#childrenFollow = false;
    while (this.depth > depth && this.pos < this.end) {
      const at = this.pos;
      const code = this.uleb();
      if (code === 0) {
        this.depth--;
        continue;
      }
      this.#enter(at, code);
      this.skipAttributes();
      if (this.#childrenFollow) this.#descend();
    }
    this.depth = depth;
    this.#attributes = -1;
    this.#childrenFollow = false;
  }

  /** Goes past the attributes of the entry, from wherever the reader is in them. */
  skipAttributes(): void {
    const { firstStep, step } = this.abbrevs;
    this.pos = this.#attributes;
    const last = firstStep[this.row + 1]!;
    for (let i = firstStep[this.row]!; i < last; i++) {
      const size = step[i]!;
      if (size >= 0) this.pos += size;
      else this.skipForm(~size);
    }
    if (this.pos > this.end) this.fail('truncated', 'the attributes of an entry go beyond the end of its unit');
  }

  /** Index of the entry's first attribute. */
  get firstSpec(): number {
    return this.abbrevs.firstSpec[this.row]!;
  }

  /** Index after its last one. */
  get lastSpec(): number {
    return this.abbrevs.firstSpec[this.row + 1]!;
  }

  /** DW_AT_* of an attribute. */
  attribute(spec: number): number {
    return this.abbrevs.attribute[spec]!;
  }

  /**
   * Its form, with DW_FORM_indirect resolved. For DW_FORM_implicit_const a number beyond those of forms, which {@link constant} knows: the
   * value is not in the entry.
   */
  form(spec: number): number {
    const form = this.abbrevs.form[spec]!;
    if (form === DW_FORM.implicit_const) return IMPLICIT + spec;
    return form === DW_FORM.indirect ? this.#indirect() : form;
  }

  /** Goes to the value of an attribute. @returns its form, 0 if the entry does not have the attribute */
  find(attribute: number): number {
    const { attribute: attributes } = this.abbrevs;
    this.pos = this.#attributes;
    for (let spec = this.firstSpec; spec < this.lastSpec; spec++) {
      const form = this.form(spec);
      if (attributes[spec] === attribute) return form;
      this.skipForm(form);
    }
    return 0;
  }

  skipForm(form: number): void {
    switch (form) {
      case DW_FORM.exprloc:
      case DW_FORM.block:
        this.skip(this.uleb());
        return;
      case DW_FORM.block1:
        this.skip(this.u8());
        return;
      case DW_FORM.block2:
        this.skip(this.u16());
        return;
      case DW_FORM.block4:
        this.skip(this.u32());
        return;
      case DW_FORM.string:
        this.skipString();
        return;
      case DW_FORM.sdata:
      case DW_FORM.udata:
      case DW_FORM.ref_udata:
      case DW_FORM.strx:
      case DW_FORM.addrx:
      case DW_FORM.loclistx:
      case DW_FORM.rnglistx:
      case DW_FORM.GNU_addr_index:
      case DW_FORM.GNU_str_index:
        this.skipLeb();
        return;
      case DW_FORM.indirect:
        this.skipForm(this.#indirect());
        return;
      default:
        if (form < IMPLICIT) this.skip(this.context.sizeOf(form));
    }
  }

  /** A value of class constant; 0 for a form of another class. Rounded above 2^53. */
  constant(form: number): number {
    switch (form) {
      case DW_FORM.data1:
        return this.u8();
      case DW_FORM.data2:
        return this.u16();
      case DW_FORM.data4:
        return this.u32();
      case DW_FORM.data8:
        return this.u64();
      case DW_FORM.udata:
        return this.uleb();
      case DW_FORM.sdata:
        return this.sleb();
      default:
        if (form >= IMPLICIT) return this.abbrevs.implicit[form - IMPLICIT]!;
        this.skipForm(form);
        return 0;
    }
  }

  flag(form: number): boolean {
    if (form === DW_FORM.flag_present) return true;
    return this.constant(form === DW_FORM.flag ? DW_FORM.data1 : form) !== 0;
  }

  /** True for a form whose class is address. */
  isAddress(form: number): boolean {
    return (
      form === DW_FORM.addr ||
      form === DW_FORM.addrx ||
      form === DW_FORM.GNU_addr_index ||
      (form >= DW_FORM.addrx1 && form <= DW_FORM.addrx4)
    );
  }

  /** An address, as its distance from the file's origin; NaN for a form of another class. */
  address(form: number): number {
    const { context } = this;
    const { low, high } = context.origin;
    switch (form) {
      case DW_FORM.addr:
        return this.distance(context.addressSize, low, high);
      case DW_FORM.addrx:
      case DW_FORM.GNU_addr_index:
        return context.addressAt(this.uleb());
      case DW_FORM.addrx1:
        return context.addressAt(this.u8());
      case DW_FORM.addrx2:
        return context.addressAt(this.u16());
      case DW_FORM.addrx3:
        return context.addressAt(this.u24());
      case DW_FORM.addrx4:
        return context.addressAt(this.u32());
      default:
        this.skipForm(form);
        return Number.NaN;
    }
  }

  /** The offset in .debug_info of the entry that is referred to; NONE for one in another file, and for type units. */
  reference(form: number): number {
    switch (form) {
      case DW_FORM.ref1:
        return this.base + this.u8();
      case DW_FORM.ref2:
        return this.base + this.u16();
      case DW_FORM.ref4:
        return this.base + this.u32();
      case DW_FORM.ref8:
        return this.base + this.u64();
      case DW_FORM.ref_udata:
        return this.base + this.uleb();
      case DW_FORM.ref_addr:
        return this.unsigned(this.context.sizeOf(form));
      default:
        this.skipForm(form);
        return NONE;
    }
  }

  /** A string's handle; NO_STRING for a form of another class, and for strings of another file. */
  string(form: number): StringHandle {
    const { context } = this;
    switch (form) {
      case DW_FORM.strp:
        return stringHandle('str', this.unsigned(context.offsetSize));
      case DW_FORM.line_strp:
        return stringHandle('line_str', this.unsigned(context.offsetSize));
      case DW_FORM.string:
        return stringHandle('info', this.base + this.skipString());
      case DW_FORM.strx:
      case DW_FORM.GNU_str_index:
        return context.stringAt(this.uleb());
      case DW_FORM.strx1:
        return context.stringAt(this.u8());
      case DW_FORM.strx2:
        return context.stringAt(this.u16());
      case DW_FORM.strx3:
        return context.stringAt(this.u24());
      case DW_FORM.strx4:
        return context.stringAt(this.u32());
      default:
        this.skipForm(form);
        return NO_STRING;
    }
  }

  /** The length of a block or expression, at whose first byte the reader then stands; NONE for a form of another class. */
  block(form: number): number {
    let length: number;
    switch (form) {
      case DW_FORM.exprloc:
      case DW_FORM.block:
        length = this.uleb();
        break;
      case DW_FORM.block1:
        length = this.u8();
        break;
      case DW_FORM.block2:
        length = this.u16();
        break;
      case DW_FORM.block4:
        length = this.u32();
        break;
      default:
        return NONE;
    }
    this.need(length);
    return length;
  }

  /** An offset in another section; NONE for a form of another class. DWARF 2 and 3 have data4 and data8 for it. */
  sectionOffset(form: number): number {
    switch (form) {
      case DW_FORM.sec_offset:
        return this.unsigned(this.context.offsetSize);
      case DW_FORM.data4:
        return this.u32();
      case DW_FORM.data8:
        return this.u64();
      default:
        this.skipForm(form);
        return NONE;
    }
  }

  #descend(): void {
    if (++this.depth > DEEPEST) this.fail('limit', `entries are nested deeper than ${DEEPEST}`);
  }

  #enter(at: number, code: number): void {
    const row = this.abbrevs.row(code);
    if (row < 0) {
      this.pos = at;
      this.fail('bad-value', `abbreviation ${code} is not in the unit's table`);
    }
    this.offset = this.base + at;
    this.row = row;
    this.tag = this.abbrevs.tag[row]!;
    this.#attributes = this.pos;
    this.#childrenFollow = this.abbrevs.children[row] !== 0;
  }

  #indirect(): number {
    const form = this.uleb();
    // An implicit constant has no place for its value here, and a chain of indirect forms says nothing.
    if (form === DW_FORM.implicit_const || form === DW_FORM.indirect || this.context.sizeOf(form) === undefined) {
      this.fail('bad-value', `form 0x${form.toString(16)} cannot be indirect`);
    }
    return form;
  }
}

/** Forms are 16 bits wide: numbers from here on stand for an implicit constant and the attribute whose abbreviation has it. */
const IMPLICIT = 0x1_0000;
