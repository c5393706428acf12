import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { type Decision, type Kernel, kernelExports, openKernel } from 'kelf';
import { BtfAbsence } from '../../lib/answers/missing-btf/missing-btf.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** What /boot holds of a kernel, against its debug vmlinux: the same table of symbols, and the same verdict on every function. */
export async function shippedForms(files: KernelFiles, check: Check): Promise<void> {
  if (!existsSync(files.vmlinuz)) return;
  await using shipped = await openKernel(files.vmlinuz, { config: files.config });
  await using debug = await openKernel(files.vmlinux, { config: files.config });
  const form = shipped.pieces.form.join(', ');
  await check(`kallsyms of the vmlinuz (${form})`, [], () => sameSymbols(shipped, truth(files) ?? kallsyms(debug)));
  await check('release, build id, words of ftrace, blacklist and exports of the vmlinuz', [], () => sameFacts(shipped, debug));
  await check('verdicts of the vmlinuz, every function', [], () => sameVerdicts(shipped, debug));
  if (debug.btf !== undefined) await check('reasons of the vmlinuz, every name without a FUNC', [], () => sameReasons(shipped, debug));
}

function truth({ name }: KernelFiles): string | undefined {
  const path = fileURLToPath(new URL(`../../../fixtures/truth/${name}/kallsyms.gz`, import.meta.url));
  return existsSync(path) ? gunzipSync(readFileSync(path)).toString() : undefined;
}

function kallsyms({ symbols }: Kernel): string {
  return [...symbols].map(({ address, type, name }) => `${address.toString(16).padStart(16, '0')} ${type} ${name}\n`).join('');
}

function sameSymbols(shipped: Kernel, expected: string): Outcome {
  return { ok: kallsyms(shipped) === expected, figures: `${shipped.symbols.count} lines` };
}

/** What is found without labels, each. */
function sameFacts(shipped: Kernel, debug: Kernel): Outcome {
  const facts = (kernel: Kernel): Readonly<Record<string, string>> => ({
    release: String(kernel.release),
    'build id': String(kernel.buildId),
    __mcount_loc: [...(kernel.mcount?.relocated.big ?? [])].join(),
    blacklist: (kernel.pieces.blacklist()?.ranges.areas ?? [])
      .map(({ name, from, to }) => `${name} ${from} ${to}`)
      .sort()
      .join(),
    exports: (kernelExports(kernel) ?? [])
      .map(({ address, name, gpl, crc, namespace }) => `${address} ${name} ${gpl} ${crc} ${namespace}`)
      .join(),
  });
  const [ours, theirs] = [facts(shipped), facts(debug)];
  const differing = Object.keys(theirs).filter(fact => ours[fact] !== theirs[fact]);
  const figures = `${ours['release']}, ${ours['build id']}, ${shipped.mcount?.count} words, ${kernelExports(shipped)?.length} exports`;
  return { ok: differing.length === 0, figures: differing.length === 0 ? figures : `${figures}; other ${differing.join(', ')}` };
}

/** Each function by its address and by its name, each FUNC by loading and attaching a program. */
function sameVerdicts(shipped: Kernel, debug: Kernel): Outcome {
  const differing: string[] = [];
  let compared = 0;
  const compare = (what: string, ours: Decision, theirs: Decision): void => {
    compared++;
    if (ours.code !== theirs.code || ours.errno !== theirs.errno) differing.push(`${what}: ${ours.code}, the vmlinux has ${theirs.code}`);
  };
  for (const { name, address, row } of debug.symbols) {
    if (!debug.symbols.isText(row)) continue;
    compare(`kprobe ${name}`, shipped.tracing.kprobes.byName(name), debug.tracing.kprobes.byName(name));
    compare(`kprobe at ${name}`, shipped.tracing.kprobes.at(address), debug.tracing.kprobes.at(address));
    compare(`ftrace ${name}`, shipped.tracing.filters.ftrace(name), debug.tracing.filters.ftrace(name));
  }
  for (const id of debug.btf?.functions().ids ?? []) {
    compare(`fentry load [${id}]`, shipped.tracing.trampolines.load('fentry', id), debug.tracing.trampolines.load('fentry', id));
    compare(`fentry attach [${id}]`, shipped.tracing.trampolines.attach('fentry', id), debug.tracing.trampolines.attach('fentry', id));
  }
  const names = (kernel: Kernel): string =>
    kernel
      .duplicates()
      .map(({ name, functions }) => `${name} ${functions.length}`)
      .join('\n');
  if (names(shipped) !== names(debug)) differing.push('duplicate names');
  return {
    ok: differing.length === 0,
    figures: `${compared} verdicts${differing.length === 0 ? '' : `, ${differing.length} differ: ${differing.slice(0, 5).join('; ')}`}`,
  };
}

/** What is said to be likely may be otherwise; of so many names it may be. */
const MOST_UNLIKELY = 0.001;

/** What is as true of assembly: it has other names, no ftrace site, by which pahole 1.19 to 1.21 went, or a local symbol. */
const HOLDS_FOR_ASSEMBLY: ReadonlySet<string> = new Set(['pahole-alias', 'pahole-no-ftrace-site', 'pahole-external-only']);

/**
 * Without .symtab a label of assembly and an alias of a label look like functions: there the vmlinuz may say `pahole-unknown` or `pahole-alias`,
 * never another reason.
 */
function sameReasons(shipped: Kernel, debug: Kernel): Outcome {
  const [ours, theirs] = [new BtfAbsence(shipped), new BtfAbsence(debug)];
  const differing: string[] = [];
  const unlikely: string[] = [];
  let [compared, vaguer] = [0, 0];
  for (const first of debug.symbols.index.firstRows()) {
    const row = debug.functions.ofSymbol(first);
    if (row === undefined || debug.functions.btfFunc[row]! >= 0) continue;
    const name = debug.symbols.name(first);
    const { code: a, certainty } = ours.verdict(name);
    const b = theirs.reason(name);
    compared++;
    if (a === b) continue;
    // What the vmlinux knows from .symtab's types and from DWARF, the vmlinuz leaves open, and does not say otherwise.
    if (a === 'pahole-unknown' || (b === 'pahole-assembly' && HOLDS_FOR_ASSEMBLY.has(a))) vaguer++;
    else if (certainty === 'likely') unlikely.push(`${name}: likely ${a}, the vmlinux has ${b}`);
    else differing.push(`${name}: ${a}, the vmlinux has ${b}`);
  }
  const list = (names: readonly string[]): string => names.slice(0, 5).join('; ');
  const figures = [
    `${compared} names`,
    `${vaguer} vaguer for want of .symtab and DWARF`,
    ...(unlikely.length === 0 ? [] : [`${unlikely.length} likely and otherwise: ${list(unlikely)}`]),
    ...(differing.length === 0 ? [] : [`${differing.length} differ: ${list(differing)}`]),
  ];
  return { ok: differing.length === 0 && unlikely.length <= compared * MOST_UNLIKELY, figures: figures.join(', ') };
}
