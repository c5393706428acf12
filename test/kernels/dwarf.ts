import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { openKernel } from 'kelf';
import { ElfFile, type Frame, isElf, openDwarf } from 'kelf/elf';
import { openSource } from '../../lib/node/source.js';
import { KELF } from '../support/cli.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

const ADDRESSES = 10_000;

/** Files and lines from DWARF against those of llvm-symbolizer and addr2line. */
export async function dwarf({ vmlinux }: KernelFiles, check: Check): Promise<void> {
  if (!hasDwarf(vmlinux)) return;
  await check('`kelf addr` equals llvm-symbolizer on random text addresses', ['llvm-symbolizer'], () =>
    sameFrames(vmlinux, randomTextAddresses(vmlinux, ADDRESSES)),
  );
  const duplicates = await duplicateAddresses(vmlinux);
  await check('`kelf addr` equals llvm-symbolizer on duplicate functions', ['llvm-symbolizer'], () => sameFrames(vmlinux, duplicates));
  await check('source files of duplicate functions equal addr2line', ['addr2line'], () => sameFiles(vmlinux, duplicates));
  await check('lines of duplicate functions equal eu-addr2line', ['eu-addr2line'], () => sameLines(vmlinux, duplicates));
}

/** What `kelf addr --json` prints, as far as it is compared. */
interface Answer {
  readonly file?: string;
  /** Absent for an address where nothing stands. */
  readonly frames?: readonly (Omit<Frame, 'place'> & { readonly path?: string; readonly line?: number; readonly column?: number })[];
}

function answersOf(vmlinux: string, addresses: readonly string[]): readonly Answer[] {
  const text = run(process.execPath, [KELF, 'addr', vmlinux, '-', '--json'], addresses);
  return (JSON.parse(text) as { answers: Answer[] }).answers;
}

/** All frames: the name of each inlined function as its source has it, file, line and column. */
function sameFrames(vmlinux: string, addresses: readonly string[]): Outcome {
  const theirs = run('llvm-symbolizer', ['-e', vmlinux, '--functions=short'], addresses).trimEnd().split('\n\n');
  return compare(addresses, answersOf(vmlinux, addresses).map(framesText), theirs.map(peerFrames));
}

/**
 * File and line of the first instruction, or the file of the symbol where no unit describes the code. In place of a header, binutils 2.40 names the file
 * that was compiled, and the line in the header behind it: counted apart.
 */
function sameFiles(vmlinux: string, addresses: readonly string[]): Outcome {
  const peer = (asked: readonly string[]): string[] =>
    run('addr2line', ['-e', vmlinux], asked)
      .trimEnd()
      .split('\n')
      .map(line => line.replace(/ \(discriminator \d+\)$/, '').replace(/:\?$/, ':0'));
  const theirs = peer(addresses);
  const answers = answersOf(vmlinux, addresses);
  // Where no unit describes the code the peer goes on with the last line of what is in front; kelf has the file of the symbol. What the peer was
  // asked before decides too, so that it is asked for each of these by itself.
  const undescribed = answers.flatMap(({ frames: [first] = [] }, i) => (first?.path === undefined ? [i] : []));
  for (const i of undescribed) theirs[i] = peer([addresses[i]!])[0]!;
  const inFront = peer(undescribed.map(i => `0x${(BigInt(addresses[i]!) - 4n).toString(16)}`));
  const goesOn = new Set(undescribed.filter((i, at) => inFront[at] === theirs[i]));
  let headers = 0;
  const ours = answers.map(({ frames = [], file }, i) => {
    const [first] = frames;
    if (first?.path === undefined) return goesOn.has(i) ? theirs[i]! : `${file ?? '??'}:0`;
    const compiled = `${frames.at(-1)?.unit}:${first.line}`;
    if (theirs[i] === `${first.path}:${first.line}` || !theirs[i]!.endsWith(`/${compiled}`)) return `${first.path}:${first.line}`;
    headers++;
    return theirs[i]!;
  });
  const { ok, figures } = compare(addresses, ours, theirs);
  return { ok, figures: `${figures}, ${headers} of them in headers` };
}

/** File, line and column of the first instruction, where a unit describes it: where none does, the peer takes the end of the code in front. */
function sameLines(vmlinux: string, addresses: readonly string[]): Outcome {
  const theirs = run('eu-addr2line', ['-e', vmlinux], addresses).trimEnd().split('\n');
  const ours = answersOf(vmlinux, addresses).map(({ frames: [frame] = [] }, i) =>
    frame?.path === undefined ? theirs[i]! : `${frame.path}:${frame.line}${frame.column ? `:${frame.column}` : ''}`,
  );
  return compare(addresses, ours, theirs);
}

function framesText({ frames = [], file }: Answer): string {
  if (frames.length === 0) return file === undefined ? NOTHING : `${file}${BY_SYMBOL}`;
  return frames
    .map(({ name, inlined, path, line, column }) => `${inlined ? `${name} ` : ''}${path ?? '??'}:${line ?? 0}:${column ?? 0}`)
    .join('; ');
}

const NOTHING = '??:0:0';
/** Behind a file that the symbol table has, and no unit. Objects of assembly have their path in 5.10. */
const BY_SYMBOL = ':0:0 (symbol)';

/** A block of llvm-symbolizer: a line for the function, and one for the place, for each frame. The last function's name is the symbol's. */
function peerFrames(block: string): string {
  const lines = block.trim().split('\n');
  const frames: string[] = [];
  for (let i = 0; i < lines.length; i += 2) frames.push(`${i + 2 < lines.length ? `${lines[i]} ` : ''}${lines[i + 1]}`);
  return frames.join('; ');
}

function compare(addresses: readonly string[], ours: readonly string[], theirs: readonly string[]): Outcome {
  if (ours.length !== theirs.length) return { ok: false, figures: `${ours.length} answers, the peer has ${theirs.length}` };
  const differing = addresses.map((_, i) => i).filter(i => ours[i] !== theirs[i] && !isUnknownToPeer(ours[i]!, theirs[i]!));
  const [first] = differing;
  if (first !== undefined) {
    const figures = `${differing.length} of ${addresses.length} differ: ${addresses[first]} '${ours[first]}', the peer has '${theirs[first]}'`;
    return { ok: false, figures };
  }
  const known = ours.filter(text => !text.endsWith(':0') && !text.endsWith(BY_SYMBOL) && !text.startsWith('??')).length;
  return { ok: known > 0, figures: `${addresses.length} addresses, ${known} of them known` };
}

/** Where no unit describes the code, kelf names the file of the symbol; llvm-symbolizer does within the symbol's size only. */
function isUnknownToPeer(ours: string, theirs: string): boolean {
  return ours.endsWith(BY_SYMBOL) && (theirs === NOTHING || theirs === ours.slice(0, -' (symbol)'.length));
}

async function duplicateAddresses(vmlinux: string): Promise<string[]> {
  await using kernel = await openKernel(vmlinux);
  return kernel.duplicates().flatMap(({ functions }) => functions.map(({ address }) => `0x${address.toString(16)}`));
}

function hasDwarf(vmlinux: string): boolean {
  if (!existsSync(vmlinux)) return false;
  const source = openSource(vmlinux);
  try {
    return isElf(source.read(0, Math.min(16, source.size))) && openDwarf(ElfFile.open(source)) !== undefined;
  } finally {
    source.close();
  }
}

/** Places in sections of code, the same in every run. */
function randomTextAddresses(vmlinux: string, count: number): string[] {
  const source = openSource(vmlinux);
  const code = ElfFile.open(source).sections.filter(({ allocated, flags, size }) => allocated && (flags & 4) !== 0 && size > 0);
  source.close();
  const total = code.reduce((sum, { size }) => sum + size, 0);
  let state = 0x6b656c66;
  return Array.from({ length: count }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    let at = Math.floor(((state >>> 0) / 2 ** 32) * total);
    const section = code.find(({ size }) => {
      if (at < size) return true;
      at -= size;
      return false;
    })!;
    return `0x${(section.address + BigInt(at)).toString(16)}`;
  });
}

function run(tool: string, args: readonly string[], input: readonly string[]): string {
  return execFileSync(tool, args, {
    encoding: 'utf8',
    input: `${input.join('\n')}\n`,
    maxBuffer: 2 ** 30,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
}
