import type { BtfBlob } from '../blob.js';
import { flatStrings } from '../flat.js';
import type { TypeId } from '../ids.js';
import { ELEMENT_WORDS, KIND, KIND_NAMES, KINDS, LAST_KIND, RECORD_WORDS, type RecordKind, TAIL_WORDS } from '../kinds.js';
import { LINKAGE_NAMES } from '../wire.js';
import { ascii, type Literal, type Sink, type Spelling, Writer } from './writer.js';

/** How a dump writes types, beside what the table of kinds says about each: templates, text with fields as `{name}`. */
export interface Dialect {
  /** Its column in the table of kinds. */
  readonly name: 'raw' | 'json';
  /** What every type starts with, its id after it; and what follows that, with KIND for its kind. */
  readonly start: string;
  readonly title: string;
  /** What follows that for a kind which is unknown. */
  readonly unknown: string;
  /** Fields that are one of several literals. */
  readonly choices: Readonly<Record<string, Choice>>;
  readonly anonymous: string;
  /** Between records, and between elements. */
  readonly separator: '' | ',';
  readonly names: Spelling;
}

export interface Choice {
  /**
   * What chooses: kind_flag, vlen, the word after the record's three, bits 24 to 27 of it, the kind of the type that an element refers to.
   */
  readonly by: 'flag' | 'vlen' | 'word' | 'encoding' | 'target';
  readonly literals: readonly string[];
  /** For values that have none. */
  readonly other: string;
}

/** What is written for a field. */
type Operation =
  /** A number: bits of a word. */
  | 'unsigned'
  | 'signed'
  /** The string whose offset is in the word; that of the type whose id is there. */
  | 'name'
  | 'targetName'
  /** A bit-field's width, and the literal before it, only where there is one. */
  | 'width'
  /** An unsigned 32-bit value as bpftool's JSON has it, which widens it as signed first; and one of 64 bits. */
  | 'widened'
  | 'wide'
  | 'wideSigned'
  /** A literal, chosen by a number; by the kind of the type whose id that is. */
  | 'choice'
  | 'targetKind'
  | 'nothing';

/** A field: what is written, of which word from the element's or the record's start, and of which bits of it: all where not given. */
type Field = readonly [operation: Operation, word: number, shift?: number, mask?: number];

/** The lower 24 bits of a word: vlen, and a member's offset where others are its width. */
const LOW_24 = 0xff_ffff;

/** Fields by name. */
const FIELDS: Readonly<Record<string, Field>> = {
  name: ['name', 0],
  size: ['unsigned', 2],
  type: ['unsigned', 2],
  vlen: ['unsigned', 1, 0, LOW_24],
  bitsOffset: ['unsigned', 3, 16, 0xff],
  bits: ['unsigned', 3, 0, 0xff],
  elementType: ['unsigned', 3],
  indexType: ['unsigned', 4],
  elements: ['unsigned', 5],
  component: ['signed', 3],
  memberType: ['unsigned', 1],
  memberOffset: ['unsigned', 2],
  memberWidth: ['nothing', 2],
  value: ['unsigned', 1],
  widenedValue: ['widened', 1],
  wideValue: ['wide', 1],
  variable: ['unsigned', 0],
  variableOffset: ['unsigned', 1],
  variableSize: ['unsigned', 2],
  variableName: ['targetName', 0],
};

/** Those that are others where kind_flag is set: a member's offset has 24 bits and its width the rest, and enumerators are signed. */
const FLAGGED_FIELDS: Readonly<Record<string, Field>> = {
  ...FIELDS,
  memberOffset: ['unsigned', 2, 0, LOW_24],
  memberWidth: ['width', 2, 24, 0xff],
  value: ['signed', 1],
  widenedValue: ['signed', 1],
  wideValue: ['wideSigned', 1],
};

/** What choices go by. Programs are made for either value of kind_flag: that is no field. */
const CHOSEN_BY: Readonly<Record<Exclude<Choice['by'], 'flag'>, Field>> = {
  vlen: ['choice', 1, 0, LOW_24],
  word: ['choice', RECORD_WORDS],
  encoding: ['choice', RECORD_WORDS, 24, 0xf],
  target: ['targetKind', 0],
};

/** bpftool has names for one bit of an INT's encoding at most. */
const ENCODINGS: readonly string[] = Array.from({ length: 16 }, (_, bits) => ['(none)', 'SIGNED', 'CHAR', '', 'BOOL'][bits] || 'UNKN');

/** Choices that bpftool's dialects have in common. */
export const CHOICES: Readonly<Record<string, Choice>> = {
  sign: { by: 'flag', literals: ['UNSIGNED', 'SIGNED'], other: '' },
  forward: { by: 'flag', literals: ['struct', 'union'], other: '' },
  encoding: { by: 'encoding', literals: ENCODINGS, other: '' },
  linkage: { by: 'vlen', literals: LINKAGE_NAMES, other: '(unknown)' },
  variableLinkage: { by: 'word', literals: LINKAGE_NAMES, other: '(unknown)' },
};

/** Prints the types of a blob, without those of its base, between two texts. */
export function printLines(blob: BtfBlob, dialect: Dialect, before: string, after: string, sink: Sink): void {
  const writer = new Writer(flatStrings(blob), sink, dialect.names);
  const printer = new LinePrinter(blob, dialect, writer);
  writer.text(before);
  const { offsets, firstId } = blob;
  for (let i = 0; i < offsets.length; i++) printer.type(offsets[i]!, firstId + i);
  writer.room();
  writer.text(after);
  writer.flush();
}

/** A piece of a template: a literal and the field after it. */
interface Step {
  readonly literal: Literal;
  /** Writes both. V8 compiles each operation's function once, where it would compile the cases of a switch into what has it, over and over. */
  readonly write: Write;
  /** Where in the element or the record the field stands, and its bits there. */
  readonly word: number;
  readonly shift: number;
  readonly mask: number;
  /** What stands for a value, the last one for those that have none; what stands for no name. */
  readonly choices: readonly Literal[];
}

/** @param value the field's bits, as a signed number @param at the word that has them */
type Write = (printer: LinePrinter, step: Step, value: number, at: number) => void;

/** The steps of a kind's templates. */
interface Program {
  readonly head: readonly Step[];
  readonly element: readonly Step[];
  readonly tail: readonly Step[];
  /** Words from the record's start to its elements, and of each; 0 if there are none. */
  readonly first: number;
  readonly stride: number;
}

class LinePrinter {
  readonly blob: BtfBlob;
  /** As signed numbers: they are all small integers, which V8 makes no objects of. */
  readonly words: Int32Array;
  readonly writer: Writer;
  private readonly start: Literal;
  private readonly separator: Literal;
  private readonly dialect: Dialect;
  /** By the upper byte of `info`: the kind, with kind_flag as its highest bit. They are made when the first such record comes. */
  private readonly programs: (Program | undefined)[] = Array.from({ length: 256 }, () => undefined);

  constructor(blob: BtfBlob, dialect: Dialect, writer: Writer) {
    this.blob = blob;
    this.words = new Int32Array(blob.words.buffer, blob.words.byteOffset, blob.words.length);
    this.writer = writer;
    this.start = ascii(dialect.start);
    this.separator = ascii(dialect.separator);
    this.dialect = dialect;
  }

  /** Writes the type whose record is at a word: the steps for its head, those of each element, those after them. */
  type(record: number, id: TypeId): void {
    const { words, writer } = this;
    const info = words[record + 1]!;
    const program = this.programs[info >>> 24] ?? this.prepare(info >>> 24);
    let left = program.stride === 0 ? 0 : info & LOW_24;
    let next = record + program.first;
    let from = record;
    writer.room();
    if (id > this.blob.firstId) writer.put(this.separator);
    writer.put(this.start);
    writer.unsigned(id);
    for (let steps = program.head; ; ) {
      for (let i = 0; i < steps.length; i++) {
        const step = steps[i]!;
        const at = from + step.word;
        step.write(this, step, (words[at]! >> step.shift) & step.mask, at);
      }
      if (steps === program.tail) return;
      writer.room();
      if (left === 0) {
        from = record;
        steps = program.tail;
        continue;
      }
      if (steps === program.element) writer.put(this.separator);
      from = next;
      next += program.stride;
      left--;
      steps = program.element;
    }
  }

  private prepare(key: number): Program {
    const program = programOf(this.dialect, key & 0x7f, key > 0x7f);
    this.programs[key] = program;
    return program;
  }
}

const OPERATIONS: Readonly<Record<Operation, Write>> = {
  unsigned({ writer }, { literal }, value) {
    writer.put(literal);
    writer.unsigned(value);
  },
  signed({ writer }, { literal }, value) {
    writer.put(literal);
    writer.signed(value);
  },
  name({ writer }, { literal, choices }, value) {
    writer.put(literal);
    if (value === 0) writer.put(choices[0]!);
    else writer.name(value >>> 0);
  },
  targetName({ blob, writer }, { literal, choices }, value) {
    writer.put(literal);
    const name = blob.nameOffset(value);
    if (name === 0) writer.put(choices[0]!);
    else writer.name(name);
  },
  width({ writer }, { literal }, value) {
    if (value === 0) return;
    writer.put(literal);
    writer.unsigned(value);
  },
  widened({ writer }, { literal }, value) {
    writer.put(literal);
    if (value >= 0) writer.unsigned(value);
    else writer.wide(value, -1, false);
  },
  wide({ writer, words }, { literal }, value, at) {
    writer.put(literal);
    writer.wide(value, words[at + 1]!, false);
  },
  wideSigned({ writer, words }, { literal }, value, at) {
    writer.put(literal);
    writer.wide(value, words[at + 1]!, true);
  },
  choice({ writer }, { literal, choices }, value) {
    writer.put(literal);
    writer.put(choices[value >= 0 && value < choices.length ? value : choices.length - 1]!);
  },
  targetKind({ blob, writer }, { literal, choices }, value) {
    writer.put(literal);
    writer.put(choices[Math.min(blob.kindNumber(value), choices.length - 1)]!);
  },
  nothing() {},
};

function programOf(dialect: Dialect, number: number, flag: boolean): Program {
  // Void has no record.
  const known = number > KIND.VOID && number <= LAST_KIND;
  const kind = known ? KIND_NAMES[number]! : 'UNKNOWN';
  const templates = known ? KINDS[kind as RecordKind][dialect.name] : dialect.unknown;
  const [head, element, tail] = typeof templates === 'string' ? [templates, '', ''] : templates;
  const steps = (template: string): Step[] => stepsOf(template, flag, dialect);
  return {
    head: steps(dialect.title.replace('KIND', kind) + head),
    element: steps(element),
    tail: steps(tail),
    first: RECORD_WORDS + (TAIL_WORDS[number] ?? 0),
    stride: ELEMENT_WORDS[number] ?? 0,
  };
}

function stepsOf(template: string, flag: boolean, { choices, anonymous }: Dialect): Step[] {
  const fields = flag ? FLAGGED_FIELDS : FIELDS;
  const steps: Step[] = [];
  let before = '';
  // Text, field, text … field, text.
  template.split(/\{(\w+)\}/).forEach((part, i) => {
    const choice = choices[part];
    if (i % 2 === 0) before += part;
    else if (choice?.by === 'flag') before += choice.literals[flag ? 1 : 0];
    else {
      const field = choice === undefined ? fields[part] : CHOSEN_BY[choice.by];
      if (field === undefined) throw new Error(`a template has {${part}}, which is neither in FIELDS nor a choice of its dialect`);
      if (field[0] !== 'nothing')
        steps.push(stepOf(before, field, choice === undefined ? [anonymous] : [...choice.literals, choice.other]));
      before = '';
    }
  });
  // A choice of nothing.
  if (before !== '') steps.push(stepOf(before, ['choice', 0], ['']));
  return steps;
}

function stepOf(literal: string, [operation, word, shift = 0, mask = -1]: Field, choices: readonly string[]): Step {
  return { literal: ascii(literal), write: OPERATIONS[operation], word, shift, mask, choices: choices.map(ascii) };
}
