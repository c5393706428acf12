import { ElfFile } from '../../../elf/file.js';
import { type ByteSource, MemorySource } from '../../../elf/source.js';
import { KERNEL_NAME_LENGTH } from '../names/uapi.js';
import { BpfFile, type BpfRefusal } from './bpf-file.js';
import { callOrder } from './calls.js';
import { type BpfCoreRelocation, readCoreRelocations } from './core-relocations.js';
import { type BpfVariable, DataSections } from './data.js';
import { DataValues } from './data-values.js';
import { type BpfExtern, readExterns } from './externs.js';
import { type BpfMap, readMaps } from './maps.js';
import { firstAt, rowHolding } from './placed-rows.js';
import { type BpfFunction, type BpfProgram, isProgram, readFunctions } from './programs.js';
import { refuseRelocations } from './relocation-refusals.js';
import { type BpfRelocation, readRelocations } from './relocations.js';
import { type BpfStructOps, readStructOps } from './struct-ops.js';

/** How a {@link BpfObject} is opened. */
export interface BpfObjectOptions {
  /** The name in messages where bytes are given; the path otherwise. */
  readonly name?: string;
  /**
   * The name that libbpf gives the object, from which it makes the names of maps for global data. Where not given it is the file's name up
   * to its first dot, at most 15 characters; skeletons have one of their own, `opensnoop_bpf`.
   */
  readonly objectName?: string;
}

/**
 * A BPF object: an ELF file that clang made for the target bpf, or `bpftool gen object` of several. Each table is read on first use, and
 * kept. What libbpf would refuse is a diagnostic where the rest can be read.
 */
export class BpfObject extends BpfFile {
  readonly objectName: string;
  #functions: readonly BpfFunction[] | undefined;
  readonly #calls = new Map<BpfFunction, readonly BpfFunction[]>();
  #programs: readonly BpfProgram[] | undefined;
  #data: DataSections | undefined;
  #values: DataValues | undefined;
  #maps: readonly BpfMap[] | undefined;
  #externs: readonly BpfExtern[] | undefined;
  #structOps: readonly BpfStructOps[] | undefined;
  #relocations: readonly BpfRelocation[] | undefined;
  #coreRelocations: readonly BpfCoreRelocation[] | undefined;

  /** @throws FormatError for an ELF file that is not a relocatable one for BPF */
  constructor(elf: ElfFile, options: BpfObjectOptions = {}) {
    super(elf);
    this.objectName = options.objectName ?? objectNameOf(elf.name);
  }

  /** What libbpf refuses as it opens the object. Every table is read for it. */
  get refusals(): readonly BpfRefusal[] {
    void [this.functions, this.maps, this.externs, this.structOps, this.relocations];
    return this.refused;
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
    let known = this.#calls.get(program);
    if (known === undefined) this.#calls.set(program, (known = callOrder(this, this, program)));
    return known;
  }

  /** The function whose code is at a byte offset of a section. */
  functionAt(sectionIndex: number, offset: number): BpfFunction | undefined {
    return rowHolding(this.functions, sectionIndex, offset);
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

  /** The value that a variable starts with, in C; zero in .bss, undefined if it is not to be had. */
  initialValue(variable: BpfVariable): string | undefined {
    this.#values ??= new DataValues(this, this);
    return this.#values.of(variable);
  }

  /** In libbpf's order: BTF-defined ones, global data, .kconfig, struct_ops; those of the old `maps` section last. */
  get maps(): readonly BpfMap[] {
    this.#maps ??= readMaps(this, this);
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
    if (this.#relocations === undefined) {
      this.#relocations = readRelocations(this, this);
      refuseRelocations(this, this, this.#relocations);
    }
    return this.#relocations;
  }

  /** The relocations of the bytes `from` up to `to` of a section. */
  relocationsIn(sectionIndex: number, from = 0, to: number = Number.POSITIVE_INFINITY): readonly BpfRelocation[] {
    const { relocations } = this;
    return relocations.slice(firstAt(relocations, sectionIndex, from), firstAt(relocations, sectionIndex, to));
  }

  /** CO-RE relocations, in the order of .BTF.ext. */
  get coreRelocations(): readonly BpfCoreRelocation[] {
    this.#coreRelocations ??= readCoreRelocations(this, this);
    return this.#coreRelocations;
  }
}

/**
 * Reads a BPF object.
 * @param input its bytes, or a source of them, which the caller closes
 * @throws FormatError for what is no BPF object
 */
export function readBpfObject(input: Uint8Array | ByteSource, options: BpfObjectOptions = {}): BpfObject {
  return new BpfObject(ElfFile.open(input instanceof Uint8Array ? new MemorySource(input, options.name ?? 'object') : input), options);
}

/** `opensnoop` of `/tmp/opensnoop.bpf.o` (bpf_object__new of libbpf): cut to 15 characters, then at the first dot. */
function objectNameOf(path: string): string {
  return path
    .slice(path.lastIndexOf('/') + 1)
    .slice(0, KERNEL_NAME_LENGTH)
    .replace(/\..*$/s, '');
}
