import { ElfWriter, type SectionSpec, type SymbolSpec } from '../elf-writer.js';

/** A file made to cost more than its size: what it is called, its bytes, and what is asked about it. */
export interface EvilFile {
  readonly name: string;
  /** @param size about so many bytes */
  readonly bytes: (size: number) => Uint8Array;
  /** Calls of the command line, FILE for the file. */
  readonly calls: readonly (readonly string[])[];
}

// What several of them are made of.

const writer = new ElfWriter();
export const TEXT = 0x1000n;
export const PROGBITS = 1;

/** An ELF file of a machine's code, with symbols `f0`, `f1` … over it, and further sections. */
export function kernelLike(sections: readonly SectionSpec[], functions = 16, type = 2): Uint8Array {
  const symbols: SymbolSpec[] = Array.from({ length: functions }, (_, i) => {
    return { name: `f${functions > 16 ? i : i % 8}`, value: TEXT + BigInt(i * 16), size: 16n, type: 2, binding: 1, section: 1 };
  });
  return writer.file({
    type,
    sections: [
      { name: '.text', type: PROGBITS, flags: 6, address: TEXT, data: new Uint8Array(functions * 16) },
      ...writer.symbols(symbols),
      ...sections,
    ],
  });
}

export function u32(value: number): number[] {
  return [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24];
}

export function u64(value: number): number[] {
  return [...u32(value), 0, 0, 0, 0];
}

/** A growing run of bytes. */
export class Bytes {
  #bytes = new Uint8Array(1 << 12);
  length = 0;

  add(values: ArrayLike<number>): this {
    while (this.length + values.length > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes.set(values, this.length);
    this.length += values.length;
    return this;
  }

  done(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }
}

export function repeated(count: number, make: (index: number) => ArrayLike<number>): Uint8Array {
  const bytes = new Bytes();
  for (let i = 0; i < count; i++) bytes.add(make(i));
  return bytes.done();
}
