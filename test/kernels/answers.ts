import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type Decision, ERRNO_NUMBERS, type Errno, type Kernel, openKernel } from 'kelf';
import { EM } from 'kelf/elf';
import { parseKprobeBlacklist } from 'kelf/kallsyms';
import { externalOnly } from '../support/external-only.js';
import type { Check, KernelFiles, Outcome } from './run.js';

/** Disagreements that are listed before the rest is only counted. */
const LISTED = 20;

/** What the booted kernel said of every function (fixtures/truth), and nm, against kelf's answers. */
export async function answers(files: KernelFiles, check: Check): Promise<void> {
  if (!existsSync(truthPath(files, 'kallsyms'))) return;
  await using kernel = await openKernel(files.vmlinux, { config: files.config });
  const truth = (file: string): string => gunzipSync(readFileSync(truthPath(files, file))).toString();
  const rows = (file: string): string[][] =>
    lines(truth(file))
      .slice(1)
      .map(line => line.split('\t'));
  const { tracing } = kernel;

  await check('symbols equal /proc/kallsyms', [], () => sameList(kallsymsLines(kernel), lines(truth('kallsyms'))));
  await check('ftrace sites equal available_filter_functions', [], () =>
    sameList(filterFunctions(kernel), lines(truth('available_filter_functions'))),
  );
  await check('duplicate names equal those of nm', ['nm'], () => sameList(namesOfDuplicates(kernel), duplicatesByNm(files)));
  await check('kprobe by name', [], () => agreement(rows('kprobe.tsv'), ([name]) => tracing.kprobeByName(name!)));
  await check('kprobe by address', [], () => agreement(rows('kprobe_addr.tsv'), ([address]) => tracing.kprobeAt(BigInt(`0x${address}`))));
  await check('kretprobe by name', [], () => agreement(rows('kretprobe.tsv'), ([name]) => tracing.kretprobeByName(name!)));
  const fentry = rows('fentry.tsv').map(([id, name, load, attach]) => [`${name} [${id}]`, load!, attach!, id!]);
  await check('fentry, loading a program', [], () => agreement(fentry, ([, , , id]) => tracing.fentryLoad(Number(id))));
  await check('fentry, attaching it (the sample)', [], () =>
    agreement(
      fentry.flatMap(([name, , attach, id]) => (attach === 'NA' ? [] : [[name!, attach!, id!]])),
      ([, , id]) => tracing.fentryAttach(Number(id)),
    ),
  );
  await check('the kprobe blacklist covers what the kernel lists', [], () => blacklistCovers(kernel, truth('kprobe_blacklist')));
  await check('source files of duplicates', [], () => sourceFiles(kernel));
  await check('tty_write, left out of BTF', [], () => ttyWrite(kernel, files));
}

function truthPath({ name }: KernelFiles, file: string): string {
  return fileURLToPath(new URL(`../../../fixtures/truth/${name}/${file}.gz`, import.meta.url));
}

function lines(text: string): string[] {
  return text.split('\n').filter(line => line !== '');
}

/** Both in full: the first row that differs, or how many there are. */
function sameList(ours: readonly string[], theirs: readonly string[]): Outcome {
  const at = ours.findIndex((row, i) => row !== theirs[i]);
  if (at >= 0) return { ok: false, figures: `row ${at}: '${ours[at]}', the peer has '${theirs[at]}'` };
  return { ok: ours.length === theirs.length && ours.length > 0, figures: `${ours.length} rows, the peer has ${theirs.length}` };
}

/** Rows are [name, the kernel's errno, …]; each that kelf answers otherwise is listed with its code. */
function agreement(rows: readonly string[][], decide: (row: readonly string[]) => Decision): Outcome {
  const differing = rows.flatMap(row => {
    const decision = decide(row);
    const ours = decision.errno === undefined ? 0 : ERRNO_NUMBERS[decision.errno];
    return ours === Number(row[1]) && decision.code !== 'sites-unknown' ? [] : [`${row[0]}: kernel ${row[1]}, kelf ${say(decision)}`];
  });
  const rest = differing.length > LISTED ? `, and ${differing.length - LISTED} more` : '';
  const list = differing.length === 0 ? '' : `: ${differing.slice(0, LISTED).join('; ')}${rest}`;
  return { ok: differing.length === 0 && rows.length > 0, figures: `${rows.length - differing.length} of ${rows.length} agree${list}` };
}

function say({ code, errno }: { code: string; errno?: Errno }): string {
  return errno === undefined ? code : `${ERRNO_NUMBERS[errno]} ${code}`;
}

function kallsymsLines({ symbols }: Kernel): string[] {
  return [...symbols].map(({ address, type, name }) => `${address.toString(16).padStart(16, '0')} ${type} ${name}`);
}

/** The names that t_show() of kernel/trace/ftrace.c prints, in the order of the addresses; init code's records are gone after boot. */
function filterFunctions(kernel: Kernel): string[] {
  const { functions, symbols, tracing } = kernel;
  const sites = functions.sites!.ip;
  return [...sites.big].flatMap((ip, at) => {
    if (tracing.rules.init.at(sites, at) !== undefined) return [];
    const row = symbols.containing(ip)!;
    const offset = ip - symbols.address.big[row]!;
    // FTRACE_MCOUNT_MAX_OFFSET: x86 without CONFIG_X86_KERNEL_IBT has no site behind a function's first byte.
    return kernel.machine === EM.X86_64 && offset > 0n ? [`__ftrace_invalid_address___${offset}`] : [symbols.name(row)];
  });
}

function namesOfDuplicates(kernel: Kernel): string[] {
  return kernel.duplicates().map(({ name }) => name);
}

/**
 * Names that nm has twice or more as `t` or `T`. Where kallsyms lists text only (no CONFIG_KALLSYMS_ALL), the rows that scripts/kallsyms.c of 6.1 takes:
 * those of its two ranges of text, without the EFI stub's and KVM's mapping symbols.
 */
function duplicatesByNm({ vmlinux, config }: KernelFiles): string[] {
  const rows = lines(execFileSync('nm', [vmlinux], { encoding: 'utf8', maxBuffer: 1 << 28 })).map(line => ({
    address: line.slice(0, 16),
    letter: line[17]!,
    name: line.slice(19),
  }));
  const label = (name: string): string => rows.find(row => row.name === name)!.address;
  const ranges = [
    [label('_stext'), label('_etext')],
    [label('_sinittext'), label('_einittext')],
  ];
  const all = /^CONFIG_KALLSYMS_ALL=y$/m.test(readFileSync(config, 'utf8'));
  const counts = new Map<string, number>();
  for (const { address, letter, name } of rows) {
    if (letter !== 't' && letter !== 'T') continue;
    if (!all && (/^__efistub_|^__kvm_nvhe_\$/.test(name) || !ranges.some(([from, to]) => address >= from! && address <= to!))) continue;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].flatMap(([name, count]) => (count > 1 ? [name] : [])).sort();
}

/** Every byte of the kernel's ranges lies in one of ours. What ours have beyond is said, and is not wrong: it depends on the processor (VHE). */
function blacklistCovers(kernel: Kernel, text: string): Outcome {
  const theirs = parseKprobeBlacklist(text, 'truth');
  const merged = merge(kernel.tracing.rules.blacklist!.ranges.areas);
  const open = theirs.filter(({ from, to }) => !merged.some(range => range.from <= from && to <= range.to));
  const theirMerged = merge(theirs);
  const beyond = [...kernel.symbols].filter(
    ({ address }) =>
      within(merged, address) && !within(theirMerged, address) && kernel.functions.find(kernel.symbols.name(0)) !== undefined,
  );
  const missing = open.slice(0, LISTED).map(({ name }) => name);
  const figures = `${theirs.length - open.length} of ${theirs.length} ranges; symbols in ours alone: ${beyond.length}`;
  return {
    ok: open.length === 0 && theirs.length > 0,
    figures: missing.length === 0 ? figures : `${figures}; not covered: ${missing.join(', ')}`,
  };
}

interface Range {
  readonly from: bigint;
  readonly to: bigint;
}

function merge(ranges: readonly Range[]): Range[] {
  const merged: Range[] = [];
  for (const { from, to } of ranges.toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0))) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last.to) merged[merged.length - 1] = { from: last.from, to: to > last.to ? to : last.to };
    else merged.push({ from, to });
  }
  return merged;
}

function within(ranges: readonly Range[], address: bigint): boolean {
  return ranges.some(({ from, to }) => address >= from && address < to);
}

/** Each static function of a duplicate name has its file; load_elf_binary comes from one source, built twice. */
function sourceFiles(kernel: Kernel): Outcome {
  const groups = kernel.duplicates();
  const locals = groups.flatMap(({ functions }) => functions.filter(({ binding }) => binding === 'local'));
  const without = locals.filter(({ file }) => file === undefined).map(({ name }) => name);
  const files = groups.find(({ name }) => name === 'load_elf_binary')?.functions.map(({ file }) => file);
  const expected = 'binfmt_elf.c, compat_binfmt_elf.c';
  return {
    ok: locals.length > 0 && without.length === 0 && files?.join(', ') === expected,
    figures: `${locals.length - without.length} of ${locals.length} static ones; load_elf_binary is of ${files?.join(' and ')}`,
  };
}

/**
 * The question that a distribution's arm64 kernel raises: its BTF has only external functions, for pahole 1.19 to 1.21 read the zeros that stand for
 * `__mcount_loc` in the file. The BTF is the kernel's own with the FUNCs of static functions taken out.
 */
async function ttyWrite(kernel: Kernel, files: KernelFiles): Promise<Outcome> {
  const { symbols } = kernel;
  const upper = (row: number): boolean => /[TW]/.test(String.fromCharCode(symbols.type[row]!));
  const blob = kernel.image!.section('.BTF')!.data();
  const folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  try {
    const btf = join(folder, 'external-only.btf');
    writeFileSync(
      btf,
      externalOnly(blob, name => symbols.find(name).some(upper)),
    );
    await using other = await openKernel(files.vmlinux, { btf });
    const given = other.missingBtf('tty_write', { paholeVersion: 120 });
    const inferred = other.missingBtf('tty_write');
    const traced = other.traceability('tty_write').kprobe.byName;
    // x86 has the words in the file: 1.20 would have kept tty_write there, so that an external-only BTF is one of 1.16 to 1.18. On arm64 the BTF does
    // not show which of the two eras it was.
    const words = kernel.mcount!.zeroStored === 0;
    const code = words ? 'pahole-unknown' : 'pahole-external-only-fallback';
    const alternatives = inferred.alternatives.map(({ pahole, code }) => `${pahole} ${code}`).join(', ');
    const ok =
      given.code === code &&
      given.certainty === (code === 'pahole-unknown' ? 'open' : 'proven') &&
      say(inferred) === (words ? 'pahole-static' : 'pahole-external-only-fallback') &&
      alternatives === (words ? '' : 'pahole 1.16 to 1.18 pahole-static, pahole 1.19 to 1.21 pahole-external-only-fallback') &&
      traced.ok === true;
    return {
      ok,
      figures: `1.20: ${given.code} (${given.certainty}); inferred: ${inferred.code}, ${alternatives}; kprobe ${say(traced)}`,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
