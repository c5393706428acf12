import { digestOf } from '../bpf/load/digest.js';
import type { Column } from '../fleet/dataset/columns.js';
import { BLOBS, encodeTable, type Layout } from '../fleet/dataset/encode.js';
import { fileOf, isMerged, type Table } from '../fleet/dataset/format.js';
import { TableFile } from '../fleet/dataset/read.js';
import { BROTLI, GZIP, UNPACKERS } from '../node/packers.js';
import { setsIn } from '../node/sets.js';
import { openSource } from '../node/source.js';

/** The bytes of a table: a kernel's BTF is packed tighter than what engines read. */
export function encode(table: Table, columns: readonly Column[], layout: Layout): Uint8Array {
  return table === 'btf' ? encodeTable(columns, BROTLI, BLOBS) : encodeTable(columns, GZIP, layout);
}

/** As long as a build id is mostly. */
const DIGITS = 40;

export function hexDigest(bytes: Uint8Array): string {
  return Array.from(digestOf('sha256', bytes), byte => byte.toString(16).padStart(2, '0'))
    .join('')
    .slice(0, DIGITS);
}

/** Opens a table of a set. @throws FormatError, InputError */
export async function openTable(folder: string, set: string, table: Table): Promise<TableFile> {
  const source = openSource(`${folder}/${set}/${fileOf(table)}`);
  try {
    return await TableFile.open(source, UNPACKERS);
  } catch (error) {
    source.close();
    throw error;
  }
}

/** Uses a table of a set, and closes it. @throws FormatError, InputError */
export async function withTable<T>(folder: string, set: string, table: Table, use: (file: TableFile) => Promise<T>): Promise<T> {
  const file = await openTable(folder, set, table);
  try {
    return await use(file);
  } finally {
    file.close();
  }
}

/**
 * The kernels of a dataset that stand in sets with others.
 * @throws FormatError if the dataset is of another version
 */
export async function mergedKernels(folder: string): Promise<Set<string>> {
  const sets = setsIn(folder);
  const merged = sets.filter(isMerged);
  const kernels = new Set<string>();
  // One tells the version of all: a dataset of another one is not added to.
  for (const set of merged.length > 0 ? merged : sets.slice(0, 1))
    await withTable(folder, set, 'kernels', file =>
      file.eachGroup(['kernel'], ([ids], rows) => {
        for (let row = 0; row < rows; row++) kernels.add(String(ids![row]));
      }),
    );
  return kernels;
}
