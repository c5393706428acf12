import { hex } from '../report/json.js';
import { documentOf, type Report } from '../report/report.js';
import type { Json } from './page-data.js';

/** The document that `--json` prints, as plain data: what comes out of reading its text, without the text. */
export function jsonOf<M extends object, D>(report: Report<M>, model: M): D {
  return plain(documentOf(report, model)) as D;
}

/** As toJson() writes it: addresses as `0x…`, maps as objects, lists that are made while they are read as lists. */
function plain(value: unknown): Json {
  if (typeof value === 'bigint') return hex(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return null;
  if (typeof value !== 'object' || value === null) return (value ?? null) as Json;
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (Symbol.iterator in value) return Array.from(value as Iterable<unknown>, plain);
  const object: Record<string, Json> = {};
  for (const key of Object.keys(value)) {
    const child = (value as Readonly<Record<string, unknown>>)[key];
    if (child !== undefined) object[key] = plain(child);
  }
  return object;
}
