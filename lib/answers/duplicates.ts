import { type FunctionRow, functionRow } from '../function-row.js';
import type { Kernel } from '../kernel.js';

/** A name that functions at different addresses bear. */
export interface DuplicateGroup {
  readonly name: string;
  /** Lowest address first: the first is the one that kallsyms_lookup_name() finds. */
  readonly functions: readonly FunctionRow[];
  /** Data symbols of the same name, which count when a kprobe is set by name. */
  readonly dataSymbols: number;
  /** Whether the machine code of all is the same, byte for byte; undefined where there is no image to look into. */
  readonly equalBytes: boolean | undefined;
}

/** All names with more than one text address, in the order of the names. */
export function duplicates(kernel: Kernel): DuplicateGroup[] {
  const { functions, symbols } = kernel;
  const groups: DuplicateGroup[] = [];
  for (const first of symbols.index.firstRows()) {
    if (symbols.index.isOnly(first)) continue;
    const all = symbols.index.rowsFrom(first);
    const rows = all.flatMap(row => functions.ofSymbol(row) ?? []);
    if (rows.length < 2 || rows.every(row => functions.address(row) === functions.address(rows[0]!))) continue;
    groups.push({
      name: functions.name(rows[0]!),
      functions: rows.map(row => functionRow(kernel, row)),
      dataSymbols: all.length - rows.length,
      equalBytes: equalBytes(kernel, rows),
    });
  }
  return groups.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Compares the code of functions: as long as st_size says, or up to the next symbol. */
function equalBytes(kernel: Kernel, rows: readonly number[]): boolean | undefined {
  const memory = kernel.image?.memory;
  if (memory === undefined) return undefined;
  const code = rows.map(row => {
    const { address, size, extent } = functionRow(kernel, row);
    const length = size || extent;
    return memory.has(address, length) ? memory.read(address, length) : undefined;
  });
  const [first, ...others] = code;
  if (first === undefined) return undefined;
  return others.every(bytes => bytes !== undefined && bytes.length === first.length && bytes.every((byte, i) => byte === first[i]));
}
