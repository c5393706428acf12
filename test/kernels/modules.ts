import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { findModules, type Module, openKernel, openModule, readModules } from 'kelf';
import { type Btf, printRaw } from 'kelf/btf';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** Modules that are compared with what the peers print, each; every one with KELF_ALL_MODULES=1 or --all. */
const SAMPLE = 50;
const ALL = process.env['KELF_ALL_MODULES'] === '1' || process.argv.includes('--all');
const MEGABYTE = 1e6;

/** A whole tree of modules: opened without a complaint, and what is read of each compared with bpftool, readelf and nm. */
export async function modules(kernel: KernelFiles, check: Check): Promise<void> {
  const paths = existsSync(kernel.modules) ? findModules(kernel.modules) : [];
  if (paths.length === 0) return;
  const sample = ALL ? paths : paths.filter((_, i) => i % Math.ceil(paths.length / SAMPLE) === 0);
  await using vmlinux = await openKernel(kernel.vmlinux);
  const base = vmlinux.btf;
  if (base === undefined) return;
  await check('every module is read, on threads', [], async () => {
    const start = performance.now();
    const table = await readModules(kernel.modules, { base });
    const took = Math.round(performance.now() - start);
    const sites = table.modules.reduce((sum, module) => sum + module.sites, 0);
    const exported = table.modules.reduce((sum, module) => sum + module.exports, 0);
    const memory = Math.round(process.memoryUsage().rss / MEGABYTE);
    return {
      ok: table.problems.length === 0 && table.modules.length === paths.length,
      figures: `${table.modules.length} modules, ${table.count} functions, ${sites} sites, ${exported} exports in ${took} ms, ${memory} MB${table.problems.slice(0, 1)}`,
    };
  });
  await check("btf dump, raw, of modules equals bpftool's", ['bpftool'], () => {
    // pahole makes the BTF of modules since 5.11.
    const withBtf = sample.filter(path => openModule(path).file.section('.BTF') !== undefined);
    if (withBtf.length === 0) return { ok: 'nothing', figures: `none of ${sample.length} modules has a .BTF section` };
    return compareAll(withBtf, path => sameBtf(path, base, kernel.vmlinux));
  });
  await check("ftrace sites are readelf's relocations", ['readelf'], () => compareAll(sample, sameSites));
  await check("functions are nm's, exports those of __ksymtab", ['nm'], () => compareAll(sample, sameSymbols));
  await check("modinfo is readelf's", ['readelf'], () => compareAll(sample, sameModinfo));
  removeUnpacked();
}

/** Compares each; the figures are how much was compared, or the first difference. */
function compareAll(paths: readonly string[], compare: (path: string) => number | string): Outcome {
  let items = 0;
  for (const path of paths) {
    const found = compare(path);
    if (typeof found === 'string') return { ok: false, figures: `${basename(path)}: ${found}` };
    items += found;
  }
  return { ok: paths.length > 0, figures: `${items} of ${paths.length} modules` };
}

function run(tool: string, ...args: string[]): string {
  return execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] });
}

const UNPACKERS: Readonly<Record<string, string>> = { '.xz': 'xz', '.zst': 'zstd', '.gz': 'gzip' };
const unpacked = new Map<string, string>();
let folder: string | undefined;

/** The module as the peers read it: they know no packed ones, which the system's tools unpack. */
function plain(path: string): string {
  const tool = UNPACKERS[extname(path)];
  if (tool === undefined) return path;
  let copy = unpacked.get(path);
  if (copy === undefined) {
    folder ??= mkdtempSync(join(tmpdir(), 'kelf-'));
    copy = join(folder, `${unpacked.size}-${basename(path, extname(path))}`);
    writeFileSync(copy, execFileSync(tool, ['-dc', path], { maxBuffer: 2 ** 30 }));
    unpacked.set(path, copy);
  }
  return copy;
}

function removeUnpacked(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true });
  folder = undefined;
  unpacked.clear();
}

/** How many bytes were the same. */
function sameBtf(path: string, base: Btf, vmlinux: string): number | string {
  using module = openModule(path, { base });
  const { btf } = module;
  if (btf === undefined) return 'has no BTF';
  const hash = createHash('sha256');
  let bytes = 0;
  printRaw(btf, part => {
    hash.update(part);
    bytes += part.length;
  });
  const { stdout } = spawnSync('bpftool', ['-B', vmlinux, 'btf', 'dump', 'file', plain(path)], { maxBuffer: 2 ** 30 });
  return createHash('sha256').update(stdout).digest('hex') === hash.digest('hex') ? bytes : `${bytes} bytes, the peer has ${stdout.length}`;
}

/** How many sites were the same. */
function sameSites(path: string): number | string {
  using module = openModule(path);
  const table = module.mcount?.section;
  const text = run('readelf', '-rW', plain(path));
  const start = table === undefined ? -1 : text.indexOf(`Relocation section '.rela${table}'`);
  if (start < 0) {
    const expected = text.includes('.rela__mcount_loc') || module.file.section('__patchable_function_entries') !== undefined;
    return expected && module.mcount !== undefined ? 'a table without relocations' : 0;
  }
  const end = text.indexOf('\nRelocation section', start);
  const rows = text
    .slice(start, end < 0 ? undefined : end)
    .matchAll(/^[0-9a-f]{16} {2}[0-9a-f]+ R_\S+ +[0-9a-f]+ (\S+) ([+-]) ([0-9a-f]+)$/gm);
  const adjust = module.functions.sites?.mode?.adjust ?? 0;
  const expected = [...rows].map(([, section, , offset]) => `${section}+${Number.parseInt(offset!, 16) + adjust}`).sort();
  const found = [...module.sites()].map(({ section, offset }) => `${section}+${offset}`).sort();
  if (found.join(' ') !== expected.join(' ')) return `${found.length} sites, readelf shows ${expected.length}`;
  // What overridden weak functions leave behind lies in no function's beginning (kvm.ko of x86 has some).
  const lost = [...module.sites()].filter(({ row }) => row === undefined).length;
  const left = module.functions.sites?.mode?.elsewhere ?? 0;
  return lost <= left ? found.length : `${lost} sites belong to no function, ${left} stand at none`;
}

/** How many functions and exports were the same. */
function sameSymbols(path: string): number | string {
  using module = openModule(path);
  const text = run('nm', plain(path));
  // Labels of mapping and padding are no functions.
  const functions = [...text.matchAll(/^([0-9a-f]+) ([tTW]) (?!\$|\.L|L0|__(?:pfx|cfi)_)(\S+)$/gm)];
  const expected = functions.map(([, value, letter, name]) => `${Number.parseInt(value!, 16)} ${letter} ${name}`).sort();
  const found = functionsOf(module).sort();
  if (found.join('\n') !== expected.join('\n')) {
    const at = found.findIndex((line, i) => line !== expected[i]);
    return `${found.length} functions, nm has ${expected.length}; the first difference: ${found[at]}, ${expected[at]}`;
  }
  const exported = module.exports.map(({ name }) => name).sort();
  const entries = [...text.matchAll(/ [rRdD] __ksymtab_(\S+)$/gm)].map(([, name]) => name!).sort();
  if (exported.join(' ') !== entries.join(' ')) return `${exported.length} exports, nm shows ${entries.length} entries`;
  const versioned = module.modinfo.all('vermagic').some(value => / modversions /.test(value));
  if (versioned && module.exports.some(({ crc }) => crc === undefined)) return 'an export without a checksum';
  return found.length + exported.length;
}

function functionsOf(module: Module): string[] {
  const letters = { local: 't', global: 'T', weak: 'W' };
  return Array.from({ length: module.functions.count }, (_, row) => {
    const { name, offset, binding } = module.function(row);
    return `${offset} ${letters[binding]} ${name}`;
  });
}

/** How many lines of .modinfo were the same. */
function sameModinfo(path: string): number | string {
  using module = openModule(path);
  const expected = [...run('readelf', '-p', '.modinfo', plain(path)).matchAll(/^ {2}\[ *[0-9a-f]+\] {2}(.*)$/gm)].map(([, line]) => line!);
  const found = module.modinfo.entries.map(([tag, value]) => `${tag}=${value}`);
  // readelf writes control characters as ^J, and cuts nothing else.
  const other = found.findIndex((line, i) => line !== expected[i] && !/\p{Cc}|[^ -~]/u.test(line));
  if (found.length !== expected.length) return `${found.length} lines, readelf has ${expected.length}`;
  return other < 0 ? found.length : `'${found[other]}', readelf has '${expected[other]}'`;
}
