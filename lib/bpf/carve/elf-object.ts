import { ET, SHT } from '../../../elf/constants.js';
import { isFormatError } from '../../../elf/errors.js';
import { type ByteSource, MemorySource } from '../../../elf/source.js';
import { readBpfObject } from '../object/object.js';
import type { Find, Finder, Form } from './find.js';

const EHSIZE = 64;
const SHENTSIZE = 64;
const EM_BPF = 247;

/** ELF files as they are, at any offset. They begin with the magic and ELFCLASS64: BPF objects are of no other class. */
export class ElfObjects implements Finder {
  readonly sourceOnly: boolean = false;
  readonly needles: readonly Uint8Array[] = [Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2)];
  /** Section headers of what turned out to be no object: a file made of headers that share a long table would take for ever. */
  #wasted = 0;

  examine(source: ByteSource, offset: number): Find | number {
    const length = this.#wasted > MOST_WASTED ? undefined : objectLength(source, offset, count => (this.#wasted += count));
    return (length === undefined ? undefined : findOf('ELF', source.read(offset, length), offset, length)) ?? offset + 1;
  }
}

const MOST_WASTED = 1 << 22;

/** The object that `bytes` begin with, as a find of `form`; undefined if they begin with none. */
export function objectAtStart(form: Form, bytes: Uint8Array, offset: number, extent: number): Find | undefined {
  const source = new MemorySource(bytes, form);
  const length = objectLength(source, 0);
  return length === undefined ? undefined : findOf(form, bytes.subarray(0, length), offset, extent);
}

const BPF_SECTION = /^(\.BTF|license|maps(\/.*)?|\.maps)$/;

function findOf(form: Form, bytes: Uint8Array, offset: number, extent: number): Find | undefined {
  try {
    const { elf, programs } = readBpfObject(new MemorySource(bytes, form));
    // EM_NONE is what compilers wrote before the number was given out (2016): then the names of the sections have to tell.
    const isKnown = programs.some(({ meaning }) => meaning.definition !== undefined);
    if (elf.header.machine !== EM_BPF && !isKnown && !elf.sections.some(({ name }) => BPF_SECTION.test(name))) return undefined;
    return { form, offset, extent, bytes, programs: programs.map(({ name, section }) => ({ name, section })) };
  } catch (error) {
    if (isFormatError(error)) return undefined;
    throw error;
  }
}

/**
 * How many bytes a relocatable file for BPF takes whose header is at `offset`: to the end of its section headers or of its last section,
 * whichever is later. Compilers and linkers write nothing after both. Undefined if there is no such file.
 */
function objectLength(source: ByteSource, offset: number, waste: (sections: number) => void = () => {}): number | undefined {
  if (offset + EHSIZE > source.size) return undefined;
  const header = view(source, offset, EHSIZE);
  const little = header.getUint8(5) === 1;
  if (!little && header.getUint8(5) !== 2) return undefined;
  const machine = header.getUint16(18, little);
  const version = header.getUint8(6) === 1 && header.getUint32(20, little) === 1;
  if (!version || header.getUint16(16, little) !== ET.REL || (machine !== EM_BPF && machine !== 0)) return undefined;
  if (header.getUint16(52, little) !== EHSIZE || header.getUint16(58, little) !== SHENTSIZE) return undefined;
  const table = number64(header, 40, little);
  if (table < EHSIZE || offset + table + SHENTSIZE > source.size) return undefined;
  const first = view(source, offset + table, SHENTSIZE);
  // elf(5): a count of 0 means that it is in the first section header.
  const count = header.getUint16(60, little) || number64(first, 32, little);
  let end = table + count * SHENTSIZE;
  if (offset + end > source.size) return undefined;
  const sections = view(source, offset + table, count * SHENTSIZE);
  for (let at = SHENTSIZE; at < sections.byteLength; at += SHENTSIZE) {
    if (sections.getUint32(at + 4, little) === SHT.NOBITS) continue;
    end = Math.max(end, number64(sections, at + 24, little) + number64(sections, at + 32, little));
    if (offset + end <= source.size) continue;
    waste(count);
    return undefined;
  }
  return end;
}

function view(source: ByteSource, offset: number, length: number): DataView {
  const bytes = source.read(offset, length);
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

/** A 64-bit size; what a number can't hold exactly is larger than any file. */
function number64(bytes: DataView, at: number, little: boolean): number {
  return Number(bytes.getBigUint64(at, little));
}
