import { searchIn } from '../../../elf/needle.js';
import { type ByteSource, MemorySource } from '../../../elf/source.js';
import type { ByteRange, Find, Finder, FoundProgram } from './find.js';
import { decodeLiteral, Text } from './text.js';

// A light skeleton (`bpftool gen skeleton -L`) has no ELF file. It embeds two runs of bytes: instructions of a loader program, and data for
// it (libbpf's gen_loader.c). The data begins with room for 320 file descriptors, all zero; then come the BTF blob, and for each program
// its licence, instructions, function and line records, and the bpf_attr that loads it. libbpf rounds each part up to 8 bytes.

const FD_ARRAY = 320 * 4;
const BTF_HEADER = 24;

/** What may still be looked at in a file, in slots of 8 bytes: one made of headers with nothing after them would take for ever. */
interface Budget {
  slots: number;
}

const MOST_SLOTS = 1 << 26;

/** The data of a light skeleton. */
export class LightSkeletons implements Finder {
  readonly sourceOnly: boolean = false;
  /** The magic, version and flags of a BTF header, and its length. */
  readonly needles: readonly Uint8Array[] = [
    Uint8Array.of(0x9f, 0xeb, 1, 0, BTF_HEADER, 0, 0, 0),
    Uint8Array.of(0xeb, 0x9f, 1, 0, 0, 0, 0, BTF_HEADER),
  ];
  readonly #budget: Budget = { slots: MOST_SLOTS };

  examine(source: ByteSource, offset: number): Find | number {
    const start = offset - FD_ARRAY;
    if (start < 0 || offset + BTF_HEADER > source.size || source.read(start, FD_ARRAY).some(byte => byte !== 0)) return offset + 1;
    const { buffer, byteOffset } = source.read(offset, BTF_HEADER);
    const header = new DataView(buffer, byteOffset, BTF_HEADER);
    const little = header.getUint8(0) === 0x9f;
    const [typeOffset, typeLength, stringOffset, stringLength] = [8, 12, 16, 20].map(at => header.getUint32(at, little));
    const btf = BTF_HEADER + Math.max(typeOffset! + typeLength!, stringOffset! + stringLength!);
    if (offset + btf > source.size) return offset + 1;
    const loads = programLoads(source, offset + align8(btf), little, this.#budget);
    if (loads.length === 0) return offset + 1;
    const end = loads.at(-1)!.end;
    const loader = loaderNear(source, start, end, little, this.#budget);
    return {
      form: 'light skeleton',
      offset: start,
      extent: end - start,
      bytes: source.read(start, end - start),
      programs: loads.map(({ name, instructions: { offset, length } }) => ({ name, instructions: { offset: offset - start, length } })),
      btf: { offset: FD_ARRAY, length: btf },
      ...(loader === undefined ? {} : { loader }),
    };
  }
}

/** The same in C source, where both runs are string literals. */
export class LightSkeletonSources implements Finder {
  readonly sourceOnly: boolean = true;
  /** The BTF header of either byte order, as bpftool writes it: `\0` for a zero, two digits for other bytes. */
  readonly needles: readonly Uint8Array[] = ['\\x9f\\xeb\\x01\\0', '\\xeb\\x9f\\x01\\0'].map(text => new TextEncoder().encode(text));
  readonly #binary = new LightSkeletons();

  examine(source: ByteSource, offset: number): Find | number {
    const start = literalBefore(source, offset);
    if (start === undefined) return offset + 1;
    const { bytes, extent } = decodeLiteral(new Text(source, start));
    const found = bytes.length < FD_ARRAY ? 0 : this.#binary.examine(new MemorySource(bytes, source.name), FD_ARRAY);
    if (typeof found === 'number') return start + Math.max(extent, offset + 1 - start);
    const loader = loaderLiteral(source, start + extent, bytes[FD_ARRAY] === 0x9f);
    return { ...found, bytes, offset: start, extent, ...(loader === undefined ? {} : { loader }) };
  }
}

/** The literal with the loader's instructions: the next one after the data that begins as they do. */
function loaderLiteral(source: ByteSource, from: number, little: boolean): Find['loader'] {
  const bytes = source.read(from, Math.min(source.size - from, LOADER_REACH));
  const find = searchIn(bytes);
  const begin = new TextEncoder().encode(little ? '\\xbf\\x16\\0' : '\\xbf\\x61\\0');
  const expected = loaderStart(little);
  for (let at = find(begin, 0), tries = 0; at >= 0 && tries < MOST_LITERALS; at = find(begin, at + 1), tries++) {
    const start = literalBefore(source, from + at);
    if (start === undefined || start < from) continue;
    const { bytes: decoded } = decodeLiteral(new Text(source, start));
    if (expected.every((byte, i) => decoded[i] === byte)) return { offset: start, bytes: decoded };
  }
  return undefined;
}

/** Literals that are read for one loader. */
const MOST_LITERALS = 16;

/** Behind the quote that opens the literal: a bpf_attr's worth of escaped zeros and joined lines before the BTF header. */
function literalBefore(source: ByteSource, offset: number): number | undefined {
  const reach = Math.min(offset, FD_ARRAY * 4);
  const at = source.read(offset - reach, reach).lastIndexOf(0x22);
  return at < 0 ? undefined : offset - reach + at + 1;
}

function align8(length: number): number {
  return (length + 7) & ~7;
}

/** A bpf_attr of BPF_PROG_LOAD in the data, and where what belongs to it ends. */
interface ProgramLoad extends FoundProgram {
  readonly instructions: ByteRange;
  readonly end: number;
}

/** How far after one attr the next may be: a program of a million instructions and its records would be further, and is not loaded so. */
const REACH = 1 << 24;
/** The attr up to core_relos, and what libbpf writes of it: up to core_relo_rec_size, rounded up. */
const ATTR = 136;
const ATTR_WRITTEN = 144;
const MAX_PROG_TYPE = 64;

/**
 * The attrs of program loads from `from` on. Nothing points at them. One is told by what surrounds it: a name, sizes of records that are
 * the kernel's, zero where pointers will be, and before it as many bytes as its counts say, after a licence.
 */
function programLoads(source: ByteSource, from: number, little: boolean, budget: Budget): ProgramLoad[] {
  const loads: ProgramLoad[] = [];
  const length = Math.min(source.size - from, REACH, budget.slots * 8) & ~7;
  budget.slots -= Math.max(0, length / 8);
  if (length < ATTR) return loads;
  const bytes = source.read(from, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const u32 = (at: number): number => view.getUint32(at, little);
  let floor = 0;
  for (let at = 0; at + ATTR <= length; at += 8) {
    const count = u32(at + 4);
    if (count === 0 || u32(at) > MAX_PROG_TYPE || floor + count * 8 > at) continue;
    // insns, license, log_buf and kern_version are filled in by the loader, or not at all.
    if (view.getBigUint64(at + 8) !== 0n || view.getBigUint64(at + 16) !== 0n || view.getBigUint64(at + 32) !== 0n) continue;
    const name = nameAt(bytes, at + 48);
    if (name === undefined) continue;
    const functions = u32(at + 88) * u32(at + 76);
    const lines = u32(at + 104) * u32(at + 92);
    const relocations = at + ATTR_WRITTEN <= length ? u32(at + 116) * u32(at + 136) : 0;
    const records = align8(functions) + align8(lines) + align8(relocations);
    const instructions = at - records - count * 8;
    if (instructions < floor || (functions > 0 && u32(at + 76) !== 8) || (lines > 0 && u32(at + 92) !== 16)) continue;
    const end = at + Math.min(ATTR_WRITTEN, length - at);
    loads.push({ name, instructions: { offset: from + instructions, length: count * 8 }, end: from + end });
    floor = end;
    at = align8(end) - 8;
  }
  return loads;
}

/** A program's name: at most 15 characters of BPF_OBJ_NAME_LEN, and NULs to its end. */
function nameAt(bytes: Uint8Array, at: number): string | undefined {
  const field = String.fromCharCode(...bytes.subarray(at, at + 16));
  return /^([\w.]{1,15})\0+$/.exec(field)?.[1];
}

/** How far the loader may be from its data: both are literals of one source file. */
const LOADER_REACH = 1 << 22;

/**
 * The loader's instructions next to the data. It begins as all do (`r6 = r1`, then the stack is cleared: bpf_gen__init()), has one `exit`
 * behind its clean-up and ends with the second.
 */
function loaderNear(source: ByteSource, start: number, end: number, little: boolean, budget: Budget): Find['loader'] {
  const from = Math.max(0, start - LOADER_REACH);
  const bytes = source.read(from, Math.min(source.size, end + LOADER_REACH) - from);
  const find = searchIn(bytes);
  const begin = loaderStart(little);
  let best: { offset: number; bytes: Uint8Array } | undefined;
  for (let at = find(begin, 0); at >= 0; at = find(begin, at + 1)) {
    const length = loaderLength(bytes, at, budget);
    if (length === undefined) continue;
    const distance = (found: number): number => Math.abs(found - start);
    if (best === undefined || distance(from + at) < distance(best.offset))
      best = { offset: from + at, bytes: new Uint8Array(bytes.subarray(at, at + length)) };
  }
  return best;
}

/** `r6 = r1`, `r1 = r10`: the two registers share a byte, in an order that depends on the byte order. */
function loaderStart(little: boolean): Uint8Array {
  return Uint8Array.of(0xbf, little ? 0x16 : 0x61, 0, 0, 0, 0, 0, 0, 0xbf, little ? 0xa1 : 0x1a, 0, 0, 0, 0, 0, 0);
}

const EXIT = 0x95;

function loaderLength(bytes: Uint8Array, start: number, budget: Budget): number | undefined {
  let exits = 0;
  for (let at = start; at + 8 <= bytes.length && budget.slots > 0; at += 8, budget.slots--)
    if (bytes[at] === EXIT && ++exits === 2) return at + 8 - start;
  return undefined;
}
