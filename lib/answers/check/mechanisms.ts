import { accepted, refused, type Verdict } from '../../evidence.js';
import type { BtfAbsence } from '../missing-btf/missing-btf.js';
import type { TraceabilityAnswer } from '../trace/traceability.js';

/** What a mechanism's verdicts are read from. */
export interface Asked {
  readonly answer: TraceabilityAnswer;
  /** Why BTF lacks the name. */
  missingBtf(): ReturnType<BtfAbsence['answer']>;
}

interface Mechanism {
  /** Other ways in which people write it. Capitals, `_`, `-`, `.` and spaces make no difference. */
  readonly also?: readonly string[];
  /** What has to be accepted, all of it. */
  verdicts(asked: Asked): readonly Verdict[];
}

/** What a function can be required to have. A mechanism is a line of this table. */
const MECHANISMS: Readonly<Record<string, Mechanism>> = {
  symbol: { also: ['exists', 'present', 'kallsyms'], verdicts: ({ answer }) => [existence(answer)] },
  unique: { also: ['one', 'unambiguous'], verdicts: ({ answer }) => [existence(answer), uniqueness(answer)] },
  btf: { also: ['btf-func'], verdicts: asked => [inBtf(asked)] },
  kprobe: { also: ['kprobes', 'kprobe by name'], verdicts: ({ answer }) => [answer.kprobe.byName] },
  kretprobe: { also: ['kretprobes', 'return probe', 'kretprobe by name'], verdicts: ({ answer }) => [answer.kretprobe.byName] },
  'kprobe-address': { also: ['kprobe by address'], verdicts: ({ answer }) => byAddress(answer, 'kprobe') },
  'kretprobe-address': { also: ['kretprobe by address'], verdicts: ({ answer }) => byAddress(answer, 'kretprobe') },
  fentry: { also: ['bpf-fentry'], verdicts: ({ answer: { fentry } }) => [fentry.load, fentry.attach] },
  fexit: { also: ['bpf-fexit'], verdicts: ({ answer: { fexit } }) => [fexit.load, fexit.attach] },
  fmod_ret: { also: ['modify_return', 'fmodret'], verdicts: ({ answer: { fmodRet } }) => [fmodRet.load, fmodRet.attach] },
  fprobe: { also: ['fprobe event'], verdicts: ({ answer }) => [answer.fprobe.byName] },
  'kprobe.multi': {
    also: ['multi kprobe', 'kprobe_multi by name', 'kretprobe.multi'],
    verdicts: ({ answer }) => [answer.kprobeMulti.byName],
  },
  ftrace: { also: ['ftrace filter', 'set_ftrace_filter', 'function tracer'], verdicts: ({ answer }) => [answer.ftrace.byName] },
};

/** A mechanism by the name that reports call it. */
export type MechanismName = string;

const MECHANISM_NAMES = Object.keys(MECHANISMS);

/** The mechanism that a text names; undefined if there is none. */
export function mechanismOf(text: string): MechanismName | undefined {
  const wanted = plain(text);
  return MECHANISM_NAMES.find(name => [name, ...(MECHANISMS[name]!.also ?? [])].some(other => plain(other) === wanted));
}

/** Every way to write a mechanism, for suggestions. */
export function mechanismSpellings(): string[] {
  return MECHANISM_NAMES.flatMap(name => [name, ...(MECHANISMS[name]!.also ?? [])]);
}

/** The verdict that decides: the first refusal, or else the first that can't be told, or else an acceptance. */
export function decide(name: MechanismName, asked: Asked): Verdict {
  const verdicts = MECHANISMS[name]!.verdicts(asked);
  return verdicts.find(({ outcome }) => outcome === 'refused') ?? verdicts.find(({ outcome }) => outcome === 'open') ?? verdicts.at(-1)!;
}

function plain(text: string): string {
  return text.toLowerCase().replace(/[\s._-]+/g, '');
}

function existence({ functions, kprobe: { byName } }: TraceabilityAnswer): Verdict {
  if (functions.length > 0) return accepted('proven', []);
  return refused('no-symbol', undefined, byName.because);
}

function uniqueness({ name, functions }: TraceabilityAnswer): Verdict {
  const addresses = [...new Set(functions.map(row => row.function.address))];
  if (addresses.length < 2) return accepted('proven', []);
  const because = addresses.map(address => ({ source: 'kallsyms', address, says: `${addresses.length} functions are named ${name}` }));
  return refused('ambiguous-name', undefined, because);
}

/** Every function of the name. */
function byAddress(answer: TraceabilityAnswer, probe: 'kprobe' | 'kretprobe'): Verdict[] {
  return [existence(answer), ...answer.functions.map(row => row[probe])];
}

function inBtf({ missingBtf }: Asked): Verdict {
  const { code, certainty, because } = missingBtf();
  return code === 'btf-present' ? accepted(certainty, because) : refused(code, undefined, because, certainty);
}
