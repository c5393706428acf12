import { isBtf } from '../../btf/wire.js';
import { mostUnpacked } from '../../elf/allowance.js';
import { KERNEL_STARTS, packingOf } from '../../elf/compression/packing.js';
import { unpack } from '../../elf/compression/unpack.js';
import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { isElf } from '../../elf/header.js';
import { indexOfBytes } from '../../elf/needle.js';
import { type ByteSource, MemorySource } from '../../elf/source.js';
import type { RawImageKind } from '../arch/architecture.js';
import { MissingError } from '../errors.js';
import { BANNER } from './bytes.js';
import { containerOf } from './container.js';
import { elfAround } from './elf-around.js';
import { analyseRawImage } from './raw-image.js';

/** A kernel is wrapped two or three times; more is treated as a bomb. */
const DEEPEST = 6;
/** Streams that are tried in a file that does not say where its kernel is packed. */
const MOST_TRIES = 64;
/** Bytes that may come out of one of them, and what is looked at before that much is believed of it. */
const LARGEST = 2 ** 28;
const FIRST_LOOK = 2 ** 20;

/** What may still come out of a file, all of its layers together. */
interface Budget {
  left: number;
}

function budgetOf({ size }: ByteSource): Budget {
  return { left: Math.min(mostUnpacked(size), 2 ** 30) };
}

/** A kernel as an ELF file, and what it was wrapped in. */
export interface KernelFile {
  readonly file: ElfFile;
  /** From the outside in: `['x86 bzImage', 'lz4-legacy', 'ELF']`. */
  readonly form: readonly string[];
}

/**
 * Opens a kernel in any form it is shipped in: an ELF file; a bzImage, zImage, zboot or raw Image; any of them packed once more. What is
 * wrapped is unpacked into memory; an ELF file is read where it stands.
 * @throws FormatError for what is not a kernel, and for damage in any layer
 */
export function openKernelFile(source: ByteSource): KernelFile {
  if (isElf(source.read(0, Math.min(4, source.size)))) return kernelInElf(source, [], budgetOf(source));
  return unwrap(source.read(0, source.size), source.name, [], budgetOf(source));
}

/** An ELF file that boots itself has the kernel packed in a section: the zImage of powerpc. */
function kernelInElf(source: ByteSource, form: readonly string[], budget: Budget): KernelFile {
  const file = ElfFile.open(source);
  const packed = file.section('.kernel:vmlinux.strip');
  if (packed === undefined) return { file, form: [...form, 'ELF'] };
  return unwrap(packed.data(), source.name, [...form, 'powerpc zImage'], budget);
}

/** @param form what the bytes were found in so far */
function unwrap(bytes: Uint8Array, name: string, form: readonly string[], budget: Budget): KernelFile {
  if (form.length >= DEEPEST) throw new FormatError('limit', { name }, `is wrapped more than ${DEEPEST} times`);
  if (isElf(bytes)) return kernelInElf(new MemorySource(bytes, name), form, budget);
  const container = containerOf(bytes, name);
  if (container !== undefined) {
    const inside = [...form, container.form];
    if ('payload' in container) {
      const { format, bytes } = unpack(container.payload, {
        name,
        limit: budget.left,
        ...(container.sizeHint === undefined ? {} : { sizeHint: container.sizeHint }),
      });
      budget.left -= bytes.length;
      return unwrap(bytes, name, [...inside, format], budget);
    }
    if ('search' in container) return { file: rawImage(searchPacked(container.search, name, budget), container.raw, name), form: inside };
    return { file: rawImage(bytes, container.raw, name), form: inside };
  }
  const packing = packingOf(bytes);
  if (packing === undefined && isBtf(bytes)) {
    throw new MissingError(
      `${name} is BTF alone, and names no functions: kelf btf and kelf bpf core read it, and --btf puts it beside a kernel`,
    );
  }
  if (packing === undefined) {
    const start = [...bytes.subarray(0, 4)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
    const found = bytes.length === 0 ? 'the file is empty' : `it begins with ${start}`;
    throw new FormatError('bad-magic', { name }, `not a kernel: not an ELF file, a boot image or a compressed file (${found})`);
  }
  const inside = unpack(bytes, { name, trailing: 'ignore', limit: budget.left }).bytes;
  budget.left -= inside.length;
  return unwrap(inside, name, [...form, packing], budget);
}

function rawImage(bytes: Uint8Array, kind: RawImageKind, name: string): ElfFile {
  return ElfFile.open(elfAround(analyseRawImage(bytes, kind, name), name));
}

/** Whether more comes out than a first look takes. @throws FormatError for what is no such stream */
function isLong(packed: Uint8Array, name: string): boolean {
  try {
    unpack(packed, { name, trailing: 'ignore', limit: FIRST_LOOK });
    return false;
  } catch (error) {
    if (error instanceof FormatError && error.code === 'limit') return true;
    throw error;
  }
}

/** The first packed stream in the bytes that unpacks to something with a kernel's banner: short magic numbers occur by chance. */
function searchPacked(bytes: Uint8Array, name: string, budget: Budget): Uint8Array {
  let tries = 0;
  /** Of the stream that went furthest: the kernel's, where it is damaged. */
  let furthest: { readonly at: number; readonly end: number; readonly error: FormatError } | undefined;
  for (let at = 0; at < bytes.length && tries < MOST_TRIES && budget.left > 0; at++) {
    if (!KERNEL_STARTS.has(bytes[at]!)) continue;
    const rest = bytes.subarray(at);
    if (packingOf(rest) === undefined) continue;
    tries++;
    let limit = Math.min(budget.left, FIRST_LOOK);
    try {
      if (isLong(rest, name)) limit = Math.min(budget.left, LARGEST);
      const unpacked = unpack(rest, { name, trailing: 'ignore', limit }).bytes;
      budget.left -= unpacked.length;
      if (indexOfBytes(unpacked, BANNER) >= 0) return unpacked;
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      // What a damaged stream made is unknown: as much as it was allowed at most.
      budget.left -= limit;
      const end = error.place.offset ?? 0;
      if (furthest === undefined || end > furthest.end) furthest = { at, end, error };
    }
  }
  const none = 'found no packed kernel after the boot code';
  if (furthest === undefined) throw new FormatError('unsupported', { name }, none);
  const { at, end, error } = furthest;
  const message = error.message.slice(error.where.length + 2);
  throw new FormatError(error.code, { name, offset: at + end }, `${none}; the data packed at 0x${at.toString(16)}: ${message}`, {
    cause: error,
  });
}
