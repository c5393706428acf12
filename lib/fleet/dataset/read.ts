import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetScan } from 'hyparquet';
import { FormatError, isFormatError } from '../../../elf/errors.js';
import type { ByteSource } from '../../../elf/source.js';
import type { Cell, Column } from './columns.js';
import { DATASET_VERSION, VERSION_KEY } from './format.js';

/** What unpacks the pages of a table, by the name of the codec. */
export type Unpackers = Readonly<Record<string, (bytes: Uint8Array, length: number) => Uint8Array>>;

/** A row of the columns that were asked for. */
export type Row = Readonly<Record<string, Cell>>;

/** What a read takes from the end of a file: the footers of most tables are in it. */
const FOOTER = 1 << 14;
/** No page that is written here is larger before it is packed: a damaged one may say anything. */
const MOST_UNPACKED = 1 << 28;

/** A table of a dataset, read by its footer, its indexes of pages, and what these lead to. What is damaged is a FormatError. */
export class TableFile {
  readonly #source: ByteSource;
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;
  readonly #unpackers: Unpackers;

  private constructor(source: ByteSource, file: AsyncBuffer, metadata: FileMetaData, unpackers: Unpackers) {
    this.#source = source;
    this.#file = file;
    this.#metadata = metadata;
    this.#unpackers = Object.fromEntries(
      Object.entries(unpackers).map(([codec, unpack]) => [
        codec,
        (bytes: Uint8Array, length: number): Uint8Array => {
          if (length > MOST_UNPACKED) throw new FormatError('limit', { name: source.name }, `a page of ${length} bytes is too large`);
          return unpack(bytes, length);
        },
      ]),
    );
  }

  /** @throws FormatError for what is no table, or one of another version */
  static async open(source: ByteSource, unpackers: Unpackers): Promise<TableFile> {
    const { name, size } = source;
    const file: AsyncBuffer = {
      byteLength: size,
      slice: (start, end = size) => copyOf(source.read(start, end - start)),
    };
    if (size < 12) throw new FormatError('truncated', { name }, `a Parquet file has 12 bytes at least, this one ${size}`);
    const metadata = await reading(name, () => parquetMetadataAsync(file, { initialFetchSize: FOOTER, geoparquet: false }));
    const version = metadata.key_value_metadata?.find(({ key }) => key === VERSION_KEY)?.value;
    if (version !== String(DATASET_VERSION)) {
      const found = version === undefined ? 'is no table of a dataset' : `is of version ${version} of the dataset`;
      throw new FormatError('unsupported', { name }, `${found}; this kelf reads version ${DATASET_VERSION}`);
    }
    return new TableFile(source, file, metadata, unpackers);
  }

  /** The table with all of its rows, as it was written. */
  async table(): Promise<Column[]> {
    const columns = columnsOf(this.#metadata.schema);
    await this.eachGroup(
      columns.map(({ name }) => name),
      (cells, rows) => {
        for (const [i, { data }] of columns.entries()) for (let row = 0; row < rows; row++) data.push(cells[i]![row]!);
      },
    );
    return columns;
  }

  close(): void {
    this.#source.close();
  }

  /** The rows whose cell in a sorted column is from one text up to another, without that: of the groups and pages that may have them. */
  async rowsBetween(column: string, from: string, to: string, columns: readonly string[]): Promise<Row[]> {
    return reading(this.#source.name, async () => {
      const rows: Row[] = [];
      const scan = await this.#scan([column, ...columns], { [column]: { $gte: from, $lt: to } });
      for (const { rowStart, rowEnd } of scan.ranges) {
        const keys = (await scan.readColumn({ column, rowStart, rowEnd })) as unknown as readonly string[];
        const [first, end] = [lowerBound(keys, from), lowerBound(keys, to)];
        if (first === end) continue;
        const range = { rowStart: rowStart + first, rowEnd: rowStart + end };
        const cells = await Promise.all(columns.map(async name => await scan.readColumn({ column: name, ...range })));
        for (let row = 0; row < end - first; row++) rows.push(Object.fromEntries(columns.map((name, i) => [name, cells[i]![row] as Cell])));
      }
      return rows;
    });
  }

  /** All cells of some columns, group by group; the next is read when what is done with one is done. */
  async eachGroup(
    columns: readonly string[],
    visit: (cells: readonly ArrayLike<Cell>[], rows: number) => void | Promise<void>,
  ): Promise<void> {
    const { name } = this.#source;
    const scan = await reading(name, () => this.#scan(columns));
    for (const { rowStart, rowEnd } of scan.ranges) {
      const cells = await reading(name, () =>
        Promise.all(columns.map(async column => await scan.readColumn({ column, rowStart, rowEnd }))),
      );
      await visit(cells as unknown as ArrayLike<Cell>[], rowEnd - rowStart);
    }
  }

  #scan(columns: readonly string[], pruningFilter?: Record<string, { $gte: string; $lt: string }>): ReturnType<typeof parquetScan> {
    return parquetScan({
      file: this.#file,
      metadata: this.#metadata,
      columns: [...new Set(columns)],
      compressors: this.#unpackers,
      // Bytes stay bytes: texts are marked as such.
      utf8: false,
      usePageIndex: true,
      ...(pruningFilter === undefined ? {} : { pruningFilter }),
    });
  }
}

/** The columns of a schema, without cells. Rows are in the order of the first after `kernel`, if it is a text that each row has. */
function columnsOf([, ...elements]: FileMetaData['schema']): Column[] {
  return elements.map(({ name, type, converted_type, repetition_type }, i) => {
    const column: Column = { name, type: converted_type === 'UTF8' ? 'STRING' : (type as Column['type']), data: [] };
    if (repetition_type !== 'REQUIRED') return column;
    return i < 2 ? { ...column, sorted: true } : { ...column, required: true };
  });
}

/** The first of sorted texts that is not below one. */
function lowerBound(sorted: readonly string[], text: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < text) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What the reader of Parquet throws is about the file, which may hold anything. @throws FormatError */
async function reading<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof Error) || isFormatError(error) || error.name === 'InputError') throw error;
    throw new FormatError('corrupt', { name }, `the Parquet file can't be read: ${error.message}`, { cause: error });
  }
}

function copyOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.slice().buffer as ArrayBuffer;
}
