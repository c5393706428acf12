import type { Btf } from '../../btf/btf.js';
import type { ElfFile } from '../../elf/file.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import type { Labels } from './areas.js';
import type { KernelConfig } from './config.js';
import type { FtraceState } from './ftrace-sites.js';
import type { ImageSymbols } from './image-symbols.js';
import type { KprobeBlacklist } from './kprobe-blacklist.js';
import type { McountTable } from './mcount.js';

/**
 * The pieces of a kernel, and how to read each. A piece is read when an answer needs it; a missing piece is undefined, and the answers that
 * need it say so.
 */
export interface KernelPieces {
  /** The name in messages: the file's path, or `the running kernel`. */
  readonly name: string;
  /** e_machine: EM.X86_64 (62), EM.AARCH64 (183) … */
  readonly machine: number;
  /** The byte order. */
  readonly littleEndian: boolean;
  /** What the image was wrapped in, from the outside in: `['x86 bzImage', 'lz4-legacy', 'ELF']`; for a running kernel `['running']`. */
  readonly form: readonly string[];
  /** The image itself; absent for a running kernel, because kelf does not read its text. */
  readonly image?: ElfFile;
  /** One sentence for each piece that is missing or comes from a place that weakens answers. */
  readonly notes: readonly string[];
  /** The symbols as in kallsyms. @throws MissingError if nothing names the functions; FormatError for damage */
  symbols(): KernelSymbols;
  /** `.symtab` beside kallsyms: sizes, bindings and source files. */
  imageSymbols(): ImageSymbols | undefined;
  /** The address of a label of the linker script. */
  labels: Labels;
  /** `__mcount_loc`; undefined if there is none. */
  mcount(): McountTable | undefined;
  /** The ftrace sites; `none` without dynamic ftrace, `unknown` if a running kernel does not show them. */
  ftrace(): FtraceState;
  /** The ranges that the kprobe blacklist covers; undefined if it cannot be read. */
  blacklist(): KprobeBlacklist | undefined;
  /** The BTF and the name of its source; if that is a separate ELF file, its build id. */
  btf(): FoundBtf | undefined;
  /** The kernel's .config: given, of the image, or of the running kernel. */
  config(): KernelConfig | undefined;
  /** The line that /proc/version shows. */
  banner(): string | undefined;
  /** Closes the files. */
  close(): void;
}

/** BTF and its source. */
export interface FoundBtf {
  readonly btf: Btf;
  readonly source: string;
  /** Of the ELF file that was given instead of the image's own BTF. */
  readonly buildId?: string | undefined;
}
