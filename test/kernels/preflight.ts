/**
 * Compares what libbpf-attach.c said of BPF programs on a kernel with what `kelf bpf check` says of them.
 *
 *   npm run --silent build && npm run boot -- amd64 6.1 --run libbpf-attach OBJECT… >said.tsv
 *   node dist/test/kernels/preflight.js [--modules DIR] KERNEL CONFIG said.tsv OBJECT…
 *
 * Prints how many of each prediction came to what, and each program that was predicted wrong. Exit 1: a program that was said to fail works, or one
 * that was said to pass fails, or fails with another errno.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { ERRNO_NUMBERS, openKernel, readModules } from 'kelf';
import { type CheckOutcome, type Finding, openBpfObject, Preflight } from 'kelf/bpf';

type Step = 'works' | 'left to the tool' | 'refused by the verifier' | 'fails';

/** EOPNOTSUPP of bpf_program__attach(): libbpf attaches no program of that section by itself. */
const NOT_ATTACHED_BY_LIBBPF = 95;
/** EACCES of BPF_PROG_LOAD: what the verifier says of the code itself, which is not foretold. */
const BY_THE_VERIFIER = 13;

const { values, positionals } = parseArgs({ options: { modules: { type: 'string' } }, allowPositionals: true });
const [path, config, said, ...objects] = positionals;
if (path === undefined || config === undefined || said === undefined || objects.length === 0) {
  console.error('usage: preflight.js [--modules DIR] KERNEL CONFIG SAID OBJECT…');
  process.exit(2);
}
const truth = new Map<string, { readonly step: Step; readonly errno: number; readonly text: string }>();
for (const line of readFileSync(said, 'utf8').split('\n')) {
  const [object, program, step, errno, log] = line.split('\t');
  if (errno === undefined) continue;
  truth.set(`${basename(object!)}\t${program}`, {
    step: stepOf(step!, Number(errno)),
    errno: Number(errno),
    text: `${step} ${errno} ${log}`,
  });
}
await using kernel = await openKernel(path, { config });
if (values.modules !== undefined) kernel.modules = await readModules(values.modules, { base: kernel.btf, types: true });
const preflight = new Preflight(kernel);
const tally = new Map<string, number>();
for (const file of objects) {
  const { programs, findings } = preflight.check(openBpfObject(file));
  for (const { program, section, outcome, findings: own } of programs) {
    const came = truth.get(`${basename(file)}\t${program}`);
    if (came === undefined) continue;
    const against = [...own, ...findings].filter(({ verdict }) => verdict.outcome === 'refused');
    const codes = against.map(({ verdict }) => verdict.code);
    // The kernel says EOPNOTSUPP as well, where it has no multi kprobes.
    const step = came.step === 'left to the tool' && against.length > 0 && !isOther(against, came.errno) ? 'fails' : came.step;
    const key = `${outcome}: ${step}`;
    tally.set(key, (tally.get(key) ?? 0) + 1);
    if (!isWrong(outcome, step) && !(outcome === 'fails' && isOther(against, came.errno))) continue;
    process.exitCode = 1;
    console.log(`${basename(file)} ${program} (${section}): said ${[outcome, ...codes].join(' ')}: ${came.text}`);
  }
}
for (const [key, count] of [...tally].sort()) console.log(`${count}\t${key}`);

function stepOf(step: string, errno: number): Step {
  if (step === 'works') return 'works';
  if (step === 'attach' && errno === NOT_ATTACHED_BY_LIBBPF) return 'left to the tool';
  return step === 'load' && errno === BY_THE_VERIFIER ? 'refused by the verifier' : 'fails';
}

function isWrong(outcome: CheckOutcome, step: Step): boolean {
  return (outcome === 'passes' && step === 'fails') || (outcome === 'fails' && (step === 'works' || step === 'left to the tool'));
}

/** Whether none of what was found is refused with the errno that libbpf came back with. */
function isOther(against: readonly Finding[], errno: number): boolean {
  return against.every(({ verdict }) => verdict.errno === undefined || ERRNO_NUMBERS[verdict.errno] !== errno);
}
