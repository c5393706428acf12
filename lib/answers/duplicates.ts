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
    const found = rows.map(row => functionRow(kernel, row));
    groups.push({ name: found[0]!.name, functions: found, dataSymbols: all.length - rows.length, equalBytes: equalBytes(kernel, found) });
  }
  return groups.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Compares the code of functions: as long as st_size says, or up to the next symbol. Other lengths are other code, and are not read. */
function equalBytes(kernel: Kernel, functions: readonly FunctionRow[]): boolean | undefined {
  const memory = kernel.image?.memory;
  const length = codeLength(functions[0]!);
  if (memory === undefined || !functions.every(({ address }) => memory.has(address, length))) return undefined;
  if (functions.some(row => codeLength(row) !== length)) return false;
  const [first, ...others] = functions.map(({ address }) => memory.read(address, length));
  return others.every(bytes => bytes.every((byte, i) => byte === first![i]));
}

function codeLength({ size, extent }: FunctionRow): number {
  return size || extent;
}
