import type { Btf } from '../../../btf/btf.js';
import { essentialName } from '../../../btf/core-compat.js';
import { KIND } from '../../../btf/kinds.js';
import { isFormatError } from '../../../elf/errors.js';
import type { Module } from '../module/module.js';
import { IDS_SECTION } from '../module/module-ids.js';

/** What the flags of a function in a table of modules say. */
export const FLAG: {
  readonly global: 1;
  readonly weak: 2;
  readonly init: 4;
  readonly exit: 8;
  readonly site: 16;
  readonly blacklist: 32;
  readonly btf: 64;
} = { global: 1, weak: 2, init: 4, exit: 8, site: 16, blacklist: 32, btf: 64 };

/** One module of a table. */
export interface ModuleEntry {
  /** The name that the kernel has for it. */
  readonly name: string;
  readonly path: string;
  /** `6.1.0-56-cloud-amd64 SMP preempt mod_unload modversions`: the kernel it was built for. */
  readonly vermagic?: string;
  readonly functions: number;
  /** Places that ftrace patches. */
  readonly sites: number;
  readonly exports: number;
  /** It has sets of BTF ids, of kfuncs for the most part. */
  readonly btfIds?: true;
}

/** Functions of several modules in columns, as one thread hands them to another: bytes and numbers, no objects for rows. */
export interface ModulePart {
  readonly entries: readonly ModuleEntry[];
  /** Files that could not be read, and damage in others, in a line each. */
  readonly problems: readonly string[];
  /** Index in `entries`. */
  readonly module: Uint32Array<ArrayBuffer>;
  /** Index in `sections`. */
  readonly section: Uint32Array<ArrayBuffer>;
  readonly sections: readonly string[];
  readonly offset: Uint32Array<ArrayBuffer>;
  readonly size: Uint32Array<ArrayBuffer>;
  readonly flags: Uint8Array<ArrayBuffer>;
  /** Where the name begins in `strings`, NUL-terminated; and that of its source file, 0 for none. */
  readonly name: Uint32Array<ArrayBuffer>;
  readonly file: Uint32Array<ArrayBuffer>;
  /** Of the types and variables that the modules' own BTF names: the module, and where the name begins, without a flavour. */
  readonly typeModule: Uint32Array<ArrayBuffer>;
  readonly typeName: Uint32Array<ArrayBuffer>;
  readonly strings: Uint8Array<ArrayBuffer>;
}

/** Opens the module at a path. @throws FormatError, InputError */
export type OpenModule = (path: string) => Module;

/** Reads the functions of some modules. @param types whether the names of the types in their BTF are kept */
export function readPart(paths: readonly string[], open: OpenModule, types = false): ModulePart {
  const builder = new PartBuilder(types);
  for (const path of paths) {
    try {
      using module = open(path);
      builder.add(path, module);
    } catch (error) {
      if (!(error instanceof Error) || !(isFormatError(error) || error.name === 'InputError')) throw error;
      builder.problems.push(error.message);
    }
  }
  return builder.part();
}

/** The columns of a part that can be handed over without a copy. */
export function buffersOf(part: ModulePart): ArrayBuffer[] {
  const { module, section, offset, size, flags, name, file, typeModule, typeName, strings } = part;
  return [module, section, offset, size, flags, name, file, typeModule, typeName, strings].map(({ buffer }) => buffer);
}

/** Kinds of BTF that a BPF object may look for in a module by name; its functions are in the table. */
const WANTED_KINDS: readonly number[] = [KIND.STRUCT, KIND.UNION, KIND.ENUM, KIND.ENUM64, KIND.TYPEDEF, KIND.VAR];

class PartBuilder {
  readonly #types: boolean;
  readonly problems: string[] = [];
  readonly #entries: ModuleEntry[] = [];
  readonly #sections = new Map<string, number>();
  readonly #module: number[] = [];
  readonly #section: number[] = [];
  readonly #offset: number[] = [];
  readonly #size: number[] = [];
  readonly #flags: number[] = [];
  readonly #name: number[] = [];
  readonly #file: number[] = [];
  readonly #typeModule: number[] = [];
  readonly #typeName: number[] = [];
  readonly #strings = new Bytes();

  constructor(types: boolean) {
    this.#types = types;
  }

  add(path: string, module: Module): void {
    const index = this.#entries.length;
    const vermagic = module.modinfo.get('vermagic');
    const { functions } = module;
    const files = new Map<string, number>();
    for (let row = 0; row < functions.count; row++) {
      const found = module.function(row);
      const { file = '' } = found;
      if (file !== '' && !files.has(file)) files.set(file, this.#strings.text(file));
      this.#module.push(index);
      this.#section.push(this.#sectionIndex(found.section));
      this.#offset.push(found.offset);
      this.#size.push(Math.min(found.size || found.extent, 0xffff_ffff));
      this.#flags.push(
        (found.binding === 'global' ? FLAG.global : found.binding === 'weak' ? FLAG.weak : 0) |
          (found.phase === 'init' ? FLAG.init : found.phase === 'exit' ? FLAG.exit : 0) |
          (found.site === undefined ? 0 : FLAG.site) |
          (found.blacklist === undefined ? 0 : FLAG.blacklist) |
          (found.btf.length === 0 ? 0 : FLAG.btf),
      );
      this.#name.push(this.#strings.text(found.name));
      this.#file.push(files.get(file) ?? 0);
    }
    if (this.#types) this.#addTypes(index, module);
    this.#entries.push({
      name: module.name,
      path,
      ...(vermagic === undefined ? {} : { vermagic }),
      functions: functions.count,
      sites: functions.sites?.ip.length ?? 0,
      exports: module.exports.length,
      ...(module.file.section(IDS_SECTION) === undefined ? {} : { btfIds: true }),
    });
    for (const { message } of module.diagnostics) this.problems.push(message);
  }

  part(): ModulePart {
    return {
      entries: this.#entries,
      problems: this.problems,
      module: Uint32Array.from(this.#module),
      section: Uint32Array.from(this.#section),
      sections: [...this.#sections.keys()],
      offset: Uint32Array.from(this.#offset),
      size: Uint32Array.from(this.#size),
      flags: Uint8Array.from(this.#flags),
      name: Uint32Array.from(this.#name),
      file: Uint32Array.from(this.#file),
      typeModule: Uint32Array.from(this.#typeModule),
      typeName: Uint32Array.from(this.#typeName),
      strings: this.#strings.bytes(),
    };
  }

  #addTypes(index: number, module: Module): void {
    let btf: Btf | undefined;
    try {
      btf = module.btf;
    } catch (error) {
      // Said of the functions already.
      if (!isFormatError(error)) throw error;
    }
    if (btf === undefined) return;
    const names = new Set<string>();
    for (let id = btf.firstId; id < btf.count; id++) {
      if (btf.nameOffset(id) !== 0 && WANTED_KINDS.includes(btf.kindNumber(id))) names.add(essentialName(btf.nameOf(id)));
    }
    for (const name of names) {
      this.#typeModule.push(index);
      this.#typeName.push(this.#strings.text(name));
    }
  }

  #sectionIndex(name: string): number {
    let index = this.#sections.get(name);
    if (index === undefined) this.#sections.set(name, (index = this.#sections.size));
    return index;
  }
}

/** NUL-terminated strings after each other; offset 0 is the empty one. */
class Bytes {
  #bytes = new Uint8Array(1 << 16);
  #length = 1;

  /** @returns where the text begins */
  text(text: string): number {
    const most = text.length * 3 + 1;
    if (this.#length + most > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + most));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    const start = this.#length;
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(start)).written + 1;
    return start;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
}

const encoder = new TextEncoder();
