/**
 * Makes the table of lib/bpf/preflight/helper-sets.ts from what booted kernels said of test/boot/helpers.c:
 *
 *   npm run boot -- amd64 6.12 --run helpers > 6.12.txt      # and others
 *   node dist/test/boot/helper-sets.js 5.10.txt 6.1.txt 6.12.txt …
 *
 * The files in the order of their releases. What depends on a kernel's configuration is in CONDITIONS of helper-sets.ts, and is left out here.
 */
import { readFileSync } from 'node:fs';

/** A kind of programs: by the number of a helper, what its verifier said besides that the helper is there: `g` for GPL-only, `s`, `n`. */
type Kind = ReadonlyMap<number, string>;
interface Sample {
  readonly release: string;
  readonly kinds: ReadonlyMap<string, Kind>;
}

/** Kinds that were asked about several targets, for what differs between them. */
const TARGETS: Readonly<Record<string, readonly string[]>> = {
  'lsm:LSM_MAC': ['lsm:LSM_MAC@bprm_creds_for_exec'],
  'lsm:LSM_CGROUP': ['lsm:LSM_CGROUP@sk_alloc', 'lsm:LSM_CGROUP@inet_conn_established'],
};
/** d_path, sk_storage_get and _delete, ima_inode_hash and ima_file_hash: which function or hook it is decides (their `allowed`). */
const BY_TARGET = [147, 161, 193];
/** setsockopt and getsockopt, which some iterators have (bpf_iter_get_func_proto). */
const BY_ITERATOR = [49, 57];
/** override_return: by configuration. */
const LEFT_OUT = [58];

/** Kinds of which every program has to be under the GPL: no helper is more so. */
const NEED_GPL = /^(lsm|struct_ops)/;

const samples = process.argv.slice(2).map(readSample);
const tracing = (name: string): boolean => /^(kprobe|tracepoint|perf_event|raw_tracepoint|tracing|lsm|syscall)/.test(name);
const names = [...new Set(samples.flatMap(({ kinds }) => [...kinds.keys()]))].filter(
  name => !name.includes('@') || name.startsWith('struct_ops'),
);
const everywhere = samples.map(({ kinds }) => common([...kinds].filter(([name]) => !NEED_GPL.test(name)).map(([, kind]) => kind)));
const traced = samples.map(({ kinds }, i) =>
  without(common([...kinds].filter(([name]) => tracing(name) && !NEED_GPL.test(name)).map(([, kind]) => kind)), everywhere[i]!),
);
const shared = new Map<string, string[]>();
add('base', '-', everywhere);
add('traced', 'base', traced);
for (const name of names) {
  const parents = samples.map((_, i) => new Map([...everywhere[i]!, ...(tracing(name) ? traced[i]! : [])]));
  const rows = samples.map(({ kinds }, i) => (kinds.has(name) ? without(kinds.get(name)!, parents[i]!) : undefined));
  add(name, tracing(name) ? 'traced' : 'base', rows);
}
for (const [text, kinds] of shared) console.log(`${kinds.join(' ')} ${text}`);

function readSample(path: string): Sample {
  const text = readFileSync(path, 'utf8');
  const [, release] = /^release (\d+\.\d+)/m.exec(text)!;
  const raw = new Map<string, Map<number, string>>();
  for (const [, name, list] of text.matchAll(/^kind (\S+) (\d.*)$/gm)) {
    const helpers = [...list!.matchAll(/(\d+)([a-z]*)/g)].map(([, id, marks]): [number, string] => [Number(id), marks!]);
    // Kernels that do not let programs of this kind sleep say of each helper that it must not.
    if (helpers.filter(([, marks]) => marks.includes('s')).length < helpers.length / 2) raw.set(name!, new Map(helpers));
  }
  return { release: release!, kinds: new Map([...raw].map(([name, kind]) => [name, conditional(name, kind, raw)])) };
}

/** Marks with `t` what the target decides, and what differs between those that were asked about. */
function conditional(name: string, kind: Map<number, string>, all: ReadonlyMap<string, Kind>): Kind {
  const others = (TARGETS[name] ?? []).flatMap(other => all.get(other) ?? []);
  const ids = new Set([...kind.keys(), ...others.flatMap(other => [...other.keys()])]);
  const iterates = name.startsWith('tracing:TRACE_ITER');
  const found = new Map<number, string>();
  for (const id of ids) {
    const marks = kind.get(id) ?? '';
    const differs = others.some(other => other.get(id) !== kind.get(id));
    if (LEFT_OUT.includes(id)) continue;
    const gpl = marks.includes('g') && !NEED_GPL.test(name) ? 'g' : '';
    if (differs || marks.includes('n') || (BY_TARGET.includes(id) && /^(lsm|tracing:(?!TRACE_ITER))/.test(name))) found.set(id, `t${gpl}`);
    else found.set(id, `${marks.replace('g', '')}${gpl}`);
  }
  if (iterates) for (const id of BY_ITERATOR) if (!found.has(id)) found.set(id, 't');
  return found;
}

function common(kinds: readonly Kind[]): Kind {
  const [first, ...rest] = kinds;
  return new Map([...first!].filter(([id, marks]) => rest.every(kind => kind.get(id) === marks)));
}

function without(kind: Kind, parent: Kind): Kind {
  return new Map([...kind].filter(([id, marks]) => parent.get(id) !== marks));
}

/** Lines of one kind; kinds with the same lines share them. */
function add(name: string, parent: string, rows: readonly (Kind | undefined)[]): void {
  const lines: string[] = [];
  const now = new Map<number, string>();
  rows.forEach((row, i) => {
    if (row === undefined) return;
    const parents = name === 'base' ? new Map<number, string>() : new Map([...everywhere[i]!, ...(parent === 'traced' ? traced[i]! : [])]);
    const tokens: string[] = [];
    for (const id of [...now.keys()].sort((a, b) => a - b)) {
      if (row.has(id) || parents.get(id) === now.get(id)) continue;
      tokens.push(`-${id}`);
      now.delete(id);
    }
    const added = [...row].filter(([id, marks]) => now.get(id) !== marks).sort(([a], [b]) => a - b);
    for (const [id, marks] of added) now.set(id, marks);
    tokens.push(...ranges(added));
    if (tokens.length > 0 || i === 0 || rows[i - 1] === undefined) lines.push(`  ${samples[i]!.release} ${tokens.join(' ')}`.trimEnd());
  });
  const text = [parent, ...lines].join('\n');
  shared.set(text, [...(shared.get(text) ?? []), name]);
}

/** `1-3 5 6g`. */
function ranges(rows: readonly (readonly [number, string])[]): string[] {
  const found: { from: number; to: number; marks: string }[] = [];
  for (const [id, marks] of rows) {
    const last = found.at(-1);
    if (last?.to === id - 1 && last.marks === marks) last.to = id;
    else found.push({ from: id, to: id, marks });
  }
  return found.map(({ from, to, marks }) => `${from === to ? from : `${from}-${to}`}${marks}`);
}
