/**
 * The version of the tables: of their names, columns and what stands in these. A dataset of another one is not read, and not added to: an answer
 * over kernels that were read by different rules would be wrong without a sign.
 */
export const DATASET_VERSION = 1;

/** What the metadata of each Parquet file has the version under. */
export const VERSION_KEY = 'kelf.dataset';

/** The tables of a dataset. A set of files is a folder with one `TABLE.parquet` for each. */
export const TABLES = [
  'kernels',
  'functions',
  'members',
  'enumerators',
  'tracepoints',
  'syscalls',
  'exports',
  'kfuncs',
  /** A kernel's BTF as it is, for what no table has: whether an object's accesses can be relocated. */
  'btf',
] as const;
export type Table = (typeof TABLES)[number];

/** `functions.parquet` */
export function fileOf(table: Table): string {
  return `${table}.parquet`;
}

/** What sets are called that have many kernels; the others are named by their kernel. */
const MERGED = 'merged-';

/** @param digest of the kernels in it */
export function mergedName(digest: string): string {
  return `${MERGED}${digest}`;
}

export function isMerged(set: string): boolean {
  return set.startsWith(MERGED);
}
