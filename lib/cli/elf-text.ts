import { printable } from '../../elf/escape.js';
import type { Section } from '../../elf/section.js';
import type { ElfTables } from '../../elf/tables.js';

// What the commands that print an ELF file's own tables share.

/** Says each diagnostic of the file once more, for stderr. */
export function noteDiagnostics(elf: ElfTables, note: (line: string) => void): void {
  for (const { message } of elf.diagnostics) note(`kelf: ${message}`);
}

/** A section's name with control characters written as `\x1b`, so that a row stays a row. */
export function sectionName(section: Section): string {
  return printable(section.name);
}

/** How many characters the widest cell of a column has. A loop: a million arguments are more than a call takes. */
export function widest<T>(rows: readonly T[], cell: (row: T) => string): number {
  let width = 0;
  for (const row of rows) width = Math.max(width, cell(row).length);
  return width;
}
