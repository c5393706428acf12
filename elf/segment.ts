import { Cursor } from './cursor.js';
import type { ElfHeader } from './header.js';
import type { ByteSource } from './source.js';

/** A program header, elf(5) `Elf64_Phdr`. */
export interface Segment {
  readonly index: number;
  /** p_type, one of PT_*. */
  readonly type: number;
  /** p_flags: 1 execute, 2 write, 4 read. */
  readonly flags: number;
  readonly offset: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  readonly fileSize: number;
  readonly memorySize: bigint;
  readonly align: bigint;
}

export function readSegments(source: ByteSource, header: ElfHeader): Segment[] {
  const { is64, littleEndian, phoff, phnum, phentsize } = header;
  const segments: Segment[] = [];
  const bytes = source.read(phoff, phnum * phentsize);
  for (let index = 0; index < phnum; index++) {
    const cursor = new Cursor(
      bytes.subarray(index * phentsize, (index + 1) * phentsize),
      littleEndian,
      `${source.name}: program headers`,
      index * phentsize,
    );
    const type = cursor.u32();
    const flags64 = is64 ? cursor.u32() : 0;
    const offset = cursor.offset(is64);
    const virtualAddress = cursor.address(is64);
    const physicalAddress = cursor.address(is64);
    const fileSize = cursor.offset(is64);
    const memorySize = cursor.address(is64);
    const flags = is64 ? flags64 : cursor.u32();
    const align = cursor.address(is64);
    segments.push({ index, type, flags, offset, virtualAddress, physicalAddress, fileSize, memorySize, align });
  }
  return segments;
}
