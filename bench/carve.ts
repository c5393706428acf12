import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KELF } from './cases.js';
import { installed, processorTime, timeAlone, timePair } from './measure.js';
import type { Row } from './report.js';

const GIGABYTE = 1e9;
/** Where a machine has its executables and libraries. */
const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/local'];
/** One object for sure: to find none is a failure of the command. */
const OBJECT = fileURLToPath(new URL('../../fixtures/bpf/kelf.bpfel.o', import.meta.url));
/** 300 MB in a second of one core. */
const TARGET = GIGABYTE / 300e6;

/**
 * Carves a gigabyte of this machine's executables and libraries: the processor time of all threads, which a core would take, and whole processes in
 * turns with binwalk, which is told to look for ELF files alone: for every signature that it knows it takes many minutes.
 */
export function carveRows(pairs: number, say: (line: string) => void): Row[] {
  const { files, size } = executables();
  const what = `bpf carve of ${(size / GIGABYTE).toFixed(2)} GB`;
  const argv = [KELF, 'bpf', 'carve', OBJECT, ...files];
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  const ratio = (value: number): string => value.toFixed(2);
  say(what);
  const ours = [process.execPath, ...argv];
  const perGigabyte = (milliseconds: number): number => ((milliseconds / 1000) * GIGABYTE) / size;
  const wall = installed('binwalk')
    ? timePair(ours, ['binwalk', '-y', 'elf', ...files], pairs)
    : { ours: timeAlone(ours, pairs), theirs: 0 };
  const core = perGigabyte(processorTime(argv, pairs));
  const rows: Row[] = [
    { what: `${what}: processor time for 1 GB`, kernel: '', kelf: seconds(core), result: core, target: TARGET, show: seconds },
  ];
  if (wall.theirs === 0)
    return [...rows, { what: `${what}: wall time`, kernel: '', kelf: seconds(wall.ours / 1000), result: wall.ours, show: ratio }];
  const peer = { title: 'binwalk -y elf', figure: seconds(wall.theirs / 1000) };
  const result = wall.ours / wall.theirs;
  return [...rows, { what: `${what}: wall time`, kernel: '', kelf: seconds(wall.ours / 1000), peer, result, show: ratio }];
}

/** ELF files, a gigabyte of them where there are as many, in an order that is always the same. */
function executables(): { readonly files: readonly string[]; readonly size: number } {
  const files: string[] = [];
  let size = 0;
  const folders = [...FOLDERS].reverse();
  for (let folder = folders.pop(); folder !== undefined && size < GIGABYTE; folder = folders.pop()) {
    for (const entry of entries(folder)) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (entry.isFile() && size < GIGABYTE && isElf(path)) {
        files.push(path);
        size += statSync(path).size;
      }
    }
  }
  return { files, size };
}

function entries(folder: string): { readonly name: string; isDirectory(): boolean; isFile(): boolean }[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch {
    // What a machine does not have, or does not show.
    return [];
  }
}

function isElf(path: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return false;
  }
  try {
    const magic = Buffer.alloc(4);
    return readSync(file, magic) === 4 && magic.toString('latin1') === '\x7fELF';
  } finally {
    closeSync(file);
  }
}
