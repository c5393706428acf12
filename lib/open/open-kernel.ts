import { configBeside, obstacleToRunningKernel, piecesOfRunningKernel, readModules } from '#host';
import { Btf } from '../../btf/btf.js';
import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { isElf } from '../../elf/header.js';
import type { ByteSource } from '../../elf/source.js';
import { InputError } from '../errors.js';
import { parseConfig } from '../facts/config.js';
import type { FoundBtf } from '../facts/pieces.js';
import { type ImageExtras, piecesOfImage } from '../facts/pieces-of-image.js';
import { readBtf } from '../image/read-btf.js';
import { openKernelFile } from '../image/unwrap.js';
import { Kernel } from '../kernel.js';
import { type Input, type InputOptions, openInput } from './input.js';

/** Options of {@link openKernel}: additions to the image, or replacements for its parts. */
export interface OpenKernelOptions extends InputOptions {
  /** The BTF to use: raw, or an ELF file with a `.BTF` section. */
  readonly btf?: Input;
  /** The kernel's .config; by default the image's own, or `config-RELEASE` beside a path or in /boot. */
  readonly config?: Input;
  /**
   * A folder with the kernel's modules, such as /lib/modules/RELEASE: answers then cover names across the kernel and its modules. In Node.
   */
  readonly modules?: string;
  /** Called while modules are read, each time that some more are done. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Opens a kernel.
 * @param input a kernel in any form it is shipped in: a vmlinux, a bzImage (`/boot/vmlinuz-*`), an arm64 Image, a zboot image, packed or
 * not
 * @throws FormatError for any other file, InputError if it can't be read
 */
export async function openKernel(input: Input, options: OpenKernelOptions = {}): Promise<Kernel> {
  const source = await openInput(input, options);
  try {
    const extras: ImageExtras = {
      ...(options.btf === undefined ? {} : { btf: await withSource(options.btf, readGivenBtf) }),
      ...(options.config === undefined ? {} : { config: await withSource(options.config, readConfig) }),
    };
    const { file, form, version } = openKernelFile(source);
    const findConfig = typeof input === 'string' ? (banner: string) => configBeside(input, banner) : undefined;
    const kernel = new Kernel(piecesOfImage(file, { ...extras, form, version, ...(findConfig === undefined ? {} : { findConfig }) }));
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

function readConfig(source: ByteSource): ReturnType<typeof parseConfig> {
  return parseConfig(new TextDecoder().decode(source.read(0, source.size)), source.name);
}
