import { configBeside, obstacleToRunningKernel, piecesOfRunningKernel, readModules } from '#host';
import { Btf } from '../../btf/btf.js';
import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { isElf } from '../../elf/header.js';
import type { ByteSource } from '../../elf/source.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { parseKallsyms } from '../../kallsyms/text.js';
import { InputError } from '../errors.js';
import { parseConfig } from '../facts/config.js';
import type { FtraceSites } from '../facts/ftrace-sites.js';
import { sitesOfList } from '../facts/listed-sites.js';
import type { FoundBtf } from '../facts/pieces.js';
import { piecesOfBtf } from '../facts/pieces-of-btf.js';
import { type ImageExtras, piecesOfImage } from '../facts/pieces-of-image.js';
import { IMAGE_SECTION } from '../image/elf-around.js';
import { readBtf } from '../image/read-btf.js';
import { type KernelFile, openKernelFile } from '../image/unwrap.js';
import { Kernel } from '../kernel.js';
import { type Input, type InputOptions, openInput } from './input.js';

/** Options of {@link openKernel}: additions to the image, or replacements for its parts. */
export interface OpenKernelOptions extends InputOptions {
  /** The BTF to use: raw, or an ELF file with a `.BTF` section. */
  readonly btf?: Input;
  /** The kernel's .config; by default the image's own, or `config-RELEASE` beside a path or in /boot. */
  readonly config?: Input;
  /** The symbols where the input has none, or others: /proc/kallsyms, or a System.map. */
  readonly symbols?: Input;
  /** The list of tracefs that shows what ftrace can trace: available_filter_functions, or available_filter_functions_addrs. */
  readonly filterFunctions?: Input;
  /**
   * A folder with the kernel's modules, such as /lib/modules/RELEASE: answers then cover names across the kernel and its modules. In Node.
   */
  readonly modules?: string;
  /** Called while modules are read, each time that some more are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Opens a kernel.
 * @param input a kernel in any form it is shipped in: a vmlinux, a bzImage (`/boot/vmlinuz-*`), an arm64 Image, a zboot image, or its BTF
 * alone; packed or not
 * @throws FormatError for any other file, InputError if it can't be read
 */
export async function openKernel(input: Input, options: OpenKernelOptions = {}): Promise<Kernel> {
  const source = await openInput(input, options);
  try {
    const extras: ImageExtras = {
      ...(options.btf === undefined ? {} : { btf: await withSource(options.btf, readGivenBtf) }),
      ...(options.config === undefined ? {} : { config: await withSource(options.config, readConfig) }),
      ...(options.symbols === undefined ? {} : { symbols: await withSource(options.symbols, readSymbols) }),
      ...(options.filterFunctions === undefined ? {} : { sites: await withSource(options.filterFunctions, readSites) }),
    };
    const found = openKernelFile(source);
    const findConfig = typeof input === 'string' ? (banner: string) => configBeside(input, banner) : undefined;
    const kernel = new Kernel(
      'file' in found && !holdsBtfAlone(found.file)
        ? piecesOfImage(found.file, { ...extras, ...found, ...(findConfig === undefined ? {} : { findConfig }) })
        : piecesOfBtf(extras.btf ?? btfOf(source, found), { ...extras, form: found.form }),
    );
    if (options.modules !== undefined) {
      const { onProgress } = options;
      kernel.modules = await readModules(options.modules, { base: kernel.btf, onProgress });
    }
    return kernel;
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * The kernel that this runs on, from /proc and /sys.
 * @throws InputError if these do not show enough: `obstacleToRunningKernel` returns the reason
 */
export function openRunningKernel(): Kernel {
  const obstacle = obstacleToRunningKernel();
  if (obstacle !== undefined) throw new InputError('the running kernel', 'not-readable', obstacle);
  return new Kernel(piecesOfRunningKernel());
}

async function withSource<T>(input: Input, read: (source: ByteSource) => T): Promise<T> {
  const source = await openInput(input);
  try {
    return read(source);
  } finally {
    source.close();
  }
}

/** @throws FormatError if the input is neither BTF nor an ELF file with a `.BTF` section */
function readGivenBtf(source: ByteSource): FoundBtf {
  const { name, size } = source;
  const btf = readBtf(source, Btf.parse);
  if (btf === undefined) throw new FormatError('unsupported', { name }, 'the ELF file has no .BTF section');
  return { btf, source: name, buildId: isElf(source.read(0, Math.min(size, 16))) ? ElfFile.open(source).buildId : undefined };
}

/** Archives of BTF hold ELF files of .BTF, checksums of exports and a .symtab without functions; their segments are those of the kernel, and empty. */
function holdsBtfAlone(file: ElfFile): boolean {
  return file.section('.BTF') !== undefined && file.section('.text') === undefined && file.section(IMAGE_SECTION) === undefined;
}

function btfOf({ name }: ByteSource, found: KernelFile): FoundBtf {
  const btf = readBtf('file' in found ? found.file.source : found.btf, Btf.parse);
  return { btf: btf!, source: name };
}

function readSymbols(source: ByteSource): KernelSymbols {
  return parseKallsyms(source.read(0, source.size), source.name);
}

/** The list is read when the sites are asked for: names alone stand for the symbols of that name. */
function readSites(source: ByteSource): (symbols: () => KernelSymbols) => FtraceSites {
  const bytes = source.read(0, source.size);
  return symbols => sitesOfList(bytes, source.name, symbols);
}

function readConfig(source: ByteSource): ReturnType<typeof parseConfig> {
  return parseConfig(new TextDecoder().decode(source.read(0, source.size)), source.name);
}
