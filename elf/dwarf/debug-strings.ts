import { FormatError } from '../errors.js';
import { StringTable } from '../strings.js';
import type { DebugSections } from './sections.js';

/** The sections whose strings a handle may name, in the order of its upper bits. */
const TABLES = ['str', 'line_str', 'info', 'line'] as const;
const TABLE = 2 ** 44;

/** What stands for no string. */
export const NO_STRING = -1;

/**
 * A string that has not been decoded, as one number: which section it is in, and where. So a table of a million names is a column, and
 * equal names of `.debug_str`, which the linker has merged, are equal numbers.
 */
export type StringHandle = number;

export function stringHandle(table: (typeof TABLES)[number], offset: number): StringHandle {
  return offset < TABLE ? TABLES.indexOf(table) * TABLE + offset : NO_STRING;
}

/** Decodes the strings of debug information. */
export class DebugStrings {
  readonly #sections: DebugSections;
  readonly #tables: (StringTable | undefined)[] = [];

  constructor(sections: DebugSections) {
    this.#sections = sections;
  }

  /** The string of a handle; undefined for `NO_STRING`. @throws FormatError `out-of-range` */
  get(handle: StringHandle): string | undefined {
    if (handle < 0) return undefined;
    const index = Math.floor(handle / TABLE);
    const offset = handle % TABLE;
    // Strings inside .debug_info are few, and it is not read whole for one.
    if (TABLES[index] === 'info') return this.#inInfo(offset);
    return this.#table(index).get(offset);
  }

  #table(index: number): StringTable {
    let table = this.#tables[index];
    if (table === undefined) {
      const section = this.#sections.get(TABLES[index]!);
      if (section === undefined)
        throw new FormatError('out-of-range', { name: `.debug_${TABLES[index]}` }, 'is used, but the file has no such section');
      table = new StringTable(section.bytes(), section.label);
      this.#tables[index] = table;
    }
    return table;
  }

  #inInfo(offset: number): string {
    const info = this.#sections.get('info')!;
    for (let length = 256; ; length *= 16) {
      const bytes = info.read(offset, Math.min(length, info.size - offset));
      const end = bytes.indexOf(0);
      if (end >= 0) return new StringTable(bytes, info.label).get(0);
      if (length >= info.size - offset) throw new FormatError('out-of-range', { name: info.label, offset }, 'no string begins here');
    }
  }
}
