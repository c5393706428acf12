/**
 * Fuzzes each parser, guided by coverage: an input that reaches code which none before it reached is kept, and mutated in turn. V8 counts the code
 * (Profiler.takePreciseCoverage), and test/support/mutate.ts damages; nothing has to be installed.
 *
 *     npm run fuzz:guided -- [TARGET…] [--seconds N] [--keep]
 *
 * --keep writes what was found to test/fuzz/corpus, which corpus.test.ts asks again. Exit code 1: an input got another answer than a FormatError; it is
 * written to the folder that is named.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutate, random } from '../support/mutate.js';
import { run, TARGETS, type Target } from './targets.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '30' },
    keep: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
  },
});
const CORPUS = fileURLToPath(new URL('../../../test/fuzz/corpus', import.meta.url));
/** Inputs between two looks at the counters: a look takes as long as some of them. */
const BATCH = 256;
/** What is kept in the project: small files, and few. */
const LARGEST_KEPT = 4096;
const MOST_KEPT = 12;

interface Coverage {
  readonly result: readonly {
    readonly scriptId: string;
    readonly url: string;
    readonly functions: readonly {
      readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
    }[];
  }[];
}

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });

/** Blocks that ran since the last call. */
async function reached(): Promise<string[]> {
  const { result } = (await session.post('Profiler.takePreciseCoverage')) as Coverage;
  const blocks: string[] = [];
  for (const { scriptId, url, functions } of result) {
    if (!/\/dist\/(?!test\/)/.test(url)) continue;
    for (const { ranges } of functions)
      for (const { startOffset, endOffset, count } of ranges) if (count > 0) blocks.push(`${scriptId}:${startOffset}:${endOffset}`);
  }
  return blocks;
}

async function fuzz(
  name: string,
  target: Target,
  seconds: number,
  next: (limit: number) => number,
): Promise<{ cases: number; faults: string[] }> {
  const seen = new Set<string>();
  const corpus: Uint8Array[] = [];
  const faults: string[] = [];
  /** Runs an input, and keeps it where it reaches something new. */
  const consider = async (bytes: Uint8Array, given = false): Promise<void> => {
    await reached();
    await ask(bytes);
    const fresh = (await reached()).filter(key => !seen.has(key));
    if (fresh.length === 0 && !given) return;
    for (const key of fresh) seen.add(key);
    corpus.push(bytes);
    if (values.keep && !given && bytes.length <= LARGEST_KEPT && kept(name).length < MOST_KEPT) save(join(CORPUS, name), bytes);
  };
  const ask = async (bytes: Uint8Array): Promise<void> => {
    try {
      await run(target, bytes);
    } catch (error) {
      const folder = mkdtempSync(join(tmpdir(), 'kelf-fuzz-'));
      faults.push(`${name}: ${save(folder, bytes)}: ${(error as Error).stack?.split('\n').slice(0, 3).join(' ')}`);
    }
  };
  const search = async (batch: readonly Uint8Array[]): Promise<void> => {
    if (batch.length === 1) return consider(batch[0]!);
    for (const half of [batch.slice(0, batch.length / 2), batch.slice(batch.length / 2)]) {
      await reached();
      for (const bytes of half) await ask(bytes);
      if ((await reached()).some(key => !seen.has(key))) await search(half);
    }
  };
  for (const bytes of [...target.seeds(), ...kept(name)]) await consider(Uint8Array.from(bytes), true);
  const end = Date.now() + seconds * 1000;
  let cases = 0;
  for (; Date.now() < end && faults.length < 5; cases += BATCH) {
    const batch = Array.from({ length: BATCH }, () => mutate(corpus[next(corpus.length)]!, next));
    await reached();
    for (const bytes of batch) await ask(bytes);
    // Which of them it was is looked for only where there was something, by halves.
    if ((await reached()).some(key => !seen.has(key))) await search(batch);
  }
  console.log(`${name}: ${cases} cases, ${seen.size} blocks, ${corpus.length} inputs, ${faults.length} faults`);
  return { cases, faults };
}

function kept(name: string): Uint8Array[] {
  try {
    return readdirSync(join(CORPUS, name)).map(file => readFileSync(join(CORPUS, name, file)));
  } catch {
    return [];
  }
}

function save(folder: string, bytes: Uint8Array): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, createHash('sha256').update(bytes).digest('hex').slice(0, 16));
  writeFileSync(path, bytes);
  return path;
}

const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);
const faults: string[] = [];
for (const name of names) faults.push(...(await fuzz(name, TARGETS[name]!, Number(values.seconds), random(Number(values.seed)))).faults);
for (const fault of faults) console.log(fault);
process.exitCode = faults.length === 0 ? 0 : 1;
