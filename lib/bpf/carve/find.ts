import type { ByteSource } from '../../../elf/source.js';

/** How an object is in the file around it. */
export type Form =
  /** As it is: the file itself, or a part of .rodata. */
  | 'ELF'
  /** A string literal of C, Go or Rust source: `"\x7f\x45\x4c\x46…"`, as `bpftool gen skeleton` writes it. */
  | 'string literal'
  /** A list of numbers in source: `0x7f, 0x45, 0x4c, 0x46, …`, as `xxd -i` writes it, or in decimal. */
  | 'byte list'
  /** Hexadecimal digits alone: `7f454c46…`. */
  | 'hex string'
  | 'base64'
  | 'base64 of gzip'
  | 'base64 of zlib'
  | 'base64 of zstd'
  | 'gzip'
  | 'zstd'
  /** What `bpftool gen skeleton -L` embeds: no ELF file, but a loader program and the data that it works on. */
  | 'light skeleton';

/** A run of bytes, of an object. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/** A program of an embedded object. */
export interface FoundProgram {
  readonly name: string;
  /** The section, which says what it attaches to; absent in a light skeleton. */
  readonly section?: string;
  /** Of a light skeleton: its instructions in the data, into which the loader puts what only the kernel knows. */
  readonly instructions?: ByteRange;
}

/** One embedded object. */
export interface Find {
  readonly form: Form;
  /** Where it begins in the file, and how many bytes it takes there. */
  readonly offset: number;
  readonly extent: number;
  /** The object, as it was before it was embedded. */
  readonly bytes: Uint8Array;
  readonly programs: readonly FoundProgram[];
  /** Of a light skeleton: the BTF in its data. */
  readonly btf?: ByteRange;
  /** Of a light skeleton: the loader's instructions, and where they are in the file; absent if they are not near. */
  readonly loader?: { readonly offset: number; readonly bytes: Uint8Array };
}

/** How to search for one form. */
export interface Finder {
  /** Each of them is where an object may be. */
  readonly needles: readonly Uint8Array[];
  /** Only in source code, which has no NUL: not worth a look in programs and libraries. */
  readonly sourceOnly: boolean;
  /**
   * Looks closely at an offset where a needle was found. The result is the object, or else from where on the same needle is worth looking
   * for: an offset beyond the one that was given.
   */
  examine(source: ByteSource, offset: number): Find | number;
}

/** An object that was found in a file; its bytes are not kept. */
export interface CarvedObject extends Omit<Find, 'bytes' | 'loader'> {
  readonly path: string;
  /** Of the object, which the file may hold in a longer form. */
  readonly length: number;
  readonly sha256: string;
  /** Of a light skeleton: where the loader's instructions begin in the file, and how many bytes they are. */
  readonly loader?: ByteRange;
  /** The file it was written to; of a light skeleton, the folder with its parts. */
  readonly written?: string;
}

/** What was found in some files. */
export interface Carved {
  readonly objects: readonly CarvedObject[];
  /** A line for each file that could not be read. */
  readonly problems: readonly string[];
}
