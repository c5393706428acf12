import { Btf } from '../../../btf/btf.js';
import { STB } from '../../../elf/constants.js';
import { type Diagnostic, FormatError } from '../../../elf/errors.js';
import type { ElfFile } from '../../../elf/file.js';
import type { SymbolTable } from '../../../elf/symbol.js';
import type { KernelSymbols } from '../../../kallsyms/symbols.js';
import { readBtf } from '../../image/read-btf.js';
import { AreaSet } from '../areas.js';
import { type FtraceSites, sitesOfTable } from '../ftrace-sites.js';
import { FunctionTable } from '../function-table.js';
import type { KprobeBlacklist } from '../kprobe-blacklist.js';
import { Modinfo, moduleName } from './modinfo.js';
import { moduleBlacklist } from './module-blacklist.js';
import { type ModuleExport, readExports } from './module-exports.js';
import { type ModuleImport, readImports } from './module-imports.js';
import { type ModuleSignature, readSignature } from './module-signature.js';
import { type ModuleMcount, readModuleMcount } from './module-sites.js';
import { type ModuleSymbols, readModuleSymbols } from './module-symbols.js';
import { offsetOfPlace, sectionOfPlace } from './pointers.js';

/** When the code of a section is there: always, until the module's init function has returned, or only where modules can be unloaded. */
export type Phase = 'core' | 'init' | 'exit';

/** One function of a module. */
export interface ModuleFunction {
  /** Its row in `module.functions`. */
  readonly row: number;
  readonly name: string;
  /** The section it is in. Sections of a module are placed independently when it is loaded. */
  readonly section: string;
  /** Offset in the section. */
  readonly offset: number;
  /** st_size, in bytes; 0 for labels of assembly. */
  readonly size: number;
  /** Bytes up to the next symbol, or the section's end: what the kernel takes for the function. */
  readonly extent: number;
  readonly binding: 'local' | 'global' | 'weak';
  readonly phase: Phase;
  /** The source file, by STT_FILE. */
  readonly file?: string;
  /** Offset in the section of the instruction that ftrace patches. */
  readonly site?: number;
  /** What of the kprobe blacklist covers it: `.noinstr.text`, `.kprobes.text`, `_kprobe_blacklist`. */
  readonly blacklist?: string;
  /** Ids of BTF's FUNCs of its name in the module's own BTF. */
  readonly btf: readonly number[];
}

/** One place that ftrace patches. */
export interface ModuleSite {
  readonly section: string;
  /** Offset in the section. */
  readonly offset: number;
  readonly phase: Phase;
  /** Row in `module.functions` of the function it is for; none for what an overridden weak function left behind. */
  readonly row?: number;
}

/** Options of {@link Module}. */
export interface ModuleOptions {
  /** The BTF of the kernel that the module is for. */
  readonly base?: Btf;
}

/**
 * A kernel module as it lies on disk: a relocatable ELF file (ET_REL), whose sections have no addresses yet. Where an address is needed,
 * sections are taken to stand 4 GiB apart, by their index (`placeOf`): symbols, sites and areas are then the same tables that a kernel's
 * are.
 */
export class Module implements Disposable {
  readonly file: ElfFile;
  readonly modinfo: Modinfo;
  /** The name that the kernel has for it: `nf_conntrack`. */
  readonly name: string;
  /** The trailer that a signed module ends with. */
  readonly signature: ModuleSignature | undefined;
  readonly #base: Btf | undefined;
  readonly #diagnostics: Diagnostic[] = [];
  #symbols: ModuleSymbols | undefined;
  #mcount: { readonly table: ModuleMcount | undefined } | undefined;
  #sites: FtraceSites | undefined;
  #functions: FunctionTable | undefined;
  #exports: readonly ModuleExport[] | undefined;
  #imports: readonly ModuleImport[] | undefined;
  #blacklist: KprobeBlacklist | undefined;
  #btf: { readonly btf: Btf | undefined } | undefined;
  #btfIds: ReadonlyMap<number, readonly number[]> | undefined;

  /** @throws FormatError where the file has no `.symtab` or `.modinfo`: it is not a module */
  constructor(file: ElfFile, options: ModuleOptions = {}) {
    const modinfo = file.section('.modinfo');
    if (modinfo === undefined || file.symbols === undefined) {
      const missing = modinfo === undefined ? '.modinfo' : '.symtab';
      throw new FormatError('unsupported', { name: file.name }, `the ELF file has no ${missing}: it is not a kernel module`);
    }
    this.file = file;
    this.modinfo = new Modinfo(modinfo.data());
    this.name = moduleName(file, this.modinfo);
    this.signature = readSignature(file.source);
    this.#base = options.base;
  }

  /** The build id in hexadecimal. */
  get buildId(): string | undefined {
    return this.file.buildId;
  }

  /** Damage that was met and did not keep the rest from being read. */
  get diagnostics(): readonly Diagnostic[] {
    return [...this.file.diagnostics, ...this.#diagnostics];
  }

  /** What the kernel's kallsyms will have of it, in the order of `.symtab`, in which it looks names up. */
  get symbols(): KernelSymbols {
    return this.#read.symbols;
  }

  /** The table of call sites, as stored and as relocated; undefined if there is none. @throws FormatError */
  get mcount(): ModuleMcount | undefined {
    this.#mcount ??= { table: readModuleMcount(this.file, this.#diagnostics) };
    return this.#mcount.table;
  }

  /** A row for each function, with its end and its site. Its `btf` is not set: {@link btfIds} has it. */
  get functions(): FunctionTable {
    if (this.#functions === undefined) {
      const table = this.mcount;
      if (table !== undefined) this.#sites = sitesOfTable(table, this.symbols, this.file.header.machine);
      this.#functions = new FunctionTable(this.symbols, this.#sites ?? 'none', undefined, new AreaSet([]));
    }
    return this.#functions;
  }

  /** What the module offers to others. */
  get exports(): readonly ModuleExport[] {
    this.#exports ??= readExports(this.file, this.#diagnostics);
    return this.#exports;
  }

  /** What it takes from the kernel and other modules. @throws FormatError */
  get imports(): readonly ModuleImport[] {
    this.#imports ??= readImports(this.file, this.#table);
    return this.#imports;
  }

  /** Where the kernel refuses kprobes in it. @throws FormatError */
  get blacklist(): KprobeBlacklist {
    this.#blacklist ??= moduleBlacklist(this.file, this.symbols);
    return this.#blacklist;
  }

  /**
   * Its BTF, split over the kernel's: over the given one, onto which a BTF with a distilled base is relocated; or over the distilled base
   * it brings along. Undefined if it has none.
   * @throws FormatError for BTF that needs a base where none is given, or that does not fit the one that is
   */
  get btf(): Btf | undefined {
    this.#btf ??= { btf: readBtf(this.file.source, Btf.parse, this.#base) };
    return this.#btf.btf;
  }

  /** What the ids of {@link btf} go on from; undefined if it has no base, or no BTF. */
  get btfBase(): 'kernel' | 'distilled' | 'relocated' | undefined {
    if (this.file.section('.BTF') === undefined) return undefined;
    const distilled = this.file.section('.BTF.base') !== undefined;
    if (this.#base === undefined) return distilled ? 'distilled' : undefined;
    return distilled ? 'relocated' : 'kernel';
  }

  /**
   * For each function of a name that the module's own BTF has, by the first row of `symbols` of that name, the ids of the FUNCs. @throws
   * FormatError
   */
  get btfIds(): ReadonlyMap<number, readonly number[]> {
    this.#btfIds ??= joinFunctions(this.btf, this.symbols);
    return this.#btfIds;
  }

  /** What is known of a row of `functions`. */
  function(row: number): ModuleFunction {
    const { functions, symbols, file } = this;
    const symbolRow = functions.symbolRow[row]!;
    const place = functions.address(row);
    const section = file.sections[sectionOfPlace(place)]!;
    const elf = this.#table.at(this.#read.elfRow[symbolRow]!);
    const site = functions.site(row);
    const area = this.blacklist.ranges.at(symbols.address, symbolRow);
    const first = symbols.index.firstOf(symbols.strings.bytes, symbols.nameOffset[symbolRow]!);
    return {
      row,
      name: functions.name(row),
      section: section.name,
      offset: offsetOfPlace(place),
      size: Number(elf.size),
      extent: Number(functions.end(row) - place),
      binding: elf.binding === STB.LOCAL ? 'local' : elf.binding === STB.WEAK ? 'weak' : 'global',
      phase: phaseOf(section.name),
      btf: this.#idsOrNone().get(first) ?? [],
      ...(elf.file === undefined ? {} : { file: elf.file }),
      ...(site < 0 ? {} : { site: offsetOfPlace(functions.sites!.ip.big[site]!) }),
      ...(area === undefined ? {} : { blacklist: area.name }),
    };
  }

  /** The functions of a name, in the order of `.symtab`: the kernel takes the first for the name. */
  find(name: string): ModuleFunction[] {
    return this.functions.find(name).map(row => this.function(row));
  }

  /** Every place that ftrace patches, by section and offset. */
  *sites(): Generator<ModuleSite> {
    const { functions, file } = this;
    const ip = functions.sites?.ip;
    if (ip === undefined) return;
    const rows = new Int32Array(ip.length).fill(-1);
    for (let row = functions.count - 1; row >= 0; row--) if (functions.site(row) >= 0) rows[functions.site(row)] = row;
    for (let i = 0; i < ip.length; i++) {
      const section = file.sections[ip.high(i)]?.name ?? '';
      const row = rows[i]!;
      yield { section, offset: ip.low(i), phase: phaseOf(section), ...(row < 0 ? {} : { row }) };
    }
  }

  /** Closes the file. */
  close(): void {
    this.file.source.close();
  }

  /** Closes the file, for `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  get #table(): SymbolTable {
    return this.#read.table;
  }

  get #read(): ModuleSymbols {
    this.#symbols ??= readModuleSymbols(this.file, this.file.symbols!, this.#diagnostics);
    return this.#symbols;
  }

  /**
   * The join with BTF, or nothing where the BTF can't be read: said once, for the rest can be. Without a base there is nothing to be said.
   */
  #idsOrNone(): ReadonlyMap<number, readonly number[]> {
    if (this.btfBase === undefined) return NO_IDS;
    try {
      return this.btfIds;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#diagnostics.push({ place: error.place, message: error.message });
      this.#btfIds = new Map();
      return this.#btfIds;
    }
  }
}

const NO_IDS: ReadonlyMap<number, readonly number[]> = new Map();

/** By the section's name: module_init_section() and module_exit_section() of kernel/module/main.c. */
export function phaseOf(section: string): Phase {
  if (section.startsWith('.init')) return 'init';
  return section.startsWith('.exit') ? 'exit' : 'core';
}

/** Joins the FUNCs of split BTF, whose names may be in its base's strings, with symbols. */
function joinFunctions(btf: Btf | undefined, symbols: KernelSymbols): Map<number, number[]> {
  const ids = new Map<number, number[]>();
  if (btf === undefined) return ids;
  const { length, names, ids: all } = btf.functions();
  for (let i = 0; i < length; i++) {
    const { bytes, start } = btf.strings.tableOf(names[i]!);
    const row = symbols.index.firstOf(bytes, names[i]! - start);
    if (row < 0) continue;
    const known = ids.get(row);
    if (known === undefined) ids.set(row, [all[i]!]);
    else known.push(all[i]!);
  }
  return ids;
}
