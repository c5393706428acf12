import { PN_XNUM, SHN } from './constants.js';
import { Cursor } from './cursor.js';
import { FormatError } from './errors.js';
import type { ByteSource } from './source.js';

/** The ELF header, elf(5) `Elf64_Ehdr`. The counts are the real ones, also where the header refers to section 0 for them. */
export interface ElfHeader {
  readonly is64: boolean;
  readonly littleEndian: boolean;
  readonly osAbi: number;
  readonly abiVersion: number;
  /** e_type: 1 REL, 2 EXEC, 3 DYN, 4 CORE. */
  readonly type: number;
  /** e_machine. */
  readonly machine: number;
  readonly entry: bigint;
  readonly phoff: number;
  readonly shoff: number;
  readonly flags: number;
  readonly phentsize: number;
  readonly phnum: number;
  readonly shentsize: number;
  readonly shnum: number;
  readonly shstrndx: number;
}

/** True where the bytes begin as an ELF file does. */
export function isElf(start: Uint8Array): boolean {
  return start.length >= 4 && start[0] === 0x7f && start[1] === 0x45 && start[2] === 0x4c && start[3] === 0x46;
}

/**
 * Reads the ELF header.
 * @throws FormatError when the source does not begin with one, or its tables do not lie in the source
 */
export function readHeader(source: ByteSource): ElfHeader {
  const place = { name: source.name };
  const ident = source.read(0, Math.min(16, source.size));
  if (!isElf(ident)) {
    const found =
      source.size === 0
        ? 'the file is empty'
        : `it begins with ${[...ident.subarray(0, 4)].map(byte => byte.toString(16).padStart(2, '0')).join(' ')}, not with 7f 45 4c 46`;
    throw new FormatError('bad-magic', place, `not an ELF file: ${found}`);
  }
  if (ident.length < 16) throw new FormatError('truncated', place, 'the ELF header is cut off');
  if (ident[4] !== 1 && ident[4] !== 2)
    throw new FormatError('bad-value', { ...place, offset: 4 }, `ELF class ${ident[4]} is neither 1 (32 bit) nor 2 (64 bit)`);
  if (ident[5] !== 1 && ident[5] !== 2)
    throw new FormatError('bad-value', { ...place, offset: 5 }, `ELF data encoding ${ident[5]} is neither 1 (little endian) nor 2 (big)`);
  const is64 = ident[4] === 2;
  const littleEndian = ident[5] === 1;
  const cursor = new Cursor(source.read(0, is64 ? 64 : 52), littleEndian, source.name);
  cursor.skip(16);
  const type = cursor.u16();
  const machine = cursor.u16();
  if (cursor.u32() !== 1) cursor.fail('unsupported', 'e_version is not 1');
  const entry = cursor.address(is64);
  const phoff = cursor.offset(is64);
  const shoff = cursor.offset(is64);
  const flags = cursor.u32();
  cursor.u16(); // e_ehsize: nothing depends on it
  const phentsize = cursor.u16();
  let phnum = cursor.u16();
  const shentsize = cursor.u16();
  let shnum = cursor.u16();
  let shstrndx = cursor.u16();
  if (shoff !== 0) {
    expectEntrySize(source, 'e_shentsize', shentsize, is64 ? 64 : 40);
    // Counts that do not fit in 16 bits are in section 0: gABI, "Extended section header".
    if (shnum === 0 || shstrndx === SHN.XINDEX || phnum === PN_XNUM) {
      const first = new Cursor(source.read(shoff, shentsize), littleEndian, source.name, shoff);
      first.skip(is64 ? 32 : 20);
      const size = first.offset(is64);
      const link = first.u32();
      const info = first.u32();
      if (shnum === 0) shnum = size;
      if (shstrndx === SHN.XINDEX) shstrndx = link;
      if (phnum === PN_XNUM) phnum = info;
    }
    expectTable(source, 'section headers', shoff, shnum, shentsize);
  } else {
    shnum = 0;
  }
  if (phoff === 0) phnum = 0;
  if (phnum > 0) {
    expectEntrySize(source, 'e_phentsize', phentsize, is64 ? 56 : 32);
    expectTable(source, 'program headers', phoff, phnum, phentsize);
  }
  return {
    is64,
    littleEndian,
    osAbi: ident[7]!,
    abiVersion: ident[8]!,
    type,
    machine,
    entry,
    phoff,
    shoff,
    flags,
    phentsize,
    phnum,
    shentsize,
    shnum,
    shstrndx,
  };
}

function expectEntrySize(source: ByteSource, field: string, found: number, least: number): void {
  if (found < least) throw new FormatError('bad-value', { name: source.name }, `${field} is ${found}, at least ${least} is needed`);
}

function expectTable(source: ByteSource, what: string, offset: number, count: number, size: number): void {
  if (offset + count * size <= source.size) return;
  throw new FormatError(
    'truncated',
    { name: source.name, offset },
    `${count} ${what} of ${size} bytes do not fit in a file of ${source.size} bytes`,
  );
}
