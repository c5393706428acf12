import { type FormatErrorCode, isFormatError } from '../../elf/errors.js';
import { InputError } from '../errors.js';
import type { Report } from './report.js';

/** Why there is no answer. One set of codes: those of a damaged file, and a code for each other way to fail, which the exit code tells as well. */
export interface ErrorModel {
  readonly error: {
    readonly code: FormatErrorCode | 'usage' | 'missing' | 'input' | 'internal';
    readonly message: string;
    /** Of `input`: what the system says. */
    readonly errno?: string;
    /** Of `input`: the file. */
    readonly path?: string;
    /** Of a damaged file: `vmlinux: .BTF+0x1f3a`. */
    readonly where?: string;
  };
}

/** What `--json` prints in the place of an answer; the text of it goes to stderr. */
export const errorReport: Report<ErrorModel> = { schema: 'kelf/error', version: 1, text: ({ error }) => [error.message] };

/** Of any error: what is none of an input, a question or a call is of kelf itself. */
export function errorModel(error: Error): ErrorModel {
  const { message, name } = error;
  if (isFormatError(error)) return { error: { code: error.code, message, where: error.where } };
  if (error instanceof InputError) return { error: { code: 'input', message, errno: error.code, path: error.path } };
  if (name === 'UsageError' || name === 'RequirementsError') return { error: { code: 'usage', message } };
  return { error: { code: name === 'MissingError' ? 'missing' : 'internal', message } };
}
