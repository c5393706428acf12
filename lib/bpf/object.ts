import { Btf } from '../../btf/btf.js';
import { BtfExt } from '../../btf/ext.js';
import { declare } from '../../btf/print/declare.js';
import { EM, ET, SHT } from '../../elf/constants.js';
import { type Diagnostic, FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import type { Section } from '../../elf/section.js';
import { type ByteSource, MemorySource } from '../../elf/source.js';
import type { ElfSymbol } from '../../elf/symbol.js';
import type { Errno } from '../evidence.js';
import { openSource } from '../source/node.js';
import { type BpfCoreRelocation, readCoreRelocations } from './core-relocations.js';
import { type BpfVariable, DataSections } from './data.js';
import { type BpfExtern, readExterns } from './externs.js';
import { Instructions } from './insn.js';
import { type BpfMap, readMaps } from './maps.js';
import { type BpfFunction, type BpfProgram, callOrder, isProgram, readFunctions } from './programs.js';
import { type BpfRelocation, readRelocations } from './relocations.js';
import { type BpfStructOps, readStructOps } from './struct-ops.js';

/** Options of {@link openBpfObject}. */
export interface BpfObjectOptions {
  /** The name in messages where bytes are given; the path otherwise. */
  readonly name?: string;
  /**
   * The name that libbpf gives the object, from which it makes the names of maps for global data. Where not given it is the file's name up to its
   * first dot, at most 15 characters; skeletons have one of their own, `opensnoop_bpf`.
   */
  readonly objectName?: string;
}

/** Why libbpf does not open an object: nothing of it is loaded then, whichever kernel runs. */
export interface BpfRefusal {
  /** The section that it is about. */
  readonly part: string;
  /** What is wrong with it. */
  readonly says: string;
  /** What `bpf_object__open()` fails with, where that is one of these. */
  readonly errno?: Errno;
}

/** In a damaged file every row of a table may be wrong. */
const MOST_DIAGNOSTICS = 1000;

/** Characters of all the declarations of an object. */
const MOST_TEXT = 1 << 24;

/** What the kernel takes of a name (BPF_OBJ_NAME_LEN less its NUL). */
export const KERNEL_NAME_LENGTH = 15;

/**
 * A BPF object: an ELF file that clang made for the target bpf, or `bpftool gen object` of several. Each table is read when it is asked for, and
 * kept. What libbpf would refuse is a diagnostic where the rest can be read.
 */
export class BpfObject {
  readonly elf: ElfFile;
  readonly objectName: string;
  readonly #diagnostics: Diagnostic[] = [];
  readonly #instructions = new Map<number, Instructions>();
  readonly #said = new Set<string>();
  readonly #refusals: BpfRefusal[] = [];
  #btf: { readonly btf?: Btf } | undefined;
  #ext: { readonly ext?: BtfExt } | undefined;
  #symbols: readonly ElfSymbol[] | undefined;
  #functions: readonly BpfFunction[] | undefined;
  #programs: readonly BpfProgram[] | undefined;
  #data: DataSections | undefined;
  #maps: readonly BpfMap[] | undefined;
  #externs: readonly BpfExtern[] | undefined;
  #structOps: readonly BpfStructOps[] | undefined;
  #relocations: readonly BpfRelocation[] | undefined;
  #text = 0;
  #coreRelocations: readonly BpfCoreRelocation[] | undefined;

  /** @throws FormatError for an ELF file that is no relocatable one for BPF */
  constructor(elf: ElfFile, options: BpfObjectOptions = {}) {
    const { machine, type, is64 } = elf.header;
    const place = { name: elf.name };
    // libbpf takes EM_NONE too: what old compilers wrote (bpf_object__elf_init).
    if (machine !== EM.BPF && machine !== 0)
      throw new FormatError('bad-value', place, `is an ELF file for machine ${machine}, not for BPF`);
    if (type !== ET.REL || !is64) throw new FormatError('bad-value', place, 'is no relocatable 64-bit file, which BPF objects are');
    this.elf = elf;
    this.objectName = options.objectName ?? objectNameOf(elf.name);
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

  /** What libbpf refuses as it opens the object. Every table is read for it. */
  get refusals(): readonly BpfRefusal[] {
    void [this.functions, this.maps, this.externs, this.structOps];
    return this.#refusals;
  }

  /** Notes what libbpf refuses, and reports it. */
  refuse(part: string, says: string, errno?: Errno): void {
    if (this.#note(part, `${says}: libbpf refuses the object`))
      this.#refusals.push({ part, says, ...(errno === undefined ? {} : { errno }) });
  }

  /** Notes damage in a part, once. */
  report(part: string, message: string): void {
    this.#note(part, message);
  }

  /** False where it is noted already, or there are too many notes. */
  #note(part: string, message: string): boolean {
    // Names of the file stand in it: a message is one line.
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

  /** `.BTF`; undefined where there is none, or it is damaged. */
  get btf(): Btf | undefined {
    this.#btf ??= this.#read('.BTF', section => ({ btf: Btf.parse(section.data(), { name: section.label, pointerSize: 8 }) })) ?? {};
    return this.#btf.btf;
  }

  /** `.BTF.ext`; undefined where there is none, or it is damaged. */
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

  /** All functions, by section and offset. */
  get functions(): readonly BpfFunction[] {
    this.#functions ??= readFunctions(this);
    return this.#functions;
  }

  /** The functions that are loaded as programs of their own, by section and offset. */
  get programs(): readonly BpfProgram[] {
    this.#programs ??= this.functions.filter(isProgram);
    return this.#programs;
  }

  /** The functions that programs call, which are loaded with each of them. */
  get subprograms(): readonly BpfFunction[] {
    return this.functions.filter(fn => !isProgram(fn));
  }

  /** The subprograms that are loaded with a program, in the order in which libbpf appends them. */
  subprogramsOf(program: BpfFunction): readonly BpfFunction[] {
    return callOrder(this, program);
  }

  /** The function whose code is at a byte offset of a section. */
  functionAt(sectionIndex: number, offset: number): BpfFunction | undefined {
    const { functions } = this;
    const next = firstAt(functions, sectionIndex, offset + 1);
    const fn = functions[next - 1];
    return fn !== undefined && fn.sectionIndex === sectionIndex && offset < fn.offset + fn.size ? fn : undefined;
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

  /** Sections of global data, with their variables. */
  get data(): DataSections {
    this.#data ??= new DataSections(this);
    return this.#data;
  }

  /** The global variables, by section and offset. */
  get variables(): readonly BpfVariable[] {
    return this.data.variables;
  }

  /** In libbpf's order: BTF-defined ones, global data, .kconfig, struct_ops; those of the old `maps` section last. */
  get maps(): readonly BpfMap[] {
    this.#maps ??= readMaps(this);
    return this.#maps;
  }

  /** What the loader is to fill in: `.kconfig` and `.ksyms`. */
  get externs(): readonly BpfExtern[] {
    this.#externs ??= readExterns(this);
    return this.#externs;
  }

  get structOps(): readonly BpfStructOps[] {
    this.#structOps ??= readStructOps(this);
    return this.#structOps;
  }

  /** Relocations of code, of map definitions, of struct_ops and of data, by section and offset. */
  get relocations(): readonly BpfRelocation[] {
    this.#relocations ??= readRelocations(this);
    return this.#relocations;
  }

  /** The relocations of the bytes `from` up to `to` of a section. */
  relocationsIn(sectionIndex: number, from = 0, to: number = Number.POSITIVE_INFINITY): readonly BpfRelocation[] {
    const { relocations } = this;
    return relocations.slice(firstAt(relocations, sectionIndex, from), firstAt(relocations, sectionIndex, to));
  }

  /**
   * A type in C, declaring `name` where given; undefined where it has no text of a reasonable length, which is a diagnostic. All texts of one
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

  /** CO-RE relocations, in the order of .BTF.ext. */
  get coreRelocations(): readonly BpfCoreRelocation[] {
    this.#coreRelocations ??= readCoreRelocations(this);
    return this.#coreRelocations;
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

/**
 * Opens a BPF object.
 * @param input the path of an object, its bytes, or a source of them, which the caller closes
 * @throws FormatError for what is no BPF object, InputError for what can't be read
 */
export function openBpfObject(input: string | Uint8Array | ByteSource, options: BpfObjectOptions = {}): BpfObject {
  if (typeof input !== 'string') {
    return new BpfObject(ElfFile.open(input instanceof Uint8Array ? new MemorySource(input, options.name ?? 'object') : input), options);
  }
  const source = openSource(input);
  try {
    // Objects are small, and every part is looked at: they are read whole, and the file is closed.
    return new BpfObject(ElfFile.open(new MemorySource(source.read(0, source.size), options.name ?? input)), options);
  } finally {
    source.close();
  }
}

/** The first row, of rows by section and offset, that is at an offset of a section or behind it. */
function firstAt(
  rows: readonly { readonly sectionIndex: number; readonly offset: number }[],
  sectionIndex: number,
  offset: number,
): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const row = rows[middle]!;
    if (row.sectionIndex < sectionIndex || (row.sectionIndex === sectionIndex && row.offset < offset)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** `opensnoop` of `/tmp/opensnoop.bpf.o` (bpf_object__new of libbpf): cut to 15 characters, then at the first dot. */
function objectNameOf(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .slice(0, KERNEL_NAME_LENGTH)
    .replace(/\..*$/s, '');
}
