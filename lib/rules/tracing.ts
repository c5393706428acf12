import type { KernelFacts } from '../facts/kernel-facts.js';
import { oncePerKernel } from '../facts/once-per-kernel.js';
import { FilterRules } from './filters.js';
import { KprobeRules } from './kprobes.js';
import { type Sites, sitesOf } from './sites.js';
import { TrampolineRules } from './trampolines.js';

/** The rules of tracing for one kernel: what is needed for all questions is read once. */
export interface TracingRules {
  /** What ftrace can trace. */
  readonly sites: Sites;
  /** kprobes and return probes. */
  readonly kprobes: KprobeRules;
  /** kprobe.multi, fprobe events, ftrace's own filter. */
  readonly filters: FilterRules;
  /** fentry, fexit and fmod_ret. */
  readonly trampolines: TrampolineRules;
}

/** The rules of tracing for a kernel. */
export const tracingOf: (kernel: KernelFacts) => TracingRules = oncePerKernel(kernel => {
  const sites = sitesOf(kernel);
  const kprobes = new KprobeRules(kernel, sites);
  return { sites, kprobes, filters: new FilterRules(kernel, sites), trampolines: new TrampolineRules(kernel, sites, kprobes) };
});
