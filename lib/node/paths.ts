import { readFileSync } from 'node:fs';

/**
 * Names of files are bytes, and a string has no place for what is not UTF-8. Such bytes stand in a path as halves of surrogate pairs, U+DC80 for 0x80
 * up to U+DCFF (PEP 383): a path stays a string, is written escaped, and is opened by the bytes that it came from.
 */
export function pathOf(bytes: Uint8Array): string {
  const text = utf8.decode(bytes);
  if (!text.includes('\ufffd')) return text;
  let path = '';
  for (let at = 0; at < bytes.length; ) {
    const length = lengthOfCharacter(bytes, at);
    path += length === 0 ? String.fromCharCode(ESCAPE + bytes[at]!) : utf8.decode(bytes.subarray(at, at + length));
    at += length || 1;
  }
  return path;
}

/** What the system is given for a path. */
export function systemPath(path: string): string | Buffer {
  if (!/[\udc80-\udcff]/u.test(path)) return path;
  return Buffer.concat(
    Array.from(path, char => {
      const code = char.charCodeAt(0);
      return char.length === 1 && code >= ESCAPE + 0x80 && code <= ESCAPE + 0xff ? Buffer.of(code - ESCAPE) : Buffer.from(char);
    }),
  );
}

/** The arguments of this process, as bytes where Node could not read them: `process.argv` has U+FFFD for these. */
export function argumentsOf(argv: readonly string[]): string[] {
  if (!argv.some(argument => argument.includes('\ufffd'))) return [...argv];
  try {
    const all = readFileSync('/proc/self/cmdline').toString('latin1').split('\0').slice(0, -1);
    return all.slice(all.length - argv.length).map(argument => pathOf(Buffer.from(argument, 'latin1')));
  } catch {
    return [...argv];
  }
}

const ESCAPE = 0xdc00;
const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** How many bytes the character at an index has; 0 where none is. */
function lengthOfCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  try {
    strict.decode(bytes.subarray(at, at + length));
    return length;
  } catch {
    return 0;
  }
}
