/**
 * A row of one table, or an offset in one. Those of different tables are different types, so that a function that wants the one is not
 * handed the other; any number will do where a row is made, and what is counted from a row is a number.
 */
export type Row<Table extends string> = number & { readonly table?: Table };
