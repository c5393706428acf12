import type { BtfBlob } from '../blob.js';
import type { FlatTypes } from '../flat.js';
import type { TypeId } from '../ids.js';
import { ELEMENT_WORDS, KIND, RECORD_WORDS } from '../kinds.js';
import { Layout } from '../layout.js';
import { flagOfInfo, vlenOfInfo } from '../wire.js';
import { DeclarationWriter } from './declaration.js';
import { NameCounts } from './name-counts.js';
import { ascii, type Literal, type Writer } from './writer.js';

// In the command line's build, what another folder exports is looked up at each use.
const { ENUM, ENUM64, STRUCT, TYPEDEF } = KIND;

const OPEN = ascii(' {');
const PACKED = ascii(' __attribute__((packed))');
const MODE_BYTE = ascii(' __attribute__((mode(byte)))');
const MODE_WORD = ascii(' __attribute__((mode(word)))');
const WIDTH = ascii(': ');
const VALUE = ascii(' = ');
const UNSIGNED_WIDE = ascii('ULL');
const SIGNED_WIDE = ascii('LL');
/** The end of a line and the indentation of the next: bpftool indents by 13 tabs at most. */
const LINES: readonly Literal[] = Array.from({ length: 14 }, (_, level) => ascii(`\n${'\t'.repeat(level)}`));
const COMMA = 44;
const SEMICOLON = 59;
const CLOSE = 125;

/** A type that padding is made of. */
interface Pad {
  readonly bits: number;
  readonly type: Literal;
}

/** Writes the bodies of structs, unions and enums, with the padding that makes a compiler put the members where they were. */
export class BodyWriter extends DeclarationWriter {
  /** Whether enums of 1 and 8 bytes have an attribute that says so (libbpf 1.2). */
  protected modes = false;
  private readonly layout: Layout;
  /** For named types, the how-manieth of their name they are: 0 while that is open. */
  private readonly copies: Uint32Array;
  /** Structs, unions and enums count apart from typedefs and enumerators. */
  private readonly tags: NameCounts;
  private readonly identifiers: NameCounts;
  /** From the largest. */
  private readonly pads: readonly Pad[];

  constructor(blob: BtfBlob, out: Writer, types: FlatTypes) {
    super(blob, out, types);
    this.layout = new Layout(blob, types);
    this.copies = new Uint32Array(blob.count);
    this.tags = new NameCounts(blob, this.work);
    this.identifiers = new NameCounts(blob, this.work);
    this.pads = [
      { bits: blob.pointerSize * 8, type: ascii('long') },
      { bits: 32, type: ascii('int') },
      { bits: 16, type: ascii('short') },
      { bits: 8, type: ascii('char') },
    ];
  }

  /** A struct, union or enum with its body. */
  protected putBody(id: TypeId, level: number): void {
    const kind = this.kinds[id]!;
    this.putTag(id);
    if (kind === ENUM || kind === ENUM64) {
      this.putEnumerators(id, level);
      if (this.modes) this.putMode(id, kind);
    } else this.putMembers(id, level);
  }

  /** An enum of another size than its values ask for has a mode (btf_dump_emit_enum_def of libbpf). */
  private putMode(id: TypeId, kind: number): void {
    const { words, out } = this;
    const at = this.records[id]!;
    const count = vlenOfInfo(words[at + 1]!);
    const size = words[at + 2]!;
    if (count === 0) return;
    if (size === 1) out.put(MODE_BYTE);
    else if (size === 8 && this.blob.pointerSize === 8) {
      // Values of an ENUM have 32 bits; one of an ENUM64 that needs more makes the compiler choose 64 bits.
      let isWide = false;
      if (kind === ENUM64) for (let i = 0; i < count; i++) isWide ||= words[at + RECORD_WORDS + i * 3 + 2] !== 0;
      if (!isWide) out.put(MODE_WORD);
    }
  }

  protected override putAnonymous(id: TypeId, level: number): void {
    this.putBody(id, level);
  }

  protected override copyOf(id: TypeId): number {
    const { copies } = this;
    if (copies[id] === 0) copies[id] = this.countName(id);
    return copies[id]!;
  }

  private countName(id: TypeId): number {
    const name = this.words[this.records[id]!]!;
    const kind = this.kinds[id]!;
    // An enum without values is only declared: it does not take the name. What has no name is not numbered.
    if (kind === ENUM ? vlenOfInfo(this.infoOf(id)) === 0 : name === 0) return 1;
    return (kind === TYPEDEF ? this.identifiers : this.tags).count(name);
  }

  private putLine(level: number): void {
    this.out.room();
    this.out.put(LINES[Math.min(level, LINES.length - 1)]!);
  }

  private putMembers(id: TypeId, level: number): void {
    const { out, layout, words } = this;
    const at = this.records[id]!;
    const info = words[at + 1]!;
    const isStruct = this.kinds[id] === STRUCT;
    const isPacked = isStruct && layout.isPacked(id);
    const bitfields = flagOfInfo(info);
    const first = at + RECORD_WORDS;
    const last = first + vlenOfInfo(info) * 3;
    const bits = words[at + 2]! * 8;
    // The bit after the last member, and that member's width where it is a bit-field.
    let end = 0;
    let before = 0;
    out.put(OPEN);
    for (let member = first; member < last; member += 3) {
      const type = words[member + 1]!;
      const offset = words[member + 2]!;
      const place = bitfields ? offset & 0xff_ffff : offset;
      const width = bitfields ? offset >>> 24 : 0;
      if (end < place) {
        const align = isPacked ? 1 : (layout.alignOf(type) ?? 0);
        this.putPadding(id, end, place, align, before !== 0 && width !== 0, level + 1);
      }
      this.putLine(level + 1);
      this.declare(type, this.nameOrNone(words[member]!), 1, level + 1);
      if (width !== 0) {
        out.put(WIDTH);
        out.unsigned(width);
        end = place + width;
      } else end = place + (layout.sizeOf(type) ?? 0) * 8;
      out.byte(SEMICOLON);
      before = width;
    }
    if (isStruct && end < bits) this.putPadding(id, end, bits, layout.alignOf(id) ?? 0, false, level + 1);
    if (last > first || bits > 0) this.putLine(level);
    out.byte(CLOSE);
    if (isPacked) out.put(PACKED);
  }

  /**
   * Fills bits `start` to `to` with nameless bit-fields, but not where alignment makes the same gap (btf_dump_emit_bit_padding of libbpf).
   * @param align of what follows, in bytes @param inside true between bit-fields
   */
  private putPadding(id: TypeId, start: number, to: number, align: number, inside: boolean, level: number): void {
    const { pads } = this;
    let from = start;
    // The largest type whose next boundary is not after the gap.
    let unit = 0;
    while (unit < 3 && roundUp(from, pads[unit]!.bits) > to) unit++;
    const { bits } = pads[unit]!;
    const boundary = roundUp(from, bits);
    if (boundary > from && boundary <= to) {
      const isNeeded = boundary === to ? roundUp(from, align * 8) !== boundary : to - boundary <= boundary - from;
      if (inside) this.putPad(id, unit, boundary - from, level);
      else if (isNeeded) this.putPad(id, unit, 0, level);
      from = boundary;
    }
    for (; to - from >= bits; from += bits) this.putPad(id, unit, bits, level);
    if (from === to) return;
    // What is left takes the smallest type that holds it.
    unit = 3;
    while (pads[unit]!.bits < to - from) unit--;
    this.putPad(id, unit, to - from, level);
  }

  private putPad(id: TypeId, unit: number, bits: number, level: number): void {
    const { out } = this;
    this.work.spend(1, id);
    this.putLine(level);
    out.put(this.pads[unit]!.type);
    out.put(WIDTH);
    out.unsigned(bits);
    out.byte(SEMICOLON);
  }

  private putEnumerators(id: TypeId, level: number): void {
    const { out, words } = this;
    const at = this.records[id]!;
    const info = words[at + 1]!;
    const count = vlenOfInfo(info);
    if (count === 0) return;
    this.work.spend(count, id);
    const isWide = this.kinds[id] === ENUM64;
    const signed = flagOfInfo(info);
    const step = ELEMENT_WORDS[this.kinds[id]!]!;
    out.put(OPEN);
    for (let left = count, place = at + RECORD_WORDS; left > 0; left--, place += step) {
      const name = words[place]!;
      const value = words[place + 1]!;
      this.putLine(level + 1);
      // Enumerators share the names of typedefs, and count each time they are written.
      if (name !== 0) this.putName(name, this.identifiers.count(name));
      out.put(VALUE);
      if (isWide) {
        out.wide(value, words[place + 2]!, signed);
        out.put(signed ? SIGNED_WIDE : UNSIGNED_WIDE);
      } else if (signed) out.signed(value | 0);
      else out.unsigned(value);
      out.byte(COMMA);
    }
    this.putLine(level);
    out.byte(CLOSE);
  }
}

function roundUp(value: number, unit: number): number {
  return unit === 0 ? value : Math.ceil(value / unit) * unit;
}
