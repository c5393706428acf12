import { isFormatError } from '../../elf/errors.js';
import { isElf } from '../../elf/header.js';
import type { ByteSource } from '../../elf/source.js';
import { openKernelFile } from '../image/unwrap.js';
import { openSource } from '../node/source.js';
import { MissingError } from './command.js';

/**
 * The ELF file that a command was asked about: the file itself, or the one in it, of a packed module (`.ko.xz`) or a kernel as it boots
 * (`vmlinuz`). What is none of these is returned as it is: what reads it says so.
 * @throws InputError, FormatError for a damaged wrapper, MissingError for a kernel that is no ELF file within either
 */
export function openElfSource(path: string): ByteSource {
  const source = openSource(path);
  if (isElf(source.read(0, Math.min(4, source.size)))) return source;
  const inside = unwrapped(source);
  if (inside === undefined) return source;
  // elfAround() makes a file of a raw image, for those who ask for its memory; nobody wrote the tables of that.
  if (inside.form.at(-1) !== 'ELF')
    throw new MissingError(
      `${path} contains no ELF file (${inside.form.join(', ')}) and so no such tables; kelf info, kallsyms and btf dump can read it`,
    );
  return inside.source;
}

/** What is packed or boots, unpacked; undefined where it is neither. */
export function unwrapped(source: ByteSource): { readonly source: ByteSource; readonly form: readonly string[] } | undefined {
  try {
    const found = openKernelFile(source);
    return { source: 'file' in found ? found.file.source : found.btf, form: found.form };
  } catch (error) {
    if (isFormatError(error) && error.code === 'bad-magic') return undefined;
    throw error;
  }
}
