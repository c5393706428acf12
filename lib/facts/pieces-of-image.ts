import { Btf } from '../../btf/btf.js';
import { ET, SHT } from '../../elf/constants.js';
import { FormatError } from '../../elf/errors.js';
import type { ElfFile } from '../../elf/file.js';
import type { Memory } from '../../elf/memory.js';
import { symbolsFromElf } from '../../kallsyms/elf.js';
import { provenKallsyms } from '../../kallsyms/proof.js';
import { isTextLetter, type KernelSymbols } from '../../kallsyms/symbols.js';
import { decodeKallsyms, kallsymsLocation } from '../../kallsyms/tables.js';
import { MissingError } from '../errors.js';
import { BANNER, hasBanner, startsWith } from '../image/bytes.js';
import { discoverLabels, findBanner, hasDynamicFtrace } from '../image/discover.js';
import { foreignProgram, refuseForeign } from '../image/foreign.js';
import { discoverExports } from '../image/ksymtab.js';
import { readBtf } from '../image/read-btf.js';
import { hasChange, releaseOf } from '../releases.js';
import type { Labels } from './areas.js';
import type { KernelConfig } from './config.js';
import { type FtraceSites, type FtraceState, sitesOfTable } from './ftrace-sites.js';
import { configOfImage } from './ikconfig.js';
import { ImageSymbols } from './image-symbols.js';
import { blacklistOfImage } from './kprobe-blacklist.js';
import { type McountTable, readMcountTable } from './mcount.js';
import { once } from './once.js';
import type { FoundBtf, KernelPieces } from './pieces.js';

/** What may be beside an image. */
export interface ImageExtras {
  /** A BTF instead of the image's own, and where it comes from. */
  readonly btf?: FoundBtf;
  readonly config?: KernelConfig;
  /** Symbols instead of the image's own, at the addresses that it is linked at. */
  readonly symbols?: KernelSymbols;
  /** ftrace's sites instead of those of the image's table. */
  readonly sites?: (symbols: () => KernelSymbols) => FtraceSites;
  /** Looks for the .config by the banner where nobody gave one, and the image has none. */
  readonly findConfig?: (banner: string) => KernelConfig | undefined;
  /** What the image was wrapped in, from the outside in. */
  readonly form?: readonly string[];
  /** The version by the header of a bzImage, for an image without a banner. */
  readonly version?: string | undefined;
}

/**
 * The pieces of a kernel image: an ELF file, with a `.symtab` (a debug vmlinux) or without (what a bzImage holds), or the headers that were
 * put around a raw image.
 */
export function piecesOfImage(file: ElfFile, extras: ImageExtras = {}): KernelPieces {
  if (file.header.type === ET.REL) {
    const message = 'is a relocatable object, such as a module or a BPF program, not a kernel';
    throw new FormatError('unsupported', { name: file.name }, message);
  }
  const notes: string[] = [];
  const { machine } = file.header;
  const hasTable = file.sections.some(({ type }) => type === SHT.SYMTAB);
  const imageSymbols = once(() => (hasTable ? new ImageSymbols(file.symbols!) : undefined));
  if (!hasTable) notes.push('no .symtab: sizes, bindings and source files of functions are unknown');
  const symbols = once(() =>
    extras.symbols === undefined ? kernelSymbols(file, imageSymbols(), notes) : fittingSymbols(extras.symbols, file),
  );
  // Where nothing names its functions, the rest is read all the same.
  const named = once(() => {
    try {
      return symbols();
    } catch (error) {
      if (error instanceof MissingError) return undefined;
      throw error;
    }
  });
  const discovered = once(() => discoverLabels(file.memory, symbols(), machine));
  // Kernels since 6.11 name the tables in kallsyms even where it lists text alone.
  const exported = once(() =>
    symbols().lookup('__start___ksymtab') === undefined ? discoverExports(file.memory, symbols()) : new Map<string, bigint>(),
  );
  const found = (name: string): bigint | undefined => (/_k(sym|crc)tab/.test(name) ? exported() : discovered()).get(name);
  const labels: Labels = name =>
    imageSymbols()?.addressOf(name) ?? named()?.addressOf(name) ?? (!hasTable && named() !== undefined ? found(name) : undefined);
  const mcount = once((): McountTable | undefined => {
    const start = labels('__start_mcount_loc');
    const stop = labels('__stop_mcount_loc');
    return start === undefined || stop === undefined || stop < start ? undefined : readMcountTable(file.memory, machine, start, stop);
  });
  // Without symbols, as without CONFIG_KALLSYMS, the banner is found by its first words alone.
  const anywhere: Labels = name => labels(name) ?? (named() === undefined ? findInMemory(file.memory, findBanner) : undefined);
  // The header of a bzImage has what follows the first words of a banner.
  const banner = once(() => bannerOf(file, anywhere) ?? (extras.version === undefined ? undefined : `Linux version ${extras.version}`));
  return {
    name: file.name,
    machine,
    littleEndian: file.memory.littleEndian,
    form: extras.form ?? ['ELF'],
    image: file,
    notes,
    symbols,
    imageSymbols,
    labels,
    mcount,
    ftrace: (): FtraceState => {
      if (extras.sites !== undefined) return extras.sites(symbols);
      const table = mcount();
      // Where labels are known, there is no table without one. Else ftrace has a table that was not found.
      if (table === undefined) return !hasTable && hasDynamicFtrace(symbols()) ? 'unknown' : 'none';
      return sitesOfTable(table, symbols(), machine, {
        instruction: address => instructionAt(file, address),
        has: change => {
          const hasFunction = (name: string): boolean => symbols().lookup(name) !== undefined;
          return hasChange(change, { release: releaseOf(banner()), hasFunction, typeHolds: () => undefined }).has;
        },
      });
    },
    blacklist: once(() => (named() === undefined ? undefined : blacklistOfImage(file.memory, symbols(), labels, machine))),
    btf: () => extras.btf ?? btfOfImage(file),
    config: once(() => {
      const own = extras.config ?? configOfImage(file.memory, labels, !hasTable && named()?.listsData !== true);
      const text = banner();
      return own ?? (text === undefined ? undefined : extras.findConfig?.(text));
    }),
    banner,
    close: () => file.source.close(),
  };
}

/** Symbols that were given. @throws FormatError where they are not of this image, or of where it runs (KASLR) and not where it is linked */
function fittingSymbols(symbols: KernelSymbols, { memory, name }: ElfFile): KernelSymbols {
  const start = symbols.addressOf('_stext');
  const banner = symbols.addressOf('linux_banner');
  const inside = start !== undefined && memory.has(start, 4);
  const atBanner = banner === undefined || (memory.has(banner, 16) && startsWith(memory.stored(banner, 16), 0, BANNER));
  if (inside && atBanner) return symbols;
  const why = inside ? 'no banner stands where linux_banner is' : '_stext is not in the image';
  throw new FormatError(
    'unsupported',
    { name: symbols.source },
    `is not of ${name} as it is linked: ${why} (a booted kernel is moved by KASLR)`,
  );
}

/** The packed kallsyms, by their labels or by their contents; else what `.symtab` has. */
function kernelSymbols(file: ElfFile, imageSymbols: ImageSymbols | undefined, notes: string[]): KernelSymbols {
  const name = `${file.name}: kallsyms`;
  if (imageSymbols === undefined) {
    const symbols = provenKallsyms(file.memory, name);
    if (symbols?.lookup('start_kernel') === undefined) refuseForeignImage(file, symbols !== undefined);
    if (symbols !== undefined) return symbols;
    throw new MissingError(`${file.name} has neither .symtab nor packed kallsyms, so its functions have no names`);
  }
  const location = kallsymsLocation(label => imageSymbols.addressOf(label));
  if (location !== undefined) return decodeKallsyms(file.memory, location, name).symbols;
  const symbols = symbolsFromElf(file, imageSymbols.table);
  // Archives of BTF hold ELF files of .BTF and the checksums of exports: no answer follows from what these lack.
  if (!symbols.type.some(isTextLetter)) {
    throw new MissingError(`${file.name} names no functions: its .symtab has none, and there are no packed kallsyms`);
  }
  notes.push('no packed kallsyms: kelf uses the symbols of .symtab that kallsyms would list');
  return symbols;
}

/** Hypervisors are linked with tables like kallsyms, and other kernels boot from ELF files too. */
function refuseForeignImage({ name, memory }: ElfFile, hasTables: boolean): void {
  const parts = memory.regions.map(({ fileSize, read }) => read(0, fileSize));
  for (const bytes of parts) {
    const foreign = foreignProgram(bytes);
    if (foreign !== undefined) refuseForeign(name, foreign);
  }
  if (hasTables && !parts.some(hasBanner))
    throw new FormatError(
      'unsupported',
      { name },
      'has tables like kallsyms, but no banner of Linux: it is another kernel or a hypervisor',
    );
}

function btfOfImage(file: ElfFile): { btf: Btf; source: string } | undefined {
  const btf = readBtf(file.source, Btf.parse);
  return btf === undefined ? undefined : { btf, source: '.BTF' };
}

/** The address of what stands in one of the regions of an image. */
function findInMemory({ regions }: Memory, find: (bytes: Uint8Array) => number): bigint | undefined {
  for (const { address, fileSize, read } of regions) {
    const at = find(read(0, fileSize));
    if (at >= 0) return address + BigInt(at);
  }
  return undefined;
}

/** The text at `linux_banner` (init/version.c), up to its line's end. */
function bannerOf(file: ElfFile, labels: Labels): string | undefined {
  const at = labels('linux_banner');
  if (at === undefined) return undefined;
  for (let length = 1024; length >= 16; length /= 2) {
    if (!file.memory.has(at, length)) continue;
    const bytes = file.memory.stored(at, length);
    if (!startsWith(bytes, 0, BANNER)) return undefined;
    const end = bytes.findIndex(byte => byte === 0 || byte === 10);
    return new TextDecoder().decode(bytes.subarray(0, end < 0 ? length : end));
  }
  return undefined;
}

/** The 32 bits of an instruction. */
function instructionAt({ memory }: ElfFile, address: bigint): number | undefined {
  if (!memory.has(address, 4)) return undefined;
  const bytes = memory.stored(address, 4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, memory.littleEndian);
}
