// Kernel is AsyncDisposable: who compiles against these types need not know the library that declares it.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Btf } from '../btf/btf.js';
import type { Dwarf } from '../elf/dwarf/dwarf.js';
import type { Diagnostic } from '../elf/errors.js';
import type { ElfFile } from '../elf/file.js';
import type { KernelSymbols } from '../kallsyms/symbols.js';
import type { AttachAnswer, Attaching } from './answers/attach.js';
import { TracingDecisions } from './answers/decisions.js';
import { type DuplicateGroup, duplicates } from './answers/duplicates.js';
import type { MissingBtf, MissingBtfOptions } from './answers/missing-btf.js';
import type { AddressAnswer, AddressProblem } from './answers/symbolize.js';
import type { PlaceAnswer, Traceability, TraceabilityAnswer } from './answers/traceability.js';
import type { McountTable } from './ftrace/mcount.js';
import type { FtraceState } from './ftrace/sites.js';
import { FunctionTable } from './functions.js';
import type { ImageSymbols } from './image-symbols.js';
import type { Labels } from './kprobes/areas.js';
import type { KprobeBlacklist } from './kprobes/blacklist.js';
import type { ModuleBtfs } from './modules/btf.js';
import type { ModuleTable } from './modules/table.js';
import type { KernelConfig } from './open/config.js';
import { rooms } from './rooms.js';
import type { SymbolFacts } from './symbol-facts.js';
import type { TracepointTable } from './tracepoints/table.js';

/**
 * What is known of a kernel, and how to read each piece. A piece is read when an answer needs it; one that is missing is undefined, and the
 * answers that would need it say so.
 */
export interface KernelPieces {
  /** The name in messages: the file's path, or `the running kernel`. */
  readonly name: string;
  /** e_machine: EM.X86_64 (62), EM.AARCH64 (183) … */
  readonly machine: number;
  /** What the image was wrapped in, from the outside in: `['x86 bzImage', 'lz4-legacy', 'ELF']`; for a running kernel `['running']`. */
  readonly form: readonly string[];
  /** The image itself; absent for a running kernel, whose text is not read. */
  readonly image?: ElfFile;
  /** One sentence for each piece that is missing or comes from a place that weakens answers. */
  readonly notes: readonly string[];
  /** The symbols as kallsyms has them. @throws MissingError where nothing names the functions; FormatError for damage */
  symbols(): KernelSymbols;
  /** `.symtab` beside kallsyms: sizes, bindings and source files. */
  imageSymbols(): ImageSymbols | undefined;
  /** The address of a label of the linker script. */
  labels: Labels;
  /** `__mcount_loc`; undefined where there is none. */
  mcount(): McountTable | undefined;
  /** The ftrace sites; `none` without dynamic ftrace, `unknown` where a running kernel does not tell. */
  ftrace(): FtraceState;
  /** The ranges that the kprobe blacklist covers; undefined where it can not be read. */
  blacklist(): KprobeBlacklist | undefined;
  /** The BTF and the name of what it was read from; where that is a file of its own, and ELF, its build id. */
  btf(): FoundBtf | undefined;
  /** The kernel's .config: given, of the image, or of the running kernel. */
  config(): KernelConfig | undefined;
  /** The line that /proc/version shows. */
  banner(): string | undefined;
  /** Closes the files. */
  close(): void;
}

/** BTF, and where it is from. */
export interface FoundBtf {
  readonly btf: Btf;
  readonly source: string;
  /** Of the ELF file that was given in place of the image's own BTF. */
  readonly buildId?: string | undefined;
}

/** A kernel, and the questions that can be asked of it. */
export class Kernel implements AsyncDisposable {
  readonly pieces: KernelPieces;
  /** The functions of its modules, where they were read: answers then cover names across the kernel and its modules. */
  modules: ModuleTable | undefined;
  #symbols: KernelSymbols | undefined;
  #mcount: { readonly table: McountTable | undefined } | undefined;
  #btf: { readonly found: FoundBtf | undefined } | undefined;
  #banner: { readonly text: string | undefined } | undefined;
  #functions: FunctionTable | undefined;
  #tracing: TracingDecisions | undefined;
  #traceability: Traceability | undefined;
  #attaching: Attaching | undefined;
  #moduleBtfs: ModuleBtfs | undefined;
  #tracepoints: TracepointTable | undefined;
  #facts: SymbolFacts | undefined;
  #dwarf: { readonly found: Dwarf | undefined } | undefined;

  constructor(pieces: KernelPieces) {
    this.pieces = pieces;
  }

  /** The file's path, or `the running kernel`. */
  get name(): string {
    return this.pieces.name;
  }

  /** e_machine: EM.X86_64 (62), EM.AARCH64 (183) … */
  get machine(): number {
    return this.pieces.machine;
  }

  /** The image; undefined for a running kernel. */
  get image(): ElfFile | undefined {
    return this.pieces.image;
  }

  /** The symbols as the kernel's kallsyms has them. */
  get symbols(): KernelSymbols {
    this.#symbols ??= this.pieces.symbols();
    return this.#symbols;
  }

  /** `__mcount_loc`; undefined for a running kernel, and where the image has none. */
  get mcount(): McountTable | undefined {
    this.#mcount ??= { table: this.pieces.mcount() };
    return this.#mcount.table;
  }

  /** The kernel's BTF, or the one that was put in its place. */
  get btf(): Btf | undefined {
    return this.#foundBtf?.btf;
  }

  /** Where the BTF was read from: `vmlinux: .BTF`. */
  get btfSource(): string | undefined {
    return this.#foundBtf?.source;
  }

  /** The `Linux version …` line. */
  get banner(): string | undefined {
    this.#banner ??= { text: this.pieces.banner() };
    return this.#banner.text;
  }

  /** `6.1.0-56-cloud-arm64`, from the banner. */
  get release(): string | undefined {
    return this.banner?.split(' ')[2];
  }

  /** The GNU build id in hexadecimal, 40 digits mostly; undefined for a running kernel. */
  get buildId(): string | undefined {
    return this.image?.buildId;
  }

  /** A row for each text symbol: what every answer reads. */
  get functions(): FunctionTable {
    this.#functions ??= new FunctionTable(this.symbols, this.pieces.ftrace(), this.btf);
    return this.#functions;
  }

  /** Definitions by name, from `.symtab` where there is one. */
  get facts(): SymbolFacts {
    this.#facts ??= rooms.symbolFacts().symbolFacts(this.symbols, this.pieces.imageSymbols());
    return this.#facts;
  }

  /** Damage that was met and did not keep the rest from being read. */
  get diagnostics(): readonly Diagnostic[] {
    const ofDwarf = this.#dwarf?.found?.diagnostics ?? [];
    return this.image === undefined ? [] : [...this.image.diagnostics, ...this.image.memory.diagnostics, ...ofDwarf];
  }

  /** Every name that several functions at different addresses bear, in the order of the names. */
  duplicates(): DuplicateGroup[] {
    return duplicates(this);
  }

  /** Which mechanisms can trace a function, by its name and by the address of each that bears it. */
  traceability(name: string): TraceabilityAnswer {
    return this.#words.answer(name);
  }

  /** What is said of a probe at `NAME+0x12` or at an address; undefined for a text that is neither. */
  place(text: string): PlaceAnswer | undefined {
    return this.#words.place(text);
  }

  get #words(): Traceability {
    this.#traceability ??= new (rooms.traceability().Traceability)(this);
    return this.#traceability;
  }

  /** The rules of tracing: decisions without words, for one question after the other. */
  get tracing(): TracingDecisions {
    this.#tracing ??= new TracingDecisions(this);
    return this.#tracing;
  }

  /** How to attach a probe to each function of a name: exactly to that one, with its arguments by name. */
  attach(name: string): AttachAnswer {
    return this.attaching.answer(name);
  }

  /** What makes recipes to attach, for one function after the other. */
  get attaching(): Attaching {
    this.#attaching ??= new (rooms.attach().Attaching)(this);
    return this.#attaching;
  }

  /** The BTF of its modules, by their paths. */
  get moduleBtfs(): ModuleBtfs {
    this.#moduleBtfs ??= new (rooms.moduleBtfs().ModuleBtfs)(this.btf);
    return this.#moduleBtfs;
  }

  /** The tracepoints and events of the image. */
  get tracepoints(): TracepointTable {
    this.#tracepoints ??= new (rooms.tracepoints().TracepointTable)(this);
    return this.#tracepoints;
  }

  /** Why BTF has no FUNC for a name. */
  missingBtf(name: string, options: MissingBtfOptions = {}): MissingBtf {
    return new (rooms.missingBtf().BtfAbsence)(this, options).answer(name);
  }

  /**
   * The debug information of the image; undefined where it has none, and for a running kernel. Its reader is loaded here, and nothing is read until it
   * is asked something.
   */
  dwarf(): Dwarf | undefined {
    this.#dwarf ??= { found: this.image === undefined ? undefined : rooms.dwarf().openDwarf(this.image) };
    return this.#dwarf.found;
  }

  /**
   * What stands at addresses: the symbol, and the source by DWARF, inlined functions too.
   * @param queries addresses (`0xffffffff8134a38b`), names (`do_sys_openat2`), names with an offset (`do_sys_openat2+0x3b/0x170`)
   */
  symbolize(...queries: string[]): (AddressAnswer | AddressProblem)[] {
    return rooms.symbolize().symbolize(this, queries);
  }

  /** Closes the files. */
  close(): void {
    this.pieces.close();
  }

  /** Closes the files, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  get #foundBtf(): FoundBtf | undefined {
    this.#btf ??= { found: this.pieces.btf() };
    return this.#btf.found;
  }
}
