import type { ElfFile } from '../../elf/file.js';
import { isElf } from '../../elf/header.js';
import type { ByteSource } from '../../elf/source.js';
import { rooms } from '../rooms.js';
import { openElf } from './elf.js';

/** A kernel as an ELF file, and what it was wrapped in. */
export interface KernelFile {
  readonly file: ElfFile;
  /** From the outside in: `['x86 bzImage', 'lz4-legacy', 'ELF']`. */
  readonly form: readonly string[];
}

/**
 * Opens a kernel in any form it is shipped in: an ELF file; a bzImage, zImage, zboot or raw Image; any of them packed once more. What is wrapped
 * is unpacked into memory; an ELF file is read where it stands.
 * @throws FormatError for what is no kernel, and for damage in any layer
 */
export function openKernelFile(source: ByteSource): KernelFile {
  if (isElf(source.read(0, Math.min(4, source.size)))) return kernelInElf(source, []);
  return rooms.unwrap().unwrapKernel(source.read(0, source.size), source.name, []);
}

/** An ELF file that boots itself has the kernel packed in a section: the zImage of powerpc. */
export function kernelInElf(source: ByteSource, form: readonly string[]): KernelFile {
  const file = openElf(source);
  const packed = file.section('.kernel:vmlinux.strip');
  if (packed === undefined) return { file, form: [...form, 'ELF'] };
  return rooms.unwrap().unwrapKernel(packed.data(), source.name, [...form, 'powerpc zImage']);
}
