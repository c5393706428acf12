/*
 * The kinds of BTF types (include/uapi/linux/btf.h; Documentation/bpf/btf.rst, "Type Encoding"). What a new kind needs beside its row here is in
 * docs/architecture.md. scan.ts, rewrite.ts, layout.ts, min.ts, the raw and the JSON dump read records by the table alone.
 */

/** Kinds by number. 0 is not a kind a record can have: it stands for void, type id 0. */
export const KIND = {
  VOID: 0,
  INT: 1,
  PTR: 2,
  ARRAY: 3,
  STRUCT: 4,
  UNION: 5,
  ENUM: 6,
  FWD: 7,
  TYPEDEF: 8,
  VOLATILE: 9,
  CONST: 10,
  RESTRICT: 11,
  FUNC: 12,
  FUNC_PROTO: 13,
  VAR: 14,
  DATASEC: 15,
  FLOAT: 16,
  DECL_TAG: 17,
  TYPE_TAG: 18,
  ENUM64: 19,
} as const;

/** A kind that records have. */
export type RecordKind = Exclude<keyof typeof KIND, 'VOID'>;

/** A kind by its name; `UNKNOWN` for a number that this version does not know and that the blob's layout section describes. */
export type Kind = RecordKind | 'VOID' | 'UNKNOWN';

/** Names of the kinds, by number. */
export const KIND_NAMES: readonly Kind[] = Object.keys(KIND) as Kind[];

/** The largest kind number that this version decodes. */
export const LAST_KIND: number = KIND_NAMES.length - 1;

/** What a word of a record is: the id of a type, the offset of a string, or neither. */
type Word = 'type' | 'name' | 'number';

/**
 * How a kind's size and alignment are found: `scalar`, both are the stored size; `members`, the alignment is that of the members;
 * `section`, a size alone; `pointer`; `elements`, of an array; `same`, both are those of the type it refers to; `variable`, the size is;
 * `none`.
 */
export type LayoutRule = 'scalar' | 'members' | 'section' | 'pointer' | 'elements' | 'same' | 'variable' | 'none';

/**
 * How a dump writes a record: text with fields as `{name}` (FIELDS of print/lines.ts); or what is before its elements, each, and what
 * behind.
 */
export type Template = string | readonly [head: string, element: string, tail: string];

/** A row of the table of kinds. A record is name, info, a third word, then words of its kind, then its `vlen` elements. */
interface KindRow {
  readonly third: Word;
  /** Words that the kind adds once. */
  readonly tail: readonly Word[];
  /** Words of each of its elements. */
  readonly element: readonly Word[];
  readonly layout: LayoutRule;
  /** The first release of libbpf that reads it; undefined where every release does. */
  readonly libbpf: string | undefined;
  /** const, volatile, restrict and type tags: what C writes beside a type (btf_is_mod of libbpf). */
  readonly modifier?: boolean;
  /** As `bpftool btf dump file FILE` and `bpftool -j btf dump file FILE` print it. */
  readonly raw: Template;
  readonly json: Template;
}

const RAW_REFERENCE = ' type_id={type}\n';
const JSON_REFERENCE = ',"type_id":{type}}';
const REFERENCE: KindRow = {
  libbpf: undefined,
  third: 'type',
  tail: [],
  element: [],
  layout: 'same',
  raw: RAW_REFERENCE,
  json: JSON_REFERENCE,
};
const MODIFIER: KindRow = { ...REFERENCE, modifier: true };

/** The field `memberWidth` takes the text before it along: there is none if a member is not a bit-field. */
const COMPOSITE: KindRow = {
  libbpf: undefined,
  third: 'number',
  tail: [],
  element: ['name', 'type', 'number'],
  layout: 'members',
  raw: [' size={size} vlen={vlen}', "\n\t'{name}' type_id={memberType} bits_offset={memberOffset} bitfield_size={memberWidth}", '\n'],
  json: [
    ',"size":{size},"vlen":{vlen},"members":[',
    '{"name":"{name}","type_id":{memberType},"bits_offset":{memberOffset},"bitfield_size":{memberWidth}}',
    ']}',
  ],
};
const RAW_ENUM = ' encoding={sign} size={size} vlen={vlen}';
const JSON_ENUM = ',"encoding":"{sign}","size":{size},"vlen":{vlen},"values":[';

export const KINDS: Readonly<Record<RecordKind, KindRow>> = {
  INT: {
    libbpf: undefined,
    third: 'number',
    tail: ['number'],
    element: [],
    layout: 'scalar',
    raw: ' size={size} bits_offset={bitsOffset} nr_bits={bits} encoding={encoding}\n',
    json: ',"size":{size},"bits_offset":{bitsOffset},"nr_bits":{bits},"encoding":"{encoding}"}',
  },
  PTR: { ...REFERENCE, layout: 'pointer' },
  ARRAY: {
    libbpf: undefined,
    third: 'number',
    tail: ['type', 'type', 'number'],
    element: [],
    layout: 'elements',
    raw: ' type_id={elementType} index_type_id={indexType} nr_elems={elements}\n',
    json: ',"type_id":{elementType},"index_type_id":{indexType},"nr_elems":{elements}}',
  },
  STRUCT: COMPOSITE,
  UNION: COMPOSITE,
  ENUM: {
    libbpf: undefined,
    third: 'number',
    tail: [],
    element: ['name', 'number'],
    layout: 'scalar',
    raw: [RAW_ENUM, "\n\t'{name}' val={value}", '\n'],
    json: [JSON_ENUM, '{"name":"{name}","val":{widenedValue}}', ']}'],
  },
  FWD: {
    libbpf: undefined,
    third: 'number',
    tail: [],
    element: [],
    layout: 'none',
    raw: ' fwd_kind={forward}\n',
    json: ',"fwd_kind":"{forward}"}',
  },
  TYPEDEF: REFERENCE,
  VOLATILE: MODIFIER,
  CONST: MODIFIER,
  RESTRICT: MODIFIER,
  FUNC: { ...REFERENCE, layout: 'none', raw: ' type_id={type} linkage={linkage}\n', json: ',"type_id":{type},"linkage":"{linkage}"}' },
  FUNC_PROTO: {
    libbpf: undefined,
    third: 'type',
    tail: [],
    element: ['name', 'type'],
    layout: 'none',
    raw: [' ret_type_id={type} vlen={vlen}', "\n\t'{name}' type_id={memberType}", '\n'],
    json: [',"ret_type_id":{type},"vlen":{vlen},"params":[', '{"name":"{name}","type_id":{memberType}}', ']}'],
  },
  VAR: {
    libbpf: '0.0.3',
    third: 'type',
    tail: ['number'],
    element: [],
    layout: 'variable',
    raw: ' type_id={type}, linkage={variableLinkage}\n',
    json: ',"type_id":{type},"linkage":"{variableLinkage}"}',
  },
  DATASEC: {
    libbpf: '0.0.3',
    third: 'number',
    tail: [],
    element: ['type', 'number', 'number'],
    layout: 'section',
    raw: [
      ' size={size} vlen={vlen}',
      "\n\ttype_id={variable} offset={variableOffset} size={variableSize} ({variableKind} '{variableName}')",
      '\n',
    ],
    json: [',"size":{size},"vlen":{vlen},"vars":[', '{"type_id":{variable},"offset":{variableOffset},"size":{variableSize}}', ']}'],
  },
  FLOAT: {
    libbpf: '0.4',
    third: 'number',
    tail: [],
    element: [],
    layout: 'scalar',
    raw: ' size={size}\n',
    json: ',"size":{size}}',
  },
  DECL_TAG: {
    libbpf: '0.6',
    third: 'type',
    tail: ['number'],
    element: [],
    layout: 'variable',
    raw: ' type_id={type} component_idx={component}\n',
    json: ',"type_id":{type},"component_idx":{component}}',
  },
  TYPE_TAG: { ...MODIFIER, libbpf: '0.6' },
  ENUM64: {
    libbpf: '1.0',
    third: 'number',
    tail: [],
    element: ['name', 'number', 'number'],
    layout: 'scalar',
    raw: [RAW_ENUM, "\n\t'{name}' val={wideValue}{suffix}", '\n'],
    json: [JSON_ENUM, '{"name":"{name}","val":{wideValue}}', ']}'],
  },
};

/** Words of a type record before what the kind adds: name_off, info, size or type. */
export const RECORD_WORDS = 3;

/** The same by number, for loops. */
const ROWS: readonly (KindRow | undefined)[] = KIND_NAMES.map(name => KINDS[name as RecordKind]);
const column = (make: (row: KindRow) => number): Int8Array => Int8Array.from(ROWS, row => (row === undefined ? 0 : make(row)));

/** Words that each kind adds once, and for each of its elements. */
export const TAIL_WORDS: Int8Array = column(({ tail }) => tail.length);
export const ELEMENT_WORDS: Int8Array = column(({ element }) => element.length);

/** Where in an element its name and its type id stand; -1 for nowhere. */
export const ELEMENT_NAME: Int8Array = column(({ element }) => element.indexOf('name'));
export const ELEMENT_TYPE: Int8Array = column(({ element }) => element.indexOf('type'));

/** The words of a record, before its elements, that are type ids. What they are in an unknown kind is unknown. */
const TYPE_WORDS: readonly (readonly number[])[] = ROWS.map(row =>
  row === undefined ? [] : [row.third, ...row.tail].flatMap((word, i) => (word === 'type' ? [i + RECORD_WORDS - 1] : [])),
);

/** Those words of a kind, by number. */
export function typeWords(kind: number): readonly number[] {
  return TYPE_WORDS[kind] ?? [];
}

const LAYOUT_RULES: readonly LayoutRule[] = ROWS.map(row => row?.layout ?? 'none');
const MODIFIERS: Int8Array = column(({ modifier }) => (modifier ? 1 : 0));

/** How size and alignment of a kind are found, by number. */
export function layoutRule(kind: number): LayoutRule {
  return kind <= LAST_KIND ? LAYOUT_RULES[kind]! : 'none';
}

/** CONST, VOLATILE, RESTRICT or TYPE_TAG. */
export function isModifier(kind: number): boolean {
  return MODIFIERS[kind] === 1;
}

/** STRUCT or UNION. */
export function isComposite(kind: number): boolean {
  return kind === KIND.STRUCT || kind === KIND.UNION;
}
