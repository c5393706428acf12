import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ElfFile, EM, machineName, type RelocationTable, relocationName } from 'kelf/elf';
import { openSource } from '../../lib/node/source.js';
import { KELF } from '../support/cli.js';
import { ElfWriter } from '../support/elf-writer.js';
import {
  noteRows,
  readelfNoteRows,
  readelfSectionRows,
  readelfSegmentRows,
  readelfSymbolRows,
  relocationHeading,
  relocationRows,
  sectionRows,
  segmentRows,
  symbolRows,
} from '../support/readelf.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** Relocations that are formatted at a time. */
const CHUNK = 1 << 14;

/** Headers, notes, symbols and relocations against readelf and nm, all rows. */
export async function elfTables(kernel: KernelFiles, check: Check): Promise<void> {
  const source = openSource(kernel.vmlinux);
  const elf = ElfFile.open(source);
  const readelf = (options: string) => run('readelf', options, kernel.vmlinux);
  await check('sections equal readelf -SW', ['readelf'], () => sameRows(sectionRows(elf), readelfSectionRows(readelf('-SW'))));
  await check('segments equal readelf -lW', ['readelf'], () => sameRows(segmentRows(elf), readelfSegmentRows(readelf('-lW'))));
  await check('notes equal readelf -nW', ['readelf'], () => sameRows(noteRows(elf), readelfNoteRows(readelf('-nW'))));
  await check('symbols equal readelf -sW', ['readelf'], () => {
    const { symbols } = elf;
    if (symbols === undefined) return { ok: false, figures: 'no .symtab' };
    // readelf takes what follows an @ for a version: arm64 linkers name veneers so (e843419@01c1_0000274c_7a8).
    const ours = symbolRows(elf, symbols).map(row => row.replace(/( e\d+)@\S+$/, '$1'));
    return sameRows(ours, readelfSymbolRows(readelf('-sW'), symbols.section.name));
  });
  await check('`kelf symbols` equals nm', ['nm'], () => {
    // nm leaves out the mapping symbols of arm ($x, $a, $t, $d), shows no address of undefined symbols, and prints control characters as they are.
    const ours = rowsOf(run(process.execPath, KELF, 'symbols', kernel.vmlinux), /^(\S+) +\S+ \S+ +\S+ +(?!UND)\S+ +(\S+)/);
    const theirs = rowsOf(run('nm', kernel.vmlinux), /^([0-9a-f]+) . (\S+)/);
    return sameRows(ours.filter(row => !/ \$[xatd](\.\d+)?$/.test(row)).sort(), theirs.map(escapeControls).sort());
  });
  await check('relocations equal readelf -rW', ['readelf'], () => sameRelocations(elf, kernel.vmlinux));
  source.close();
}

/** `address name` of each line that matches. */
function rowsOf(text: string, line: RegExp): string[] {
  return text.split('\n').flatMap(row => {
    const found = line.exec(row);
    return found === null ? [] : [`${found[1]} ${found[2]}`];
  });
}

function escapeControls(row: string): string {
  return row.replace(/\p{Cc}/gu, char => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

function sameRows(ours: readonly string[], theirs: readonly string[]): Outcome {
  const at = theirs.findIndex((row, i) => row !== ours[i]);
  if (at >= 0) return { ok: false, figures: `row ${at}: '${ours[at]}', the peer has '${theirs[at]}'` };
  return { ok: ours.length === theirs.length && ours.length > 0, figures: `${ours.length} rows, the peer has ${theirs.length}` };
}

/** Compares the rows of all tables with the peer's output as it comes: 13 million rows are more than a gigabyte of text. */
async function sameRelocations(elf: ElfFile, path: string): Promise<Outcome> {
  const ours = chunks(elf);
  const peer = spawn('readelf', ['-rW', path], { stdio: ['ignore', 'pipe', 'ignore'] });
  let pending: Buffer = Buffer.alloc(0);
  let bytes = 0;
  for await (const data of peer.stdout as AsyncIterable<Buffer>) {
    let rest = data;
    while (rest.length > 0) {
      if (pending.length === 0) {
        const next = ours.next();
        if (next.done === true && /^\s*There are no relocations in this file\.\s*$/.test(data.toString('latin1'))) {
          return { ok: elf.relocationTables().length === 0, figures: 'none' };
        }
        if (next.done === true) {
          peer.kill();
          return { ok: false, figures: `the peer has more: '${rest.toString('latin1', 0, 100)}'` };
        }
        pending = next.value;
      }
      const length = Math.min(rest.length, pending.length);
      if (rest.compare(pending, 0, length, 0, length) !== 0) {
        peer.kill();
        return { ok: false, figures: firstDifference(pending, rest) };
      }
      bytes += length;
      rest = rest.subarray(length);
      pending = pending.subarray(length);
    }
  }
  const rows = elf.relocationTables().reduce((sum, { count }) => sum + count, 0);
  return { ok: pending.length === 0 && ours.next().done === true, figures: `${rows} rows, ${bytes} bytes of text` };
}

function* chunks(elf: ElfFile): Generator<Buffer> {
  for (const table of elf.relocationTables()) {
    yield Buffer.from(relocationHeading(elf, table));
    for (let start = 0; start < table.count; start += CHUNK) yield Buffer.from(rowsFrom(elf, table, start));
  }
}

/** The names of relocation types against binutils' readelf, which prints them for every number of a made-up table. */
export async function relocationTypeNames(check: Check): Promise<void> {
  for (const [machine, bits, most] of [
    [EM.X86_64, 64, 256],
    [EM.I386, 32, 256],
    [EM.AARCH64, 64, 1100],
    [EM.ARM, 32, 256],
    [EM.S390, 64, 256],
    [EM.RISCV, 64, 256],
    [EM.PPC64, 64, 256],
    [EM.LOONGARCH, 64, 256],
    [EM.MIPS, 32, 256],
  ] as const) {
    await check(`relocation types of ${machineName(machine)} equal readelf -rW`, ['readelf'], () => sameNames(machine, bits, most));
  }
}

function sameNames(machine: number, bits: 32 | 64, most: number): Outcome {
  const writer = new ElfWriter(bits, machine !== EM.S390);
  const rows = Array.from({ length: most }, (_, type) => ({ offset: BigInt(type), type }));
  const sections = [writer.rela('.rela.types', rows, { link: '.symtab' }), ...writer.symbols([])];
  const folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  const path = join(folder, 'types.o');
  writeFileSync(path, writer.file({ machine, sections }));
  const text = run('readelf', '-rW', path);
  rmSync(folder, { recursive: true });
  const differences: string[] = [];
  let named = 0;
  for (const [, place, theirs] of text.matchAll(/^([0-9a-f]{8,16}) +[0-9a-f]+ (R_\w+)/gm)) {
    const type = Number.parseInt(place!, 16);
    const ours = relocationName(machine, type);
    named++;
    if (ours !== theirs && !OTHER_NAMES.has(theirs!)) differences.push(`${type}: ${ours}, the peer has ${theirs}`);
  }
  return { ok: differences.length === 0 && named > 0, figures: differences.join('; ') || `${named} names` };
}

/** What binutils calls otherwise than the ABI does: ELF for the Arm Architecture, "Relocation codes table". */
const OTHER_NAMES: ReadonlySet<string> = new Set([
  'R_ARM_ALU_PCREL7_0',
  'R_ARM_ALU_PCREL15_8',
  'R_ARM_ALU_PCREL23_15',
  'R_ARM_LDR_SBREL_11_0',
  'R_ARM_ALU_SBREL_19_12',
  'R_ARM_ALU_SBREL_27_20',
  'R_ARM_THM_TLS_DESCSEQ',
]);

function rowsFrom(elf: ElfFile, table: RelocationTable, start: number): string {
  return relocationRows(elf, table, start, CHUNK);
}

function firstDifference(ours: Buffer, theirs: Buffer): string {
  let at = 0;
  while (ours[at] === theirs[at]) at++;
  const line = (bytes: Buffer) => bytes.toString('latin1', Math.max(0, at - 80), at + 40).replaceAll('\n', '|');
  return `'${line(ours)}', the peer has '${line(theirs)}'`;
}

function run(tool: string, ...args: string[]): string {
  return execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] });
}
