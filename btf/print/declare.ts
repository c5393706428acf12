import type { BtfBlob } from '../blob.js';
import { FlatTypes } from '../flat.js';
import type { TypeId } from '../ids.js';
import { KIND } from '../kinds.js';
import { DeclarationWriter } from './declaration.js';
import { IN_C, Writer } from './writer.js';

/** Characters of one declaration. A damaged blob may repeat a name of a megabyte for as often as it has types. */
const MAX_TEXT = 1 << 26;
/** Bytes that are made a string at a time. */
const ROOM = 1 << 12;

/** Makes the declarations of one blob. */
class Declarer {
  readonly #blob: BtfBlob;
  readonly #out: Writer;
  readonly #writer: DeclarationWriter;
  readonly #decoder = new TextDecoder();
  #text = '';

  constructor(blob: BtfBlob) {
    this.#blob = blob;
    const types = new FlatTypes(blob);
    this.#out = new Writer(types.strings, bytes => this.#take(bytes), IN_C, ROOM);
    this.#writer = new DeclarationWriter(blob, this.#out, types);
  }

  declare(id: TypeId, name: string): string {
    // An error may have left half a text.
    this.#out.flush();
    this.#decoder.decode();
    this.#text = '';
    this.#writer.declareAs(id, name);
    this.#out.flush();
    return this.#text + this.#decoder.decode();
  }

  #take(bytes: Uint8Array): void {
    // Characters may be cut in two.
    this.#text += this.#decoder.decode(bytes, { stream: true });
    if (this.#text.length <= MAX_TEXT) return;
    this.#text = '';
    throw this.#blob.errorAt(0, `a declaration takes more than ${MAX_TEXT} bytes`, 'limit');
  }
}

/** Kept, since who asks for one declaration of a blob asks for more. */
const declarers = new WeakMap<BtfBlob, Declarer>();

/** `id` in C, declaring `name` where that is not ''. @throws FormatError; RangeError for an invalid id */
export function declare(blob: BtfBlob, id: TypeId, name: string): string {
  blob.kindNumber(id);
  let declarer = declarers.get(blob);
  if (declarer === undefined) declarers.set(blob, (declarer = new Declarer(blob)));
  return declarer.declare(id, name);
}

/** A FUNC, or a FUNC_PROTO without a name, in C. @throws FormatError */
export function prototypeOf(blob: BtfBlob, id: TypeId): string {
  if (blob.kindNumber(id) !== KIND.FUNC) return declare(blob, id, '');
  const { words } = blob.ownerOf(id);
  const at = blob.recordOf(id);
  return declare(blob, words[at + 2]!, blob.strings.text(words[at]!));
}
