import { FormatError } from '../elf/errors.js';
import type { Memory } from '../elf/memory.js';
import { type KallsymsTables, kallsymsAt, locateKallsyms } from './locate.js';
import { isTextLetter, type KernelSymbols } from './symbols.js';
import { decodeKallsyms, type KallsymsLocation } from './tables.js';

/**
 * The symbols of an image without labels, from the packed tables in it. A layout is believed only where it proves itself: its functions lie
 * in the image, and what the table itself says of known places is true. One that is a word off, or of another encoding, gives every name
 * another's address, and looks well otherwise.
 * @returns undefined where there are no tables
 * @throws FormatError where there are tables of which no layout proves itself
 */
export function provenKallsyms(memory: Memory, name: string): KernelSymbols | undefined {
  let reason: FormatError | undefined;
  for (const { address, fileSize, read } of memory.regions) {
    for (const tables of locateKallsyms(read(0, fileSize), memory.wordSize)) {
      try {
        return readProven(memory, tables, address, name);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        reason = error;
      }
    }
  }
  if (reason !== undefined) throw reason;
  return undefined;
}

function readProven(memory: Memory, tables: KallsymsTables, base: bigint, name: string): KernelSymbols {
  const location = kallsymsAt(tables, base);
  const { symbols } = decodeKallsyms(memory, location, name);
  const objection = objectionTo(memory, location, symbols);
  if (objection === undefined) return symbols;
  const offset = tables.names;
  const message = `the addresses of ${tables.count} symbols are in no layout that proves itself: read as ${tables.encoding}, ${objection}`;
  throw new FormatError('unsupported', { name, offset }, message);
}

/** What speaks against a reading of the tables; undefined if nothing does. */
export function objectionTo(memory: Memory, location: KallsymsLocation, symbols: KernelSymbols): string | undefined {
  return outsideOfImage(memory, symbols) ?? standsElsewhere(memory, location, symbols);
}

/** So many in a hundred functions may lie elsewhere: those of the vectors page of ARM run at 0xffff0000, and are stored in another place. */
const FEW = 2;

function outsideOfImage(memory: Memory, symbols: KernelSymbols): string | undefined {
  let text = 0;
  let outside = 0;
  let first: number | undefined;
  for (let row = 0; row < symbols.count; row++) {
    if (!isTextLetter(symbols.type[row]!)) continue;
    text++;
    if (memory.has(symbols.address.big[row]!)) continue;
    outside++;
    first ??= row;
  }
  if (first === undefined || outside * 100 <= text * FEW) return undefined;
  return `${outside} of ${text} functions are outside of the image, ${symbols.name(first)} at 0x${symbols.address.big[first]!.toString(16)}`;
}

const encoder = new TextEncoder();
const startsWith = (text: string) => {
  const wanted = encoder.encode(text);
  return (bytes: Uint8Array): boolean => wanted.every((byte, i) => bytes[i] === byte);
};

/** Labels of texts and tables that are known by what stands there. */
const KNOWN_BY_BYTES: Readonly<Record<string, (bytes: Uint8Array) => boolean>> = {
  linux_banner: startsWith('Linux version '),
  linux_proc_banner: startsWith('%s version %s'),
  __start_BTF: isBtf,
};
const LONGEST = 16;

/** Its magic number, in either byte order. */
function isBtf([first, second]: Uint8Array): boolean {
  return (first === 0x9f && second === 0xeb) || (first === 0xeb && second === 0x9f);
}

/** The labels of the tables themselves: kallsyms lists them since 6.10, whose first link has them too (951bcae6c5a0). */
const LABELS: Readonly<Record<string, keyof KallsymsLocation>> = {
  kallsyms_num_syms: 'numSyms',
  kallsyms_names: 'names',
  kallsyms_markers: 'markers',
  kallsyms_token_table: 'tokenTable',
  kallsyms_token_index: 'tokenIndex',
  kallsyms_addresses: 'addresses',
  kallsyms_offsets: 'offsets',
  kallsyms_relative_base: 'relativeBase',
};

function standsElsewhere(memory: Memory, location: KallsymsLocation, symbols: KernelSymbols): string | undefined {
  for (const [label, table] of Object.entries(LABELS)) {
    const [said, found] = [symbols.addressOf(label), location[table]];
    if (said !== undefined && typeof found === 'bigint' && said !== found)
      return `${label} is at 0x${said.toString(16)}, and the table at 0x${found.toString(16)}`;
  }
  for (const [label, isThere] of Object.entries(KNOWN_BY_BYTES)) {
    const said = symbols.addressOf(label);
    if (said === undefined) continue;
    if (!memory.has(said, LONGEST) || !isThere(memory.stored(said, LONGEST))) return `${label} is not at 0x${said.toString(16)}`;
  }
  return undefined;
}
