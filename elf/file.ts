import { expectSource } from './arguments.js';
import { ET, PT, SHF, SHT } from './constants.js';
import { FormatError } from './errors.js';
import { readHeader } from './header.js';
import { Memory, type Region } from './memory.js';
import { buildId, type Note, readNotes } from './note.js';
import { expectReadable, isRelocationSection, isUnreadRelocationSection, RelocationTable } from './relocation.js';
import type { Section } from './section.js';
import type { ByteSource } from './source.js';
import { ElfTables } from './tables.js';

/** An ELF file. Opening it reads the header and the section and program headers; each table is read on first use, and kept. */
export class ElfFile extends ElfTables {
  #memory: Memory | undefined;
  #notes: readonly Note[] | undefined;
  #saidUnread = false;

  /** @throws FormatError when the source is not an ELF file, or its headers are damaged */
  static override open(source: ByteSource): ElfFile {
    expectSource(source, 'source');
    return new ElfFile(source, readHeader(source));
  }

  /** Every REL, RELA, RELR and CREL section, in the order of the section headers. One of another type is a diagnostic. */
  relocationTables(): RelocationTable[] {
    this.sections.forEach(expectReadable);
    if (!this.#saidUnread) {
      this.#saidUnread = true;
      for (const section of this.sections.filter(isUnreadRelocationSection)) {
        const message = `its relocations are of section type 0x${section.type.toString(16)}, which is not read`;
        this.diagnostics.push({ place: { name: section.label }, message });
      }
    }
    const sections = this.sections.filter(isRelocationSection);
    this.expectApart(sections, 'the relocation sections');
    return sections.map(section => new RelocationTable(section, this.header));
  }

  /** The notes of all note sections, or of the note segments of a file without sections. A damaged section is a diagnostic. */
  get notes(): readonly Note[] {
    this.#notes ??= this.#readNotes();
    return this.#notes;
  }

  /** The GNU build id in hexadecimal. */
  get buildId(): string | undefined {
    return buildId(this.notes);
  }

  /**
   * The addresses of a linked file: through its PT_LOAD segments, or its allocated sections where it has no segments. Only relocation
   * sections that are allocated are applied: they are what the boot code or the dynamic loader applies. The others (`ld --emit-relocs`, as
   * x86 and s390 kernels are linked) record what the linker has already done: the words are final, and tools that sort tables afterwards do
   * not update them.
   */
  get memory(): Memory {
    this.#memory ??= new Memory(
      this.name,
      this.header,
      this.#regions(),
      this.header.type === ET.REL ? [] : this.relocationTables().filter(({ section }) => section.allocated),
      table => this.symbolTable(table.section.link),
    );
    return this.#memory;
  }

  /**
   * One section of a relocatable file (ET_REL), at address 0, with the relocations for it. A symbol's value is its offset in its section.
   */
  sectionMemory(section: Section): Memory {
    const data = section.data();
    const region: Region = {
      address: 0n,
      size: BigInt(data.length),
      fileSize: data.length,
      read: (start, length) => data.subarray(start, start + length),
    };
    const tables = this.relocationTables().filter(table => table.section.info === section.index && this.header.type === ET.REL);
    return new Memory(section.label, this.header, [region], tables, table => this.symbolTable(table.section.link));
  }

  #regions(): Region[] {
    const loaded = this.segments.filter(({ type }) => type === PT.LOAD);
    if (loaded.length > 0) {
      return loaded.map(({ virtualAddress, memorySize, fileSize, offset }) => ({
        address: virtualAddress,
        // Zeros after the file's bytes cost memory to read: no more of them than the file is long.
        size: least(memorySize, BigInt(fileSize) + BigInt(this.source.size)),
        fileSize: Number(least(memorySize, BigInt(fileSize))),
        read: (start: number, length: number) => this.source.read(offset + start, length),
      }));
    }
    return this.sections
      .filter(section => (section.flags & SHF.ALLOC) !== 0 && section.size > 0)
      .map(section => ({
        address: section.address,
        size: least(BigInt(section.size), BigInt(this.source.size)),
        fileSize: section.type === SHT.NOBITS ? 0 : section.size,
        read: (start: number, length: number) => section.storedRange(start, length),
      }));
  }

  #readNotes(): Note[] {
    const sections = this.sections.filter(({ type }) => type === SHT.NOTE);
    let left = 2 * this.source.size;
    const parts =
      sections.length > 0
        ? sections.map(section => ({ name: section.label, align: section.addralign, size: section.size, read: () => section.data() }))
        : this.segments
            .filter(({ type }) => type === PT.NOTE)
            .map(({ index, align, offset, fileSize }) => ({
              name: `${this.name}: segment ${index}`,
              align: Number(align),
              size: fileSize,
              read: () => this.source.read(offset, fileSize),
            }));
    const notes: Note[] = [];
    const onDamage = ({ place, message }: FormatError): void => void this.diagnostics.push({ place, message });
    for (const { name, align, size, read } of parts) {
      try {
        left -= size;
        if (left < 0) throw new FormatError('limit', { name }, 'the notes lie over each other: together they are larger than the file');
        // One by one: there may be more of them than arguments in a call.
        for (const note of readNotes(read(), this.littleEndian, align, name, onDamage)) notes.push(note);
      } catch (error) {
        // The section itself is cut off.
        if (!(error instanceof FormatError)) throw error;
        onDamage(error);
        if (left < 0) break;
      }
    }
    return notes;
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
