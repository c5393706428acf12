import type { Evidence } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { Decision } from '../../rules/decision.js';
import type { KprobeRefusal } from '../../rules/kprobes.js';
import type { TracingRules } from '../../rules/tracing.js';
import { describePrototype } from '../../rules/trampoline-prototype.js';
import { cloneOf, returnHarm } from '../attach/clones.js';

/** What decisions rest on, in words. Symbols are rows of `kernel.symbols`. */
export class TracingEvidence {
  readonly #kernel: KernelFacts;
  readonly #tracing: TracingRules;

  constructor(kernel: KernelFacts, tracing: TracingRules) {
    this.#kernel = kernel;
    this.#tracing = tracing;
  }

  /** What a kprobe by a name rests on. */
  ofName(name: string): Evidence[] {
    const { symbols } = this.#kernel;
    const rows = symbols.find(name);
    if (rows.length === 0) return [{ source: 'kallsyms', says: `no symbol is named ${name}` }];
    if (rows.every(row => !symbols.isText(row))) {
      return rows.map(row => ({ source: 'kallsyms', address: symbols.address.big[row]!, says: `${name} is data, not a function` }));
    }
    const [first] = rows;
    if (rows.length === 1 && this.#kernel.functions.ofSymbol(first!) === undefined)
      return [
        { source: 'kallsyms', address: symbols.address.big[first!]!, says: `${name} is a label in front of a function` },
        ...this.ofRow(first!),
      ];
    if (rows.length === 1) return this.ofRow(rows[0]!);
    const data = rows.filter(row => !symbols.isText(row)).length;
    const kinds = data > 0 ? `, ${data} of them data` : '';
    return [
      { source: 'kallsyms', address: symbols.address.big[rows[0]!]!, says: `${rows.length} symbols are named ${name}${kinds}` },
      this.#tracing.countsNames.evidence,
      ...(this.#tracing.countsNames.refuses && this.#tracing.strictEvents
        ? [{ source: 'kernel', says: 'kprobe_events answers EINVAL, perf and BPF EADDRNOTAVAIL (validate_probe_symbol(), 6.12)' }]
        : []),
      ...(this.#tracing.countsNames.refuses ? [] : this.ofRow(rows[0]!)),
    ];
  }

  /** What a kprobe at a symbol rests on: the refusal, and the site. */
  ofRow(row: number): Evidence[] {
    const refusal = this.#tracing.rules.refusal(row);
    const site = this.ofSite(row);
    const { symbols } = this.#kernel;
    const base = this.#tracing.rules.acceptedBy(row);
    if (refusal !== undefined)
      return [...refusalEvidence(refusal, symbols.address.big[row]!, this.#tracing.rules.notrace.evidence), ...site];
    if (base !== undefined) {
      const says = `within_notrace_func() goes by ${symbols.name(base)}, the name without the suffix, which has a site`;
      return [...site, { source: 'kernel', address: symbols.address.big[base]!, says }];
    }
    return this.#tracing.rules.hasLiveSite(row) || this.#tracing.rules.undecided(row)
      ? site
      : [this.#tracing.rules.notrace.evidence, ...site];
  }

  /** What a return probe at a symbol rests on, and the harm that one does where the kernel accepts it all the same. */
  ofReturn(row: number): Evidence[] {
    const harm = this.#tracing.kretprobeOfRow(row).errno === undefined ? returnHarm(cloneOf(this.#kernel.symbols.name(row))) : undefined;
    return [...this.ofRow(row), ...(harm === undefined ? [] : [harm])];
  }

  /** What a kprobe inside of a function rests on, and what of it is not checked. */
  ofPlace(row: number, address: bigint): Evidence[] {
    const { symbols } = this.#kernel;
    const start = symbols.address.big[row]!;
    if (address === start) return this.ofRow(row);
    const { rules } = this.#tracing;
    const where: Evidence = {
      source: 'kallsyms',
      address,
      says: `the address is ${symbols.name(row)}+0x${(address - start).toString(16)}`,
    };
    const refusal = rules.refusalInside(row, address);
    if (refusal !== undefined) return [where, ...refusalEvidence(refusal, address, rules.notrace.evidence)];
    const decision = this.#tracing.kprobeInside(row, address);
    const says =
      decision.code === 'not-an-instruction'
        ? 'instructions of this architecture begin at multiples of their size'
        : decision.code === 'instruction-unchecked'
          ? 'the kernel decodes the function from its beginning, and answers EILSEQ where no instruction begins there: objdump -d shows where they do'
          : 'arch_prepare_kprobe() still refuses instructions that it can not step over, and code between exclusive loads and stores: neither is looked at';
    return [where, { source: 'kernel', address, says }, ...this.ofSite(row)];
  }

  /** The ftrace site of a symbol, or why it has none. */
  ofSite(row: number): Evidence[] {
    const { functions, symbols } = this.#kernel;
    if (functions.ftrace === 'none') return [{ source: 'symbols', says: 'the kernel has no __start_mcount_loc: no dynamic ftrace' }];
    if (this.#tracing.rules.undecided(row)) {
      return [{ source: 'tracefs', says: 'available_filter_functions_addrs, read as root, or the debug vmlinux would settle it' }];
    }
    const { source } = functions.sites!;
    const address = symbols.address.big[row]!;
    const name = symbols.name(row);
    const site = this.#tracing.rules.liveSite(row);
    if (site !== undefined) return [{ source, address: site, says: `ftrace site at ${name}+0x${(site - address).toString(16)}` }];
    if (this.#tracing.rules.init.at(symbols.address, row) !== undefined)
      return [
        {
          source: 'symbols',
          address,
          says: `lies between __init_begin and __init_end: freed after boot${this.#tracing.rules.hasSite(row) ? ', and its ftrace site with it' : ''}`,
        },
      ];
    return [
      { source, address, says: `no word of the table lies in ${name}: notrace, noinstr, inline copy, assembly, or a part split off` },
    ];
  }

  /** What fentry, fexit and fmod_ret rest on. */
  ofProgram(id: number, name: string, decision: Decision): Evidence[] {
    const { btf, btfSource, symbols } = this.#kernel;
    const evidence: Evidence[] = [
      {
        source: btfSource!,
        says: `FUNC [${id}] ${btf!.prototype(id)}: ${describePrototype(this.#tracing.trampolines.func(id)!.prototype)}`,
      },
    ];
    if (decision.code === 'too-many-arguments' && decision.errno === 'ENOTSUPP') evidence.push(this.#tracing.mostSlots.evidence);
    if (decision.code === 'btf-denied') evidence.push({ source: 'kernel', says: `the set btf_id_deny of the verifier holds ${name}` });
    if (decision.code === 'noreturn') evidence.push({ source: 'kernel', says: `the set noreturn_deny of the verifier holds ${name}` });
    if (decision.code === 'no-trampoline')
      evidence.push({ source: 'kallsyms', says: 'no register_ftrace_direct: built without CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS' });
    if (decision.code === 'entry-patched') {
      const says =
        'the first instruction is one that the kernel replaces at boot or later; where that leaves a NOP of five bytes, BPF attaches';
      evidence.push({ source: 'kernel', says: `${says} (__alt_instructions, __jump_table, .static_call_sites)` });
      const settles = 'the image does not tell: the bytes there in /proc/kcore, on the machine in question, do; 0f 1f 44 00 00 is that NOP';
      evidence.push({ source: '/proc/kcore', says: settles });
    }
    if (decision.code === 'not-modifiable' || decision.code === 'error-injection-unknown')
      evidence.push(this.#tracing.trampolines.modifiable(id)!.evidence);
    const rows = symbols.find(name);
    if (rows.length > 0) {
      const address = symbols.address.big[rows[0]!]!;
      if (rows.length > 1) evidence.push({ source: 'kallsyms', address, says: `the name leads to the lowest of ${rows.length} symbols` });
      evidence.push(...this.ofSite(rows[0]!));
    } else evidence.push({ source: 'kallsyms', says: `no symbol is named ${name}` });
    return evidence;
  }

  /** The sites of all functions of a name. */
  ofSites(name: string): Evidence[] {
    const { functions } = this.#kernel;
    return functions.find(name).flatMap(row => this.ofSite(functions.symbolRow[row]!));
  }

  /** What an event of fprobe rests on. */
  ofFprobe(name: string): Evidence[] {
    if (!this.#tracing.hasFprobeEvents) return [{ source: 'kallsyms', says: 'no trace_fprobe_create: built without CONFIG_FPROBE_EVENTS' }];
    return this.ofSites(name);
  }

  /** What multi kprobes rest on. */
  ofMulti(name: string): Evidence[] {
    if (!this.#tracing.hasMulti) return [{ source: 'kallsyms', says: 'no register_fprobe: built without CONFIG_FPROBE' }];
    return this.ofSites(name);
  }
}

function refusalEvidence({ code, area, base }: KprobeRefusal, address: bigint, notrace: Evidence): Evidence[] {
  const about = base === undefined ? '' : ` (the rule goes by ${base}, its name without the suffix)`;
  const rules: Record<KprobeRefusal['code'], Evidence> = {
    'outside-kallsyms': {
      source: 'kallsyms',
      address,
      says: 'the table does not cover the address: the kernel takes it for one of a module',
    },
    'no-ftrace-site': { ...notrace, says: `${notrace.says}${about}` },
    'init-text': { source: 'symbols', address, says: 'the code is freed after boot' },
    'not-text': { source: 'symbols', address, says: 'lies outside of _stext to _etext' },
    'kprobe-blacklisted': {
      source: area?.name ?? 'kprobe blacklist',
      address: area?.from ?? address,
      says: `the kprobe blacklist covers it${about}`,
    },
    'bug-entry': { source: '__bug_table', address, says: 'the first instruction is a BUG() or WARN() trap' },
    'jump-label': { source: '__jump_table', address, says: 'the first instruction is a jump label' },
    'static-call': { source: '.static_call_sites', address, says: 'the first instruction is a static call' },
    'sites-unknown': { source: 'tracefs', says: 'what ftrace can trace is not known' },
  };
  return [rules[code]];
}
