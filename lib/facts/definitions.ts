import { STB, STT } from '../../elf/constants.js';
import type { FunctionTable } from './function-table.js';
import type { ImageSymbols } from './image-symbols.js';

/** One definition of a name, from `.symtab`, or, with less known of it, from kallsyms. */
export interface Definition {
  readonly name: string;
  readonly address: bigint;
  readonly binding: 'local' | 'global' | 'weak';
  /** `text` where kallsyms does not tell a function from a label. */
  readonly kind: 'function' | 'label' | 'data' | 'text';
  readonly file?: string;
}

/** Definitions by name, and the clones of a name. */
export interface Definitions {
  /** `.symtab` or `kallsyms`. */
  readonly source: string;
  /** The definitions of exactly that name. */
  find(name: string): readonly Definition[];
  /** Functions named `base`, a dot and a suffix: the clones and parts that a compiler made of it. */
  clones(base: string): readonly Definition[];
}

/** The best there is of a kernel: `.symtab`, or else kallsyms, by its functions. */
export function definitionsOf(image: ImageSymbols | undefined, functions: () => FunctionTable): Definitions {
  return image === undefined ? factsOfKallsyms(functions()) : factsOfImage(image);
}

function factsOfImage(image: ImageSymbols): Definitions {
  const { table } = image;
  const fact = (row: number): Definition => {
    const file = table.file(row);
    const binding = table.binding(row);
    const type = table.type(row);
    const kind = table.isFunction(row) ? 'function' : type === STT.OBJECT ? 'data' : 'label';
    return {
      name: table.name(row),
      address: table.value.big[row]!,
      binding: binding === STB.LOCAL ? 'local' : binding === STB.WEAK ? 'weak' : 'global',
      kind,
      ...(file === undefined ? {} : { file }),
    };
  };
  const byBase = clonesOf(table.count, table.strings.bytes, table.nameOffset, row => table.isFunction(row));
  return {
    source: '.symtab',
    find: name =>
      image
        .find(name)
        .filter(row => table.sectionIndex[row] !== 0 && table.type(row) !== STT.FILE && table.type(row) !== STT.SECTION)
        .map(fact),
    clones: base => byBase(base).map(fact),
  };
}

function factsOfKallsyms(functions: FunctionTable): Definitions {
  const { symbols } = functions;
  const fact = (row: number): Definition => {
    const letter = String.fromCharCode(symbols.type[row]!);
    return {
      name: symbols.name(row),
      address: symbols.address.big[row]!,
      binding: letter === 'W' || letter === 'w' ? 'weak' : letter === letter.toLowerCase() ? 'local' : 'global',
      kind: functions.isCode(row) ? 'text' : 'data',
    };
  };
  const own = (row: number): boolean => symbols.module(row) === undefined;
  const byBase = clonesOf(symbols.count, symbols.strings.bytes, symbols.nameOffset, row => functions.isCode(row) && own(row));
  return { source: 'kallsyms', find: name => symbols.find(name).filter(own).map(fact), clones: base => byBase(base).map(fact) };
}

const DOT = '.'.charCodeAt(0);

/** Rows whose names have a dot, by what is before the first one; gathered in one pass on first use. */
function clonesOf(
  count: number,
  strings: Uint8Array,
  nameOffset: Uint32Array,
  isFunction: (row: number) => boolean,
): (base: string) => number[] {
  let clones: Map<string, number[]> | undefined;
  const gather = (): Map<string, number[]> => {
    const decoder = new TextDecoder();
    const found = new Map<string, number[]>();
    for (let row = 0; row < count; row++) {
      if (!isFunction(row)) continue;
      const from = nameOffset[row]!;
      let at = from;
      while (at < strings.length && strings[at] !== 0 && strings[at] !== DOT) at++;
      if (strings[at] !== DOT || at === from) continue;
      const base = decoder.decode(strings.subarray(from, at));
      const rows = found.get(base);
      if (rows === undefined) found.set(base, [row]);
      else rows.push(row);
    }
    return found;
  };
  return base => {
    clones ??= gather();
    return clones.get(base) ?? [];
  };
}
