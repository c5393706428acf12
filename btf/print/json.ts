import type { BtfBlob } from '../blob.js';
import { CHOICES, type Dialect, printLines } from './lines.js';
import { ESCAPED, type Sink } from './writer.js';

/**
 * bpftool's JSON. It reads the value of an ENUM as signed before it prints an unsigned one with 64 bits: 0x80000001 becomes
 * 18446744071562067969.
 */
const JSON_LINES: Dialect = {
  name: 'json',
  start: '{"id":',
  title: ',"kind":"KIND","name":"{name}"',
  unknown: '}',
  choices: CHOICES,
  anonymous: '(anon)',
  separator: ',',
  names: ESCAPED,
};

/**
 * Prints the types of a blob as one line of JSON, byte for byte as `bpftool -j btf dump file FILE` does. In names it escapes what JSON asks
 * for, as bpftool does since v7.2; older ones printed `\` as a newline and `'` as `\'`.
 */
export function printJson(blob: BtfBlob, sink: Sink): void {
  printLines(blob, JSON_LINES, '{"types":[', ']}\n', sink);
}
