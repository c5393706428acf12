import { isBtf } from '../../btf/wire.js';
import { mostUnpacked } from '../../elf/allowance.js';
import { KERNEL_STARTS, packingOf } from '../../elf/compression/packing.js';
import { unpack } from '../../elf/compression/unpack.js';
import { EM, ET } from '../../elf/constants.js';
import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { isElf } from '../../elf/header.js';
import { type ByteSource, MemorySource } from '../../elf/source.js';
import type { RawImageKind } from '../arch/architecture.js';
import { MissingError } from '../errors.js';
import { bareImage } from './bare-image.js';
import { hasBanner } from './bytes.js';
import { type Container, containerOf } from './container.js';
import { foreignFile, foreignProgram, refuseForeign } from './foreign.js';
import { isTar, tarMembers } from './tar.js';
import { ANY_KIND, MIPS_KINDS, wrapperOf, X86_KINDS } from './wrappers.js';

/** A kernel is wrapped two or three times; more is treated as a bomb. */
const DEEPEST = 6;
/** What is no ELF file is read whole. Images with all that is built in are a fifth of it. */
const LARGEST_WRAPPED = 2 ** 29;
/** The first header of an archive. */
const BLOCK_OF_TAR = 512;
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
export interface KernelImage {
  readonly file: ElfFile;
  /** From the outside in: `['x86 bzImage', 'lz4-legacy', 'ELF']`. */
  readonly form: readonly string[];
  /** What the header of a bzImage says of the version, for a kernel without a banner. */
  readonly version?: string | undefined;
}

/** The BTF of a kernel alone, as archives of BTF keep it, and as /sys/kernel/btf/vmlinux shows it. */
export interface KernelBtf {
  readonly btf: ByteSource;
  /** `['xz', 'tar', 'BTF']` */
  readonly form: readonly string[];
}

/** What a file has of a kernel. */
export type KernelFile = KernelImage | KernelBtf;

/** An image. @throws MissingError for BTF alone; else as {@link openKernelFile} */
export function openKernelImage(source: ByteSource): KernelImage {
  const found = openKernelFile(source);
  if ('file' in found) return found;
  throw new MissingError(`${source.name} is BTF alone: the question needs an image of the kernel`);
}

/**
 * Opens a kernel in any form it is shipped in: an ELF file; a bzImage, zImage, zboot or raw Image; BTF alone; any of them packed once more,
 * in an image of a boot loader, or the one file of a tar archive. What is wrapped is unpacked into memory; an ELF file is read where it stands.
 * @throws FormatError for what is not a kernel, and for damage in any layer
 */
export function openKernelFile(source: ByteSource): KernelFile {
  if (isElf(source.read(0, Math.min(4, source.size)))) return kernelInElf(source, [], budgetOf(source));
  if (source.size > LARGEST_WRAPPED)
    throw new FormatError(
      'limit',
      { name: source.name },
      `${source.size} bytes that are no ELF file are no kernel: at most ${LARGEST_WRAPPED}`,
    );
  return unwrap(source.read(0, source.size), source.name, [], budgetOf(source));
}

/** An ELF file that boots itself has the kernel packed in it: the zImage of powerpc in a section, the vmlinuz of MIPS in its data. */
function kernelInElf(source: ByteSource, form: readonly string[], budget: Budget): KernelFile {
  const file = ElfFile.open(source);
  const { name } = source;
  if (file.header.type === ET_CORE) refuseForeign(name, 'a core dump (vmcore): crash and drgn read it');
  const packed = file.section('.kernel:vmlinux.strip');
  if (packed !== undefined) return unwrap(packed.data(), name, [...form, 'powerpc zImage'], budget);
  if (file.header.machine === EM.MIPS && file.section('.init.text') === undefined && file.header.type === ET.EXEC) {
    const { is64, littleEndian } = file.header;
    const data = file.memory.regions.map(({ fileSize, read }) => read(0, fileSize));
    const raw = MIPS_KINDS.filter(kind => kind.is64 === is64 && kind.littleEndian === littleEndian);
    for (const bytes of data) if (!hasBanner(bytes)) return searched(bytes, name, [...form, 'mips vmlinuz'], budget, raw);
  }
  return { file, form: [...form, 'ELF'] };
}

/** ET_CORE of elf(5). */
const ET_CORE = 4;

/**
 * @param form what the bytes were found in so far
 * @param raw what a bare image may be, where a header has told
 */
function unwrap(bytes: Uint8Array, name: string, form: readonly string[], budget: Budget, raw?: readonly RawImageKind[]): KernelFile {
  if (form.length >= DEEPEST) throw new FormatError('limit', { name }, `is wrapped more than ${DEEPEST} times`);
  if (isElf(bytes)) return kernelInElf(new MemorySource(bytes, name), form, budget);
  const wrapper = wrapperOf(bytes, name);
  if (wrapper !== undefined) return unwrap(wrapper.inside, name, [...form, wrapper.form], budget, wrapper.raw ?? raw);
  const container = containerIn(bytes, name);
  if (container !== undefined) return contained(bytes, container, name, [...form, container.form], budget);
  const packing = packingOf(bytes);
  if (packing !== undefined) {
    const inside = unpack(bytes, { name, trailing: 'ignore', limit: budget.left }).bytes;
    budget.left -= inside.length;
    return unwrap(inside, name, [...form, packing], budget, raw);
  }
  if (isBtf(bytes)) return { btf: new MemorySource(bytes, name), form: [...form, 'BTF'] };
  if (isTar(bytes)) return unwrap(onlyMember(bytes, name), name, [...form, 'tar'], budget, raw);
  if (hasBanner(bytes)) return { file: bareImage(bytes, raw ?? ANY_KIND, name), form: [...form, 'raw image'] };
  const foreign = foreignFile(bytes);
  if (foreign !== undefined) refuseForeign(name, foreign);
  const start = [...bytes.subarray(0, 4)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
  const found = bytes.length === 0 ? 'the file is empty' : `it begins with ${start}`;
  throw new FormatError('bad-magic', { name }, `not a kernel: not an ELF file, a boot image or a compressed file (${found})`);
}

/** The one file of an archive. @throws FormatError where there are several */
function onlyMember(bytes: Uint8Array, name: string): Uint8Array {
  const members = tarMembers(bytes, name);
  const [only] = members;
  if (only !== undefined && members.length === 1) return only.bytes;
  const names = members.slice(0, 3).map(member => member.name);
  const listed = names.length === 0 ? 'no file' : `${members.length} files: ${names.join(', ')}${members.length > 3 ? ' …' : ''}`;
  throw new FormatError('unsupported', { name }, `the archive has ${listed}; this asks one kernel: unpack the archive and name one`);
}

/**
 * The kernels in a file: those of a tar archive, packed or not, or the file itself.
 * @throws FormatError for damage in the archive, or in what it is packed with
 */
export function kernelsIn(source: ByteSource): ByteSource[] {
  const { name, size } = source;
  const start = source.read(0, Math.min(BLOCK_OF_TAR, size));
  const packed = packingOf(start) !== undefined && /\.t(ar\.?\w*|gz|xz|zst|bz2)$/.test(name);
  if (size > LARGEST_WRAPPED || !(packed || isTar(start))) return [source];
  const bytes = source.read(0, size);
  const archive = packed ? unpack(bytes, { name, trailing: 'ignore', limit: budgetOf(source).left }).bytes : bytes;
  if (!isTar(archive)) return [source];
  const members = tarMembers(archive, name);
  if (members.length === 0) throw new FormatError('unsupported', { name }, 'the archive has no file');
  return members.map(member => new MemorySource(member.bytes, `${name}: ${member.name}`));
}

/** What a boot image has in it. */
function contained(bytes: Uint8Array, container: Container, name: string, form: readonly string[], budget: Budget): KernelFile {
  if ('payload' in container) {
    const { payload, sizeHint, version } = container;
    const unpacked = unpack(payload, { name, limit: budget.left, ...(sizeHint === undefined ? {} : { sizeHint }) });
    budget.left -= unpacked.bytes.length;
    return { version, ...unwrap(unpacked.bytes, name, [...form, unpacked.format], budget, X86_KINDS) };
  }
  if (!('search' in container)) return { file: bareImage(bytes, container.raw, name), form };
  const { version } = container;
  // iPXE and others boot so too: what a kernel's build writes names the builder behind the release.
  if (version !== undefined && !version.includes(' (')) refuseForeign(name, `a program that boots as Linux does, of version ${version}`);
  return { version, ...searched(container.search, name, form, budget, container.raw) };
}

/** What else boots with a header of Linux's, such as Memtest86+, is refused by its name. */
function containerIn(bytes: Uint8Array, name: string): Container | undefined {
  try {
    return containerOf(bytes, name);
  } catch (error) {
    const foreign = foreignProgram(bytes);
    if (foreign !== undefined) refuseForeign(name, foreign);
    throw error;
  }
}

/** What is packed behind the boot code, or stands there as it is. */
function searched(bytes: Uint8Array, name: string, form: readonly string[], budget: Budget, raw: readonly RawImageKind[]): KernelFile {
  try {
    const found = searchPacked(bytes, name, budget);
    return isElf(found) ? kernelInElf(new MemorySource(found, name), form, budget) : { file: bareImage(found, raw, name), form };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    if (hasBanner(bytes)) return { file: bareImage(bytes, raw, name), form };
    const foreign = foreignProgram(bytes);
    if (foreign !== undefined) refuseForeign(name, foreign);
    throw error;
  }
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
      if (hasBanner(unpacked)) return unpacked;
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
