/** The input is well-formed, and lacks what the question needs. */
export class MissingError extends Error {
  override readonly name: string = 'MissingError';
}

/** A file, or the standard output, can't be written. */
export class OutputError extends Error {
  override readonly name: string = 'OutputError';

  /** @param what what was done, the start of the message: the system's own words follow */
  constructor(what: string, cause: Error) {
    // `ENOSPC: no space left on device, write`, `ENOENT: no such file or directory, open '/nowhere/file'`
    super(`${what}: ${cause.message.replace(/^[A-Z0-9]+: |, [a-z]+( '.*')?$/gs, '')}`, { cause });
  }
}

/** A file that can't be opened or read, as the system says it, or that is not a file. */
export class InputError extends Error {
  override readonly name: string = 'InputError';
  readonly code: string;
  readonly path: string;

  constructor(path: string, code: string, message: string, options?: ErrorOptions) {
    super(`${path}: ${message}`, options);
    this.path = path;
    this.code = code;
  }
}
