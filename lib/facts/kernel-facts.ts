import type { Btf } from '../../btf/btf.js';
import { wrong } from '../../elf/arguments.js';
import { type Dwarf, openDwarf } from '../../elf/dwarf/dwarf.js';
import type { Diagnostic } from '../../elf/errors.js';
import type { ElfFile } from '../../elf/file.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { archOf, callingConventionOf } from '../arch/arch-of.js';
import type { Architecture } from '../arch/architecture.js';
import type { CallingConvention } from '../arch/calling-convention.js';
import { MissingError } from '../errors.js';
import { hasKprobes } from '../image/discover.js';
import { type ChangeName, type HasChange, hasChange, releaseOf } from '../releases.js';
import { dataCalledText } from './areas.js';
import { type Definitions, definitionsOf } from './definitions.js';
import { FunctionTable } from './function-table.js';
import type { McountTable } from './mcount.js';
import type { ModuleTable } from './module-table/module-table.js';
import type { FoundBtf, KernelPieces } from './pieces.js';
import { TracepointTable } from './tracepoint-table.js';

type ReadSymbols = { readonly table: KernelSymbols } | { readonly missing: MissingError };

/**
 * What is known about one kernel: each piece read once, on first use, and the tables that join them. Rules and answers read this; it knows
 * of neither.
 */
export class KernelFacts {
  readonly pieces: KernelPieces;
  /** The functions of its modules, if they were read: answers then cover names across the kernel and its modules. */
  modules: ModuleTable | undefined;
  #symbols: ReadSymbols | undefined;
  #mcount: { readonly table: McountTable | undefined } | undefined;
  #btf: { readonly found: FoundBtf | undefined } | undefined;
  #banner: { readonly text: string | undefined } | undefined;
  #functions: FunctionTable | undefined;
  #definitions: Definitions | undefined;
  #tracepoints: TracepointTable | undefined;
  #dwarf: { readonly found: Dwarf | undefined } | undefined;
  readonly #changes = new Map<ChangeName, HasChange>();

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

  /** What kelf knows of its architecture. */
  get arch(): Architecture {
    return archOf(this.machine);
  }

  /** The image; undefined for a running kernel. */
  get image(): ElfFile | undefined {
    return this.pieces.image;
  }

  /** The symbols as the kernel's kallsyms has them. @throws MissingError if nothing names its functions: {@link symbolsMissing} tells */
  get symbols(): KernelSymbols {
    const read = this.#readSymbols();
    if ('missing' in read) throw read.missing;
    return read.table;
  }

  /** Why there are no symbols: of a kernel whose BTF alone is at hand. Undefined where there are. */
  get symbolsMissing(): string | undefined {
    const read = this.#readSymbols();
    return 'missing' in read ? read.missing.message : undefined;
  }

  /** @throws MissingError where neither symbols nor BTF name a function, and so no question about one has an answer */
  needNames(): void {
    if (this.btf !== undefined) return;
    const read = this.#readSymbols();
    if ('missing' in read) throw read.missing;
  }

  /** `__mcount_loc`; undefined for a running kernel, and where the image has none. */
  get mcount(): McountTable | undefined {
    this.#mcount ??= { table: this.pieces.mcount() };
    return this.#mcount.table;
  }

  /** The kernel's BTF, or its replacement. */
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
    return releaseOf(this.banner);
  }

  /** Whether it has a change of the kernel's history, by what it shows or else by its release. */
  change(name: ChangeName): HasChange {
    // Rules ask of each function, and some changes are looked for among the types.
    let change = this.#changes.get(name);
    if (change === undefined) this.#changes.set(name, (change = hasChange(name, this)));
    return change;
  }

  /** Whether a struct or an enum of its BTF has a member or an enumerator; undefined if no type of that name has any. */
  typeHolds(type: string, name: string): boolean | undefined {
    const { btf } = this;
    const held = (btf?.find(type) ?? []).flatMap((id): readonly { readonly name: string }[] => {
      const found = btf!.type(id);
      return 'members' in found ? found.members : 'values' in found ? found.values : [];
    });
    return held.length === 0 ? undefined : held.some(each => each.name === name);
  }

  /** Whether a symbol has the name: the functions show which options the kernel was built with. Undefined where symbols are missing. */
  hasFunction(name: string): boolean | undefined {
    return this.symbolsMissing === undefined ? this.symbols.lookup(name) !== undefined : undefined;
  }

  /**
   * Whether the kernel has kprobes. What labels the table of their blacklist shows it too, in an image whose symbols are few. Undefined where
   * symbols are missing.
   */
  get hasKprobes(): boolean | undefined {
    if (this.symbolsMissing !== undefined) return undefined;
    return hasKprobes(this.symbols) || this.pieces.labels('__start_kprobe_blacklist') !== undefined;
  }

  /** The GNU build id in hexadecimal, 40 digits mostly; undefined for a running kernel. */
  get buildId(): string | undefined {
    return this.image?.buildId;
  }

  /** The byte order; of a running kernel, that of the machine that reads it. */
  get littleEndian(): boolean {
    return this.pieces.littleEndian;
  }

  /** Bytes of a word: 4 or 8. A running kernel has those of its architecture. */
  get wordSize(): number {
    return this.image?.memory.wordSize ?? this.arch.conventions[0]?.wordSize ?? 8;
  }

  /** The calling convention of its functions; undefined for architectures without a table. */
  get callingConvention(): CallingConvention | undefined {
    return callingConventionOf(this.machine, this.wordSize, this.littleEndian);
  }

  /** A row for each text symbol: what every answer reads. */
  get functions(): FunctionTable {
    if (this.#functions === undefined) {
      const { symbols, pieces } = this;
      const isText = (label: string): boolean => symbols.find(label).some(row => symbols.isText(row));
      this.#functions = new FunctionTable(symbols, pieces.ftrace(), this.btf, dataCalledText(pieces.labels, isText));
    }
    return this.#functions;
  }

  /** Definitions by name, from `.symtab` where there is one. */
  get definitions(): Definitions {
    this.#definitions ??= definitionsOf(this.pieces.imageSymbols(), () => this.functions);
    return this.#definitions;
  }

  /** The tracepoints and events of the image. */
  get tracepoints(): TracepointTable {
    const { pieces, image, btf } = this;
    this.#tracepoints ??= new TracepointTable({
      pieces,
      image,
      btf,
      symbols: this.symbolsMissing === undefined ? this.symbols : undefined,
    });
    return this.#tracepoints;
  }

  /**
   * The debug information of the image; undefined if it has none, and for a running kernel. Nothing is read before the first query.
   */
  dwarf(): Dwarf | undefined {
    this.#dwarf ??= { found: this.image === undefined ? undefined : openDwarf(this.image) };
    return this.#dwarf.found;
  }

  /** Damage in one part, while the rest was still read. */
  get diagnostics(): readonly Diagnostic[] {
    const ofDwarf = this.#dwarf?.found?.diagnostics ?? [];
    return this.image === undefined ? [] : [...this.image.diagnostics, ...this.image.memory.diagnostics, ...ofDwarf];
  }

  #readSymbols(): ReadSymbols {
    if (this.#symbols !== undefined) return this.#symbols;
    try {
      this.#symbols = { table: this.pieces.symbols() };
    } catch (error) {
      if (!(error instanceof MissingError)) throw error;
      this.#symbols = { missing: error };
    }
    return this.#symbols;
  }

  get #foundBtf(): FoundBtf | undefined {
    this.#btf ??= { found: this.pieces.btf() };
    return this.#btf.found;
  }
}

/** @throws TypeError for what a caller in JavaScript gives in the place of a kernel */
export function expectKernel(value: KernelFacts, argument: string): void {
  if (typeof value !== 'object' || value === null || !('pieces' in value))
    throw wrong(argument, 'a kernel that openKernel() opened', value);
}
