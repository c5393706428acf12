import type { BtfBlob } from '../blob.js';
import { isModifier } from '../layout.js';
import { flagOfInfo, KIND, kindOfInfo, RECORD_WORDS, vlenOfInfo } from '../wire.js';
import { ascii, type Literal, Writer } from './writer.js';

/** Declarations inside declarations (a function pointer's parameters, an anonymous struct's members), and types that follow each other in one. */
const MAX_NESTING = 100;
const MAX_CHAIN = 1000;

const VOID = ascii('void');
const CONST = ascii('const ');
const VOLATILE = ascii('volatile ');
const RESTRICT = ascii('restrict ');
const POINTER_CONST = ascii(' const');
const POINTER_VOLATILE = ascii(' volatile');
const POINTER_RESTRICT = ascii(' restrict');
const STRUCT = ascii('struct');
const UNION = ascii('union');
const ENUM = ascii('enum');
const BODY = ascii(' {...}');
const NO_PARAMETERS = ascii('(void)');
const ELLIPSIS = ascii('...');
const TAG_START = ascii(' __attribute__((btf_type_tag("');
const TAG_END = ascii('")))');
const COPY = ascii('___');

const SPACE = 32;
const OPEN = 40;
const CLOSE = 41;
const STAR = 42;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;

/** Stands for a name that is no string of the blob: `givenName`. */
const GIVEN = -1;

/** Steps that a blob of this size justifies: a small whole number, which a compiler keeps in a register. */
export function workFor(blob: BtfBlob): number {
  return Math.min(20_000 + 64 * (blob.words.length + (blob.base?.words.length ?? 0)), 2 ** 30);
}

/**
 * Writes C declarations. BTF says `pointer to const char`, C says `const char *`: the chain of types from the declared one to the one at its end is
 * gathered and then written from its end (btf_dump_emit_type_decl and btf_dump_emit_type_chain of libbpf, whose form this follows).
 */
export class DeclarationWriter {
  protected readonly blob: BtfBlob;
  protected readonly out: Writer;
  /** What is declared where its name is GIVEN. */
  givenName: Uint8Array = new Uint8Array(0);
  /** The chains that are being written; an inner declaration's stands behind those around it. */
  readonly #chain: number[] = [];
  #nesting = 0;
  /** A damaged blob of a few hundred bytes can describe a declaration of as many terabytes: each type written in one counts. */
  #budget: number;

  constructor(blob: BtfBlob, out: Writer) {
    this.blob = blob;
    this.out = out;
    this.#budget = workFor(blob);
  }

  /**
   * Declares `name`, an offset in the strings (0 for none), with `copy`, 2 or more, written behind it as `___2`.
   * @param level of indentation that members of an anonymous struct inside are one deeper than
   */
  declare(id: number, name: number, copy: number, level: number): void {
    const { blob } = this;
    const chain = this.#chain;
    const start = chain.length;
    if (++this.#nesting > MAX_NESTING) throw blob.errorAt(id, `type ${id} is nested deeper than ${MAX_NESTING} declarations`, 'limit');
    for (let next = id; ; ) {
      chain.push(next);
      if (next === 0) break;
      const { words, offsets, firstId } = blob.ownerOf(next);
      const at = offsets[next - firstId]!;
      const kind = kindOfInfo(words[at + 1]!);
      if (kind === KIND.ARRAY) next = words[at + RECORD_WORDS]!;
      else if (kind === KIND.PTR || kind === KIND.FUNC_PROTO || isModifier(kind)) next = words[at + 2]!;
      else break;
      if (chain.length - start > MAX_CHAIN) throw blob.errorAt(id, `type ${id} goes through more than ${MAX_CHAIN} others, or is a cycle`);
    }
    this.spend(chain.length - start, id);
    this.#write(start, name, copy, level);
    this.#nesting--;
  }

  /** Counts work against what the blob's size justifies. */
  protected spend(steps: number, id: number): void {
    this.#budget -= steps;
    if (this.#budget < 0) throw this.blob.errorAt(id, 'the types refer to each other so that their text has no reasonable length', 'limit');
  }

  /** `struct name`, or the body of an anonymous one. */
  protected composite(id: number, _level: number): void {
    this.put(this.blob.kindNumber(id) === KIND.STRUCT ? STRUCT : UNION);
    this.#tag(id);
  }

  /** `enum name`, or the body of an anonymous one. */
  protected enumeration(id: number, _level: number): void {
    this.put(ENUM);
    this.#tag(id);
  }

  #tag(id: number): void {
    const name = this.blob.nameOffset(id);
    if (name === 0) this.put(BODY);
    else {
      this.out.byte(SPACE);
      this.name(name);
    }
  }

  /** The number of a typedef among those of its name. */
  protected copyOfTypedef(_id: number): number {
    return 1;
  }

  protected name(offset: number, copy = 1): void {
    const { out } = this;
    out.room();
    if (offset === GIVEN) out.long(this.givenName);
    else if (offset !== 0) out.name(this.blob.strings, offset);
    if (copy > 1) {
      out.put(COPY);
      out.decimal(copy);
    }
  }

  protected put(literal: Literal): void {
    this.out.room();
    this.out.put(literal);
  }

  /** Writes the chain from its end down to `start`, and takes it off. */
  #write(start: number, name: number, copy: number, level: number): void {
    const { blob, out } = this;
    const chain = this.#chain;
    // The first pointer follows a parenthesis or nothing: no space before it.
    let afterPointer = true;
    while (chain.length > start) {
      const id = chain.pop()!;
      const kind = blob.kindNumber(id);
      out.room();
      switch (kind) {
        case KIND.VOID:
          this.#modifiers(start);
          this.put(VOID);
          break;
        case KIND.PTR:
          if (!afterPointer) out.byte(SPACE);
          out.byte(STAR);
          break;
        case KIND.CONST:
          out.put(POINTER_CONST);
          break;
        case KIND.VOLATILE:
          out.put(POINTER_VOLATILE);
          break;
        case KIND.RESTRICT:
          out.put(POINTER_RESTRICT);
          break;
        case KIND.TYPE_TAG:
          this.#modifiers(start);
          this.put(TAG_START);
          this.name(blob.nameOffset(id));
          this.put(TAG_END);
          break;
        case KIND.ARRAY:
          this.#array(id, start, name, copy, level, afterPointer);
          return;
        case KIND.FUNC_PROTO:
          this.#function(id, start, name, copy, level, afterPointer);
          return;
        default:
          this.#modifiers(start);
          this.#end(id, kind, level);
      }
      afterPointer = kind === KIND.PTR;
    }
    this.#declared(name, copy, afterPointer);
  }

  /** The type at the end of a chain. */
  #end(id: number, kind: number, level: number): void {
    switch (kind) {
      case KIND.STRUCT:
      case KIND.UNION:
        this.composite(id, level);
        break;
      case KIND.ENUM:
      case KIND.ENUM64:
        this.enumeration(id, level);
        break;
      case KIND.FWD:
        this.forward(id);
        break;
      case KIND.TYPEDEF:
        this.name(this.blob.nameOffset(id), this.copyOfTypedef(id));
        break;
      case KIND.INT:
      case KIND.FLOAT:
        this.name(this.blob.nameOffset(id));
        break;
      default:
        throw this.blob.errorAt(id, `type ${id}, of kind ${kind}, is no part of a declaration`);
    }
  }

  protected forward(id: number): void {
    const { words } = this.blob.ownerOf(id);
    const at = this.blob.recordOf(id);
    this.put(flagOfInfo(words[at + 1]!) ? UNION : STRUCT);
    this.out.byte(SPACE);
    this.name(words[at]!);
  }

  /** Const, volatile and restrict of what is at the end of a chain stand before it. */
  #modifiers(start: number): void {
    const chain = this.#chain;
    for (; chain.length > start; chain.pop()) {
      const kind = this.blob.kindNumber(chain[chain.length - 1]!);
      if (kind === KIND.CONST) this.put(CONST);
      else if (kind === KIND.VOLATILE) this.put(VOLATILE);
      else if (kind === KIND.RESTRICT) this.put(RESTRICT);
      else return;
    }
  }

  /** GCC repeats an element's const on the array, and marks noreturn functions volatile: C has no place for either. */
  #dropModifiers(start: number): void {
    const chain = this.#chain;
    while (chain.length > start && isModifier(this.blob.kindNumber(chain[chain.length - 1]!))) chain.pop();
  }

  #array(id: number, start: number, name: number, copy: number, level: number, afterPointer: boolean): void {
    const { blob, out } = this;
    const chain = this.#chain;
    this.#dropModifiers(start);
    if (chain.length === start) this.#declared(name, copy, afterPointer);
    else {
      const nested = blob.kindNumber(chain[chain.length - 1]!) === KIND.ARRAY;
      out.room();
      if (name !== 0 && !afterPointer) out.byte(SPACE);
      if (!nested) out.byte(OPEN);
      this.#inner(id, start, name, copy, level);
      if (!nested) out.byte(CLOSE);
    }
    out.room();
    out.byte(OPEN_BRACKET);
    out.decimal(blob.ownerOf(id).words[blob.recordOf(id) + RECORD_WORDS + 2]!);
    out.byte(CLOSE_BRACKET);
  }

  #function(id: number, start: number, name: number, copy: number, level: number, afterPointer: boolean): void {
    const { out } = this;
    this.#dropModifiers(start);
    if (this.#chain.length === start) this.#declared(name, copy, afterPointer);
    else {
      out.room();
      out.byte(SPACE);
      out.byte(OPEN);
      this.#inner(id, start, name, copy, level);
      out.byte(CLOSE);
    }
    this.parameters(id, level);
  }

  /** What stands inside the parentheses of an array or a function: the rest of the chain. */
  #inner(id: number, start: number, name: number, copy: number, level: number): void {
    if (++this.#nesting > MAX_NESTING) throw this.blob.errorAt(id, `type ${id} is nested deeper than ${MAX_NESTING} declarations`, 'limit');
    this.#write(start, name, copy, level);
    this.#nesting--;
  }

  /** `(int a, ...)` */
  protected parameters(id: number, level: number): void {
    const { out } = this;
    const { words } = this.blob.ownerOf(id);
    const at = this.blob.recordOf(id);
    const vlen = vlenOfInfo(words[at + 1]!);
    const first = at + RECORD_WORDS;
    // Clang writes a function without parameters as one of a single void.
    if (vlen === 0 || (vlen === 1 && words[first + 1] === 0)) {
      this.put(NO_PARAMETERS);
      return;
    }
    out.room();
    out.byte(OPEN);
    for (let i = first, end = first + vlen * 2; i < end; i += 2) {
      out.room();
      if (i > first) {
        out.byte(COMMA);
        out.byte(SPACE);
      }
      if (i === end - 2 && words[i + 1] === 0) out.put(ELLIPSIS);
      else this.declare(words[i + 1]!, words[i]!, 1, level);
    }
    out.room();
    out.byte(CLOSE);
  }

  /** The declared name. */
  #declared(name: number, copy: number, afterPointer: boolean): void {
    this.out.room();
    if (name !== 0 && !afterPointer) this.out.byte(SPACE);
    this.name(name, copy);
  }
}

/** `id` in C, declaring `name` where that is not ''. @throws FormatError */
export function declare(blob: BtfBlob, id: number, name: string): string {
  return written(blob, writer => {
    writer.givenName = new TextEncoder().encode(name);
    writer.declare(id, name === '' ? 0 : GIVEN, 1, 0);
  });
}

/** A FUNC, or a FUNC_PROTO without a name, in C. @throws FormatError */
export function prototypeOf(blob: BtfBlob, id: number): string {
  if (blob.kindNumber(id) !== KIND.FUNC) return written(blob, writer => writer.declare(id, 0, 1, 0));
  const { words } = blob.ownerOf(id);
  const at = blob.recordOf(id);
  return written(blob, writer => writer.declare(words[at + 2]!, words[at]!, 1, 0));
}

function written(blob: BtfBlob, write: (writer: DeclarationWriter) => void): string {
  let text = '';
  const out = new Writer(bytes => (text += decoder.decode(bytes, { stream: true })), CAPACITY);
  write(new DeclarationWriter(blob, out));
  out.flush();
  return text + decoder.decode();
}

const CAPACITY = 1 << 12;
const decoder = new TextDecoder();
