import { unpack } from '../../elf/compression/unpack.js';
import { FormatError } from '../../elf/errors.js';
import type { Memory } from '../../elf/memory.js';
import { indexOfBytes } from '../../elf/needle.js';
import { startsWith } from '../image/bytes.js';
import type { Labels } from './areas.js';
import { IKCONFIG, type KernelConfig, parseConfig } from './config.js';

const START = new TextEncoder().encode('IKCFG_ST');
const END = new TextEncoder().encode('IKCFG_ED');

/**
 * The .config that CONFIG_IKCONFIG puts into an image: gzip between two marks of eight letters (kernel/configs.c). It is found by its
 * label; where kallsyms lists no data, by the marks.
 * @param search whether to look through the image where there is no label
 */
export function configOfImage(memory: Memory, labels: Labels, search: boolean): KernelConfig | undefined {
  const label = labels('kernel_config_data');
  for (const { address, fileSize } of memory.regions) {
    const inside = label !== undefined && label >= address && label < address + BigInt(fileSize);
    if (label === undefined ? !search : !inside) continue;
    const bytes = memory.stored(address, fileSize);
    const from = label === undefined ? indexOfBytes(bytes, START) + START.length : Number(label - address);
    // The label is after the first mark; before 5.1 it was the mark's own.
    const start = startsWith(bytes, from, START) ? from + START.length : from;
    const end = from < START.length ? -1 : indexOfBytes(bytes, END, start);
    if (end < 0) continue;
    return parse(bytes.subarray(start, end));
  }
  return undefined;
}

function parse(packed: Uint8Array): KernelConfig | undefined {
  try {
    return parseConfig(new TextDecoder().decode(unpack(packed, { name: IKCONFIG, limit: 1 << 24 }).bytes), IKCONFIG);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}
