import { EM } from '../../elf/constants.js';
import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { type KallsymsTables, kallsymsAt, locateKallsyms } from '../../kallsyms/locate.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { decodeKallsyms } from '../../kallsyms/tables.js';
import type { RawImageKind } from '../arch/architecture.js';
import { MissingError } from '../errors.js';
import { elfAround } from './elf-around.js';
import { analyseRawImage } from './raw-image.js';

/**
 * A kernel as it lies in memory, as an ELF file. Where several kinds are possible, the packed symbols tell: their tables have one width of
 * words and one byte order, and their names are those of one architecture.
 * @throws FormatError, MissingError where nothing tells the kind, or the address
 */
export function bareImage(bytes: Uint8Array, kinds: readonly RawImageKind[], name: string): ElfFile {
  const [only] = kinds;
  if (only !== undefined && kinds.length === 1) return imageOf(bytes, only, name);
  let reason: Error = new MissingError(`${name} is a raw image without packed kallsyms, so nothing tells what is in it`);
  for (const is64 of [false, true]) {
    for (const layout of locateKallsyms(bytes, is64 ? 8 : 4)) {
      const fitting = kinds.filter(kind => kind.is64 === is64 && kind.littleEndian === layout.littleEndian);
      try {
        const kind = fitting.length < 2 ? fitting[0] : byNames(fitting, symbolsOf(bytes, layout, fitting[0]!, name));
        if (kind !== undefined) return imageOf(bytes, kind, name);
      } catch (error) {
        if (!(error instanceof FormatError || error instanceof MissingError)) throw error;
        reason = error;
      }
    }
  }
  throw reason;
}

function imageOf(bytes: Uint8Array, kind: RawImageKind, name: string): ElfFile {
  return ElfFile.open(elfAround(analyseRawImage(bytes, kind, name), name));
}

function symbolsOf(bytes: Uint8Array, layout: KallsymsTables, { machine, is64, littleEndian }: RawImageKind, name: string): KernelSymbols {
  const file = ElfFile.open(elfAround({ bytes, machine, is64, littleEndian, base: 0n, memorySize: bytes.length, parts: [] }, name));
  return decodeKallsyms(file.memory, kallsymsAt(layout, 0n), name).symbols;
}

/** What functions of the architecture's own code begin with. */
const PREFIXES: Readonly<Record<number, string>> = {
  [EM.ARM]: 'arm_',
  [EM.AARCH64]: 'arm64_',
  [EM.MIPS]: 'mips_',
  [EM.I386]: 'x86_',
  [EM.X86_64]: 'x86_',
  20: 'ppc_',
  [EM.PPC64]: 'ppc_',
  [EM.RISCV]: 'riscv_',
  [EM.S390]: 's390_',
};

/** The kind whose architecture has the most functions of its own; undefined if none has any. */
function byNames(kinds: readonly RawImageKind[], symbols: KernelSymbols): RawImageKind | undefined {
  let best: { readonly kind: RawImageKind; readonly count: number } | undefined;
  for (const kind of kinds) {
    const prefix = PREFIXES[kind.machine];
    const count = prefix === undefined ? 0 : symbols.rowsWith(prefix).filter(row => symbols.name(row).startsWith(prefix)).length;
    if (count > (best?.count ?? 0)) best = { kind, count };
  }
  return best?.kind;
}
