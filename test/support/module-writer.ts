import { ElfWriter, join, type RelocationSpec, type SectionSpec, type SymbolSpec } from './elf-writer.js';

/** e_machine, and the relocations that a module's tables are made of there: an address, and the distance to one in 32 bits. */
export interface ModuleMachine {
  readonly machine: number;
  readonly bits: 32 | 64;
  readonly littleEndian: boolean;
  readonly absolute: number;
  readonly relative: number;
  /** REL sections, as arm32 and i386 have: addends stand in the words. */
  readonly rel?: boolean;
}

export const X86: ModuleMachine = { machine: 62, bits: 64, littleEndian: true, absolute: 1, relative: 2 };
export const ARM64: ModuleMachine = { machine: 183, bits: 64, littleEndian: true, absolute: 257, relative: 261 };
export const S390: ModuleMachine = { machine: 22, bits: 64, littleEndian: false, absolute: 22, relative: 5 };
export const ARM32: ModuleMachine = { machine: 40, bits: 32, littleEndian: true, absolute: 2, relative: 3, rel: true };

export interface ExportSpec {
  readonly name: string;
  readonly namespace?: string;
  readonly offset: number;
}

/** How `__ksymtab` is written: relative to the place or with addresses, with a pointer to a namespace or without. */
export interface KsymtabForm {
  readonly prel32: boolean;
  readonly namespaces: boolean;
}

interface Function {
  readonly name: string;
  readonly section: string;
  readonly offset: number;
  readonly size?: number;
  readonly binding?: number;
}

const SHF_ALLOC = 2;
const SHF_CODE = 6;
const PROGBITS = 1;

/** Builds small modules: sections of code, functions, and the tables that the kernel reads. Pointers are relocations against section symbols. */
export class ModuleWriter {
  readonly elf: ElfWriter;
  readonly #target: ModuleMachine;
  readonly #sections: SectionSpec[] = [];
  /** Relocations of each section: pointers to a section's offset. */
  readonly #pointers: { section: string; at: number; type: number; target: string; offset: number }[] = [];
  readonly #functions: Function[] = [];
  readonly #undefined: string[] = [];
  readonly #modinfo: string[] = [];

  constructor(target: ModuleMachine = X86) {
    this.#target = target;
    this.elf = new ElfWriter(target.bits, target.littleEndian);
  }

  get wordSize(): number {
    return this.#target.bits / 8;
  }

  info(...lines: string[]): this {
    this.#modinfo.push(...lines);
    return this;
  }

  code(name: string, size: number): this {
    return this.section({ name, type: PROGBITS, flags: SHF_CODE, data: new Uint8Array(size) });
  }

  section(spec: SectionSpec): this {
    this.#sections.push(spec);
    return this;
  }

  function(name: string, section: string, offset: number, size = 16, binding = 0): this {
    this.#functions.push({ name, section, offset, size, binding });
    return this;
  }

  import(...names: string[]): this {
    this.#undefined.push(...names);
    return this;
  }

  /** A table of addresses; a place that is null is a zero word without a relocation. */
  addresses(name: string, places: readonly (readonly [section: string, offset: number] | null)[]): this {
    this.section({ name, type: PROGBITS, flags: SHF_ALLOC, data: new Uint8Array(places.length * this.wordSize) });
    for (const [i, place] of places.entries()) if (place !== null) this.#pointer(name, i * this.wordSize, this.#target.absolute, ...place);
    return this;
  }

  /** `__ksymtab…` with its strings and checksums. */
  exports(table: string, exported: readonly ExportSpec[], form: KsymtabForm, crcs?: readonly number[]): this {
    const width = form.prel32 ? 4 : this.wordSize;
    const fields = form.namespaces ? 3 : 2;
    const type = form.prel32 ? this.#target.relative : this.#target.absolute;
    let text = '\0';
    const at = (string: string): number => {
      if (string === '') return 0;
      text += `${string}\0`;
      return text.length - string.length - 1;
    };
    for (const [i, { name, namespace = '', offset }] of exported.entries()) {
      const entry = i * fields * width;
      this.#pointer(table, entry, type, '.text', offset);
      this.#pointer(table, entry + width, type, '__ksymtab_strings', at(name));
      if (form.namespaces) this.#pointer(table, entry + 2 * width, type, '__ksymtab_strings', at(namespace));
    }
    this.section({ name: table, type: PROGBITS, flags: SHF_ALLOC, data: new Uint8Array(exported.length * fields * width) });
    this.section({ name: '__ksymtab_strings', type: PROGBITS, flags: SHF_ALLOC, data: new TextEncoder().encode(text) });
    const crcTable = table.replace('ksymtab', 'kcrctab');
    if (crcs !== undefined) this.section({ name: crcTable, type: PROGBITS, flags: SHF_ALLOC, data: this.elf.u32(...crcs) });
    return this;
  }

  /** `__versions`. */
  versions(crcs: Readonly<Record<string, number>>): this {
    const entries = Object.entries(crcs).map(([name, crc]) => {
      const text = new Uint8Array(64 - this.wordSize);
      text.set(new TextEncoder().encode(name));
      return join(this.elf.words(crc), text);
    });
    return this.section({ name: '__versions', type: PROGBITS, flags: SHF_ALLOC, data: join(...entries) });
  }

  bytes(): Uint8Array {
    const { machine, rel } = this.#target;
    const modinfo = new TextEncoder().encode(this.#modinfo.map(line => `${line}\0`).join(''));
    const sections: SectionSpec[] = [...this.#sections, { name: '.modinfo', type: PROGBITS, flags: SHF_ALLOC, data: modinfo }];
    const index = (name: string): number => sections.findIndex(section => section.name === name) + 1;
    // Section symbols first, then functions: all of the pointers name a section's.
    const symbols: SymbolSpec[] = [
      ...sections.map((_, i) => ({ type: 3, section: i + 1 })),
      { name: 'module.c', type: 4, section: 0xfff1 },
      ...this.#functions.map(({ name, section, offset, size = 0, binding = 0 }) => {
        return { name, value: BigInt(offset), size: BigInt(size), type: 2, binding, section: index(section) };
      }),
      ...this.#undefined.map(name => ({ name, binding: 1 })),
    ];
    const relocations: SectionSpec[] = [];
    for (const name of new Set(this.#pointers.map(({ section }) => section))) {
      const rows: RelocationSpec[] = this.#pointers
        .filter(({ section }) => section === name)
        .map(({ at, type, target, offset }) => ({ offset: BigInt(at), type, symbol: index(target), addend: BigInt(offset) }));
      const data = sections[index(name) - 1]!.data!;
      if (rel) for (const { offset, addend } of rows) data.set(this.elf.words(addend!), Number(offset));
      const spec = { link: '.symtab', info: name };
      relocations.push(rel ? this.elf.rel(`.rel${name}`, rows, spec) : this.elf.rela(`.rela${name}`, rows, spec));
    }
    return this.elf.file({ machine, sections: [...sections, ...relocations, ...this.elf.symbols(symbols)] });
  }

  #pointer(section: string, at: number, type: number, target: string, offset: number): void {
    this.#pointers.push({ section, at, type, target, offset });
  }
}

/** What `scripts/sign-file` appends. */
export function signed(module: Uint8Array, length: number): Uint8Array {
  const trailer = Uint8Array.of(0, 0, 2, 0, 0, 0, 0, 0, 0, 0, length >> 8, length & 0xff);
  return join(module, new Uint8Array(length), trailer, new TextEncoder().encode('~Module signature appended~\n'));
}
