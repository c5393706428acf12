import type { BtfBlob } from '../blob.js';
import { KIND_NAMES } from '../kinds.js';
import { CHOICES, type Dialect, printLines } from './lines.js';
import { PLAIN, type Sink } from './writer.js';

/** bpftool's raw form. */
const RAW: Dialect = {
  name: 'raw',
  start: '[',
  title: "] KIND '{name}'",
  unknown: '\n',
  choices: {
    ...CHOICES,
    suffix: { by: 'flag', literals: ['ULL', 'LL'], other: '' },
    // bpftool calls void UNKNOWN.
    variableKind: { by: 'target', literals: ['UNKNOWN', ...KIND_NAMES.slice(1)], other: 'UNKNOWN' },
  },
  anonymous: '(anon)',
  separator: '',
  names: PLAIN,
};

/**
 * Prints the types of a blob, one a line and their members indented, byte for byte as `bpftool btf dump file FILE format raw` does. Those
 * of the base of a split blob are not printed.
 */
export function printRaw(blob: BtfBlob, sink: Sink): void {
  printLines(blob, RAW, '', '', sink);
}
