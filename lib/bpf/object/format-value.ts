import type { Btf } from '../../../btf/btf.js';
import type { ArrayType, BtfType, CompositeType, Enum64Type, EnumType, IntType, Member } from '../../../btf/types.js';

/** What `formatValue` writes at most: of a table of a megabyte one wants to see the start. */
const MOST_ELEMENTS = 32;
const MOST_CHARACTERS = 2000;
const MOST_NESTING = 16;
/** Options of {@link formatValue}. */
export interface ValueOptions {
  /** Bytes and values that may be looked at. Of several values one budget can be shared; what is beyond it is `…`. */
  readonly budget?: { left: number };
  /** What a pointer at a byte offset points at, where a relocation fills it. */
  readonly pointers?: ReadonlyMap<number, string>;
}

/**
 * A value in C, by its type: `7`, `"kelf"`, `{.level = 3, .name = "kelf"}`. As in C, what is left out at the end of an array, and members
 * that are not named, are zero. What is too long ends in `…`.
 * @param bytes of the value, from its first one
 * @throws FormatError for a type without a size
 */
export function formatValue(btf: Btf, typeId: number, bytes: Uint8Array, littleEndian: boolean, options: ValueOptions = {}): string {
  return new ValueWriter(btf, bytes, littleEndian, options).value(typeId, 0, 0);
}

class ValueWriter {
  readonly #btf: Btf;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #littleEndian: boolean;
  readonly #pointers: ReadonlyMap<number, string>;
  readonly #budget: { left: number };
  readonly #types = new Map<number, BtfType>();
  #left = MOST_CHARACTERS;

  constructor(btf: Btf, bytes: Uint8Array, littleEndian: boolean, options: ValueOptions) {
    this.#btf = btf;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#littleEndian = littleEndian;
    this.#pointers = options.pointers ?? new Map();
    this.#budget = options.budget ?? { left: 4096 + bytes.length * 64 };
  }

  value(typeId: number, offset: number, depth: number): string {
    const btf = this.#btf;
    const id = btf.resolve(typeId);
    const size = btf.sizeof(id);
    if (size === undefined || offset + size > this.#bytes.length) return '?';
    const type = this.#type(id);
    if (depth > MOST_NESTING || this.#left <= 0 || this.#budget.left-- <= 0) return '…';
    switch (type.kind) {
      case 'INT':
        return this.#spend(formatInt(type, this.#integer(offset, size, 0, size * 8)));
      case 'ENUM':
      case 'ENUM64': {
        const raw = this.#integer(offset, size, 0, size * 8);
        const number = type.signed ? BigInt.asIntN(size * 8, raw) : raw;
        return this.#spend(enumerator(type, number) ?? String(number));
      }
      case 'FLOAT':
        return this.#spend(
          size === 8
            ? String(this.#view.getFloat64(offset, this.#littleEndian))
            : size === 4
              ? String(this.#view.getFloat32(offset, this.#littleEndian))
              : '?',
        );
      case 'PTR': {
        const target = this.#pointers.get(offset);
        const address = this.#integer(offset, size, 0, size * 8);
        return this.#spend(target ?? (address === 0n ? 'NULL' : `0x${address.toString(16)}`));
      }
      case 'ARRAY':
        return this.#array(type, offset, size, depth);
      case 'STRUCT':
      case 'UNION':
        return this.#composite(type, offset, depth);
      default:
        return '?';
    }
  }

  #array({ typeId, nelems }: ArrayType, offset: number, size: number, depth: number): string {
    const element = this.#type(this.#btf.resolve(typeId));
    if (element.kind === 'INT' && element.size === 1) {
      const text = this.#text(offset, nelems, element);
      if (text !== undefined) return text;
    }
    const step = nelems === 0 ? 0 : size / nelems;
    // What points somewhere is zero in the file.
    let used = nelems;
    while (used > 0 && this.#isZero(offset + (used - 1) * step, step)) used--;
    const items: string[] = [];
    for (let i = 0; i < used; i++) {
      if (i === MOST_ELEMENTS || this.#left <= 0) {
        items.push('…');
        break;
      }
      items.push(this.value(typeId, offset + i * step, depth + 1));
    }
    return `{${items.join(', ')}}`;
  }

  /** Bytes that are text up to the first NUL, and zero from there on. */
  #text(offset: number, nelems: number, type: IntType): string | undefined {
    const bytes = this.#bytes.subarray(offset, offset + nelems);
    const nul = bytes.indexOf(0);
    const end = nul < 0 ? bytes.length : nul;
    // `unsigned char` is what bytes are, too.
    if (type.name !== 'char' && (end < 2 || nul < 0)) return undefined;
    if (end === 0 || bytes.subarray(end).some(byte => byte !== 0)) return undefined;
    const text = new TextDecoder().decode(bytes.subarray(0, Math.min(end, this.#left)));
    if (/[^\P{Cc}\t\n\r]|\ufffd/u.test(text)) return undefined;
    return this.#spend(`${JSON.stringify(text)}${end > text.length && this.#left < end ? '…' : ''}`);
  }

  #composite({ kind, members }: CompositeType, offset: number, depth: number): string {
    const items: string[] = [];
    for (const member of members) {
      if (this.#left <= 0 || this.#budget.left-- <= 0) {
        items.push('…');
        break;
      }
      const { name } = member;
      const text = this.#member(member, offset, depth);
      if (text === undefined) continue;
      this.#left -= name.length;
      items.push(name === '' ? text : `.${name} = ${text}`);
      // The members of a union are the same bytes.
      if (kind === 'UNION') break;
    }
    return `{${items.join(', ')}}`;
  }

  /** undefined for a member that is zero. */
  #member({ typeId, bitOffset, bitfieldSize }: Member, start: number, depth: number): string | undefined {
    const btf = this.#btf;
    const offset = start + Math.floor(bitOffset / 8);
    if (bitfieldSize > 0) {
      const id = btf.resolve(typeId);
      const type = this.#type(id);
      const size = btf.sizeof(id) ?? 0;
      if (size === 0 || size > 16) return '?';
      // The unit that holds the bits: of the type's size, aligned to it.
      const unit = Math.floor(bitOffset / 8 / size) * size;
      if (start + unit + size > this.#bytes.length) return '?';
      const raw = this.#integer(start + unit, size, bitOffset - unit * 8, bitfieldSize);
      if (raw === 0n) return undefined;
      if (type.kind === 'INT') return this.#spend(formatInt({ ...type, bits: bitfieldSize }, raw));
      const named = type.kind === 'ENUM' || type.kind === 'ENUM64' ? enumerator(type, raw) : undefined;
      return this.#spend(named ?? String(raw));
    }
    const size = btf.sizeof(typeId);
    if (size === undefined || offset + size > this.#bytes.length) return '?';
    return this.#isZero(offset, size) ? undefined : this.value(typeId, offset, depth + 1);
  }

  /** The type, decoded once; a long one counts as much as it has values or members. */
  #type(id: number): BtfType {
    let type = this.#types.get(id);
    if (type === undefined) this.#types.set(id, (type = this.#btf.type(id)));
    if (type.kind === 'ENUM' || type.kind === 'ENUM64') this.#budget.left -= type.values.length;
    return type;
  }

  #isZero(offset: number, size: number): boolean {
    if (this.#budget.left <= 0) return false;
    let at = offset;
    while (at < offset + size && this.#bytes[at] === 0 && !this.#pointers.has(at)) at++;
    this.#budget.left -= at - offset;
    return at === offset + size;
  }

  /**
   * `bits` of the `size` bytes at `offset`, from bit `first` as BTF counts: from the lowest in little endian, the highest in big endian.
   */
  #integer(offset: number, size: number, first: number, bits: number): bigint {
    let value = 0n;
    for (let i = 0; i < size; i++) value = (value << 8n) | BigInt(this.#bytes[offset + (this.#littleEndian ? size - 1 - i : i)]!);
    const shift = this.#littleEndian ? first : size * 8 - first - bits;
    return BigInt.asUintN(Math.max(bits, 0), value >> BigInt(Math.max(shift, 0)));
  }

  #spend(text: string): string {
    this.#left -= text.length;
    return text;
  }
}

function enumerator({ values }: EnumType | Enum64Type, number: bigint): string | undefined {
  return values.find(({ value }) => BigInt(value) === number)?.name;
}

/** Bits of an INT's encoding. */
const SIGNED = 1;
const BOOL = 4;

/** A number of an INT, in C: `false`, `-3`. `raw` has its bits. */
export function formatInt({ encoding, bits, size }: IntType, raw: bigint): string {
  if ((encoding & BOOL) !== 0) return raw === 0n ? 'false' : raw === 1n ? 'true' : String(raw);
  if ((encoding & SIGNED) === 0) return String(raw);
  return String(BigInt.asIntN(Math.min(bits, size * 8), raw));
}
