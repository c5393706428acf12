import { Btf } from '../../btf/btf.js';
import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { isElf } from '../../elf/header.js';
import { type FoundBtf, Kernel } from '../kernel.js';
import { rooms } from '../rooms.js';
import { InputError, openSource, type SourceOptions } from '../source/node.js';
import { readBtf } from './btf.js';
import { parseConfig } from './config.js';
import { openKernelFile } from './identify.js';
import { type ImageExtras, piecesOfImage } from './image.js';

/** Options of {@link openKernel}: what the image does not hold, or what is to stand in place of what it holds. */
export interface OpenKernelOptions extends SourceOptions {
  /** A file with the BTF to use: raw, or an ELF file with a `.BTF` section. */
  readonly btf?: string;
  /** The kernel's .config. */
  readonly config?: string;
  /** A folder with the kernel's modules, such as /lib/modules/RELEASE: answers then cover names across the kernel and its modules. */
  readonly modules?: string;
  /** Called while modules are read, as often as some more of them were. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Opens a kernel.
 * @param path a kernel in any form it is shipped in: a vmlinux, a bzImage (`/boot/vmlinuz-*`), an arm64 Image, a zboot image, packed or not
 * @throws FormatError for what is no such file, InputError for what can't be read
 */
export async function openKernel(path: string, options: OpenKernelOptions = {}): Promise<Kernel> {
  const source = openSource(path, options);
  try {
    const extras: ImageExtras = {
      ...(options.btf === undefined ? {} : { btf: readBtfFile(options.btf) }),
      ...(options.config === undefined ? {} : { config: parseConfig(new TextDecoder().decode(readFile(options.config)), options.config) }),
    };
    const { file, form } = openKernelFile(source);
    const kernel = new Kernel(piecesOfImage(file, { ...extras, form }));
    if (options.modules !== undefined) {
      // Loaded here: most questions are about the kernel alone.
      const { readModules } = await import('../modules/read.js');
      kernel.modules = await readModules(options.modules, { base: kernel.btf, onProgress: options.onProgress });
    }
    return kernel;
  } catch (error) {
    source.close();
    throw error;
  }
}

/**
 * The kernel that this runs on, from /proc and /sys.
 * @throws InputError where these do not tell enough: `liveObstacle` says why
 */
export function openRunningKernel(): Kernel {
  const { liveObstacle, piecesOfLive } = rooms.live();
  const obstacle = liveObstacle();
  if (obstacle !== undefined) throw new InputError('the running kernel', 'not-readable', obstacle);
  return new Kernel(piecesOfLive());
}

/** @throws FormatError for what is neither BTF nor an ELF file with a `.BTF` section */
function readBtfFile(path: string): FoundBtf {
  const source = openSource(path);
  try {
    const btf = readBtf(source, Btf.parse);
    if (btf === undefined) throw new FormatError('unsupported', { name: path }, 'the ELF file has no .BTF section');
    return { btf, source: path, buildId: isElf(source.read(0, Math.min(source.size, 16))) ? ElfFile.open(source).buildId : undefined };
  } finally {
    source.close();
  }
}

function readFile(path: string): Uint8Array {
  const source = openSource(path);
  try {
    return source.read(0, source.size);
  } finally {
    source.close();
  }
}
