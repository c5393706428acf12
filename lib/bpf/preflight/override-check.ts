import { refused, untold, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { ModifyReturn } from '../../rules/modify-return.js';
import type { SectionMeaning } from '../names/section-names.js';

/**
 * Of a program that calls bpf_override_return(): whether its function allows error injection, without which it is not attached
 * (perf_event_attach_bpf_prog). Undefined where nothing is against it, and where the section names no function.
 */
export function overrideVerdict(kernel: KernelFacts, { definition, target }: SectionMeaning): Verdict | undefined {
  const row =
    definition?.grammar === 'kprobe' && target !== undefined && kernel.symbolsMissing === undefined
      ? kernel.symbols.lookup(target)
      : undefined;
  if (row === undefined) return undefined;
  const { outcome, evidence } = new ModifyReturn(kernel).errorInjection(row);
  if (outcome === 'accepted') return undefined;
  return outcome === 'open' ? untold('error-injection-unknown', [evidence]) : refused('not-modifiable', 'EINVAL', [evidence]);
}
