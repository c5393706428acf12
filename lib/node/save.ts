import { closeSync, constants, lstatSync, mkdirSync, openSync, type Stats, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { OutputError } from '../errors.js';
import { isInput } from './inputs.js';
import { systemPath } from './paths.js';

/** Writes a file that was asked for. @throws OutputError, for one that was read too: nothing is written then */
export function saveFile(path: string, content: string | Uint8Array): void {
  attempt(path, () => {
    if (isInput(path)) throw new Error('it is one of the files that were read');
    writeFileSync(systemPath(path), content);
  });
}

/**
 * Writes a file under a folder that was asked for, and makes the folders to it. Nothing is written through a link that stands there: names under the
 * folder come from what was read.
 * @throws OutputError
 */
export function saveUnder(folder: string, name: string, content: Uint8Array): void {
  const path = join(folder, name);
  makeFolder(folder, dirname(relative(folder, path)));
  attempt(path, () => {
    const there = statOf(path);
    if (there !== undefined && !there.isFile()) throw new Error(`${there.isSymbolicLink() ? 'a link' : 'no file'} is there`);
    if (there !== undefined && isInput(path)) throw new Error('it is one of the files that were read');
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);
    const fd = openSync(systemPath(path), flags, 0o666);
    try {
      writeFileSync(fd, content);
    } finally {
      closeSync(fd);
    }
  });
}

/** Makes a folder, with those above it, and folders in it. mkdirSync()'s own `recursive` follows links, and never ends below folders such as /proc. */
export function makeFolder(folder: string, inside = '.'): void {
  const above: string[] = [];
  for (let at = folder; statOf(at) === undefined; at = dirname(at)) {
    above.unshift(at);
    if (dirname(at) === at) break;
  }
  for (const at of above) makeOne(at);
  let at = folder;
  for (const part of inside === '.' ? [] : inside.split('/')) {
    at = join(at, part);
    const there = statOf(at);
    if (there === undefined) makeOne(at);
    else if (!there.isDirectory()) attempt(at, () => fail(`${there.isSymbolicLink() ? 'a link' : 'no folder'} is there`));
  }
}

function makeOne(path: string): void {
  try {
    mkdirSync(systemPath(path));
  } catch (error) {
    // Several threads make the same folders.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw new OutputError(`${path}: can't be made`, error as Error);
  }
}

/** Of what stands there itself, be it a link. */
function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(systemPath(path), { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function fail(message: string): never {
  throw new Error(message);
}

function attempt(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    throw new OutputError(`${path}: can't be written`, error as Error);
  }
}
