import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import { Allowance } from '../../../elf/allowance.js';

/** A function's type in C, without its name: `ssize_t(struct file *file, const char *buf, size_t count, loff_t *ppos)`. */
export interface Prototype {
  readonly text: string;
  /** Of the text alone, 52 bits of it: the same in every kernel that has the same text. */
  readonly id: number;
}

/** Characters of all texts of a blob together, for each byte of it: real ones take one. A damaged blob may name a type of a megabyte often. */
const PER_BYTE = 8;
const SPARE = 1 << 22;

/** The types of a blob in C, each put into words once. @throws FormatError where they come to more than the blob is worth */
export class TypeTexts {
  readonly #write: (id: TypeId) => string;
  readonly #pay: (cost: number) => void;
  readonly #texts = new Map<TypeId, string>();

  /** @param write declarations where not given */
  constructor(btf: Btf, write: (id: TypeId) => string = id => btf.declaration(id)) {
    const { typeLength, stringLength } = btf.header;
    this.#write = write;
    this.#pay = new Allowance(btf.name, 'its types in C', PER_BYTE * (typeLength + stringLength) + SPARE).account(0);
  }

  /** @throws FormatError */
  of(id: TypeId): string {
    let text = this.#texts.get(id);
    if (text === undefined) {
      text = this.#write(id);
      this.#pay(text.length);
      this.#texts.set(id, text);
    }
    return text;
  }
}

/** The prototypes of a blob. Those whose texts are the same are one. */
export class Prototypes {
  readonly #texts: TypeTexts;
  readonly #byText = new Map<string, Prototype>();

  constructor(btf: Btf) {
    this.#texts = new TypeTexts(btf, proto => btf.prototype(proto));
  }

  /** @param proto the id of a FUNC_PROTO @throws FormatError */
  of(proto: TypeId): Prototype {
    const text = this.#texts.of(proto);
    let prototype = this.#byText.get(text);
    if (prototype === undefined) this.#byText.set(text, (prototype = { text, id: hashText(text) }));
    return prototype;
  }
}

/** FNV-1a's prime and basis, and another basis for the second half. */
const PRIME = 0x0100_0193;
const BASIS = 0x811c_9dc5;
const OTHER_BASIS = 0x9747_b28c;

/**
 * Two 32-bit FNV-1a hashes over the UTF-16 units of a text, of which 52 bits are kept: a number holds them. A dataset of 10,000 kernels has
 * some 10^6 distinct prototypes, two of which then share an id with a probability of one in 10^4.
 */
export function hashText(text: string): number {
  let one = BASIS;
  let other = OTHER_BASIS;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    one = Math.imul(one ^ unit, PRIME);
    other = Math.imul(other ^ ((unit << 8) | (unit >>> 8)) ^ at, PRIME);
  }
  return (mixed(one) & 0xf_ffff) * 0x1_0000_0000 + (mixed(other) >>> 0);
}

/** The last step of MurmurHash3: every bit counts for every bit. */
function mixed(hash: number): number {
  let mix = hash ^ (hash >>> 16);
  mix = Math.imul(mix, 0x85eb_ca6b);
  mix ^= mix >>> 13;
  mix = Math.imul(mix, 0xc2b2_ae35);
  return mix ^ (mix >>> 16);
}
