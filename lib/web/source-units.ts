import type { Dwarf } from '../../elf/dwarf/dwarf.js';
import { isFormatError } from '../../elf/errors.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { once } from '../facts/once.js';
import { CodedBuilder } from '../fleet/rows/columns.js';
import type { FunctionRows } from '../fleet/rows/functions.js';
import type { Column } from './page-data.js';

/** For each row of functions the file that was compiled, with its directory in the kernel's tree: `drivers/tty/tty_io.c`; by DWARF. */
export function unitsOf(kernel: KernelFacts, { count, function: rows }: FunctionRows): Column<string | null> {
  const column = new CodedBuilder<string | null>(count);
  const dwarf = kernel.symbolsMissing === undefined ? kernel.dwarf() : undefined;
  const paths = once(() => pathsOf(dwarf!));
  for (let row = 0; row < count; row++) {
    const index = rows[row]!;
    const offset = dwarf === undefined || index < 0 ? -1 : dwarf.unitOffsetAt(kernel.functions.address(index));
    column.set(row, offset < 0 ? null : (paths().get(offset) ?? null));
  }
  return column;
}

/** The paths of all units by their offsets: read one after another, and none is kept. */
function pathsOf(dwarf: Dwarf): ReadonlyMap<number, string> {
  const names = new Map<number, readonly string[]>();
  for (const unit of dwarf.units()) {
    try {
      if (unit.name !== undefined) names.set(unit.offset, unit.name.split('/'));
    } catch (error) {
      // Damage in one unit: the others have names.
      if (!isFormatError(error)) throw error;
    }
  }
  // A build outside of the tree has `../` before paths; assemblers are given them from the root of the machine, where the others tell what is in the tree.
  const top = new Set(Array.from(names.values(), parts => (parts[0] === '' ? undefined : parts.find(part => !UP.has(part)))));
  return new Map(
    Array.from(names, ([offset, parts]) => {
      const from = parts[0] === '' ? parts.findIndex(part => top.has(part)) : parts.findIndex(part => !UP.has(part));
      return [offset, parts.slice(Math.max(0, from)).join('/').replace(/^\/+/, '')];
    }),
  );
}

const UP: ReadonlySet<string> = new Set(['.', '..']);
