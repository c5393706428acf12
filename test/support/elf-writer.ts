/** A section to write. What is not given is 0; sections are named by `name` in `link` and `info` too. */
export interface SectionSpec {
  readonly name: string;
  readonly type: number;
  readonly flags?: number;
  readonly address?: bigint;
  readonly data?: Uint8Array;
  /** sh_size, where it is not the data's length. */
  readonly size?: number;
  /** sh_offset, where it is not where the data went. */
  readonly offset?: number;
  readonly link?: string | number;
  readonly info?: string | number;
  readonly addralign?: number;
  readonly entsize?: number;
}

/** A segment to write: the bytes of a section, or what the fields say. */
export interface SegmentSpec {
  readonly type: number;
  readonly flags?: number;
  readonly section?: string;
  readonly address: bigint;
  readonly fileSize?: number;
  readonly memorySize?: number;
  readonly align?: number;
}

export interface SymbolSpec {
  readonly name?: string;
  readonly value?: bigint;
  readonly size?: bigint;
  readonly type?: number;
  readonly binding?: number;
  readonly other?: number;
  readonly section?: number;
}

export interface RelocationSpec {
  readonly offset: bigint;
  readonly type: number;
  readonly symbol?: number;
  readonly addend?: bigint;
}

export interface ElfSpec {
  readonly type?: number;
  readonly machine?: number;
  readonly sections?: readonly SectionSpec[];
  readonly segments?: readonly SegmentSpec[];
  /** Without them the file has no table of section names. */
  readonly names?: boolean;
  /** Writes the counts into section 0, as files with more than 65,279 sections or 65,534 segments have them. */
  readonly extendedCounts?: boolean;
}

/** Writes tiny ELF files of either class and byte order, and the tables that stand in them. */
export class ElfWriter {
  readonly is64: boolean;
  readonly littleEndian: boolean;

  constructor(bits: 32 | 64 = 64, littleEndian = true) {
    this.is64 = bits === 64;
    this.littleEndian = littleEndian;
  }

  u16(...values: number[]): Uint8Array {
    return this.#pack(values, 2, (view, at, value) => view.setUint16(at, value, this.littleEndian));
  }

  u32(...values: number[]): Uint8Array {
    return this.#pack(values, 4, (view, at, value) => view.setUint32(at, value, this.littleEndian));
  }

  u64(...values: bigint[]): Uint8Array {
    return this.#pack(values, 8, (view, at, value) => view.setBigUint64(at, BigInt.asUintN(64, value), this.littleEndian));
  }

  /** Address-sized words. */
  words(...values: (bigint | number)[]): Uint8Array {
    return this.is64 ? this.u64(...values.map(BigInt)) : this.u32(...values.map(value => Number(BigInt.asUintN(32, BigInt(value)))));
  }

  /** A `.symtab` and its `.strtab`; row 0 is the empty one. */
  symbols(symbols: readonly SymbolSpec[], name = '.symtab'): SectionSpec[] {
    const strings = new Strings();
    const rows = [{}, ...symbols].map((symbol: SymbolSpec) => {
      const { value = 0n, size = 0n, type = 0, binding = 0, other = 0, section = 0 } = symbol;
      const at = this.u32(strings.add(symbol.name ?? ''));
      const info = Uint8Array.of((binding << 4) | type, other);
      return this.is64
        ? join(at, info, this.u16(section), this.u64(value, size))
        : join(at, this.words(value, size), info, this.u16(section));
    });
    const stringName = name === '.dynsym' ? '.dynstr' : '.strtab';
    return [
      { name, type: name === '.dynsym' ? 11 : 2, data: join(...rows), link: stringName, entsize: this.is64 ? 24 : 16, addralign: 8 },
      { name: stringName, type: 3, data: strings.bytes() },
    ];
  }

  rela(name: string, rows: readonly RelocationSpec[], spec: Partial<SectionSpec> = {}): SectionSpec {
    const data = join(...rows.map(row => join(this.#place(row), this.words(row.addend ?? 0n))));
    return { name, type: 4, data, entsize: this.is64 ? 24 : 12, addralign: 8, ...spec };
  }

  rel(name: string, rows: readonly RelocationSpec[], spec: Partial<SectionSpec> = {}): SectionSpec {
    return { name, type: 9, data: join(...rows.map(row => this.#place(row))), entsize: this.is64 ? 16 : 8, addralign: 8, ...spec };
  }

  relr(name: string, words: readonly bigint[], spec: Partial<SectionSpec> = {}): SectionSpec {
    return { name, type: 19, flags: 2, data: this.words(...words), entsize: this.is64 ? 8 : 4, addralign: 8, ...spec };
  }

  note(owner: string, type: number, description: Uint8Array): Uint8Array {
    const name = new TextEncoder().encode(`${owner}\0`);
    return join(this.u32(name.length, description.length, type), padded(name, 4), padded(description, 4));
  }

  /** An Elf_Chdr in front of packed bytes. */
  compressed(type: number, size: number, packed: Uint8Array): Uint8Array {
    return this.is64 ? join(this.u32(type, 0), this.u64(BigInt(size), 1n), packed) : join(this.u32(type, size, 1), packed);
  }

  file({ type = 1, machine = 62, sections = [], segments = [], names = true, extendedCounts = false }: ElfSpec): Uint8Array {
    const { is64 } = this;
    const strings = new Strings();
    const all: SectionSpec[] = [{ name: '', type: 0 }, ...sections];
    if (names) all.push({ name: '.shstrtab', type: 3 });
    const nameOffsets = all.map(({ name }) => (names ? strings.add(name) : 0));
    if (names) all[all.length - 1] = { name: '.shstrtab', type: 3, data: strings.bytes() };
    const headerSize = is64 ? 64 : 52;
    const phentsize = is64 ? 56 : 32;
    const shentsize = is64 ? 64 : 40;
    const phoff = segments.length > 0 ? headerSize : 0;
    let at = align(headerSize + segments.length * phentsize, 8);
    const offsets = all.map(({ data }) => {
      const offset = at;
      at = align(at + (data?.length ?? 0), 8);
      return offset;
    });
    const shoff = at;
    const index = (name: string | number | undefined) =>
      typeof name === 'string' ? all.findIndex(section => section.name === name) : (name ?? 0);
    const shstrndx = names ? all.length - 1 : 0;
    const headers = all.map((section, i) => {
      const zero = i === 0 && extendedCounts;
      const size = zero ? all.length : (section.size ?? section.data?.length ?? 0);
      const link = zero ? shstrndx : index(section.link);
      const info = zero ? segments.length : index(section.info);
      return join(
        this.u32(nameOffsets[i]!, section.type),
        this.words(section.flags ?? 0, section.address ?? 0n, section.offset ?? (i === 0 ? 0 : offsets[i]!), size),
        this.u32(link, info),
        this.words(section.addralign ?? 1, section.entsize ?? 0),
      );
    });
    const programHeaders = segments.map(segment => {
      const target = segment.section === undefined ? 0 : index(segment.section);
      const offset = target === 0 ? 0 : offsets[target]!;
      const fileSize = segment.fileSize ?? all[target]?.data?.length ?? 0;
      const sizes = [fileSize, segment.memorySize ?? fileSize];
      const flags = this.u32(segment.flags ?? 0);
      return is64
        ? join(this.u32(segment.type), flags, this.words(offset, segment.address, segment.address, ...sizes, segment.align ?? 0))
        : join(
            this.u32(segment.type),
            this.words(offset, segment.address, segment.address, ...sizes),
            flags,
            this.words(segment.align ?? 0),
          );
    });
    const ident = Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, this.littleEndian ? 1 : 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    const counts = extendedCounts
      ? [phentsize, 0xffff, shentsize, 0, 0xffff]
      : [phentsize, segments.length, shentsize, all.length, shstrndx];
    const header = join(
      ident,
      this.u16(type, machine),
      this.u32(1),
      this.words(0, phoff, shoff),
      this.u32(0),
      this.u16(headerSize, ...counts),
    );
    const bytes = new Uint8Array(shoff + headers.length * shentsize);
    bytes.set(header);
    bytes.set(join(...programHeaders), headerSize);
    all.forEach(({ data }, i) => {
      if (data !== undefined) bytes.set(data, offsets[i]!);
    });
    bytes.set(join(...headers), shoff);
    return bytes;
  }

  #place({ offset, type, symbol = 0 }: RelocationSpec): Uint8Array {
    return join(this.words(offset), this.is64 ? this.u64((BigInt(symbol) << 32n) | BigInt(type)) : this.u32(((symbol << 8) | type) >>> 0));
  }

  #pack<T>(values: readonly T[], size: number, put: (view: DataView, at: number, value: T) => void): Uint8Array {
    const view = new DataView(new ArrayBuffer(values.length * size));
    values.forEach((value, i) => {
      put(view, i * size, value);
    });
    return new Uint8Array(view.buffer);
  }
}

/** A table of strings, the empty one first. */
class Strings {
  #text = '\0';

  add(text: string): number {
    if (text === '') return 0;
    const at = this.#text.length;
    this.#text += `${text}\0`;
    return at;
  }

  bytes(): Uint8Array {
    return new TextEncoder().encode(this.#text);
  }
}

export function join(...parts: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

function padded(bytes: Uint8Array, unit: number): Uint8Array {
  return join(bytes, new Uint8Array(align(bytes.length, unit) - bytes.length));
}

function align(at: number, unit: number): number {
  return Math.ceil(at / unit) * unit;
}
