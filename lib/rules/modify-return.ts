import type { SymbolRow } from '../../kallsyms/symbols.js';
import type { Certainty, Evidence, Outcome } from '../evidence.js';
import { type Area, AreaSet } from '../facts/areas.js';
import { FMODRET_SETS, idSet8 } from '../facts/id-sets.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { sinceOf } from '../releases.js';

/** Whether a program of type fmod_ret may change what a function returns, and what tells. */
export interface Modifiable {
  /** `open` where the list is not found. */
  readonly outcome: Outcome;
  /** `likely` where sets of functions for fmod_ret may be registered that are not looked for (since 6.2). */
  readonly certainty: Certainty;
  readonly evidence: Evidence;
}

/** A longer list is treated as damage. */
const LARGEST = 1 << 20;
/**
 * check_attach_modify_return() of kernel/bpf/verifier.c: hooks of security modules, by their name; functions that ALLOW_ERROR_INJECTION
 * marks (within_error_injection_list() of lib/error-inject.c), or without these, since 7.1, system calls; since 6.2, functions of a few sets
 * of BTF ids.
 */
export class ModifyReturn {
  readonly #kernel: KernelFacts;
  /** `none` without CONFIG_FUNCTION_ERROR_INJECTION, `unknown` where the kernel has the list and it is not found. */
  readonly #list: AreaSet | 'none' | 'unknown';
  readonly #ids: ReadonlySet<number>;

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
    this.#list = readList(kernel);
    this.#ids = new Set(FMODRET_SETS.flatMap(label => [...(idSet8(kernel, label) ?? [])]));
  }

  /** @param row the symbol that the FUNC's name leads to, in `kernel.symbols` */
  check(functionId: number, row: SymbolRow): Modifiable {
    return { certainty: this.#kernel.hasFunction('btf_kfunc_is_modify_return') ? 'likely' : 'proven', ...this.#check(functionId, row) };
  }

  #check(functionId: number, row: SymbolRow): Omit<Modifiable, 'certainty'> & Partial<Pick<Modifiable, 'certainty'>> {
    const name = this.#kernel.symbols.name(row);
    if (name.startsWith('security_')) {
      return { outcome: 'accepted', evidence: { source: 'kernel', says: 'names that begin with security_ are security hooks' } };
    }
    if (this.#ids.has(functionId)) {
      return { outcome: 'accepted', evidence: { source: '.BTF_ids', says: `a set of functions for fmod_ret holds ${name}` } };
    }
    if (this.#list === 'none' && this.#isSyscall(name)) {
      const { has, certainty } = this.#kernel.change('modifiesSyscalls');
      if (has !== false) {
        const says = `without CONFIG_FUNCTION_ERROR_INJECTION, kernels take functions named as system calls are, ${sinceOf('modifiesSyscalls')}`;
        return { outcome: 'accepted', evidence: { source: 'kernel', says }, ...(certainty === 'proven' ? {} : { certainty: 'likely' }) };
      }
    }
    const listed = this.errorInjection(row);
    if (listed.outcome !== 'refused') return listed;
    return {
      ...listed,
      evidence: { ...listed.evidence, says: `${listed.evidence.says}, and ${this.#list === 'none' ? name : 'it'} is not a security hook` },
    };
  }

  /** within_error_injection_list(): what bpf_override_return() goes by, too. */
  errorInjection(row: SymbolRow): Pick<Modifiable, 'outcome' | 'evidence'> {
    const { symbols } = this.#kernel;
    const source = '_error_injection_whitelist';
    if (this.#list === 'none') {
      const says = 'no within_error_injection_list(): built without CONFIG_FUNCTION_ERROR_INJECTION';
      return { outcome: 'refused', evidence: { source: 'kallsyms', says } };
    }
    if (this.#list === 'unknown') {
      const says =
        'the kernel has within_error_injection_list(), but its list was not found in this file: the debug vmlinux would settle it';
      return { outcome: 'open', evidence: { source, says } };
    }
    const ok = this.#list.at(symbols.address, row) !== undefined;
    const says = `ALLOW_ERROR_INJECTION ${ok ? 'marks' : 'does not mark'} ${symbols.name(row)}`;
    return { outcome: ok ? 'accepted' : 'refused', evidence: { source, address: symbols.address.big[row]!, says } };
  }

  /** has_arch_syscall_prefix(). */
  #isSyscall(name: string): boolean {
    const { modifiable } = this.#kernel.arch.syscalls;
    return modifiable !== undefined && name.startsWith(modifiable);
  }
}

/** The entries of the section: an address and a type, in a word each (struct error_injection_entry); each covers its symbol. */
function readList({ image, pieces, symbols }: KernelFacts): AreaSet | 'none' | 'unknown' {
  const from = pieces.labels('__start_error_injection_whitelist');
  const to = pieces.labels('__stop_error_injection_whitelist');
  const size = from === undefined || to === undefined ? 0 : Number(to - from);
  if (image === undefined || from === undefined || size <= 0 || size > LARGEST || !image.memory.has(from, size)) {
    return symbols.lookup('within_error_injection_list') === undefined ? 'none' : 'unknown';
  }
  const { memory } = image;
  const ranges: Area[] = [];
  for (let at = 0; at + memory.wordSize * 2 <= size; at += memory.wordSize * 2) {
    const entry = memory.word(from + BigInt(at));
    const end = entry === 0n ? undefined : symbols.endOf(entry);
    if (end !== undefined) ranges.push({ name: '_error_injection_whitelist', from: entry, to: end });
  }
  return new AreaSet(ranges);
}
