import type { Verdict } from '../evidence.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import type { Decision } from '../rules/decision.js';
import { tracingOf } from '../rules/tracing.js';
import { sourceOfFunction, sourceText } from './address/source-place.js';
import type { DuplicateGroup } from './duplicates.js';
import { type LoadedVerdicts, loadedVerdicts } from './trace/in-modules.js';

/** A name, its functions, and what each kind of tool does with it. */
export interface DuplicateName extends DuplicateGroup {
  readonly byName: Readonly<Record<string, string>>;
  /** Of a running kernel: whether it can't be told which of its functions have an ftrace site. JSON has no place for it. */
  readonly unknownSites: boolean;
}

/** The group with what each kind of tool does with the name. */
export function describeDuplicate(kernel: KernelFacts, group: DuplicateGroup): DuplicateName {
  return { ...group, byName: byName(kernel, group.name), unknownSites: hasUnknownSites(kernel, group.name) };
}

/** The group with the source of each function as its `file`, where DWARF tells it. */
export function withSources(kernel: KernelFacts, group: DuplicateGroup): DuplicateGroup {
  const functions = group.functions.map(row => {
    const source = sourceOfFunction(kernel, row.address);
    return source === undefined ? row : { ...row, file: sourceText(source), source };
  });
  return { ...group, functions };
}

/** What each kind of tool does with the bare name. */
function byName(kernel: KernelFacts, name: string): Record<string, string> {
  const { functions } = kernel;
  const tracing = tracingOf(kernel);
  // The decisions without their evidence: it is asked for hundreds of names.
  const says = ({ code, errno }: Decision, accepted: string): string => {
    if (code === 'accepted') return accepted;
    return errno === undefined ? `unknown (${code})` : `refused, ${errno} (${code})`;
  };
  const [id] = functions.btfIdsOf(name);
  const live = functions.find(name).filter(row => tracing.sites.hasLive(functions.symbolRow[row]!)).length;
  const none = hasUnknownSites(kernel, name) ? 'unknown (sites-unknown)' : 'matches none';
  return {
    kprobe: says(tracing.kprobes.byName(name), 'probes the first'),
    fentry: id === undefined ? withoutFunc(kernel, name) : says(tracing.trampolines.attach('fentry', id), 'attaches to the first'),
    'kprobe.multi': says(tracing.filters.kprobeMulti(name), 'attaches to the first with an ftrace site'),
    ...(kernel.modules === undefined ? {} : loadedCells(loadedVerdicts(kernel, name))),
    ftrace: live === 0 ? none : `matches ${live === 1 ? 'the one' : live === 2 ? 'both' : `all ${live}`} with an ftrace site`,
  };
}

/** Of a running kernel: whether it can't be told which of the kernel's functions of a name has a site. */
function hasUnknownSites(kernel: KernelFacts, name: string): boolean {
  const { functions } = kernel;
  const { sites } = tracingOf(kernel);
  return functions.find(name).some(row => sites.undecided(functions.symbolRow[row]!));
}

/** What fentry does where the kernel's own BTF lacks the name. */
function withoutFunc(kernel: KernelFacts, name: string): string {
  return (kernel.modules?.find(name) ?? []).some(({ btf }) => btf) ? 'uses the BTF of a loaded module' : 'refused, not in BTF';
}

/** What a kprobe by the bare name comes to once modules that have it are loaded. */
function loadedCells(loaded: LoadedVerdicts | undefined): Record<string, string> {
  if (loaded === undefined) return {};
  const does = ({ outcome, code, errno }: Verdict): string =>
    outcome === 'accepted' ? 'works' : outcome === 'open' ? `unknown (${code})` : `refused, ${errno}`;
  const { one, several } = loaded;
  return {
    'kprobe with one of these modules loaded': does(one),
    ...(several === undefined ? {} : { 'kprobe with several of them loaded': does(several) }),
  };
}
