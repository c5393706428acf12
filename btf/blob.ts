import { FormatError } from '../elf/errors.js';
import { expectShortNames, hasLong } from '../elf/strings.js';
import type { StringOffset, TypeId } from './ids.js';
import { ELEMENT_NAME, ELEMENT_WORDS, KIND, RECORD_WORDS, TAIL_WORDS } from './kinds.js';
import { scanTypes } from './scan.js';
import { StringTable } from './strings.js';
import { type BtfHeader, kindOfInfo, parseHeader, vlenOfInfo, wordsOf } from './wire.js';

/** Options of {@link BtfBlob} and `Btf.parse`. */
export interface BtfOptions<B extends BtfBlob = BtfBlob> {
  /**
   * What a split blob (a module's .BTF) continues: its ids and string offsets continue after those of the base. The base may be split
   * itself.
   */
  readonly base?: B | undefined;
  /** What the bytes are, for messages: `vmlinux: .BTF`. `.BTF` by default. */
  readonly name?: string | undefined;
  /** Bytes of a pointer. BTF does not record it; the default is the size of `long`, else 8. */
  readonly pointerSize?: 4 | 8 | undefined;
}

/**
 * The records of a BTF blob as they are in it: what printers of whole blobs work on, without an object for each type. Ids run from
 * `firstId` to `count - 1`; id 0 is void; ids below `firstId` are the base's.
 */
export class BtfBlob {
  /** The name that messages use. */
  readonly name: string;
  readonly base: BtfBlob | undefined;
  readonly header: BtfHeader;
  /** The id of the first type of this blob: 1, or the base's `count`. */
  readonly firstId: number;
  /** One more than the last id; void and the base's types are counted. */
  readonly count: number;
  readonly strings: StringTable;
  /** The type section of this blob, as words of this machine's byte order. */
  readonly words: Uint32Array;
  /** For each type of this blob, from `firstId` on, the index in `words` of its record. */
  readonly offsets: Uint32Array;
  /** For each type of this blob, the number of its kind. */
  readonly kinds: Uint8Array;
  /** The options of the caller. */
  protected readonly givenPointerSize: 4 | 8 | undefined;

  /**
   * Reads a blob by the rules of libbpf: header, strings, every record's length, every name and every type id.
   * @param bytes kept, not copied: do not write to them afterwards
   * @throws FormatError
   */
  constructor(bytes: Uint8Array, { base, name = '.BTF', pointerSize }: BtfOptions = {}) {
    this.name = name;
    this.base = base;
    const header = parseHeader(bytes, name);
    this.header = header;
    const { typeStart, typeLength, stringStart, stringLength, littleEndian } = header;
    this.strings = new StringTable(bytes.subarray(stringStart, stringStart + stringLength), base?.strings, name, stringStart);
    this.words = wordsOf(bytes, typeStart, typeLength, littleEndian);
    this.firstId = base?.count ?? 1;
    const { offsets, kinds } = scanTypes({
      words: this.words,
      byteLength: typeLength,
      layout: header.layout.length === 0 ? inheritedLayout(base) : header.layout,
      firstId: this.firstId,
      stringEnd: this.strings.end,
      name,
      start: typeStart,
    });
    this.offsets = offsets;
    this.kinds = kinds;
    this.count = this.firstId + this.offsets.length;
    this.givenPointerSize = pointerSize;
    if (hasLong(this.strings.bytes)) expectShortNames(this.strings.bytes, ownNames(this), name);
  }

  /** Bytes of a pointer. */
  get pointerSize(): 4 | 8 {
    return this.givenPointerSize ?? this.base?.pointerSize ?? sizeOfLong(this) ?? 8;
  }

  /** The blob, this or one of its bases, that holds the record of `id`. @throws RangeError for an invalid id, or 0 */
  ownerOf(id: TypeId): BtfBlob {
    // Small, so that it is compiled into whatever calls it.
    return id >= this.firstId && id < this.count ? this : ownerBelow(this, id);
  }

  /** Index in `ownerOf(id).words` of the record of `id`: name_off, info, size or type, then what the kind adds. */
  recordOf(id: TypeId): number {
    const { offsets, firstId } = this.ownerOf(id);
    return offsets[id - firstId]!;
  }

  /** The kind's number; 0 for void. */
  kindNumber(id: TypeId): number {
    if (id === 0) return KIND.VOID;
    const { kinds, firstId } = this.ownerOf(id);
    return kinds[id - firstId]!;
  }

  /** Where the name is in {@link strings}; 0 for void and anonymous types. */
  nameOffset(id: TypeId): StringOffset {
    if (id === 0) return 0;
    const { words, offsets, firstId } = this.ownerOf(id);
    return words[offsets[id - firstId]!]!;
  }

  /** A FormatError at the record of `id`. */
  errorAt(id: TypeId, message: string, code: 'bad-value' | 'limit' = 'bad-value'): FormatError {
    if (id === 0) return new FormatError(code, { name: this.name }, message);
    const owner = this.ownerOf(id);
    return new FormatError(code, { name: owner.name, offset: owner.header.typeStart + owner.recordOf(id) * 4 }, message);
  }
}

/** Where the names of a blob's own strings are that its types and their elements have, counted from the first of them. */
function ownNames({ words, offsets, kinds, strings }: BtfBlob): number[] {
  const names: number[] = [];
  const add = (name: number): void => {
    if (name >= strings.start) names.push(name - strings.start);
  };
  for (let i = 0; i < offsets.length; i++) {
    const at = offsets[i]!;
    const kind = kinds[i]!;
    add(words[at]!);
    const name = ELEMENT_NAME[kind] ?? -1;
    const step = ELEMENT_WORDS[kind] ?? 0;
    const first = at + RECORD_WORDS + (TAIL_WORDS[kind] ?? 0);
    if (name >= 0) for (let element = 0; element < vlenOfInfo(words[at + 1]!); element++) add(words[first + element * step + name]!);
  }
  return names;
}

function ownerBelow(blob: BtfBlob, id: TypeId): BtfBlob {
  for (let owner = blob.base; owner !== undefined && id > 0 && id < blob.firstId; owner = owner.base) if (id >= owner.firstId) return owner;
  throw new RangeError(`type id ${id} is not one of 1 to ${blob.count - 1}`);
}

/** A split blob shares its base's layout section (btf_type_size_unknown of libbpf). */
function inheritedLayout(base: BtfBlob | undefined): BtfHeader['layout'] {
  for (let blob = base; blob !== undefined; blob = blob.base) if (blob.header.layout.length > 0) return blob.header.layout;
  return [];
}

/** The ways to write `long` that libbpf's determine_ptr_size knows. */
const LONG = new Set([
  'long',
  'long int',
  'int long',
  'unsigned long',
  'long unsigned',
  'unsigned long int',
  'unsigned int long',
  'long unsigned int',
  'long int unsigned',
  'int unsigned long',
  'int long unsigned',
]);

/** The size of the first INT called `long`, which is that of a pointer in Linux. */
function sizeOfLong(blob: BtfBlob): 4 | 8 | undefined {
  const { words, offsets, strings } = blob;
  for (const at of offsets) {
    if (kindOfInfo(words[at + 1]!) !== KIND.INT) continue;
    const size = words[at + 2]!;
    if ((size === 4 || size === 8) && LONG.has(strings.text(words[at]!))) return size;
  }
  return undefined;
}
