import { Btf } from '../../../btf/btf.js';
import { BtfExt } from '../../../btf/ext.js';
import { declare } from '../../../btf/print/declare.js';
import { EM, ET, SHT } from '../../../elf/constants.js';
import { type Diagnostic, FormatError } from '../../../elf/errors.js';
import type { ElfFile } from '../../../elf/file.js';
import type { Section } from '../../../elf/section.js';
import type { ElfSymbol } from '../../../elf/symbol.js';
import type { Errno } from '../../evidence.js';
import { Instructions } from '../code/insn.js';

/** Why libbpf does not open an object: nothing of it is loaded then, whichever kernel runs. */
export interface BpfRefusal {
  /** The section that it is about. */
  readonly part: string;
  /** What is wrong with it. */
  readonly says: string;
  /** What `bpf_object__open()` fails with, where that is one of these. */
  readonly errno?: Errno;
}

/** STV_INTERNAL or STV_HIDDEN, which make a static function or variable for libbpf of one that is global. */
export function isHidden({ visibility }: ElfSymbol): boolean {
  return visibility === 1 || visibility === 2;
}

/** In a damaged file every row of a table may be wrong. */
const MOST_DIAGNOSTICS = 1000;

/** Characters of all the declarations of an object. */
const MOST_TEXT = 1 << 24;

/**
 * The file of a BPF object, as its tables are read from it: sections, symbols, code, BTF, and notes of what is wrong with them. It knows
 * none of the tables: programs, maps and the others are read over it.
 */
export class BpfFile {
  readonly elf: ElfFile;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #said = new Set<string>();
  readonly #instructions = new Map<number, Instructions>();
  /** What libbpf refuses, of what was read so far. */
  protected readonly refused: BpfRefusal[] = [];
  #btf: { readonly btf?: Btf } | undefined;
  #ext: { readonly ext?: BtfExt } | undefined;
  #symbols: readonly ElfSymbol[] | undefined;
  #text = 0;

  /** @throws FormatError for an ELF file that is not a relocatable one for BPF */
  constructor(elf: ElfFile) {
    const { machine, type, is64 } = elf.header;
    const place = { name: elf.name };
    // libbpf takes EM_NONE too: what old compilers wrote (bpf_object__elf_init).
    if (machine !== EM.BPF && machine !== 0)
      throw new FormatError('bad-value', place, `is an ELF file for machine ${machine}, not for BPF`);
    if (type !== ET.REL || !is64) throw new FormatError('bad-value', place, 'is not a relocatable 64-bit file, as BPF objects are');
    this.elf = elf;
  }

  get name(): string {
    return this.elf.name;
  }

  get littleEndian(): boolean {
    return this.elf.littleEndian;
  }

  /** What is damaged, or refused by libbpf, in what was read so far. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.elf.diagnostics, ...this.#diagnostics];
  }

  /** Notes what libbpf refuses, and reports it. */
  refuse(part: string, says: string, errno?: Errno): void {
    if (this.#note(part, `${says}: libbpf refuses the object`))
      this.refused.push({ part, says, ...(errno === undefined ? {} : { errno }) });
  }

  /** Notes damage in a part, once. */
  report(part: string, message: string): void {
    this.#note(part, message);
  }

  /** False where it is noted already, or there are too many notes. */
  #note(part: string, message: string): boolean {
    // Names of the file are in it: a message is one line.
    const line = `${this.name}: ${part}: ${message}`.replace(/\p{Cc}/gu, char => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
    if (this.#said.has(line) || this.#said.size >= MOST_DIAGNOSTICS) return false;
    this.#said.add(line);
    this.#diagnostics.push({ place: { name: `${this.name}: ${part}` }, message: line });
    return true;
  }

  /** What `read` gives; where it fails with a FormatError, a diagnostic and undefined. */
  attempt<T>(part: string, read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.report(part, error.message);
      return undefined;
    }
  }

  /** `.BTF`; undefined if there is none, or it is damaged. */
  get btf(): Btf | undefined {
    this.#btf ??= this.#read('.BTF', section => ({ btf: Btf.parse(section.data(), { name: section.label, pointerSize: 8 }) })) ?? {};
    return this.#btf.btf;
  }

  /** `.BTF.ext`; undefined if there is none, or it is damaged. */
  get ext(): BtfExt | undefined {
    const { btf } = this;
    if (btf === undefined) return undefined;
    this.#ext ??= this.#read('.BTF.ext', section => ({ ext: BtfExt.parse(section.data(), btf, section.label) })) ?? {};
    return this.#ext.ext;
  }

  /** The text of the section `license`. */
  get license(): string | undefined {
    return this.#read('license', section => {
      const bytes = section.stored().subarray(0, 64);
      const end = bytes.indexOf(0);
      return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
    });
  }

  /** The number in the section `version`, a kernel's: 0x60100 is 6.1.0. */
  get version(): number | undefined {
    return this.#read('version', section => {
      const bytes = section.storedRange(0, 4);
      return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, this.littleEndian);
    });
  }

  /** The code of a section. @throws FormatError */
  instructions(sectionIndex: number): Instructions {
    let instructions = this.#instructions.get(sectionIndex);
    if (instructions === undefined) {
      const section = this.elf.sections[sectionIndex]!;
      instructions = new Instructions(section.stored(), this.littleEndian, section.label);
      this.#instructions.set(sectionIndex, instructions);
    }
    return instructions;
  }

  /**
   * A type in C, declaring `name` where given; undefined if it has no text of a reasonable length, which is a diagnostic. All texts of one
   * object share a limit.
   */
  declare(typeId: number, name = ''): string | undefined {
    const { btf } = this;
    if (btf === undefined || this.#text > MOST_TEXT) return undefined;
    const text = this.attempt('.BTF', () => declare(btf, typeId, name));
    // What failed was work.
    this.#text += text?.length ?? MOST_TEXT >> 4;
    return text;
  }

  /** Every row of `.symtab`, the empty one too. None where the file is stripped, which libbpf refuses. */
  get symbols(): readonly ElfSymbol[] {
    this.#symbols ??= this.#readSymbols();
    return this.#symbols;
  }

  #readSymbols(): ElfSymbol[] {
    const table = this.attempt('.symtab', () => this.elf.symbols);
    if (table === undefined) {
      this.refuse('.symtab', 'there is no symbol table', 'ENOENT');
      return [];
    }
    const symbols = [...table];
    // Section symbols have no name of their own.
    for (const { message } of table.diagnostics) this.report('.symtab', message);
    return symbols;
  }

  #read<T>(name: string, read: (section: Section) => T): T | undefined {
    const section = this.elf.section(name);
    if (section === undefined || section.type === SHT.NOBITS) return undefined;
    return this.attempt(name, () => read(section));
  }
}
