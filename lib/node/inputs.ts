import { type BigIntStats, statSync } from 'node:fs';
import { systemPath } from './paths.js';

/** What was read in this process: none of it is written over. */
const identities = new Set<string>();
/** Files that other threads read: they are looked at where something is written. */
const paths: string[] = [];

/** Remembers a file that was opened. */
export function rememberInput(stat: Born): void {
  identities.add(nameOf(stat));
}

export function rememberPaths(all: readonly string[]): void {
  for (const path of all) paths.push(path);
}

/** Whether a path leads to a file that was read, by whatever name and through whatever links. */
export function isInput(path: string): boolean {
  for (const other of paths.splice(0)) {
    const stat = identityOf(other);
    if (stat !== undefined) identities.add(stat);
  }
  const own = identityOf(path);
  return own !== undefined && identities.has(own);
}

function identityOf(path: string): string | undefined {
  const stat = statSync(systemPath(path), { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : nameOf(stat);
}

type Born = Pick<BigIntStats, 'dev' | 'ino' | 'birthtimeNs'>;

/** With the time of its birth: a new file may have the inode of one that was read and is deleted. */
function nameOf({ dev, ino, birthtimeNs }: Born): string {
  return `${dev}:${ino}:${birthtimeNs}`;
}
