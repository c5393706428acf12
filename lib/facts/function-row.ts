import { STB } from '../../elf/constants.js';
import type { FunctionIndex } from './function-table.js';
import type { KernelFacts } from './kernel-facts.js';

/** One function of the kernel, with what each source says about it. */
export interface FunctionRow {
  /** Its row in `kernel.functions`. */
  readonly row: FunctionIndex;
  readonly name: string;
  readonly address: bigint;
  /** nm's letter: t local, T global, w and W weak. */
  readonly letter: string;
  /** Bytes up to the next symbol, as the kernel counts. */
  readonly extent: number;
  /** st_size of `.symtab`, where there is one. */
  readonly size?: number;
  readonly binding?: 'local' | 'global' | 'weak';
  /** The source file by STT_FILE: `binfmt_elf.c`, without its directory. */
  readonly file?: string;
  /** The ftrace site inside it. */
  readonly site?: bigint;
  /** Ids of BTF's FUNCs of its name. */
  readonly btf: readonly number[];
  /**
   * `_stext+0xD`: where a kprobe on it goes (on powerpc after the global entry), the same place on every boot, since the image moves as a
   * whole under KASLR.
   */
  readonly anchor?: string;
}

/** A size that no number holds is none of a function. */
const MOST_SIZE = BigInt(Number.MAX_SAFE_INTEGER);

const BINDINGS: Readonly<Record<number, 'local' | 'global' | 'weak'>> = {
  [STB.LOCAL]: 'local',
  [STB.GLOBAL]: 'global',
  [STB.WEAK]: 'weak',
};

/** Gathers what is known of a row of `kernel.functions`. */
export function functionRow(kernel: KernelFacts, row: FunctionIndex): FunctionRow {
  const { functions, symbols } = kernel;
  const symbolRow = functions.symbolRow[row]!;
  const address = functions.address(row);
  const elf = kernel.pieces.imageSymbols()?.symbolOf(symbols, symbolRow);
  const site = functions.site(row);
  const binding = elf === undefined ? undefined : BINDINGS[elf.binding];
  const stext = kernel.pieces.labels('_stext');
  const at = site < 0 ? undefined : functions.sites!.ip.big[site]!;
  const probed = probedAt(kernel, address, at);
  return {
    row,
    name: functions.name(row),
    address,
    letter: String.fromCharCode(symbols.type[symbolRow]!),
    extent: Number(least(functions.end(row) - address, MOST_SIZE)),
    btf: functions.btfIds(row),
    ...(elf === undefined || elf.size > MOST_SIZE ? {} : { size: Number(elf.size) }),
    ...(binding === undefined ? {} : { binding }),
    ...(elf?.file === undefined ? {} : { file: elf.file }),
    ...(at === undefined ? {} : { site: at }),
    ...(stext === undefined || address < stext ? {} : { anchor: `_stext+0x${(probed - stext).toString(16)}` }),
  };
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Where a kprobe goes that is set by a distance and not by the function's name: mostly to its first instruction. */
export function probedAt({ arch, functions }: KernelFacts, address: bigint, site: bigint | undefined): bigint {
  const { entry } = arch;
  // How the words stand to their functions takes a look at each of them.
  if (entry === undefined) return address;
  return entry.probed(address, site, functions.sites?.mode?.offsets.has(0) ?? false);
}
