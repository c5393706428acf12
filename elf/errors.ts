/** The kinds of errors in an input. The text of an error may change between versions, but not its code. */
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
  /** Larger than its limit. */
  | 'limit';

/** A position in an input: the name of the file or section, and the byte offset in it. */
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

/** Damage in one part of an input, or something in it that kelf does not know: it is reported, and the rest is still read. */
export interface Diagnostic {
  readonly place: Place;
  readonly message: string;
}
