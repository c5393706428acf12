import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputError, OutputError } from '../errors.js';
import { pathOf, systemPath } from './paths.js';
import { makeFolder } from './save.js';

/** Where sets are written before their folder is moved to its place: a pattern for the files of all sets is one folder deep. */
const UNFINISHED = '.unfinished';
/** What an interrupted run has left is taken away after so long. Writing a set takes seconds, and other machines may be at it. */
const LEFT_MS = 24 * 3600 * 1000;

/** Sets that are written by one run. */
export interface SetWriter {
  readonly folder: string;
  /** Where its sets are in the making: no other run has this name. */
  readonly run: string;
}

/** @param folder the dataset */
export function setWriter(folder: string): SetWriter {
  return { folder, run: randomUUID() };
}

/**
 * Writes files as a folder NAME, whole or not at all: the folder appears by one rename, when all of it is on the disk.
 * @returns false if the folder is there: another has written it
 * @throws OutputError; nothing is left then
 */
export function saveSet({ folder, run }: SetWriter, name: string, files: Iterable<readonly [name: string, content: Uint8Array]>): boolean {
  makeFolder(folder, `${UNFINISHED}/${run}`);
  const path = join(folder, name);
  const made = join(folder, UNFINISHED, run, `${name}.${randomUUID()}`);
  try {
    mkdirSync(systemPath(made));
    for (const [file, content] of files) writeDurably(join(made, file), content);
    syncFolder(made);
    const moved = move(made, path);
    if (moved) syncFolder(folder);
    return moved;
  } catch (error) {
    // What makes the files fails by errors of its own.
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new OutputError(`${path}: can't be written`, error);
  } finally {
    remove(made);
  }
}

export function isSameFolder(one: string, other: string): boolean {
  const [a, b] = [one, other].map(path => statSync(systemPath(path), { bigint: true, throwIfNoEntry: false }));
  return a !== undefined && a.dev === b?.dev && a.ino === b.ino;
}

/** Takes away what a run has left: threads that were ended in the middle. */
export function endRun({ folder, run }: SetWriter): void {
  remove(join(folder, UNFINISHED, run));
}

/** Takes away what was left unfinished a day ago. Where it can't, it stays: it is in nobody's way. */
export function removeUnfinished(folder: string, now: number = Date.now()): void {
  const place = join(folder, UNFINISHED);
  try {
    for (const name of namesIn(place)) {
      const path = join(place, name);
      if (now - statSync(systemPath(path)).mtimeMs > LEFT_MS) remove(path);
    }
  } catch {}
}

/** What can't be taken away stays: the error that it comes from counts. */
function remove(path: string): void {
  try {
    rmSync(systemPath(path), { recursive: true, force: true });
  } catch {}
}

/** Whether a set is there. */
export function hasSet(folder: string, name: string): boolean {
  return statSync(systemPath(join(folder, name)), { throwIfNoEntry: false }) !== undefined;
}

/** The sets under a folder, by their names; none where there is no such folder. @throws InputError */
export function setsIn(folder: string): string[] {
  return namesIn(folder)
    .filter(name => name !== UNFINISHED)
    .sort();
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(systemPath(folder), { withFileTypes: true, encoding: 'buffer' })
      .filter(entry => entry.isDirectory())
      .map(({ name }) => pathOf(name));
  } catch (error) {
    const { code = 'EIO' } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return [];
    const text: Readonly<Record<string, string>> = { ENOTDIR: 'is not a folder', EACCES: 'permission denied' };
    throw new InputError(folder, code, text[code] ?? code, { cause: error });
  }
}

function writeDurably(path: string, content: Uint8Array): void {
  const fd = openSync(systemPath(path), 'wx', 0o666);
  try {
    writeFileSync(fd, content);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The names in a folder are on the disk too. Some file systems can't be asked for it. */
function syncFolder(path: string): void {
  const fd = openSync(systemPath(path), 'r');
  try {
    fsyncSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
  } finally {
    closeSync(fd);
  }
}

/** False where a folder with files is at its place. */
function move(from: string, to: string): boolean {
  try {
    renameSync(systemPath(from), systemPath(to));
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
}
