import type { BtfBlob } from '../blob.js';
import { isModifier } from '../layout.js';
import { flagOfInfo, KIND, kindOfInfo, RECORD_WORDS, vlenOfInfo } from '../wire.js';

/** Declarations inside declarations (a function pointer's parameters, an anonymous struct's members), and types that follow each other in one. */
const MAX_NESTING = 100;
const MAX_CHAIN = 1000;
/** Characters of one definition. A damaged blob may repeat a name of a megabyte for as often as it has types. */
const MAX_TEXT = 1 << 26;

/** Steps that a blob of this size justifies: a small whole number, which a compiler keeps in a register. */
export function workFor(blob: BtfBlob): number {
  return Math.min(20_000 + 64 * (blob.words.length + (blob.base?.words.length ?? 0)), 2 ** 30);
}

/**
 * Makes C declarations. BTF says `pointer to const char`, C says `const char *`: the chain of types from the declared one to the one at its end is
 * gathered and then written from its end (btf_dump_emit_type_decl and btf_dump_emit_type_chain of libbpf, whose form this follows).
 */
export class DeclarationWriter {
  protected readonly blob: BtfBlob;
  /** What stands behind the declared name, of the last {@link front}: `[4]`, `)(int)`. */
  protected back = '';
  /** The chains that are being written; an inner declaration's stands behind those around it. */
  private readonly chain: number[] = [];
  private nesting = 0;
  /** A damaged blob of a few hundred bytes can describe a declaration of as many terabytes: each type written in one counts. */
  protected budget: number;

  constructor(blob: BtfBlob) {
    this.blob = blob;
    this.budget = workFor(blob);
  }

  /** `name` declared as of type `id`; the type alone where it is ''. @param level of indentation that members of an anonymous struct go beyond */
  declaration(id: number, name: string, level: number): string {
    const front = this.front(id, name !== '', level);
    return `${front}${name}${this.back}`;
  }

  /** What stands in front of the declared name, with the space between them where one is needed; {@link back} is set to what stands behind it. */
  protected front(id: number, named: boolean, level: number): string {
    const { blob, chain } = this;
    const start = chain.length;
    if (++this.nesting > MAX_NESTING) throw blob.errorAt(id, `type ${id} is nested deeper than ${MAX_NESTING} declarations`, 'limit');
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
    const front = this.write(start, named, level);
    this.nesting--;
    return front;
  }

  /** Counts work against what the blob's size justifies. */
  protected spend(steps: number, id: number): void {
    this.budget -= steps;
    if (this.budget < 0) throw this.blob.errorAt(id, 'the types refer to each other so that their text has no reasonable length', 'limit');
  }

  /** Refuses text of no reasonable length: a string has no room for it. */
  protected measure(text: string, id: number): void {
    if (text.length > MAX_TEXT) throw this.blob.errorAt(id, `the text of type ${id} takes more than ${MAX_TEXT} bytes`, 'limit');
  }

  /** The string at an offset. */
  protected name(offset: number): string {
    return this.blob.strings.text(offset);
  }

  /** `struct name`, or the body of an anonymous one. */
  protected composite(id: number, _level: number): string {
    return this.tag(this.blob.kindNumber(id) === KIND.STRUCT ? 'struct' : 'union', id);
  }

  /** `enum name`, or the body of an anonymous one. */
  protected enumeration(id: number, _level: number): string {
    return this.tag('enum', id);
  }

  private tag(keyword: string, id: number): string {
    const name = this.blob.nameOffset(id);
    return name === 0 ? `${keyword} {...}` : `${keyword} ${this.name(name)}`;
  }

  protected typedefName(id: number): string {
    return this.name(this.blob.nameOffset(id));
  }

  /** Writes the chain from its end down to `start`, and takes it off. */
  private write(start: number, named: boolean, level: number): string {
    const { blob, chain } = this;
    let text = '';
    // The first pointer follows a parenthesis or nothing: no space before it.
    let afterPointer = true;
    while (chain.length > start) {
      const id = chain.pop()!;
      const kind = blob.kindNumber(id);
      switch (kind) {
        case KIND.VOID:
          text += `${this.modifiers(start)}void`;
          break;
        case KIND.PTR:
          text += afterPointer ? '*' : ' *';
          break;
        case KIND.CONST:
          text += ' const';
          break;
        case KIND.VOLATILE:
          text += ' volatile';
          break;
        case KIND.RESTRICT:
          text += ' restrict';
          break;
        case KIND.TYPE_TAG:
          text += `${this.modifiers(start)} __attribute__((btf_type_tag("${this.name(blob.nameOffset(id))}")))`;
          break;
        case KIND.ARRAY:
          return this.array(id, start, named, level, text, afterPointer);
        case KIND.FUNC_PROTO:
          return this.function(id, start, named, level, text, afterPointer);
        default:
          text += this.modifiers(start);
          text += this.end(id, kind, level);
      }
      this.measure(text, id);
      afterPointer = kind === KIND.PTR;
    }
    this.back = '';
    return named && !afterPointer ? `${text} ` : text;
  }

  /** The type at the end of a chain. */
  private end(id: number, kind: number, level: number): string {
    switch (kind) {
      case KIND.STRUCT:
      case KIND.UNION:
        return this.composite(id, level);
      case KIND.ENUM:
      case KIND.ENUM64:
        return this.enumeration(id, level);
      case KIND.FWD:
        return this.forward(id);
      case KIND.TYPEDEF:
        return this.typedefName(id);
      case KIND.INT:
      case KIND.FLOAT:
        return this.name(this.blob.nameOffset(id));
      default:
        throw this.blob.errorAt(id, `type ${id}, of kind ${kind}, is no part of a declaration`);
    }
  }

  protected forward(id: number): string {
    const { words } = this.blob.ownerOf(id);
    const at = this.blob.recordOf(id);
    return `${flagOfInfo(words[at + 1]!) ? 'union' : 'struct'} ${this.name(words[at]!)}`;
  }

  /** Const, volatile and restrict of what is at the end of a chain stand before it. */
  private modifiers(start: number): string {
    const { chain } = this;
    let text = '';
    for (; chain.length > start; chain.pop()) {
      const kind = this.blob.kindNumber(chain[chain.length - 1]!);
      if (kind === KIND.CONST) text += 'const ';
      else if (kind === KIND.VOLATILE) text += 'volatile ';
      else if (kind === KIND.RESTRICT) text += 'restrict ';
      else break;
    }
    return text;
  }

  /** GCC repeats an element's const on the array, and marks noreturn functions volatile: C has no place for either. */
  private dropModifiers(start: number): void {
    const { chain } = this;
    while (chain.length > start && isModifier(this.blob.kindNumber(chain[chain.length - 1]!))) chain.pop();
  }

  /** An array, `text` standing for its elements' type. */
  private array(id: number, start: number, named: boolean, level: number, text: string, afterPointer: boolean): string {
    const { blob, chain } = this;
    this.dropModifiers(start);
    const space = named && !afterPointer ? ' ' : '';
    const elements = blob.ownerOf(id).words[blob.recordOf(id) + RECORD_WORDS + 2]!;
    if (chain.length === start) {
      this.back = `[${elements}]`;
      return `${text}${space}`;
    }
    const nested = blob.kindNumber(chain[chain.length - 1]!) === KIND.ARRAY;
    const inner = this.inner(id, start, named, level);
    this.back += nested ? `[${elements}]` : `)[${elements}]`;
    return `${text}${space}${nested ? '' : '('}${inner}`;
  }

  /** A function, `text` standing for what it returns. */
  private function(id: number, start: number, named: boolean, level: number, text: string, afterPointer: boolean): string {
    this.dropModifiers(start);
    if (this.chain.length === start) {
      this.back = this.parameters(id, level);
      return `${text}${named && !afterPointer ? ' ' : ''}`;
    }
    const front = `${text} (${this.inner(id, start, named, level)}`;
    // The parameters are declarations too, and set it.
    const { back } = this;
    const parameters = this.parameters(id, level);
    this.back = `${back})${parameters}`;
    return front;
  }

  /** What stands inside the parentheses of an array or a function: the rest of the chain. */
  private inner(id: number, start: number, named: boolean, level: number): string {
    if (++this.nesting > MAX_NESTING) throw this.blob.errorAt(id, `type ${id} is nested deeper than ${MAX_NESTING} declarations`, 'limit');
    const text = this.write(start, named, level);
    this.nesting--;
    return text;
  }

  /** `(int a, ...)` */
  private parameters(id: number, level: number): string {
    const { words } = this.blob.ownerOf(id);
    const at = this.blob.recordOf(id);
    const vlen = vlenOfInfo(words[at + 1]!);
    const first = at + RECORD_WORDS;
    // Clang writes a function without parameters as one of a single void.
    if (vlen === 0 || (vlen === 1 && words[first + 1] === 0)) return '(void)';
    let text = '(';
    for (let i = first, end = first + vlen * 2; i < end; i += 2) {
      if (i > first) text += ', ';
      if (i === end - 2 && words[i + 1] === 0) text += '...';
      else text += this.declaration(words[i + 1]!, words[i] === 0 ? '' : this.name(words[i]!), level);
      this.measure(text, id);
    }
    return `${text})`;
  }
}

/** `id` in C, declaring `name` where that is not ''. @throws FormatError */
export function declare(blob: BtfBlob, id: number, name: string): string {
  return new DeclarationWriter(blob).declaration(id, name, 0);
}

/** A FUNC, or a FUNC_PROTO without a name, in C. @throws FormatError */
export function prototypeOf(blob: BtfBlob, id: number): string {
  if (blob.kindNumber(id) !== KIND.FUNC) return declare(blob, id, '');
  const { words } = blob.ownerOf(id);
  const at = blob.recordOf(id);
  return declare(blob, words[at + 2]!, blob.strings.text(words[at]!));
}
