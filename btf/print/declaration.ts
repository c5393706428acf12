import type { FormatError } from '../../elf/errors.js';
import type { BtfBlob } from '../blob.js';
import { MAX_DEPTH } from '../layout.js';
import { KIND } from '../wire.js';
import { type DeclarationKernel, linkDeclarationKernel } from './declaration-kernel.js';
import { BlobHeap } from './heap.js';
import { linkTextKernel, type NameTables, type Places, TEXT, type TextKernel } from './text-kernel.js';

/** Characters of one declaration. A damaged blob may repeat a name of a megabyte for as often as it has types. */
const MAX_TEXT = 1 << 26;
/** Bytes that are made a string at a time. */
const ROOM = 1 << 12;

/** Makes the declarations of one blob. */
class Declarer {
  readonly #blob: BtfBlob;
  readonly #heap: BlobHeap;
  readonly #parts: Parts;
  readonly #decoder = new TextDecoder();
  #text = '';
  #name = '';

  constructor(blob: BtfBlob) {
    this.#blob = blob;
    this.#heap = new BlobHeap(blob, PARTS, ROOM);
    this.#parts = linkParts(blob, this.#heap, { flush: at => this.#flush(at), given: at => this.#given(at) });
  }

  declare(id: number, name: string): string {
    const parts = this.#parts;
    this.#text = '';
    this.#name = name;
    // An error may have left half a character.
    this.#decoder.decode();
    parts.begin();
    parts.reset();
    parts.declare(id, name === '' ? 0 : 1, 1, 0);
    parts.finish();
    return this.#text + this.#decoder.decode();
  }

  #flush(at: number): number {
    const heap = this.#heap;
    // Characters may be cut in two.
    this.#text += this.#decoder.decode(heap.outputTo(at), { stream: true });
    if (this.#text.length > MAX_TEXT) {
      this.#decoder.decode();
      throw this.#blob.errorAt(0, `a declaration takes more than ${MAX_TEXT} bytes`, 'limit');
    }
    return heap.output;
  }

  #given(at: number): number {
    const next = this.#flush(at);
    this.#text += this.#decoder.decode() + this.#name;
    return next;
  }
}

/** Kept, since who asks for one declaration of a blob asks for more: its records are copied once. */
const declarers = new WeakMap<BtfBlob, Declarer>();

/** `id` in C, declaring `name` where that is not ''. @throws FormatError; RangeError for an id that is none */
export function declare(blob: BtfBlob, id: number, name: string): string {
  // An id is looked up on the heap without a check.
  blob.kindNumber(id);
  let declarer = declarers.get(blob);
  if (declarer === undefined) declarers.set(blob, (declarer = new Declarer(blob)));
  return declarer.declare(id, name);
}

/** A FUNC, or a FUNC_PROTO without a name, in C. @throws FormatError */
export function prototypeOf(blob: BtfBlob, id: number): string {
  if (blob.kindNumber(id) !== KIND.FUNC) return declare(blob, id, '');
  const { words } = blob.ownerOf(id);
  const at = blob.recordOf(id);
  return declare(blob, words[at + 2]!, blob.strings.text(words[at]!));
}

/** Ids in the chains of types that are being written at a time. */
const CHAIN = 4096;
/** Bytes that {@link linkParts} takes of a heap's tables. */
export const PARTS: number = 1 << 15;

/** Where text goes. Each is given where output stands, and gives where it goes on. */
export interface Outlet {
  flush(at: number): number;
  /** Adds the name that is to be declared. */
  given(at: number): number;
}

/** What a header has beyond declarations. */
export interface Header extends NameTables {
  /** Writes the body of an anonymous struct, union or enum. */
  putBody(id: number, level: number): void;
}

/** The parts of the C printer that all of C takes, linked with each other; and what further parts are linked with. */
export interface Parts extends Places, TextKernel, DeclarationKernel {
  fail(fault: number, id: number): never;
}

const NO_HEADER: Header = { copies: 0, heads: 0, mask: 0, names: 0, putBody() {} };

export function linkParts(blob: BtfBlob, heap: BlobHeap, outlet: Outlet, header?: Header): Parts {
  const { records, strings, output, end, buffer } = heap;
  const host = {
    ...textOn(heap),
    records,
    strings,
    output,
    end,
    chain: heap.take(CHAIN * 4),
    work: workFor(blob),
    header: header === undefined ? 0 : 1,
    ...(header ?? NO_HEADER),
    ...outlet,
    wide(at: number, low: number, high: number, signed: number): number {
      const value = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
      return heap.put(at, signed === 0 ? `${value}ULL` : `${BigInt.asIntN(64, value)}LL`);
    },
    fail(fault: number, id: number): never {
      throw faultOf(blob, fault, id);
    },
  };
  const text = Object.assign(host, linkTextKernel(buffer, host));
  for (const { firstId, count, start } of heap.layers) text.place(firstId, count, start);
  return Object.assign(text, linkDeclarationKernel(buffer, text));
}

/** Puts the literals on the heap. */
function textOn(heap: BlobHeap): Record<keyof typeof TEXT, number> {
  const addresses: Record<string, number> = {};
  for (const [name, text] of Object.entries(TEXT)) addresses[name] = heap.text(text);
  return addresses as Record<keyof typeof TEXT, number>;
}

/** Steps that a blob of this size justifies: a small whole number, which a compiler keeps in a register. */
function workFor(blob: BtfBlob): number {
  return Math.min(20_000 + 64 * (blob.words.length + (blob.base?.words.length ?? 0)), 2 ** 30);
}

function faultOf(blob: BtfBlob, fault: number, id: number): FormatError {
  const kind = blob.kindNumber(id);
  const [message, code] = (
    [
      [`type ${id} is nested too deeply, or in a cycle`, 'limit'],
      [`type ${id} contains itself`],
      [`type ${id} is of kind ${kind}, which C has no form for`],
      ['the types refer to each other so that their text has no reasonable length', 'limit'],
      [`type ${id} is nested deeper than 100 declarations`, 'limit'],
      [`type ${id} goes through more than 1000 others, or is a cycle`],
      [`type ${id} goes through more than ${MAX_DEPTH} others, or is a cycle`],
      [`type ${id} is larger than 2^53 - 1 bytes`],
      [`type ${id}, of kind ${kind}, is no part of a declaration`],
    ] as const
  )[fault]!;
  return blob.errorAt(id, message, code);
}
