import { type Decision, ERRNO_NUMBERS, type Kernel } from 'kelf';
import { EM } from 'kelf/elf';
import { parseKprobeBlacklist } from 'kelf/kallsyms';
import { atLeast } from '../../lib/releases.js';
import type { Check, Outcome } from './check.js';

/** What a booted kernel said when it was asked about every function: its files by the names of fixtures/truth/README.md, undefined for one that is missing. */
export type Truth = (file: string) => string | undefined;

/** Disagreements that are listed before the rest is only counted. */
const LISTED = 20;
/** Answers that say they can't be given from the file. */
const OPEN: readonly string[] = ['sites-unknown', 'entry-patched', 'not-a-function-entry', 'error-injection-unknown'];
/** How many rows in ten thousand may be open. */
const OPEN_LIMIT = 5;

/** Every row of what the kernel said against kelf's answers; a file that is missing is not compared. */
export async function compareWithTruth(kernel: Kernel, truth: Truth, check: Check): Promise<void> {
  const { tracing } = kernel;
  const moved = movedBy(kernel, truth);
  const whole = async (what: string, file: string, compare: (text: string) => Outcome): Promise<void> => {
    const text = truth(file);
    if (text !== undefined) await check(what, [], () => compare(text));
  };
  const each = (what: string, file: string, compare: (rows: string[][]) => Outcome): Promise<void> =>
    whole(`${what}${oneIn(sampleOf(truth(file)))}`, file, text =>
      compare(
        lines(text)
          .slice(1)
          .map(line => line.split('\t')),
      ),
    );

  await whole('symbols equal /proc/kallsyms', 'kallsyms', text => sameList(kallsymsLines(kernel, moved), ownLines(text)));
  await whole('ftrace sites equal available_filter_functions', 'available_filter_functions', text =>
    sameList(filterFunctions(kernel), ownLines(text)),
  );
  await each('kprobe by name', 'kprobe.tsv', rows => agreement(rows, ([name]) => tracing.kprobes.inEvents(tracing.kprobes.byName(name!))));
  await each('kprobe by address', 'kprobe_addr.tsv', rows =>
    agreement(rows, ([address]) => tracing.kprobes.at(BigInt(`0x${address}`) - moved)),
  );
  await each('kretprobe by name', 'kretprobe.tsv', rows =>
    agreement(rows, ([name]) => tracing.kprobes.inEvents(tracing.kprobes.returnByName(name!))),
  );
  const programs = async (type: string, file: string, load: (id: number) => Decision, attach: (id: number) => Decision): Promise<void> => {
    const of = (rows: string[][], errno: 2 | 3): string[][] => rows.map(row => [`${row[1]} [${row[0]}]`, row[errno]!, row[0]!]);
    await each(`${type}, loading a program`, file, rows => agreement(of(rows, 2), ([, , id]) => load(Number(id))));
    if (!/\t(?!NA\t)\d+\t[^\t\n]*$/m.test(truth(file) ?? '')) return;
    await each(`${type}, attaching it (the sample)`, file, rows => {
      const all = of(rows, 3);
      const sample = all.filter(([, errno]) => errno !== 'NA');
      return agreement(sample, ([, , id]) => attach(Number(id)), all);
    });
  };
  await programs(
    'fentry',
    'fentry.tsv',
    id => tracing.trampolines.load('fentry', id),
    id => tracing.trampolines.attach('fentry', id),
  );
  await programs(
    'fexit',
    'fexit_load.tsv',
    id => tracing.trampolines.load('fexit', id),
    id => tracing.trampolines.attach('fexit', id),
  );
  await programs(
    'fmod_ret',
    'fmodret_load.tsv',
    id => tracing.trampolines.load('fmod_ret', id),
    id => tracing.trampolines.attach('fmod_ret', id),
  );
  await each('kprobe.multi by name', 'kprobe_multi.tsv', rows => agreement(rows, ([name]) => tracing.filters.kprobeMulti(name!)));
  await whole('the kprobe blacklist covers what the kernel lists', 'kprobe_blacklist', text => blacklistCovers(kernel, moved, text));
}

/** How far from the image's addresses the kernel ran: s390x places itself even with `nokaslr`. */
export function movedBy({ symbols }: Kernel, truth: Truth): bigint {
  const ran = /^([0-9a-f]+) [tT] _stext$/m.exec(truth('kallsyms') ?? '')?.[1];
  const linked = symbols.addressOf('_stext');
  return ran === undefined || linked === undefined ? 0n : BigInt(`0x${ran}`) - linked;
}

/** One in how many was asked: what the line of titles says last. */
export function sampleOf(text = ''): number {
  return Number(/^#.*\tone in (\d+)$/m.exec(text)?.[1] ?? 1);
}

export function oneIn(sample: number): string {
  return sample === 1 ? '' : ` (one in ${sample}, and all of a name that several have)`;
}

export function lines(text: string): string[] {
  return text.split('\n').filter(line => line !== '');
}

/** Without what modules, BPF programs and ftrace's trampolines add: their names have `[…]` behind them. */
function ownLines(text: string): string[] {
  return lines(text).filter(line => !line.endsWith(']'));
}

/** Both in full: the first row that differs, or how many there are. */
export function sameList(ours: readonly string[], theirs: readonly string[]): Outcome {
  const at = ours.findIndex((row, i) => row !== theirs[i]);
  if (at >= 0) return { ok: false, figures: `row ${at}: '${ours[at]}', the peer has '${theirs[at]}'` };
  return { ok: ours.length === theirs.length && ours.length > 0, figures: `${ours.length} rows, the peer has ${theirs.length}` };
}

/**
 * Rows are [name, the kernel's errno, …]; each that kelf answers otherwise is listed with its code, and those that it leaves open are counted apart.
 * @param all where rows are a sample: what it was taken from, which the limit of open answers goes by
 */
function agreement(rows: readonly string[][], decide: (row: readonly string[]) => Decision, all = rows): Outcome {
  let open = 0;
  const differing = rows.flatMap(row => {
    const decision = decide(row);
    if (OPEN.includes(decision.code)) open++;
    const ours = decision.errno === undefined ? 0 : ERRNO_NUMBERS[decision.errno];
    return ours === Number(row[1]) || OPEN.includes(decision.code) ? [] : [`${row[0]}: kernel ${row[1]}, kelf ${say(decision)}`];
  });
  const rest = differing.length > LISTED ? `, and ${differing.length - LISTED} more` : '';
  const list = differing.length === 0 ? '' : `: ${differing.slice(0, LISTED).join('; ')}${rest}`;
  const agreed = rows.length - differing.length - open;
  const allOpen = all === rows ? open : all.filter(row => OPEN.includes(decide(row).code)).length;
  const ofAll = all === rows || allOpen === 0 ? '' : ` (${allOpen} of all ${all.length})`;
  return {
    ok: differing.length === 0 && rows.length > 0 && allOpen * 10_000 <= all.length * OPEN_LIMIT,
    figures: `${agreed} of ${rows.length} agree${allOpen > 0 ? `, ${open} open${ofAll}` : ''}${list}`,
  };
}

function say({ code, errno }: Decision): string {
  return errno === undefined ? code : `${ERRNO_NUMBERS[errno]} ${code}`;
}

function kallsymsLines({ symbols }: Kernel, moved: bigint): string[] {
  return [...symbols].map(({ address, type, name }) => {
    const ran = type === 'A' || type === 'a' ? address : address + moved;
    return `${ran.toString(16).padStart(16, '0')} ${type} ${name}`;
  });
}

/** FTRACE_MCOUNT_MAX_OFFSET (asm/ftrace.h), of x86 and powerpc: a site farther behind a symbol is one of a weak function that the linker dropped. */
function farthestSite({ machine, release, pieces }: Kernel): bigint | undefined {
  const has = (option: string): boolean => pieces.config()?.get(option) === 'y';
  if (machine === EM.X86_64 && atLeast(release, [5, 19]) !== false) return has('CONFIG_X86_KERNEL_IBT') ? 4n : 0n;
  const early = has('CONFIG_MPROFILE_KERNEL') || has('CONFIG_ARCH_USING_PATCHABLE_FUNCTION_ENTRY');
  return machine === EM.PPC64 && early && atLeast(release, [6, 6]) !== false ? 16n : undefined;
}

/** The names that t_show() of kernel/trace/ftrace.c prints, in the order of the addresses; init code's records are gone after boot. */
function filterFunctions(kernel: Kernel): string[] {
  const { functions, symbols, tracing } = kernel;
  const sites = functions.sites!.ip;
  const farthest = farthestSite(kernel);
  return [...sites.big].flatMap((ip, at) => {
    if (tracing.sites.init.at(sites, at) !== undefined) return [];
    const row = symbols.containing(ip)!;
    const offset = ip - symbols.address.big[row]!;
    return farthest !== undefined && offset > farthest ? [`__ftrace_invalid_address___${offset}`] : [symbols.name(row)];
  });
}

/** Every byte of the kernel's ranges lies in one of ours. What ours have beyond is said, and is not wrong: it depends on the processor (VHE). */
function blacklistCovers(kernel: Kernel, moved: bigint, text: string): Outcome {
  const theirs = parseKprobeBlacklist(text, 'truth').map(({ from, to, name }) => ({ from: from - moved, to: to - moved, name }));
  const merged = merge(kernel.tracing.kprobes.blacklist!.ranges.areas);
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
