import type { Memory } from '../../elf/memory.js';
import { textAt } from '../image/text-at.js';
import type { KernelFacts } from './kernel-facts.js';

/** A symbol that the kernel offers to modules: an entry of `__ksymtab`. */
export interface KernelExport {
  /** As modules name it. */
  readonly name: string;
  /** Where it is linked. */
  readonly address: bigint;
  /** For modules of a GPL-compatible license only. */
  readonly gpl: boolean;
  /** MODULE_IMPORT_NS has to name it; `module:a,b` of EXPORT_SYMBOL_FOR_MODULES is open to these modules alone. */
  readonly namespace?: string;
  /** The checksum of its type (CONFIG_MODVERSIONS). */
  readonly crc?: number;
}

/** The tables there are or were: the one of GPL symbols is gone since 7.0, whose flags are in `__kflagstab`. */
const TABLES: readonly (readonly [suffix: string, gpl: boolean])[] = [
  ['', false],
  ['_gpl', true],
];
/** KSYM_FLAG_GPL_ONLY */
const FLAG_GPL = 1;

interface Range {
  readonly from: bigint;
  readonly length: number;
}

/**
 * The exports of a kernel, in the order of its tables; undefined if neither labels nor sections tell where they are. An entry is the
 * symbol, its name and, since 5.4, its namespace: each either the distance from its own place (CONFIG_HAVE_ARCH_PREL32_RELOCATIONS) or an
 * address (`struct kernel_symbol` in include/linux/export-internal.h). Which of the four it is, the names tell.
 */
export function kernelExports(kernel: KernelFacts): KernelExport[] | undefined {
  const memory = kernel.image?.memory;
  if (memory === undefined) return undefined;
  const tables = TABLES.flatMap(([suffix, gpl]) => {
    const range = rangeOf(kernel, memory, `__ksymtab${suffix}`);
    return range === undefined ? [] : [{ range, gpl, crcs: rangeOf(kernel, memory, `__kcrctab${suffix}`) }];
  });
  const flags = rangeOf(kernel, memory, '__kflagstab');
  return tables.length === 0 ? undefined : tables.flatMap(({ range, gpl, crcs }) => readTable(memory, range, gpl, crcs, flags));
}

/** A table by its labels, or by its section where the image has sections. */
function rangeOf({ image, pieces }: KernelFacts, memory: Memory, name: string): Range | undefined {
  const start = pieces.labels(`__start_${name}`);
  const stop = pieces.labels(`__stop_${name}`);
  const section = image?.section(name);
  const [from, length] =
    start !== undefined && stop !== undefined && stop >= start
      ? [start, Number(stop - start)]
      : section === undefined
        ? [0n, -1]
        : [section.address, section.size];
  return length >= 0 && memory.has(from, length) ? { from, length } : undefined;
}

/** One way in which entries are written. */
interface Shape {
  readonly fields: 2 | 3;
  readonly width: number;
  /** Distances from their own places, of 4 bytes; else addresses. */
  readonly relative: boolean;
}

function readTable(
  memory: Memory,
  { from, length }: Range,
  gpl: boolean,
  crcs: Range | undefined,
  flags: Range | undefined,
): KernelExport[] {
  if (length === 0) return [];
  const bytes = memory.read(from, length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const little = memory.littleEndian;
  const field = (shape: Shape, entry: number, index: number): bigint => {
    const at = (entry * shape.fields + index) * shape.width;
    // A distance may go through the end of the addresses: per-CPU variables of x86 are at addresses near zero.
    if (shape.relative) return BigInt.asUintN(64, from + BigInt(at + view.getInt32(at, little)));
    return shape.width === 8 ? view.getBigUint64(at, little) : BigInt(view.getUint32(at, little));
  };
  const count = (shape: Shape): number => length / (shape.fields * shape.width);
  const shapes = [true, false].flatMap(relative =>
    ([3, 2] as const).map((fields): Shape => ({ fields, width: relative ? 4 : memory.wordSize, relative })),
  );
  // The first and the last name are enough to tell: another shape reads addresses of code for names.
  const shape = shapes.find(
    shape =>
      Number.isInteger(count(shape)) && [0, count(shape) - 1].every(entry => entry < 0 || isName(textAt(memory, field(shape, entry, 1)))),
  );
  if (shape === undefined) return [];
  const checksum = checksums(memory, crcs, count(shape));
  const flag = flags === undefined || gpl ? undefined : memory.read(flags.from, flags.length);
  return Array.from({ length: count(shape) }, (_, entry) => {
    const namespace = shape.fields === 3 && field(shape, entry, 2) !== 0n ? textAt(memory, field(shape, entry, 2)) : undefined;
    const crc = checksum(entry);
    return {
      name: textAt(memory, field(shape, entry, 1)) ?? '',
      address: field(shape, entry, 0),
      gpl: gpl || ((flag?.[entry] ?? 0) & FLAG_GPL) !== 0,
      ...(namespace === undefined || namespace === '' ? {} : { namespace }),
      ...(crc === undefined ? {} : { crc }),
    };
  });
}

/** 32-bit checksums, one an entry; a table of another length (MODULE_REL_CRCS, longs before 4.10) is left out. */
function checksums(memory: Memory, range: Range | undefined, count: number): (entry: number) => number | undefined {
  if (range === undefined || range.length !== count * 4) return () => undefined;
  const bytes = memory.read(range.from, range.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return entry => view.getUint32(entry * 4, memory.littleEndian);
}

function isName(text: string | undefined): boolean {
  return text !== undefined && /^[A-Za-z_][A-Za-z0-9_.]*$/.test(text);
}
