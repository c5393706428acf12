import type { Row } from '../elf/row.js';

/** The number of a type: 0 is void, and a split BTF's own begin where its base's end. */
export type TypeId = Row<'type of the BTF'>;

/** An offset into the strings of a BTF; a split BTF's own begin where its base's end. */
export type StringOffset = Row<'string of the BTF'>;
