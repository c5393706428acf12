/**
 * What a report has in it: plain data, made where the kernel is read and shown by client.ts. This file imports nothing, since the page is checked
 * with the types of the DOM, and the library without them. Texts of the kernel are printable already.
 */

/** A column whose values are few: that of a row is `values[codes[row]]`. */
export interface Column<T> {
  readonly codes: readonly number[];
  readonly values: readonly T[];
}

export interface Verdict {
  readonly outcome: string;
  readonly code: string;
  readonly errno?: string;
}

export interface Tally {
  readonly code: string;
  readonly count: number;
  readonly examples: readonly string[];
}

/** What `kelf audit --json` prints, as far as it is shown. */
export interface AuditData {
  readonly kernel: { readonly name: string; readonly release?: string; readonly buildId?: string };
  readonly symbols: { readonly all: number; readonly text: number; readonly names: number; readonly source: string };
  readonly sites?: { readonly all: number; readonly source: string; readonly freedAfterBoot: number };
  readonly btf?: { readonly types: number; readonly functions: number; readonly source: string; readonly withoutSymbol: number };
  readonly duplicates: { readonly names: number; readonly functions: number; readonly firstUntraceable: readonly string[] };
  readonly sharedWithData: readonly string[];
  readonly kprobeByName: readonly Tally[];
  readonly kprobeByAddress: readonly Tally[];
  readonly fentry: readonly Tally[];
  readonly missingBtf: readonly Tally[];
}

/** A row for each function, in the order of names. */
export interface FunctionData {
  readonly name: readonly string[];
  /** Bytes from `_stext`; null where unknown. */
  readonly anchor: readonly (number | null)[];
  readonly size: readonly (number | null)[];
  readonly file: Column<string | null>;
  readonly prototype: Column<string | null>;
  /** Why BTF has no FUNC of the name; null where it has one. */
  readonly absence: Column<{ readonly code: string; readonly certainty: string } | null>;
  /** By mechanism, what a program meets that is given the name. */
  readonly verdicts: Readonly<Record<string, Column<Verdict>>>;
}

export interface PageData {
  readonly banner: string;
  readonly notes: readonly string[];
  readonly audit: AuditData;
  readonly functions: FunctionData;
  /** Titles of reason codes. */
  readonly reasons: Readonly<Record<string, string>>;
}
