import type { BtfBlob } from '../blob.js';
import { flatStrings } from '../flat.js';
import { ELEMENT_WORDS, KIND, KINDS, LAST_KIND, RECORD_WORDS, type RecordKind, TAIL_WORDS, type Template } from '../kinds.js';
import { flagOfInfo, kindOfInfo, LINKAGE_NAMES, vlenOfInfo } from '../wire.js';
import { ascii, type Sink, Writer } from './writer.js';

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
  /** What of names is escaped: PLAIN or ESCAPED. */
  readonly names: Uint8Array;
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
  /** A word of the element, of the record in its head. */
  | 'unsigned'
  | 'signed'
  /** The lower 24 bits of the word: vlen, and a member's offset where others are its width. */
  | 'vlen'
  | 'offset'
  /** Bits 0 to 7 and 16 to 23 of an INT's word. */
  | 'bits'
  | 'bitsOffset'
  /** The string whose offset is in the word; that of the type whose id is there. */
  | 'name'
  | 'targetName'
  /** A bit-field's width, and the literal before it, only where there is one. */
  | 'width'
  /** An unsigned 32-bit value as bpftool's JSON has it, which widens it as signed first; and one of 64 bits. */
  | 'widened'
  | 'wide'
  | 'wideSigned'
  | 'choice'
  | 'nothing';

/** A field: what is written, of which word from the element's or the record's start. */
type Field = readonly [operation: Operation, word: number];

/** Fields by name. */
const FIELDS: Readonly<Record<string, Field>> = {
  name: ['name', 0],
  size: ['unsigned', 2],
  type: ['unsigned', 2],
  vlen: ['vlen', 1],
  bitsOffset: ['bitsOffset', 3],
  bits: ['bits', 3],
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
  memberOffset: ['offset', 2],
  memberWidth: ['width', 2],
  value: ['signed', 1],
  widenedValue: ['signed', 1],
  wideValue: ['wideSigned', 1],
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
  for (let i = 0; i < offsets.length; i++) {
    if (i > 0) writer.text(dialect.separator);
    printer.type(offsets[i]!, firstId + i);
  }
  writer.room();
  writer.text(after);
  writer.flush();
}

/** A piece of a template: a literal and the field after it. */
interface Step {
  readonly literal: Uint8Array;
  readonly operation: Operation;
  readonly word: number;
  readonly choice: Literals | undefined;
}

/** A {@link Choice}, as bytes. */
interface Literals {
  readonly by: Choice['by'];
  readonly literals: readonly Uint8Array[];
  readonly other: Uint8Array;
}

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
  private readonly blob: BtfBlob;
  private readonly words: Uint32Array;
  private readonly writer: Writer;
  private readonly start: Uint8Array;
  private readonly separator: Uint8Array;
  private readonly anonymous: Uint8Array;
  /** By kind number, and by it where kind_flag is set; the last one is for kinds that are unknown. */
  private readonly programs: readonly Program[];
  private readonly flagged: readonly Program[];

  constructor(blob: BtfBlob, dialect: Dialect, writer: Writer) {
    this.blob = blob;
    this.words = blob.words;
    this.writer = writer;
    this.start = ascii(dialect.start);
    this.separator = ascii(dialect.separator);
    this.anonymous = ascii(dialect.anonymous);
    this.programs = programsOf(dialect, false);
    this.flagged = programsOf(dialect, true);
  }

  /**
   * Writes the type whose record is at a word: the steps for its head, those of each element, those after them. Numbers and names are
   * nearly all that there is; what is rare is written elsewhere, and all is called from one place: V8 compiles it sooner, and fewer times.
   */
  type(record: number, id: number): void {
    const { words, writer } = this;
    const info = words[record + 1]!;
    const program = (flagOfInfo(info) ? this.flagged : this.programs)[Math.min(kindOfInfo(info), LAST_KIND + 1)]!;
    let left = program.stride === 0 ? 0 : vlenOfInfo(info);
    let next = record + program.first;
    let at = record;
    writer.room();
    writer.put(this.start);
    writer.unsigned(id);
    for (let steps = program.head; ; ) {
      for (let i = 0; i < steps.length; i++) {
        const step = steps[i]!;
        const value = words[at + step.word]!;
        if (step.operation === 'unsigned') {
          writer.put(step.literal);
          writer.unsigned(value);
        } else if (step.operation === 'name') {
          writer.put(step.literal);
          if (value === 0) writer.put(this.anonymous);
          else writer.name(value);
        } else this.rare(step, value, record, at);
      }
      if (steps === program.tail) return;
      writer.room();
      if (left === 0) {
        at = record;
        steps = program.tail;
        continue;
      }
      if (steps === program.element) writer.put(this.separator);
      at = next;
      next += program.stride;
      left--;
      steps = program.element;
    }
  }

  private rare({ literal, operation, word, choice }: Step, value: number, record: number, at: number): void {
    const { words, writer } = this;
    if (operation === 'width' && value >>> 24 === 0) return;
    writer.put(literal);
    switch (operation) {
      case 'vlen':
        writer.unsigned(vlenOfInfo(value));
        break;
      case 'bits':
        writer.unsigned(value & 255);
        break;
      case 'bitsOffset':
        writer.unsigned((value >>> 16) & 255);
        break;
      case 'offset':
        writer.unsigned(value & 0xff_ffff);
        break;
      case 'width':
        writer.unsigned(value >>> 24);
        break;
      case 'signed':
        writer.signed(value | 0);
        break;
      case 'widened':
        if (value < 0x8000_0000) writer.unsigned(value);
        else writer.wide(value, -1, false);
        break;
      case 'wide':
      case 'wideSigned':
        writer.wide(value, words[at + word + 1]!, operation === 'wideSigned');
        break;
      case 'targetName':
        this.targetName(this.blob.nameOffset(value));
        break;
      case 'choice':
        writer.put(choice!.literals[this.chosen(choice!.by, record, at)] ?? choice!.other);
        break;
    }
  }

  private targetName(offset: number): void {
    if (offset === 0) this.writer.put(this.anonymous);
    else this.writer.name(offset);
  }

  private chosen(by: Choice['by'], record: number, element: number): number {
    const { words } = this;
    switch (by) {
      case 'flag':
        return words[record + 1]! >>> 31;
      case 'vlen':
        return vlenOfInfo(words[record + 1]!);
      case 'word':
        return words[record + RECORD_WORDS]!;
      case 'encoding':
        return (words[record + RECORD_WORDS]! >>> 24) & 15;
      case 'target':
        return this.blob.kindNumber(words[element]!);
    }
  }
}

function programsOf({ name, title, unknown, choices }: Dialect, flag: boolean): Program[] {
  const literals = Object.fromEntries(
    Object.entries(choices).map(([field, { by, literals, other }]) => [field, { by, literals: literals.map(ascii), other: ascii(other) }]),
  );
  const steps = (template: string): Step[] => stepsOf(template, flag ? FLAGGED_FIELDS : FIELDS, literals);
  const program = (kind: string, templates: Template, number: number): Program => {
    const [head, element, tail] = typeof templates === 'string' ? [templates, '', ''] : templates;
    return {
      head: steps(title.replace('KIND', kind) + head),
      element: steps(element),
      tail: steps(tail),
      first: RECORD_WORDS + (TAIL_WORDS[number] ?? 0),
      stride: ELEMENT_WORDS[number] ?? 0,
    };
  };
  // Void has no record.
  const programs = [program('VOID', unknown, KIND.VOID)];
  for (const [kind, row] of Object.entries(KINDS)) {
    const number = KIND[kind as RecordKind];
    programs[number] = program(kind, row[name], number);
  }
  programs[LAST_KIND + 1] = program('UNKNOWN', unknown, LAST_KIND + 1);
  return programs;
}

function stepsOf(template: string, fields: Readonly<Record<string, Field>>, choices: Readonly<Record<string, Literals>>): Step[] {
  const steps: Step[] = [];
  // Text, field, text … field, text.
  const parts = template.split(/\{(\w+)\}/);
  for (let i = 0; i < parts.length; i += 2) {
    const name = parts[i + 1];
    const literal = ascii(parts[i]!);
    if (name === undefined && literal.length === 0) break;
    const choice = choices[name ?? ''];
    const [operation, word]: Field = choice !== undefined ? ['choice', 0] : name === undefined ? ['nothing', 0] : fields[name]!;
    if (operation === 'nothing' && name !== undefined) continue;
    steps.push({ literal, operation, word, choice });
  }
  return steps;
}
