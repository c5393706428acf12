import type { Btf } from '../../btf/btf.js';
import { TypeDescriber, type TypeDescription } from '../../btf/print/describe.js';
import { formatType } from '../../btf/print/struct.js';
import { identifier } from '../../elf/escape.js';
import { linesOf, type Report } from './report.js';

/** Types of a BTF, which says what they are as they are written: damage in one is met by what reads that. */
export interface TypesModel {
  readonly file: string;
  readonly btf: Btf;
  readonly ids: Iterable<number>;
}

/** `kelf btf list`. */
export const btfListReport: Report<TypesModel> = {
  schema: 'kelf/btf-list',
  version: 1,
  rows: 'types',
  json: ({ file, btf, ids }) => {
    const describer = new TypeDescriber(btf);
    return { file, types: map(ids, id => describer.summary(id)) };
  },
  text: ({ btf, ids }) => map(ids, id => [String(id), btf.kindOf(id), btf.nameOf(id)]),
};

/** `kelf btf find`. */
export const btfFindReport: Report<{ readonly file: string; readonly types: Iterable<TypeDescription> }> = {
  schema: 'kelf/btf-find',
  version: 1,
  rows: 'types',
  text: ({ types }) => map(types, type => [String(type.id), type.kind, String(type.size ?? '-'), inC(type)]),
};

/** `kelf btf show`: in text the layout of types, as pahole has it. */
export const btfShowReport: Report<TypesModel & { readonly missing: readonly string[] }> = {
  schema: 'kelf/btf-show',
  version: 1,
  json: ({ file, btf, ids, missing }) => {
    const describer = new TypeDescriber(btf);
    return { file, types: map(ids, id => describer.describe(id)), missing };
  },
  verbatim: true,
  *text({ btf, ids }) {
    for (const id of ids) yield* linesOf(formatType(btf, id));
  },
};

function inC({ kind, name, declaration }: TypeDescription): string {
  switch (kind) {
    case 'STRUCT':
    case 'UNION':
      return `${kind.toLowerCase()} ${identifier(name)}`;
    case 'ENUM':
    case 'ENUM64':
      return `enum ${identifier(name)}`;
    case 'TYPEDEF':
      return `typedef ${declaration} ${identifier(name)}`;
    default:
      return declaration ?? name;
  }
}

function* map<A, B>(all: Iterable<A>, write: (one: A) => B): Generator<B> {
  for (const one of all) yield write(one);
}
