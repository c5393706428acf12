import type { Certainty, Evidence, Verdict } from '../../evidence.js';
import { type FunctionRow, functionRow } from '../../facts/function-row.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { oncePerKernel } from '../../facts/once-per-kernel.js';
import { REASONS, type ReasonCode } from '../../reasons.js';
import { type Decision, OPEN } from '../../rules/decision.js';
import { type TracingRules, tracingOf } from '../../rules/tracing.js';
import { TracingEvidence } from './evidence.js';
import { type NameInModules, traceInModules } from './in-modules.js';
import { type NameLeads, nameLeads } from './name-leads.js';

/** What each mechanism says of a name, and of each function that bears it. */
export interface TraceabilityAnswer {
  readonly name: string;
  readonly kprobe: { readonly byName: Verdict };
  readonly kretprobe: { readonly byName: Verdict };
  /** Loading a BPF program of the type, and attaching it: they are refused for different reasons. */
  readonly fentry: { readonly load: Verdict; readonly attach: Verdict };
  readonly fexit: { readonly load: Verdict; readonly attach: Verdict };
  /** BPF_MODIFY_RETURN: a program whose result may take the place of the function's. */
  readonly fmodRet: { readonly load: Verdict; readonly attach: Verdict };
  readonly kprobeMulti: { readonly byName: Verdict };
  /** An event of fprobe in tracefs, `f:EVENT NAME`. */
  readonly fprobe: { readonly byName: Verdict };
  /** A line in set_ftrace_filter. */
  readonly ftrace: { readonly byName: Verdict };
  readonly functions: readonly FunctionTraceability[];
  /** Where each mechanism is led by the name; absent where one function alone has it. */
  readonly leads?: NameLeads;
  /** The functions of the name in modules, and what loading these changes; absent where no modules were read. */
  readonly modules?: NameInModules;
}

/** What each mechanism says of one function by its address. */
export interface FunctionTraceability {
  readonly function: FunctionRow;
  readonly kprobe: Verdict;
  readonly kretprobe: Verdict;
  readonly ftrace: Verdict;
}

/** What a kprobe at one place says: `NAME+0x12`, or an address. */
export interface PlaceAnswer {
  /** As it was asked. */
  readonly text: string;
  readonly address?: bigint;
  /** The function that the address lies in, and how far. */
  readonly function?: FunctionRow;
  readonly offset?: number;
  readonly kprobe: Verdict;
  readonly kretprobe: Verdict;
}

/** `NAME+0x12`, `NAME+18`, `0xffffffff81000000` */
export const PLACE: RegExp = /^(?:(.+)\+(0x[0-9a-f]{1,16}|\d{1,19})|(0x[0-9a-f]{1,16}))$/i;

/** The answers about tracing, of a kernel. */
export const traceabilityOf: (kernel: KernelFacts) => Traceability = oncePerKernel(kernel => new Traceability(kernel));

/** What the decisions of tracing come to in words, for one kernel. */
export class Traceability {
  readonly #kernel: KernelFacts;
  readonly #decisions: TracingRules;

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
    this.#decisions = tracingOf(kernel);
  }

  /** The answer in words, with its evidence. */
  answer(name: string): TraceabilityAnswer {
    const kernel = this.#kernel;
    const decisions = this.#decisions;
    const { functions } = kernel;
    const words = new TracingEvidence(kernel, decisions);
    const rows = functions.find(name);
    const ids = kernel.btf?.find(name, 'FUNC') ?? [];
    const nameEvidence = (): Evidence[] => words.ofName(name);
    const program = (decide: (id: number) => Decision): Verdict => {
      if (kernel.btf === undefined)
        return this.#verdict({ code: 'no-btf', errno: 'EINVAL' }, () => [{ source: '.BTF', says: `${kernel.name} has no BTF` }]);
      const [id] = ids;
      if (id === undefined) {
        return this.#verdict({ code: 'no-btf-func', errno: 'ENOENT' }, () => [
          { source: kernel.btfSource!, says: `no FUNC is named ${name}; 'kelf why' says why` },
        ]);
      }
      const decision = decide(id);
      return this.#verdict(decision, () => words.ofProgram(id, name, decision));
    };
    const modules = kernel.modules === undefined ? undefined : traceInModules(kernel, decisions, name);
    return {
      name,
      kprobe: { byName: this.#verdict(decisions.kprobeByName(name), nameEvidence, true) },
      kretprobe: { byName: this.#verdict(decisions.kretprobeByName(name), nameEvidence, true) },
      fentry: { load: program(id => decisions.fentryLoad(id)), attach: program(id => decisions.fentryAttach(id)) },
      fexit: { load: program(id => decisions.fexitLoad(id)), attach: program(id => decisions.fexitAttach(id)) },
      fmodRet: { load: program(id => decisions.fmodRetLoad(id)), attach: program(id => decisions.fmodRetAttach(id)) },
      kprobeMulti: { byName: this.#verdict(decisions.kprobeMultiByName(name), () => words.ofMulti(name)) },
      fprobe: { byName: this.#verdict(decisions.fprobeByName(name), () => words.ofFprobe(name)) },
      ftrace: { byName: this.#verdict(decisions.ftraceByName(name), () => words.ofSites(name)) },
      functions: rows.map(row => {
        const symbolRow = functions.symbolRow[row]!;
        const evidence = (): Evidence[] => words.ofRow(symbolRow);
        return {
          function: functionRow(kernel, row),
          kprobe: this.#verdict(decisions.kprobeOfRow(symbolRow), evidence, true),
          kretprobe: this.#verdict(decisions.kretprobeOfRow(symbolRow), () => words.ofReturn(symbolRow), true),
          ftrace: this.#verdict(decisions.ftraceOfRow(symbolRow), () => words.ofSite(symbolRow)),
        };
      }),
      ...(rows.length < 2 ? {} : { leads: nameLeads(kernel, decisions, name) }),
      ...(modules === undefined ? {} : { modules }),
    };
  }

  /** What is said of a probe at `NAME+0x12` or at an address; undefined for a text that is neither. */
  place(text: string): PlaceAnswer | undefined {
    const match = PLACE.exec(text);
    if (match === null) return undefined;
    const kernel = this.#kernel;
    const decisions = this.#decisions;
    const { symbols, functions } = kernel;
    const words = new TracingEvidence(kernel, decisions);
    const name = match[1];
    const both = (decision: Decision, because: () => Evidence[]): Pick<PlaceAnswer, 'kprobe' | 'kretprobe'> => {
      const verdict = this.#verdict(decision, because, true);
      return { kprobe: verdict, kretprobe: verdict };
    };
    if (name !== undefined) {
      const byName = decisions.kprobeByName(name);
      // The uniqueness of the name is asked for before the distance is added.
      if (byName.code === 'no-symbol' || byName.code === 'ambiguous-name') return { text, ...both(byName, () => words.ofName(name)) };
    }
    const address = name === undefined ? BigInt(match[3]!) : BigInt.asUintN(64, symbols.addressOf(name)! + BigInt(match[2]!));
    const row = symbols.containing(address);
    if (row === undefined) {
      return {
        text,
        address,
        ...both({ code: 'not-text', errno: 'EINVAL' }, () => [{ source: 'kallsyms', address, says: 'no symbol covers it' }]),
      };
    }
    const decision = decisions.kprobeInside(row, address);
    const offset = Number(address - symbols.address.big[row]!);
    const own = functions.ofSymbol(row);
    const evidence = (): Evidence[] => words.ofPlace(row, address);
    const returned: Decision = offset <= decisions.entryReach ? decisions.kretprobeOfRow(row) : { code: 'not-the-entry', errno: 'EINVAL' };
    return {
      text,
      address,
      offset,
      ...(own === undefined ? {} : { function: functionRow(kernel, own) }),
      kprobe: this.#verdict(decision, evidence, true, offset !== 0),
      kretprobe: this.#verdict(decision.errno === undefined ? returned : decision, evidence, true),
    };
  }

  #verdict(decision: Decision, because: () => Evidence[], kprobe = false, inside = false): Verdict {
    const { code, errno } = decision;
    const evidence =
      code === 'no-kprobes' ? [{ source: this.#kernel.pieces.config()!.source, says: 'CONFIG_KPROBES is not set' }] : because();
    if (evidence.length === 0) evidence.push({ source: 'kallsyms', says: REASONS[code] });
    if (OPEN.includes(code)) return { outcome: 'open', code, certainty: 'open', because: evidence };
    return {
      outcome: errno === undefined ? 'accepted' : 'refused',
      code,
      certainty: this.#certainty(code, kprobe, inside),
      ...(errno === undefined ? {} : { errno }),
      because: evidence,
    };
  }

  #certainty(code: ReasonCode, kprobe: boolean, inside: boolean): Certainty {
    if (kprobe && code === 'no-ftrace-site' && !this.#decisions.rules.notrace.proven) return 'likely';
    if (code === 'ambiguous-name' && this.#decisions.countsNames.evidence.source !== 'kallsyms') return 'likely';
    if (code === 'accepted' && inside) return 'likely';
    // Sets of functions for fmod_ret may be registered that are not looked for.
    if (code === 'not-modifiable' && this.#kernel.symbols.lookup('btf_kfunc_is_modify_return') !== undefined) return 'likely';
    // Without the blacklist, or the tables of what the kernel patches, a refusal may have been missed.
    if (code === 'accepted' && (this.#decisions.rules.blacklist === undefined || this.#kernel.image === undefined)) return 'likely';
    return 'proven';
  }
}
