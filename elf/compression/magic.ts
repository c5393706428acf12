/** Whether the bytes at an offset are those of a magic. */
export function hasMagic(bytes: Uint8Array, at: number, magic: readonly number[]): boolean {
  for (let i = 0; i < magic.length; i++) if (bytes[at + i] !== magic[i]) return false;
  return true;
}

/** A magic that is a little-endian word, as the bytes that it is in a file. */
export function wordMagic(word: number): readonly number[] {
  return [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
}
