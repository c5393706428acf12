import type { Verdict } from '../../evidence.js';
import { type FunctionRow, functionRow } from '../../facts/function-row.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { oncePerKernel } from '../../facts/once-per-kernel.js';
import { type Decision, refused, verdictOf, withoutSymbols } from '../../rules/decision.js';
import { type TracingRules, tracingOf } from '../../rules/tracing.js';
import type { TrampolineProgram } from '../../rules/trampolines.js';
import { loadedVerdicts, type ModulePlace, type NameInModules, placesInModules, traceInModules } from './in-modules.js';
import { type NameLeads, nameLeads } from './name-leads.js';

/** What each mechanism does with a name, and with each function that has it. */
export interface TraceabilityAnswer {
  readonly name: string;
  readonly kprobe: { readonly byName: Verdict };
  readonly kretprobe: { readonly byName: Verdict };
  /** Loading a BPF program of the type, and attaching it: the kernel refuses them for different reasons. */
  readonly fentry: { readonly load: Verdict; readonly attach: Verdict };
  readonly fexit: { readonly load: Verdict; readonly attach: Verdict };
  /** BPF_MODIFY_RETURN: a program whose return value may replace the function's. */
  readonly fmodRet: { readonly load: Verdict; readonly attach: Verdict };
  readonly kprobeMulti: { readonly byName: Verdict };
  /** An fprobe event in tracefs, `f:EVENT NAME`. */
  readonly fprobe: { readonly byName: Verdict };
  /** A line in set_ftrace_filter. */
  readonly ftrace: { readonly byName: Verdict };
  readonly functions: readonly FunctionTraceability[];
  /** Which functions each mechanism takes for the name; absent if only one function has it. */
  readonly leads?: NameLeads;
  /** The functions of the name in modules, and what loading these changes; absent if no modules were read. */
  readonly modules?: NameInModules;
}

/** The verdict of each mechanism about one function by its address. */
export interface FunctionTraceability {
  readonly function: FunctionRow;
  readonly kprobe: Verdict;
  readonly kretprobe: Verdict;
  readonly ftrace: Verdict;
}

/** The verdicts about a kprobe at one place: `NAME+0x12`, or an address. */
export interface PlaceAnswer {
  /** The text of the query. */
  readonly text: string;
  readonly address?: bigint;
  /** The function that contains the address, and the offset in it. */
  readonly function?: FunctionRow;
  readonly offset?: number;
  readonly kprobe: Verdict;
  readonly kretprobe: Verdict;
  /** The function that was named, if the place lies beyond it. */
  readonly beyond?: FunctionRow;
  /** The places in modules, where these were read and have the name. */
  readonly modules?: readonly ModulePlace[];
}

/** `NAME+0x12`, `NAME+18`, `0xffffffff81000000` */
const PLACE = /^(?:(.+)\+(0x[0-9a-f]{1,16}|\d{1,19})|(0x[0-9a-f]{1,16}))$/i;

/** A place as it is asked for: so many bytes from a name, or from address 0. */
export interface AskedPlace {
  readonly name?: string;
  readonly distance: bigint;
}

/** The place in a text; undefined for another text. */
export function placeIn(text: string): AskedPlace | undefined {
  const [, name, distance, address] = PLACE.exec(text) ?? [];
  if (name !== undefined) return { name, distance: BigInt(distance!) };
  return address === undefined ? undefined : { distance: BigInt(address) };
}

/** The kernel takes the sum for an address as any other: what it accepts is a probe on something else than was named. */
function elsewhere(kprobe: Verdict, { name, extent }: FunctionRow, other: string): Verdict {
  if (kprobe.outcome !== 'accepted') return kprobe;
  const says = `${name} is 0x${extent.toString(16)} bytes long: the place is in ${other}`;
  return { ...kprobe, code: 'beyond-function', because: [{ source: 'kallsyms', says }, ...kprobe.because] };
}

/** The tracing answers for a kernel. */
export const traceabilityOf: (kernel: KernelFacts) => Traceability = oncePerKernel(kernel => new Traceability(kernel));

/** The answers of the tracing rules in words, for one kernel. */
export class Traceability {
  readonly #kernel: KernelFacts;
  readonly #rules: TracingRules;

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
    this.#rules = tracingOf(kernel);
  }

  /** What each mechanism does with a name, and with each function that has it. */
  answer(name: string): TraceabilityAnswer {
    const kernel = this.#kernel;
    kernel.needNames();
    const { kprobes, filters, trampolines } = this.#rules;
    const rows = kernel.symbolsMissing === undefined ? kernel.functions.find(name) : [];
    const program = (kind: TrampolineProgram): { readonly load: Verdict; readonly attach: Verdict } => ({
      load: verdictOf(trampolines.byName('load', kind, name)),
      attach: verdictOf(trampolines.byName('attach', kind, name)),
    });
    const modules = traceInModules(kernel, name);
    return {
      name,
      kprobe: { byName: verdictOf(kprobes.byName(name)) },
      kretprobe: { byName: verdictOf(kprobes.returnByName(name)) },
      fentry: program('fentry'),
      fexit: program('fexit'),
      fmodRet: program('fmod_ret'),
      kprobeMulti: { byName: verdictOf(filters.kprobeMulti(name)) },
      fprobe: { byName: verdictOf(filters.fprobe(name)) },
      ftrace: { byName: verdictOf(filters.ftrace(name)) },
      functions: rows.map(row => {
        const symbolRow = kernel.functions.symbolRow[row]!;
        return {
          function: functionRow(kernel, row),
          kprobe: verdictOf(kprobes.ofRow(symbolRow)),
          kretprobe: verdictOf(kprobes.returnOfRow(symbolRow)),
          ftrace: verdictOf(filters.ftraceOfRow(symbolRow)),
        };
      }),
      ...(rows.length < 2 ? {} : { leads: nameLeads(kernel, this.#rules, name) }),
      ...(modules === undefined ? {} : { modules }),
    };
  }

  /** The answer for a probe at `NAME+0x12` or at an address; undefined for a text that is neither. */
  place(text: string): PlaceAnswer | undefined {
    const asked = placeIn(text);
    if (asked === undefined) return undefined;
    const { name, distance } = asked;
    const { kprobes } = this.#rules;
    const both = (decision: Decision): Pick<PlaceAnswer, 'kprobe' | 'kretprobe'> => {
      const verdict = verdictOf(decision);
      return { kprobe: verdict, kretprobe: verdict };
    };
    const unknown = withoutSymbols(this.#kernel);
    if (unknown !== undefined) return { text, ...both(unknown) };
    const { symbols, functions } = this.#kernel;
    const modules = name === undefined ? undefined : placesInModules(this.#kernel, name, distance);
    if (modules !== undefined && symbols.find(name!).length === 0) {
      const [only] = modules;
      const alike = modules.every(place => place.kprobe.code === only!.kprobe.code);
      const several = modules.length > 1 ? loadedVerdicts(this.#kernel, name!)?.several : undefined;
      const first: Verdict = alike ? only!.kprobe : { ...only!.kprobe, certainty: 'likely' };
      const kprobe = several?.outcome === 'refused' ? several : first;
      return { text, kprobe, kretprobe: several?.outcome === 'refused' ? several : only!.kretprobe, modules };
    }
    if (name !== undefined) {
      const byName = kprobes.byName(name);
      // The kernel checks that the name is unique before it adds the distance.
      if (byName.code === 'no-symbol' || byName.code === 'ambiguous-name') return { text, ...both(byName) };
    }
    const address = name === undefined ? distance : BigInt.asUintN(64, symbols.addressOf(name)! + distance);
    const row = symbols.containing(address);
    if (row === undefined) {
      return {
        text,
        address,
        ...both(refused('not-text', 'EINVAL', () => [{ source: 'kallsyms', address, says: 'no symbol covers it' }])),
      };
    }
    const own = functions.ofSymbol(row);
    const named = name === undefined ? undefined : functions.find(name)[0];
    const beyond = named === undefined || named === own ? undefined : functionRow(this.#kernel, named);
    const kprobe = verdictOf(kprobes.inside(row, address));
    return {
      text,
      address,
      ...(beyond === undefined ? {} : { beyond }),
      ...(modules === undefined ? {} : { modules }),
      offset: Number(address - symbols.address.big[row]!),
      ...(own === undefined ? {} : { function: functionRow(this.#kernel, own) }),
      kprobe: beyond === undefined ? kprobe : elsewhere(kprobe, beyond, symbols.name(row)),
      kretprobe: verdictOf(kprobes.returnInside(row, address)),
    };
  }
}
