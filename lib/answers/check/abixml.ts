import { FormatError } from '../../../elf/errors.js';
import { baseName, type CFunction, type CType } from './ctype.js';
import type { AbiSymbol, KernelAbi } from './kernel-abi.js';
import { readXml, type XmlElement } from './read-xml.js';

/** Reads ABIXML, what libabigail's `abidw` writes: a corpus, or a group of them. @throws FormatError */
export async function readAbiXml(text: string, name: string): Promise<KernelAbi> {
  const top = await readXml(text, name);
  const corpora = [...top.children('abi-corpus'), ...top.children('abi-corpus-group').flatMap(group => group.children('abi-corpus'))];
  if (corpora.length === 0) throw new FormatError('bad-magic', { name }, 'is XML, but has no abi-corpus of libabigail');
  const symbols = new Map<string, AbiSymbol>();
  const modules = new Map<string, Map<string, AbiSymbol>>();
  // A module's corpus refers to types of the kernel's.
  const types = new AbiTypes(corpora);
  for (const [i, corpus] of corpora.entries()) {
    const module = moduleOf(corpus.attribute('path') ?? '');
    const into = module === undefined ? symbols : (modules.get(module) ?? new Map<string, AbiSymbol>());
    for (const [symbol, facts] of symbolsOf(corpus)) into.set(symbol, { ...facts, ...types.declaration(i, symbol) });
    if (module !== undefined) modules.set(module, into);
  }
  return { file: name, form: 'abixml', symbols, modules };
}

/**
 * The name that the kernel has for the module of a corpus (scripts/Makefile.lib: dashes become underscores); undefined for the kernel's
 * own.
 */
function moduleOf(path: string): string | undefined {
  return /^(.+)\.ko(\.\w+)?$/.exec(path.slice(path.lastIndexOf('/') + 1))?.[1]?.replaceAll('-', '_');
}

function symbolsOf(corpus: XmlElement): Map<string, AbiSymbol> {
  const symbols = new Map<string, AbiSymbol>();
  for (const [list, kind] of [
    ['elf-function-symbols', 'function'],
    ['elf-variable-symbols', 'variable'],
  ] as const) {
    for (const element of corpus.children(list).flatMap(table => table.children('elf-symbol'))) {
      const name = element.attribute('name');
      if (name === undefined || element.attribute('is-defined') === 'no') continue;
      const digits = /^0x([0-9a-f]{1,8})$/i.exec(element.attribute('crc') ?? '')?.[1];
      const crc = digits === undefined ? 0 : Number.parseInt(digits, 16);
      // Old releases write 0 if there is none.
      symbols.set(name, { name, kind, ...(crc === 0 ? {} : { crc }) });
    }
  }
  return symbols;
}

/** Types by their ids, and function declarations by the symbols they belong to. */
class AbiTypes {
  readonly #elements = new Map<string, [tag: string, element: XmlElement]>();
  readonly #made = new Map<string, CType>();
  /** By corpus: functions of several modules may be named the same. */
  readonly #functions: readonly Map<string, XmlElement>[];

  constructor(corpora: readonly XmlElement[]) {
    this.#functions = corpora.map(corpus => {
      const functions = new Map<string, XmlElement>();
      for (const unit of corpus.children('abi-instr')) this.#gather(unit, functions);
      return functions;
    });
  }

  /** Namespaces and the types inside classes too; the depth is that of the document, which the reader limits. */
  #gather(parent: XmlElement, functions: Map<string, XmlElement>): void {
    for (const [tag, element] of parent.all()) {
      const id = element.attribute('id');
      if (id !== undefined && !this.#elements.has(id)) this.#elements.set(id, [tag, element]);
      const symbol = tag === 'function-decl' ? element.attribute('elf-symbol-id')?.split('@')[0] : undefined;
      if (symbol !== undefined && !functions.has(symbol)) functions.set(symbol, element);
      this.#gather(element, functions);
    }
  }

  declaration(corpus: number, symbol: string): Pick<AbiSymbol, 'declared' | 'prototype'> {
    const element = this.#functions[corpus]!.get(symbol);
    if (element === undefined) return {};
    return { declared: element.attribute('name') ?? symbol, prototype: this.#function(element) };
  }

  #function(element: XmlElement): CFunction {
    const all = element.children('parameter');
    const variadic = all.some(parameter => parameter.attribute('is-variadic') === 'yes');
    const type = (id: string | undefined): CType => this.#type(id);
    return {
      kind: 'function',
      rest: variadic ? 'yes' : 'no',
      parameters: all
        .filter(parameter => parameter.attribute('is-variadic') !== 'yes')
        .map(parameter => ({
          name: parameter.attribute('name'),
          get type(): CType {
            return type(parameter.attribute('type-id'));
          },
        })),
      get returns(): CType {
        return type(element.children('return')[0]?.attribute('type-id'));
      },
    };
  }

  #type(id: string | undefined): CType {
    if (id === undefined) return { kind: 'unknown' };
    let made = this.#made.get(id);
    if (made === undefined) {
      const found = this.#elements.get(id);
      made = found === undefined ? { kind: 'unknown' } : this.#make(...found);
      this.#made.set(id, made);
    }
    return made;
  }

  #make(tag: string, element: XmlElement): CType {
    const name = element.attribute('name') ?? '';
    const target = (): CType => this.#type(element.attribute('type-id'));
    // An anonymous type has a made-up name: what it is, ABIXML does not say by name.
    const anonymous = element.attribute('is-anonymous') === 'yes';
    switch (tag) {
      case 'type-decl':
        if (anonymous) return { kind: 'unknown' };
        return name === 'void' ? { kind: 'void', loose: true } : { kind: 'base', name: baseName(name) };
      case 'pointer-type-def':
        return {
          kind: 'pointer',
          get to(): CType {
            return target();
          },
        };
      case 'typedef-decl':
        return {
          kind: 'typedef',
          name,
          get of(): CType {
            return target();
          },
        };
      case 'qualified-type-def':
        return {
          kind: 'qualified',
          const: element.attribute('const') === 'yes',
          volatile: element.attribute('volatile') === 'yes',
          get of(): CType {
            return target();
          },
        };
      case 'array-type-def': {
        const lengths = element.children('subrange').map(range => Number(range.attribute('length')));
        const [count] = lengths;
        if (lengths.length > 1) return { kind: 'unknown' };
        return {
          kind: 'array',
          count: Number.isSafeInteger(count) ? count : undefined,
          get of(): CType {
            return target();
          },
        };
      }
      case 'class-decl':
        return anonymous ? { kind: 'unknown' } : { kind: 'struct', name };
      case 'union-decl':
        return anonymous ? { kind: 'unknown' } : { kind: 'union', name };
      case 'enum-decl':
        return anonymous ? { kind: 'unknown' } : { kind: 'enum', name };
      case 'function-type':
        return this.#function(element);
      default:
        return { kind: 'unknown' };
    }
  }
}
