import type { ByteSource } from './source.js';

// What a caller in JavaScript gets wrong, the compiler would have said: a TypeError names the argument, before anything is read.

export function expectString(value: string, argument: string): void {
  if (typeof value !== 'string') throw wrong(argument, 'a string', value);
}

export function expectBytes(value: Uint8Array, argument: string): void {
  if (!(value instanceof Uint8Array)) throw wrong(argument, 'a Uint8Array', value);
}

export function expectSource(value: ByteSource, argument: string): void {
  if (!isSource(value)) throw wrong(argument, 'a source of bytes: { name, size, read(), close() }', value);
}

export function isSource(value: unknown): value is ByteSource {
  return typeof value === 'object' && value !== null && 'size' in value && 'read' in value && typeof value.read === 'function';
}

/** `openKernel(): input is undefined, not a path, …` */
export function wrong(argument: string, wanted: string, value: unknown): TypeError {
  const is = value === null || value === undefined ? String(value) : typeof value === 'object' ? 'another object' : `a ${typeof value}`;
  return new TypeError(`${argument} is ${is}, not ${wanted}`);
}
