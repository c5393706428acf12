import { MECHANISM_WORDS, type Mechanism } from '../../fleet/rows/mechanisms.js';
import { REASONS } from '../../reasons.js';
import type { FunctionData, Problem, Subject } from '../page-data.js';
import type { Store } from './store.js';

/** What a view is called with: what it shows, where its parts come from, and what the address asks of it. */
export interface Context {
  readonly subject: Subject;
  readonly store: Store;
  /** What is behind the view's name in the address: a function, the id of a struct. */
  readonly name: string;
  readonly query: URLSearchParams;
  /** Puts what is asked now into the address, without a visit of its own. */
  remember(query: Readonly<Record<string, string | number>>): void;
}

export function mechanismOf(text: string | null): Mechanism {
  return text !== null && Object.hasOwn(MECHANISM_WORDS, text) ? (text as Mechanism) : 'fentry';
}

/** The address of a view of a subject. */
export function linkTo(subject: Subject, view: string, query: Readonly<Record<string, string | number>> = {}): string {
  const asked = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
  return `#/${subject.id}/${view}${asked === '' ? '' : `?${asked}`}`;
}

/** The address of a function's page. */
export function functionLink(subject: Subject, name: string): string {
  return linkTo(subject, `function/${encodeURIComponent(wellFormed(name))}`);
}

/** Halves of surrogate pairs have no form in an address. */
function wellFormed(name: string): string {
  return name.replace(/\p{Cs}/gu, '\ufffd');
}

/** The title of a reason code. */
export function titleOf(code: string): string {
  return Object.hasOwn(REASONS, code) ? REASONS[code as keyof typeof REASONS] : '';
}

/** A column of functions. @throws where there is none, with why */
export async function columnOf<K extends keyof FunctionData>({ store, subject }: Context, name: K): Promise<FunctionData[K]> {
  return expected(await store.load<FunctionData[K] | Problem>(subject, `functions/${name}`));
}

/** @throws an error with the sentence of a problem */
export function expected<T>(value: T | Problem): T {
  if (typeof value === 'object' && value !== null && 'problem' in value) throw new Error(value.problem);
  return value;
}

/** Lets the browser draw and listen before the next piece of work. */
export function pause(): Promise<void> {
  return new Promise(resolve => setTimeout(resolve));
}

export const hex = (value: number): string => `0x${value.toString(16)}`;
