import { EM } from '../../elf/constants.js';
import { FormatError } from '../../elf/errors.js';
import { ElfFile } from '../../elf/file.js';
import { type KallsymsTables, kallsymsAt, locateKallsyms } from '../../kallsyms/locate.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { decodeKallsyms } from '../../kallsyms/tables.js';
import { ARCHITECTURES, archOf } from '../arch/arch-of.js';
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
  const unknown = new MissingError(`${name} is a raw image whose packed kallsyms, if it has any, do not tell its architecture`);
  let reason: Error = unknown;
  for (const is64 of [false, true]) {
    for (const layout of locateKallsyms(bytes, is64 ? 8 : 4)) {
      const fitting = kinds.filter(kind => kind.is64 === is64 && kind.littleEndian === layout.littleEndian);
      try {
        const kind = fitting.length < 2 ? fitting[0] : byNames(fitting, symbolsOf(bytes, layout, fitting[0]!, name));
        if (kind !== undefined) return imageOf(bytes, kind, name);
        reason = unknown;
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

/** `ppc_` is of both widths: kelf knows the architecture by that of 64 bits. */
const EM_PPC = 20;

function prefixOf({ machine }: RawImageKind): string | undefined {
  return archOf(machine === EM_PPC ? EM.PPC64 : machine).functionPrefix;
}

const PREFIXES: readonly string[] = ARCHITECTURES.flatMap(({ functionPrefix }) => functionPrefix ?? []);

/** So many names tell an architecture: drivers of one bear its name on others too. */
const FEWEST_NAMES = 4;

/** The kind whose architecture has the most functions of its own, of all that are known; undefined if none has enough. */
function byNames(kinds: readonly RawImageKind[], symbols: KernelSymbols): RawImageKind | undefined {
  const counts = new Map(PREFIXES.map(prefix => [prefix, 0]));
  for (const prefix of counts.keys())
    for (const row of symbols.rowsWith(prefix)) if (symbols.name(row).startsWith(prefix)) counts.set(prefix, counts.get(prefix)! + 1);
  const [first] = [...counts].sort((a, b) => b[1] - a[1]);
  return first![1] < FEWEST_NAMES ? undefined : kinds.find(kind => prefixOf(kind) === first![0]);
}
