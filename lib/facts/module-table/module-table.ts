import { LRUCache } from 'lru-cache';
import type { Btf } from '../../../btf/btf.js';
import { isPlainName } from '../../../elf/escape.js';
import { NameIndex } from '../../../elf/name-index.js';
import type { Row } from '../../../elf/row.js';
import { StringTable } from '../../../elf/strings.js';
import { startsWith } from '../../image/bytes.js';
import type { Module } from '../module/module.js';
import { FLAG, type ModuleEntry, type ModulePart, type OpenModule } from './part.js';

/** A row of {@link ModuleTable}. */
export type ModuleRow = Row<'function of a module'>;

/** One function of a module on disk. */
export interface ModuleInstance {
  /** Its row in the table. */
  readonly row: ModuleRow;
  readonly name: string;
  /** The module's name, as in `MOD:SYM` of a kprobe. */
  readonly module: string;
  readonly path: string;
  /** The section it is in, and where. */
  readonly section: string;
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** nm's letter: t local, T global, W weak. */
  readonly letter: string;
  /** `init` code is gone once the module is loaded; `exit` code is there where modules can be unloaded. */
  readonly phase: 'core' | 'init' | 'exit';
  readonly file?: string;
  /** Whether ftrace patches it. */
  readonly site: boolean;
  /** Whether the kprobe blacklist covers it. */
  readonly blacklisted: boolean;
  /** Whether the module's own BTF has a FUNC of the name. */
  readonly btf: boolean;
}

/** A function of a module that alone has its name there, and the distance from it: `open_it+0x40`. */
export interface ModuleAnchor {
  readonly symbol: string;
  /** Bytes. */
  readonly offset: number;
}

/** Modules whose BTF is kept: answers come by name, and names by module. */
const KEPT = 32;

/** The functions of all modules of a kernel, in columns: a tree has some 100,000 of them. */
export class ModuleTable {
  /** In the order of their paths. */
  readonly modules: readonly ModuleEntry[];
  /** Files that could not be read, and damage in others, in a line each. */
  readonly problems: readonly string[];
  readonly count: number;
  readonly nameOffset: Uint32Array;
  readonly strings: StringTable;
  readonly flags: Uint8Array;
  readonly #module: Uint32Array;
  readonly #section: Uint32Array;
  readonly #sections: readonly string[];
  readonly #offset: Uint32Array;
  readonly #size: Uint32Array;
  readonly #file: Uint32Array;
  readonly #typeModule: Uint32Array;
  readonly #typeName: Uint32Array;
  #typeIndex: NameIndex | undefined;
  #index: NameIndex | undefined;

  readonly #open: OpenModule;
  readonly #btfs = new LRUCache<string, { readonly btf: Btf | undefined }>({ max: KEPT });

  /**
   * Joins parts; their modules come in the order of the parts.
   * @param open opens one of them again: the table has its functions, and not its BTF, symbols and exports
   */
  constructor(parts: readonly ModulePart[], open: OpenModule) {
    this.#open = open;
    this.modules = parts.flatMap(({ entries }) => entries);
    this.problems = parts.flatMap(({ problems }) => problems);
    this.count = parts.reduce((sum, { flags }) => sum + flags.length, 0);
    this.nameOffset = new Uint32Array(this.count);
    this.flags = new Uint8Array(this.count);
    this.#module = new Uint32Array(this.count);
    this.#section = new Uint32Array(this.count);
    this.#offset = new Uint32Array(this.count);
    this.#size = new Uint32Array(this.count);
    this.#file = new Uint32Array(this.count);
    const types = parts.reduce((sum, { typeName }) => sum + typeName.length, 0);
    this.#typeModule = new Uint32Array(types);
    this.#typeName = new Uint32Array(types);
    const strings = new Uint8Array(
      Math.max(
        1,
        parts.reduce((sum, part) => sum + part.strings.length, 0),
      ),
    );
    const sections = new Map<string, number>();
    let row = 0;
    let type = 0;
    let modules = 0;
    let text = 0;
    for (const part of parts) {
      const sectionOf = part.sections.map(name => {
        if (!sections.has(name)) sections.set(name, sections.size);
        return sections.get(name)!;
      });
      this.flags.set(part.flags, row);
      this.#offset.set(part.offset, row);
      this.#size.set(part.size, row);
      for (let i = 0; i < part.flags.length; i++, row++) {
        this.nameOffset[row] = part.name[i]! + text;
        this.#file[row] = part.file[i] === 0 ? 0 : part.file[i]! + text;
        this.#module[row] = part.module[i]! + modules;
        this.#section[row] = sectionOf[part.section[i]!] ?? 0;
      }
      for (let i = 0; i < part.typeName.length; i++, type++) {
        this.#typeName[type] = part.typeName[i]! + text;
        this.#typeModule[type] = part.typeModule[i]! + modules;
      }
      strings.set(part.strings, text);
      text += part.strings.length;
      modules += part.entries.length;
    }
    this.#sections = [...sections.keys()];
    this.strings = new StringTable(strings, 'names of modules');
  }

  /** Opens a module of the table again. @throws FormatError, InputError where the file has gone or changed since */
  open(path: string): Module {
    return this.#open(path);
  }

  /** The BTF of a module by its path; undefined if it has none, or where it can't be read: `problems` says so. */
  btfOf(path: string): Btf | undefined {
    let known = this.#btfs.get(path);
    if (known === undefined) this.#btfs.set(path, (known = { btf: this.#readBtf(path) }));
    return known.btf;
  }

  #readBtf(path: string): Btf | undefined {
    try {
      using module = this.open(path);
      return module.btfBase === undefined ? undefined : module.btf;
    } catch (error) {
      if (error instanceof Error && (error.name === 'FormatError' || error.name === 'InputError')) return undefined;
      throw error;
    }
  }

  /** The name of a row. */
  name(row: ModuleRow): string {
    return this.strings.get(this.nameOffset[row]!);
  }

  /** Index in `modules`. */
  moduleOf(row: ModuleRow): number {
    return this.#module[row]!;
  }

  /** The names of all functions, each once. */
  names(): Set<string> {
    return new Set(Array.from({ length: this.count }, (_, row) => this.name(row as ModuleRow)));
  }

  /** The rows of a name: by the paths of their modules, in one module in the order of its `.symtab`. */
  find(name: string): ModuleInstance[] {
    return this.index.find(name).map(row => this.at(row));
  }

  /** The modules whose own BTF names a type or a variable so, flavours apart: indexes in `modules`. None where types were not read. */
  withType(name: string): number[] {
    this.#typeIndex ??= new NameIndex(this.strings.bytes, this.#typeName);
    return this.#typeIndex.find(name).map(row => this.#typeModule[row]!);
  }

  /** The modules whose BTF has a type or a variable of its own whose name begins so, by their numbers. */
  withTypeLike(prefix: string): number[] {
    const { bytes } = this.strings;
    const wanted = new TextEncoder().encode(prefix);
    const found = new Set<number>();
    for (let row = 0; row < this.#typeName.length; row++)
      if (startsWith(bytes, this.#typeName[row]!, wanted)) found.add(this.#typeModule[row]!);
    return [...found];
  }

  /** The function of a row, 0 to `count - 1`. */
  at(row: ModuleRow): ModuleInstance {
    const { name: module, path } = this.modules[this.#module[row]!]!;
    const flags = this.flags[row]!;
    const file = this.#file[row]!;
    return {
      row,
      name: this.name(row),
      module,
      path,
      section: this.#sections[this.#section[row]!]!,
      offset: this.#offset[row]!,
      size: this.#size[row]!,
      letter: (flags & FLAG.weak) !== 0 ? 'W' : (flags & FLAG.global) !== 0 ? 'T' : 't',
      phase: (flags & FLAG.init) !== 0 ? 'init' : (flags & FLAG.exit) !== 0 ? 'exit' : 'core',
      ...(file === 0 ? {} : { file: this.strings.get(file) }),
      site: (flags & FLAG.site) !== 0,
      blacklisted: (flags & FLAG.blacklist) !== 0,
      btf: (flags & FLAG.btf) !== 0,
    };
  }

  /**
   * A function by its distance, in bytes, from another one before it, in the same section and module, that is the only one of its name
   * there, and a plain one. Sections are placed independently when a module is loaded. Undefined if there is no such function.
   */
  anchorOf(row: ModuleRow): ModuleAnchor | undefined {
    const module = this.#module[row]!;
    const section = this.#section[row]!;
    let best = -1;
    // The rows of a module stand together.
    let at = row;
    while (at > 0 && this.#module[at - 1] === module) at--;
    for (; at < this.count && this.#module[at] === module; at++) {
      if (at === row || this.#section[at] !== section || this.#offset[at]! > this.#offset[row]!) continue;
      if (best >= 0 && this.#offset[at]! <= this.#offset[best]!) continue;
      const namesakes = this.index.find(this.name(at)).filter(other => this.#module[other] === module);
      if (namesakes.length === 1 && isPlainName(this.name(at))) best = at;
    }
    return best < 0 ? undefined : { symbol: this.name(best), offset: this.#offset[row]! - this.#offset[best]! };
  }

  /** Rows by name. */
  get index(): NameIndex {
    this.#index ??= new NameIndex(this.strings.bytes, this.nameOffset);
    return this.#index;
  }
}
