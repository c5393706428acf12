import type { Evidence, Outcome, Verdict } from '../evidence.js';
import type { FunctionRow } from '../facts/function-row.js';
import type { ModuleInstance } from '../facts/module-table/module-table.js';
import { REASONS } from '../reasons.js';
import type { KnownFailure } from './gate.js';
import { hex } from './json.js';

/** A longer cell moves its own row, not all of them: one of a megabyte would make each row as long. */
const WIDEST = 200;

/**
 * Rows of text in columns: each as wide as its widest cell, numbers to the right.
 * @param right the columns that are numbers down from their heading
 */
export function table(rows: readonly (readonly (string | number)[])[], indent = '', right: readonly number[] = []): string[] {
  const widths: number[] = [];
  // A loop: a million arguments are more than a call takes.
  for (const row of rows)
    for (const [i, cell] of row.entries()) widths[i] = Math.min(WIDEST, Math.max(widths[i] ?? 0, String(cell).length));
  return rows.map(row => {
    const cells = row.map((cell, i) => {
      const text = String(cell);
      return typeof cell === 'number' || right.includes(i) ? text.padStart(widths[i]!) : text.padEnd(widths[i]!);
    });
    return `${indent}${cells.join('  ')}`.trimEnd();
  });
}

/** Bytes in hexadecimal. */
export function bytesText(bytes: Uint8Array, between = ''): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(between);
}

/** `1 program`, `2 programs` */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

/** `one function`, `2 functions` */
export function functionCount(number: number): string {
  return number === 1 ? 'one function' : `${number} functions`;
}

/** More functions of modules than these are counted: every module has an init_module. */
export const MOST_IN_MODULES = 8;

/** A checksum of an exported symbol: `0x0a1b2c3d`. */
export function crcText(crc: number | undefined): string {
  return crc === undefined ? '-' : `0x${crc.toString(16).padStart(8, '0')}`;
}

/** `.text+0x10`, `lib/libkelf.so+0x40` */
export function offsetText(base: string, offset: number | bigint): string {
  return `${base}+${hex(offset)}`;
}

/** The place of a BPF object in a file; the file where it is all of it. */
export function objectPlace({ path, offset }: { readonly path: string; readonly offset: number }): string {
  return offset === 0 ? path : offsetText(path, offset);
}

/** What a reader is told of an outcome. */
export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = { accepted: 'yes', refused: 'no', open: 'open' };

/** `yes`, `no  EADDRNOTAVAIL  ambiguous-name: several symbols share this name`, `open  sites-unknown: …`. */
export function verdictCells({ outcome, errno, code, certainty }: Verdict): string[] {
  const doubt = certainty === 'likely' ? ' (likely)' : '';
  return [OUTCOME_WORDS[outcome] + doubt, errno ?? '', code === 'accepted' ? '' : `${code}: ${REASONS[code]}`];
}

/** A row for each verdict; mechanisms next to each other that fare alike share one. */
export function verdictRows(verdicts: Readonly<Record<string, Verdict>>, indent: string): string[] {
  const rows: string[][] = [];
  for (const [mechanism, verdict] of Object.entries(verdicts)) {
    const cells = verdictCells(verdict);
    const last = rows.at(-1);
    if (last?.slice(1).every((cell, i) => cell === cells[i])) last[0] += `, ${mechanism}`;
    else rows.push([mechanism, ...cells]);
  }
  return table(rows, indent);
}

export function evidenceLine({ source, address, says }: Evidence): string {
  return address === undefined ? `${source}: ${says}` : `${source} ${hex(address)}: ${says}`;
}

/** Lines of evidence, each once, in the order they are met; what is said alike of several addresses is one line. */
export function evidenceLines(verdicts: readonly { readonly because: readonly Evidence[] }[]): string[] {
  const merged = new Map<string, { source: string; says: string; addresses: Set<bigint> }>();
  for (const { source, address, says } of verdicts.flatMap(({ because }) => because)) {
    const key = `${source}\0${says}`;
    const line = merged.get(key) ?? { source, says, addresses: new Set() };
    merged.set(key, line);
    if (address !== undefined) line.addresses.add(address);
  }
  return [...merged.values()].map(
    ({ source, says, addresses }) => `${[source, [...addresses].map(hex).join(', ')].filter(Boolean).join(' ')}: ${says}`,
  );
}

/** `xfs:.text+0x9ce40  xfs_trans.c  T  535 bytes` */
export function moduleCells({ module, section, offset, file, letter, size }: ModuleInstance): string[] {
  return [offsetText(`${module}:${section}`, offset), file ?? '', letter, `${size} bytes`];
}

/** `0xffffffff813d5640  binfmt_elf.c         t  6010 bytes  _stext+0x3d5640` */
export function functionCells({ address, file, letter, size, extent, anchor }: FunctionRow): string[] {
  return [hex(address), file ?? '', letter, `${size ?? extent} bytes`, anchor ?? ''];
}

/** The failures that a baseline expects. */
export function knownLines(known: readonly KnownFailure[]): string[] {
  return known.map(({ name, classname, until, reason }) => `known until ${until}: ${name} (${classname}): ${reason}`);
}
