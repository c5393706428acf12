import type { Words } from './words.js';

/** Rows of a relocation table as columns. */
export interface RelocationRows {
  readonly count: number;
  /** r_offset: an address in a linked file, an offset in the section in a relocatable one. */
  readonly offset: Words;
  readonly type: Uint32Array;
  /** Index in the symbol table that the relocation section links to; 0 for none. */
  readonly symbol: Uint32Array;
  /** r_addend, wrapped to 64 bits; absent in REL and RELR, whose addend is the word in place. */
  readonly addend?: Words;
}
