import { type FunctionRow, functionRow } from '../facts/function-row.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { ModuleInstance } from '../facts/module-table/module-table.js';

/** A name that functions at different addresses share. */
export interface DuplicateGroup {
  readonly name: string;
  /** Lowest address first: the first is the one that kallsyms_lookup_name() finds. */
  readonly functions: readonly FunctionRow[];
  /** Data symbols of the same name, which count when a kprobe is set by name. */
  readonly dataSymbols: number;
  /**
   * Whether the machine code of all is the same, byte for byte: that of x86 is not even where only the targets of calls are counted from
   * other places; undefined if there is no image to look into. */
  readonly equalBytes: boolean | undefined;
  /** The functions of the name in modules; absent if no modules were read. */
  readonly modules?: readonly ModuleInstance[];
}

/** All names with more than one text address, in the kernel or in the modules that were read, in the order of the names. */
export function duplicates(kernel: KernelFacts): DuplicateGroup[] {
  const { functions, symbols } = kernel;
  const groups: DuplicateGroup[] = [];
  for (const first of symbols.index.repeated()) {
    const all = symbols.index.rowsFrom(first);
    const rows = all.flatMap(row => functions.ofSymbol(row) ?? []);
    if (rows.length < 2 || rows.every(row => functions.address(row) === functions.address(rows[0]!))) continue;
    const found = rows.map(row => functionRow(kernel, row));
    groups.push({ name: found[0]!.name, functions: found, dataSymbols: all.length - rows.length, equalBytes: equalBytes(kernel, found) });
  }
  const all = kernel.modules === undefined ? groups : withModules(kernel, groups);
  return all.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The groups with their namesakes in modules, and the names that only modules make ambiguous. */
function withModules(kernel: KernelFacts, groups: readonly DuplicateGroup[]): DuplicateGroup[] {
  const modules = kernel.modules!;
  const { functions, symbols } = kernel;
  const all = groups.map(group => ({ ...group, modules: modules.find(group.name) }));
  const known = new Set(groups.map(({ name }) => name));
  for (const first of modules.index.firstRows()) {
    const row = symbols.index.firstOf(modules.strings.bytes, modules.nameOffset[first]!);
    const rows = row < 0 ? [] : symbols.index.rowsFrom(row);
    const own = rows.flatMap(row => functions.ofSymbol(row) ?? []);
    if (own.length === 0 && modules.index.isOnly(first)) continue;
    const name = modules.name(first);
    if (known.has(name)) continue;
    all.push({
      name,
      functions: own.map(row => functionRow(kernel, row)),
      dataSymbols: rows.length - own.length,
      equalBytes: undefined,
      modules: modules.find(name),
    });
  }
  return all;
}

/** Compares the code of functions: as long as st_size says, or up to the next symbol. Other lengths are other code, and are not read. */
function equalBytes(kernel: KernelFacts, functions: readonly FunctionRow[]): boolean | undefined {
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
