import { identifier } from '../../elf/escape.js';
import type { BtfBlob } from '../blob.js';
import { FlatTypes } from '../flat.js';
import type { StringOffset, TypeId } from '../ids.js';
import { isModifier, KIND, RECORD_WORDS } from '../kinds.js';
import { flagOfInfo, vlenOfInfo } from '../wire.js';
import { ascii, type Literal, type Writer } from './writer.js';

// In the command line's build, what another folder exports is looked up at each use.
const { ARRAY, CONST, ENUM, ENUM64, FLOAT, FUNC_PROTO, FWD, INT, PTR, RESTRICT, STRUCT, TYPEDEF, TYPE_TAG, UNION, VOID, VOLATILE } = KIND;

const VOID_TEXT = ascii('void');
const STRUCT_TEXT = ascii('struct');
const UNION_TEXT = ascii('union');
const ENUM_TEXT = ascii('enum');
const ANONYMOUS = ascii(' {...}');
const POINTER = ascii(' *');
const TIGHT_POINTER = ascii('*');
const NO_PARAMETERS = ascii('(void)');
const SEPARATOR = ascii(', ');
const VARIADIC = ascii('...');
const COPY = ascii('___');
const TAG_BEFORE = ascii(' __attribute__((btf_type_tag("');
const TAG_BEHIND = ascii('")))');
const ATTRIBUTE_BEFORE = ascii(' __attribute__((');
const ATTRIBUTE_BEHIND = ascii('))');
/** const, volatile and restrict, after what they are of and before it. */
const QUALIFIERS: Readonly<Record<number, { readonly behind: Literal; readonly before: Literal }>> = {
  [CONST]: { behind: ascii(' const'), before: ascii('const ') },
  [VOLATILE]: { behind: ascii(' volatile'), before: ascii('volatile ') },
  [RESTRICT]: { behind: ascii(' restrict'), before: ascii('restrict ') },
};
const SPACE = 32;

/** Ids in the chains of types that are being written at a time, and in one of them. */
const CHAINS = 4096;
const LONGEST_CHAIN = 1000;
/** Declarations inside each other. */
const MAX_NESTING = 100;

/** Instead of the offset of a name: none is declared, or the one that was given. */
const NO_NAME = 0;
const GIVEN = -1;

/**
 * Steps that a blob of this size justifies. A damaged blob of a few hundred bytes can describe a text of as many terabytes.
 */
export class Work {
  private readonly blob: BtfBlob;
  private readonly most: number;
  private left: number;

  constructor(blob: BtfBlob) {
    this.blob = blob;
    this.most = Math.min(20_000 + 64 * (blob.words.length + (blob.base?.words.length ?? 0)), 2 ** 30);
    this.left = this.most;
  }

  restart(): void {
    this.left = this.most;
  }

  spend(steps: number, id: TypeId): void {
    this.left -= steps;
    if (this.left < 0) throw this.blob.errorAt(id, 'the types refer to each other so that their text has no reasonable length', 'limit');
  }
}

/**
 * Writes declarations of C. BTF says `pointer to const char`, C says `const char *`: the chain of types from the declared one to the one at
 * its end is gathered and then written from its end, with the name in the middle (btf_dump_emit_type_decl and btf_dump_emit_type_chain of
 * libbpf, whose form this follows).
 */
export class DeclarationWriter {
  protected readonly blob: BtfBlob;
  protected readonly words: Uint32Array;
  protected readonly records: Uint32Array;
  protected readonly kinds: Uint8Array;
  protected readonly strings: Uint8Array;
  protected readonly out: Writer;
  protected readonly work: Work;
  /** Whether a type tag with the flag is the attribute that it stands for (libbpf 1.6). */
  protected attributes = false;
  /** The chains that are being written: those of inner declarations are behind those around them. */
  private readonly chain = new Int32Array(CHAINS);
  private top = 0;
  private nesting = 0;
  private given: Uint8Array = new Uint8Array(0);

  constructor(blob: BtfBlob, out: Writer, types: FlatTypes = new FlatTypes(blob)) {
    this.blob = blob;
    this.words = types.words;
    this.records = types.records;
    this.kinds = types.kinds;
    this.strings = types.strings;
    this.out = out;
    this.work = new Work(blob);
  }

  /** Declares a name that is not in the blob; the type alone where that is ''. */
  declareAs(id: TypeId, name: string): void {
    // An error may have left something unfinished.
    this.top = 0;
    this.nesting = 0;
    this.work.restart();
    this.given = new TextEncoder().encode(identifier(name));
    this.declare(id, name === '' ? NO_NAME : GIVEN, 1, 0);
  }

  /**
   * Declares the name at an offset as of a type; only the type if there is no name.
   * @param copy which of its name it is @param level of indentation that members go beyond
   */
  protected declare(id: TypeId, name: StringOffset, copy: number, level: number): void {
    const { blob, chain, kinds, records, words } = this;
    this.nest(id);
    const start = this.top;
    for (let next = id; ; ) {
      if (this.top === CHAINS) throw this.tooNested(id);
      chain[this.top++] = next;
      const kind = kinds[next]!;
      if (kind === ARRAY) next = words[records[next]! + RECORD_WORDS]!;
      else if (kind === PTR || kind === FUNC_PROTO || isModifier(kind)) next = words[records[next]! + 2]!;
      else break;
      if (this.top - start > LONGEST_CHAIN)
        throw blob.errorAt(id, `type ${id} goes through more than ${LONGEST_CHAIN} others, or is a cycle`);
    }
    this.work.spend(this.top - start, id);
    this.putChain(start, name, copy, level);
    this.nesting--;
  }

  /** `struct name`, `union name`, `enum name`; the keyword alone where there is no name. */
  protected putTag(id: TypeId): void {
    const kind = this.kinds[id]!;
    this.out.put(kind === STRUCT ? STRUCT_TEXT : kind === UNION ? UNION_TEXT : ENUM_TEXT);
    const name = this.words[this.records[id]!]!;
    if (name === 0) return;
    this.out.byte(SPACE);
    this.putName(name, this.copyOf(id));
  }

  /** The declaration that a FWD is. */
  protected putForward(id: TypeId): void {
    this.out.put(flagOfInfo(this.infoOf(id)) ? UNION_TEXT : STRUCT_TEXT);
    this.out.byte(SPACE);
    this.out.name(this.words[this.records[id]!]!);
  }

  /** A name, from the second of that name on with its number: `name___2`. */
  protected putName(name: StringOffset, copy: number): void {
    if (name === GIVEN) {
      this.out.long(this.given);
      return;
    }
    this.out.name(name);
    if (copy < 2) return;
    this.out.put(COPY);
    this.out.unsigned(copy);
  }

  /** The how-manieth of its name a type is: types of one name are numbered in a header alone. */
  protected copyOf(_id: number): number {
    return 1;
  }

  /** A struct, union or enum without a name: its body, in a header. */
  protected putAnonymous(id: TypeId, _level: number): void {
    this.putTag(id);
    this.out.put(ANONYMOUS);
  }

  protected infoOf(id: TypeId): number {
    return this.words[this.records[id]! + 1]!;
  }

  /** An empty name counts as no name. */
  protected nameOrNone(name: StringOffset): StringOffset {
    return name !== NO_NAME && this.strings[name] === 0 ? NO_NAME : name;
  }

  private nest(id: TypeId): void {
    if (++this.nesting > MAX_NESTING) throw this.tooNested(id);
  }

  private tooNested(id: TypeId): Error {
    return this.blob.errorAt(id, `type ${id} is nested deeper than ${MAX_NESTING} declarations`, 'limit');
  }

  /** Writes the chain from its end down to `start`, and takes it off. */
  private putChain(start: number, name: StringOffset, copy: number, level: number): void {
    const { out } = this;
    // The first pointer follows a parenthesis or nothing: no space before it.
    let tight = true;
    while (this.top > start) {
      out.room();
      const id = this.chain[--this.top]!;
      const kind = this.kinds[id]!;
      if (kind === PTR) out.put(tight ? TIGHT_POINTER : POINTER);
      else if (kind === ARRAY) {
        this.putArray(id, start, name, copy, level, tight);
        return;
      } else if (kind === FUNC_PROTO) {
        this.putFunction(id, start, name, copy, level, tight);
        return;
      } else {
        const qualifier = QUALIFIERS[kind];
        if (qualifier !== undefined) out.put(qualifier.behind);
        else {
          this.putQualifiers(start);
          this.putEnd(id, kind, level);
        }
      }
      tight = kind === PTR;
    }
    this.putDeclared(name, copy, tight);
  }

  /** The declared name, where there is one. */
  private putDeclared(name: StringOffset, copy: number, tight: boolean): void {
    if (name === NO_NAME) return;
    if (!tight) this.out.byte(SPACE);
    this.putName(name, copy);
  }

  /** The type at the end of a chain. */
  private putEnd(id: TypeId, kind: number, level: number): void {
    const { out } = this;
    const name = this.words[this.records[id]!]!;
    switch (kind) {
      case VOID:
        out.put(VOID_TEXT);
        return;
      case INT:
      case FLOAT:
        out.name(name);
        return;
      case STRUCT:
      case UNION:
      case ENUM:
      case ENUM64:
        if (name === 0) this.putAnonymous(id, level);
        else this.putTag(id);
        return;
      case FWD:
        this.putForward(id);
        return;
      case TYPEDEF:
        this.putName(name, this.copyOf(id));
        return;
      case TYPE_TAG:
        if (this.attributes && flagOfInfo(this.infoOf(id))) {
          this.putAttribute(name);
          return;
        }
        out.put(TAG_BEFORE);
        out.quoted(name);
        out.put(TAG_BEHIND);
        return;
    }
    throw this.blob.errorAt(id, `type ${id}, of kind ${kind}, is not part of a declaration`);
  }

  /** `__attribute__((address_space(1)))`: an attribute of that form as it is; anything else as the identifier that it can be. */
  private putAttribute(name: StringOffset): void {
    const { out } = this;
    const text = this.blob.strings.text(name);
    out.put(ATTRIBUTE_BEFORE);
    if (/^[A-Za-z_]\w*(\([\w, ]*\))?$/.test(text)) out.text(text);
    else out.name(name);
    out.put(ATTRIBUTE_BEHIND);
  }

  /** Const, volatile and restrict of what is at the end of a chain are before it. */
  private putQualifiers(start: number): void {
    for (; this.top > start; this.top--) {
      const qualifier = QUALIFIERS[this.kinds[this.chain[this.top - 1]!]!];
      if (qualifier === undefined) return;
      this.out.room();
      this.out.put(qualifier.before);
    }
  }

  /** GCC repeats an element's const on the array, and marks noreturn functions volatile: C has no place for either. */
  private dropModifiers(start: number): void {
    while (this.top > start && isModifier(this.kinds[this.chain[this.top - 1]!]!)) this.top--;
  }

  /** What is after the type of the elements. */
  private putArray(id: TypeId, start: number, name: StringOffset, copy: number, level: number, tight: boolean): void {
    const { out } = this;
    this.dropModifiers(start);
    if (this.top === start) this.putDeclared(name, copy, tight);
    else {
      if (name !== NO_NAME && !tight) out.byte(SPACE);
      const isNested = this.kinds[this.chain[this.top - 1]!]! === ARRAY;
      if (!isNested) out.byte(40);
      this.putInner(id, start, name, copy, level);
      if (!isNested) out.byte(41);
    }
    out.room();
    out.byte(91);
    out.unsigned(this.words[this.records[id]! + RECORD_WORDS + 2]!);
    out.byte(93);
  }

  /** What is after the type that a function returns. */
  private putFunction(id: TypeId, start: number, name: StringOffset, copy: number, level: number, tight: boolean): void {
    const { out } = this;
    this.dropModifiers(start);
    if (this.top === start) this.putDeclared(name, copy, tight);
    else {
      out.byte(SPACE);
      out.byte(40);
      this.putInner(id, start, name, copy, level);
      out.byte(41);
    }
    this.putParameters(id, level);
  }

  /** The rest of a chain, inside the parentheses of an array or a function. */
  private putInner(id: TypeId, start: number, name: StringOffset, copy: number, level: number): void {
    this.nest(id);
    this.putChain(start, name, copy, level);
    this.nesting--;
  }

  /** `(int a, ...)` */
  private putParameters(id: TypeId, level: number): void {
    const { out, words } = this;
    const first = this.records[id]! + RECORD_WORDS;
    const end = first + vlenOfInfo(words[first - 2]!) * 2;
    // Clang writes a function without parameters as one of a single void.
    if (end === first || (end === first + 2 && words[first + 1] === 0)) {
      out.put(NO_PARAMETERS);
      return;
    }
    out.byte(40);
    for (let at = first; at < end; at += 2) {
      if (at > first) out.put(SEPARATOR);
      out.room();
      const type = words[at + 1]!;
      if (type === 0 && at + 2 === end) out.put(VARIADIC);
      else this.declare(type, this.nameOrNone(words[at]!), 1, level);
    }
    out.byte(41);
  }
}
