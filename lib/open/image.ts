import { Btf } from '../../btf/index.js';
import { type ElfFile, ET, FormatError } from '../../elf/index.js';
import { decodeKallsyms, type KernelSymbols, kallsymsLocation, symbolsFromElf } from '../../kallsyms/index.js';
import { type McountTable, readMcountTable } from '../ftrace/mcount.js';
import { type FtraceState, sitesOfTable } from '../ftrace/sites.js';
import { ImageSymbols } from '../image-symbols.js';
import type { KernelPieces } from '../kernel.js';
import type { Labels } from '../kprobes/areas.js';
import { blacklistOfImage } from '../kprobes/blacklist.js';
import { readBtf } from './btf.js';
import type { KernelConfig } from './config.js';

/** What may stand beside an image. */
export interface ImageExtras {
  /** A BTF in place of the image's own, and where it comes from. */
  readonly btf?: { readonly btf: Btf; readonly source: string };
  readonly config?: KernelConfig;
}

const BANNER = new TextEncoder().encode('Linux version ');

/** The pieces of a kernel that is an ELF file with a `.symtab`: a debug vmlinux. */
export function piecesOfImage(file: ElfFile, extras: ImageExtras = {}): KernelPieces {
  if (file.header.type === ET.REL) {
    throw new FormatError(
      'unsupported',
      { name: file.name },
      'is a relocatable object, such as a module or a BPF program, and not a kernel',
    );
  }
  const table = file.symbols;
  if (table === undefined) {
    throw new FormatError('unsupported', { name: file.name }, 'the ELF file has no .symtab: a debug vmlinux is needed');
  }
  const imageSymbols = new ImageSymbols(table);
  const labels: Labels = name => imageSymbols.addressOf(name);
  const notes: string[] = [];
  let symbols: KernelSymbols | undefined;
  let mcount: McountTable | undefined;
  const readSymbols = (): KernelSymbols => {
    symbols ??= kernelSymbols(file, imageSymbols, notes);
    return symbols;
  };
  const readMcount = (): McountTable | undefined => {
    const start = labels('__start_mcount_loc');
    const stop = labels('__stop_mcount_loc');
    if (start === undefined || stop === undefined || stop < start) return undefined;
    mcount ??= readMcountTable(file.memory, file.header.machine, start, stop);
    return mcount;
  };
  return {
    name: file.name,
    machine: file.header.machine,
    image: file,
    notes,
    symbols: readSymbols,
    imageSymbols: () => imageSymbols,
    labels,
    mcount: readMcount,
    ftrace: (): FtraceState => {
      const table = readMcount();
      return table === undefined ? 'none' : sitesOfTable(table, readSymbols(), file.header.machine);
    },
    blacklist: () => blacklistOfImage(file.memory, readSymbols(), labels, file.header.machine),
    btf: () => extras.btf ?? btfOfImage(file),
    config: () => extras.config,
    banner: () => bannerOf(file, labels),
    close: () => file.source.close(),
  };
}

function kernelSymbols(file: ElfFile, imageSymbols: ImageSymbols, notes: string[]): KernelSymbols {
  const location = kallsymsLocation(name => imageSymbols.addressOf(name));
  if (location !== undefined) return decodeKallsyms(file.memory, location, `${file.name}: kallsyms`).symbols;
  notes.push('no packed kallsyms: the symbols are those of .symtab that kallsyms would list');
  return symbolsFromElf(file, imageSymbols.table);
}

function btfOfImage(file: ElfFile): { btf: Btf; source: string } | undefined {
  const btf = readBtf(file.source, Btf.parse);
  return btf === undefined ? undefined : { btf, source: '.BTF' };
}

/** The text at `linux_banner` (init/version.c), up to its line's end. */
function bannerOf(file: ElfFile, labels: Labels): string | undefined {
  const at = labels('linux_banner');
  if (at === undefined) return undefined;
  for (let length = 1024; length >= 64; length /= 2) {
    if (!file.memory.has(at, length)) continue;
    const bytes = file.memory.stored(at, length);
    if (!BANNER.every((byte, i) => bytes[i] === byte)) return undefined;
    const end = bytes.findIndex(byte => byte === 0 || byte === 10);
    return new TextDecoder().decode(bytes.subarray(0, end < 0 ? length : end));
  }
  return undefined;
}
