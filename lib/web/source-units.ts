import type { Dwarf } from '../../elf/dwarf/dwarf.js';
import { isFormatError } from '../../elf/errors.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { CodedBuilder } from '../fleet/rows/columns.js';
import type { FunctionRows } from '../fleet/rows/functions.js';
import type { Column } from './page-data.js';

/** For each row of functions the file that was compiled, with its directory in the kernel's tree: `drivers/tty/tty_io.c`; by DWARF. */
export function unitsOf(kernel: KernelFacts, { count, function: rows }: FunctionRows): Column<string | null> {
  const column = new CodedBuilder<string | null>(count);
  const dwarf = kernel.symbolsMissing === undefined ? kernel.dwarf() : undefined;
  const names = new Map<number, string | null>();
  for (let row = 0; row < count; row++) {
    const index = rows[row]!;
    const offset = dwarf === undefined || index < 0 ? -1 : dwarf.unitOffsetAt(kernel.functions.address(index));
    let name = offset < 0 ? null : names.get(offset);
    if (name === undefined) names.set(offset, (name = pathOf(dwarf!, offset)));
    column.set(row, name);
  }
  return column;
}

/** Compilers are given paths from where they run, or from the root of the machine; a build outside of the tree has `../` before them. */
function pathOf(dwarf: Dwarf, offset: number): string | null {
  try {
    const { name, compDir } = dwarf.unit(offset);
    if (name === undefined) return null;
    const inside = compDir !== undefined && name.startsWith(`${compDir}/`) ? name.slice(compDir.length + 1) : name;
    return inside.replace(/^(?:\.\.?\/)+/, '');
  } catch (error) {
    // Damage in one unit: the others have names.
    if (!isFormatError(error)) throw error;
    return null;
  }
}
