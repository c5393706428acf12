/**
 * `node dist/bench/fleet.js DATASET OUT KERNELS`: a dataset of many kernels made from the real ones of another, as `kelf index --merge` would write it.
 * Each kernel is one of the real ones under an id and a release of its own; of its functions some are named otherwise or have another parameter, all have
 * another place; the members of some structs are moved.
 */
import { randomBytes } from 'node:crypto';
import { encode, withTable } from '../lib/dataset/folder.js';
import type { Cell, Column } from '../lib/fleet/dataset/columns.js';
import { MANY_KERNELS } from '../lib/fleet/dataset/encode.js';
import { fileOf, isMerged, mergedName, TABLES, type Table } from '../lib/fleet/dataset/format.js';
import { mergeTables } from '../lib/fleet/dataset/merge.js';
import { hashText } from '../lib/fleet/rows/prototypes.js';
import { saveSet, setsIn, setWriter } from '../lib/node/sets.js';
import { random } from '../test/support/mutate.js';

const [from, out, count] = process.argv.slice(2);
if (from === undefined || out === undefined || !(Number(count) > 0)) throw new Error('usage: fleet.js DATASET OUT KERNELS');

/** Kernels of a set, as `kelf index --merge` has them. */
const KERNELS = 32;
/** One name, and one prototype, of so many is another; and the members of one struct. */
const ONE_OF = 200;

const real = setsIn(from).filter(set => !isMerged(set));
const to = setWriter(out);
for (let first = 0; first < Number(count); first += KERNELS) {
  const kernels = Array.from({ length: Math.min(KERNELS, Number(count) - first) }, (_, i) => ({
    set: real[(first + i) % real.length]!,
    seed: first + i,
    id: randomBytes(20).toString('hex'),
  }));
  const files: [string, Uint8Array][] = [];
  for (const table of TABLES) {
    const parts: Column[][] = [];
    for (const { set, seed, id } of kernels)
      parts.push(varied(table, await withTable(from, set, table, file => file.table()), { next: random(seed), seed, id }));
    files.push([fileOf(table), encode(table, mergeTables(parts), MANY_KERNELS)]);
  }
  saveSet(to, mergedName(randomBytes(20).toString('hex')), files);
  const bytes = files.reduce((sum, [, { length }]) => sum + length, 0);
  console.log(`${first + kernels.length} of ${count} kernels, ${Math.round(bytes / kernels.length / 1000)} kB each`);
}

interface Variation {
  readonly next: (limit: number) => number;
  readonly seed: number;
  readonly id: string;
}

function varied(table: Table, columns: Column[], { next, seed, id }: Variation): Column[] {
  const cells = (name: string): Cell[] => columns.find(column => column.name === name)!.data;
  cells('kernel').fill(id);
  if (table === 'kernels') {
    cells('build_id').fill(id);
    // `6.1.0-56-amd64` is the 1056th of its series and so on: releases stay in an order.
    for (const [row, release] of cells('release').entries())
      cells('release')[row] = String(release ?? '5.10.0-1-btf').replace(/(\d+)(?!.*\d)|$/, digits => `${digits}.${1000 + seed}`);
  }
  if (table === 'functions') varyFunctions(cells, next);
  if (table === 'members') varyMembers(cells, next);
  return table === 'functions' ? inOrder(columns, cells('name')) : columns;
}

function varyFunctions(cells: (name: string) => Cell[], next: Variation['next']): void {
  const [names, prototypes, ids, anchors] = ['name', 'prototype', 'prototype_id', 'anchor'].map(cells) as [Cell[], Cell[], Cell[], Cell[]];
  let moved = 0n;
  for (let row = 0; row < names.length; row++) {
    if (next(ONE_OF) === 0) names[row] = `${names[row]}_${next(4)}`;
    if (typeof prototypes[row] === 'string' && next(ONE_OF) === 0) {
      prototypes[row] = String(prototypes[row]).replace(/\)$/, `, int more_${next(8)})`);
      ids[row] = BigInt(hashText(String(prototypes[row])));
    }
    if (next(8) === 0) moved += BigInt(16 * next(16));
    if (anchors[row] !== null) anchors[row] = (anchors[row] as bigint) + moved;
  }
}

function varyMembers(cells: (name: string) => Cell[], next: Variation['next']): void {
  const [structs, offsets] = ['struct', 'bit_offset'].map(cells) as [Cell[], Cell[]];
  let shift = 0n;
  for (let row = 0; row < structs.length; row++) {
    if (row === 0 || structs[row] !== structs[row - 1]) shift = next(ONE_OF) === 0 ? BigInt(64 * (1 + next(4))) : 0n;
    offsets[row] = (offsets[row] as bigint) + shift;
  }
}

/** What was renamed goes to its place. */
function inOrder(columns: Column[], names: readonly Cell[]): Column[] {
  const order = names.map((_, row) => row).sort((a, b) => (names[a]! < names[b]! ? -1 : names[a]! > names[b]! ? 1 : a - b));
  return columns.map(column => ({ ...column, data: order.map(row => column.data[row]!) }));
}
