import type { Btf } from '../../btf/btf.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { ARCHITECTURES } from '../arch/arch-of.js';
import { MissingError } from '../errors.js';
import type { KernelConfig } from './config.js';
import type { FtraceSites } from './ftrace-sites.js';
import { once } from './once.js';
import type { FoundBtf, KernelPieces } from './pieces.js';

/** What may be beside the BTF of a kernel. */
export interface BtfExtras {
  /** /proc/kallsyms, or a System.map. */
  readonly symbols?: KernelSymbols;
  /** available_filter_functions. */
  readonly sites?: (symbols: () => KernelSymbols) => FtraceSites;
  readonly config?: KernelConfig;
  /** What the BTF was wrapped in, from the outside in. */
  readonly form: readonly string[];
}

/** The pieces of a kernel whose BTF is at hand, and not its image. */
export function piecesOfBtf(found: FoundBtf, { symbols, sites, config, form }: BtfExtras): KernelPieces {
  const { btf, source } = found;
  const release = releaseInName(source);
  const readSymbols = (): KernelSymbols => {
    if (symbols !== undefined) return symbols;
    throw new MissingError(`${source} is BTF alone: the kernel's /proc/kallsyms or System.map (--symbols FILE) would settle it`);
  };
  const notes = [noteOn(symbols !== undefined, sites !== undefined, release)];
  return {
    name: source,
    machine: machineOfBtf(btf),
    littleEndian: btf.header.littleEndian,
    form,
    notes,
    symbols: readSymbols,
    imageSymbols: () => undefined,
    labels: name => symbols?.addressOf(name),
    mcount: () => undefined,
    ftrace: once(() => sites?.(readSymbols) ?? 'unknown'),
    blacklist: () => undefined,
    btf: () => found,
    config: () => config,
    banner: () => (release === undefined ? undefined : `Linux version ${release}`),
    close: () => {},
  };
}

function noteOn(hasSymbols: boolean, hasSites: boolean, release: string | undefined): string {
  const missing = [
    ...(hasSymbols ? [] : ['its symbols (--symbols FILE: /proc/kallsyms or System.map)']),
    ...(hasSites ? [] : ['what ftrace can trace (--filter-functions FILE: available_filter_functions of tracefs)']),
    'the kprobe blacklist',
  ];
  const named = release === undefined ? '' : `; the release ${release} is that of the file's name`;
  return `BTF alone: answers are weaker without ${missing.join(', ')}${named}`;
}

/** e_machine, by the registers that the kernel saves (`struct pt_regs`); 0 where no architecture has them. */
export function machineOfBtf(btf: Btf): number {
  const members = ['pt_regs', 'user_pt_regs'].flatMap(name =>
    btf.find(name, 'STRUCT').flatMap(id => {
      const type = btf.type(id);
      return 'members' in type ? type.members.map(member => member.name) : [];
    }),
  );
  const likely = ARCHITECTURES.filter(({ registerMember }) => members.includes(registerMember));
  // x86 calls them alike at 32 and at 64 bits.
  const fitting = likely.find(({ conventions }) => conventions.some(({ wordSize }) => wordSize === btf.pointerSize));
  return (fitting ?? likely[0])?.machine ?? 0;
}

/** `5.4.0-1029-aws` of `5.4.0-1029-aws.btf.xz`: archives of BTF call their files by the release. */
function releaseInName(name: string): string | undefined {
  const file = name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf(' ')) + 1);
  return /^(\d+\.\d+(?:\.\d+)?(?:[-+~][\w.+~-]*?)?)\.btf(?:\.|$)/.exec(file)?.[1];
}
