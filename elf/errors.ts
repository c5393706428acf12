/** What is wrong with an input, by kind. The text of an error may change between versions, its code does not. */
export type FormatErrorCode =
  /** The input ends before the structure does. */
  | 'truncated'
  /** The first bytes are not those of the format. */
  | 'bad-magic'
  /** A field holds a value the format does not allow. */
  | 'bad-value'
  /** An offset, index or size points outside what it indexes. */
  | 'out-of-range'
  /** Well-formed, but of a version or variant that kelf does not read. */
  | 'unsupported'
  /** A checksum or a compressed stream does not verify. */
  | 'corrupt'
  /** Larger than the limit that was given for it. */
  | 'limit';

/** Where in an input something stands: the file's or section's name, and the byte offset in it. */
export interface Place {
  /** `vmlinux`, or `vmlinux: .BTF` for a part of a file. */
  readonly name: string;
  readonly offset?: number;
}

/** The only error that a malformed input causes. Its message is one line: where, what was found, what was expected. */
export class FormatError extends Error {
  override readonly name: string = 'FormatError';
  readonly code: FormatErrorCode;
  readonly place: Place;

  constructor(code: FormatErrorCode, place: Place, message: string, options?: ErrorOptions) {
    super(`${formatPlace(place)}: ${message}`, options);
    this.code = code;
    this.place = place;
  }

  /** `vmlinux: .BTF+0x1f3a` */
  get where(): string {
    return formatPlace(this.place);
  }
}

/** True for a FormatError of any copy of this package that a program has loaded. */
export function isFormatError(error: unknown): error is FormatError {
  return error instanceof Error && error.name === 'FormatError' && 'place' in error;
}

/** `vmlinux: .BTF+0x1f3a`, or the name alone where there is no offset. */
export function formatPlace(place: Place): string {
  return place.offset === undefined ? place.name : `${place.name}+0x${place.offset.toString(16)}`;
}

/** Damage in one part of an input, or something in it that kelf does not know: said, while the rest is still read. */
export interface Diagnostic {
  readonly place: Place;
  readonly message: string;
}
