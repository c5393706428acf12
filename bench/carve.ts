import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KELF } from './cases.js';
import { installed, timeAlone, timePair } from './measure.js';
import { pairRow, type Row } from './report.js';

const GIGABYTE = 1e9;
/** Where a machine has its executables and libraries. */
const FOLDERS = ['/usr/bin', '/usr/sbin', '/usr/lib', '/usr/local'];
/** One object for sure: to find none is a failure of the command. */
const OBJECT = fileURLToPath(new URL('../../fixtures/bpf/kelf.bpfel.o', import.meta.url));
/** 300 MB in a second of one core. */
const TARGET = GIGABYTE / 300e6;

/**
 * Carves a gigabyte of this machine's executables and libraries, in turns with binwalk, which is told to look for ELF files alone: for every
 * signature that it knows it takes many minutes.
 */
export function carveRows(pairs: number, say: (line: string) => void): Row[] {
  const { files, size } = executables();
  const what = `bpf carve of ${(size / GIGABYTE).toFixed(2)} GB`;
  const seconds = (value: number): string => `${value.toFixed(1)} s`;
  say(what);
  const ours = [process.execPath, KELF, 'bpf', 'carve', OBJECT, ...files];
  const pair = installed('binwalk') ? timePair(ours, ['binwalk', '-y', 'elf', ...files], pairs) : undefined;
  const { processor, clock } = pair?.ours ?? timeAlone(ours, pairs);
  const core = ((processor / 1000) * GIGABYTE) / size;
  const rows: Row[] = [
    { what: `${what}: processor time for 1 GB`, kernel: '', kelf: seconds(core), result: core, target: TARGET, show: seconds },
    { what: `${what}: wall time`, kernel: '', kelf: seconds(clock / 1000), result: clock, show: seconds },
  ];
  return pair === undefined ? rows : [...rows, pairRow(what, '', 'binwalk -y elf', pair)];
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
