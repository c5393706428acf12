import { accepted, refused, said, type Verdict } from '../../evidence.js';
import { idSet } from '../../facts/id-sets.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { verdictOf } from '../../rules/decision.js';
import { tracingOf } from '../../rules/tracing.js';

// What BPF programs are loaded for by the BTF id of a function that the kernel has for nothing else: hooks of security modules and iterators.

/** The names of the hooks: members of the union that security modules fill in, of which BPF has a function each (include/linux/bpf_lsm.h). */
export function lsmHooks({ btf }: KernelFacts): readonly string[] {
  const options = btf?.type(btf.find('security_list_options', 'UNION')[0] ?? 0);
  if (btf === undefined || options?.kind !== 'UNION') return [];
  return options.members.map(({ name }) => name).filter(name => btf.find(`bpf_lsm_${name}`, 'FUNC').length > 0);
}

/** Whether programs of type lsm are loaded for a hook: bpf_lsm_verify_prog() of kernel/bpf/bpf_lsm.c. */
export function lsmHook(kernel: KernelFacts, name: string): Verdict {
  const verdict = functionOf(kernel, `bpf_lsm_${name}`, 'no-lsm-hook');
  const [id] = kernel.btf?.find(`bpf_lsm_${name}`, 'FUNC') ?? [];
  if (id === undefined) return verdict;
  // bpf_check_attach_target() looks at the prototype as of any function that a trampoline is made for.
  const load = tracingOf(kernel).trampolines.load('fentry', id);
  if (load.outcome === 'refused' && load.errno === 'EINVAL') return verdictOf(load);
  const refusal = (says: string): Verdict => refused('no-lsm-hook', 'EINVAL', said('.BTF_ids', says));
  if (idSet(kernel, 'bpf_lsm_disabled_hooks')?.has(id)) return refusal(`bpf_lsm_disabled_hooks has ${name}`);
  const hooks = idSet(kernel, '__BTF_ID__set__bpf_lsm_hooks');
  if (hooks === undefined || hooks.size === 0) {
    const says = 'the set bpf_lsm_hooks, and those that are disabled, stand in the image alone';
    return accepted('likely', [...verdict.because, { source: '.BTF_ids', says }]);
  }
  return hooks.has(id) ? verdict : refusal(`bpf_lsm_hooks does not have ${name}`);
}

/** Whether programs for a hook may sleep; undefined where the image does not show it. */
export function mayHookSleep(kernel: KernelFacts, name: string): boolean | undefined {
  const [id] = kernel.btf?.find(`bpf_lsm_${name}`, 'FUNC') ?? [];
  return id === undefined ? undefined : idSet(kernel, 'sleepable_lsm_hooks')?.has(id);
}

/** Hooks are called of the security modules alone that CONFIG_LSM, or lsm= in its place, names (ordered_lsm_init). */
export function lsmInactive({ pieces }: KernelFacts): Verdict | undefined {
  const config = pieces.config();
  const line = config?.get('CONFIG_CMDLINE');
  const given = /(?:^|\s)lsm=(\S*)/.exec(line ?? '')?.[1];
  const names = given ?? config?.get('CONFIG_LSM');
  if (config === undefined || names === undefined || names.split(',').includes('bpf')) return undefined;
  const says = `${given === undefined ? 'CONFIG_LSM is ' : 'CONFIG_CMDLINE has lsm='}"${names}", without bpf: it loads and attaches, and is called only if lsm= of the command line names bpf`;
  return accepted('likely', said(config.source, says), 'lsm-not-active');
}

const CONTEXT = 'bpf_iter__';

/** The names of the iterators: a function each (DEFINE_BPF_ITER_FUNC), and the context that its programs get, `struct bpf_iter__task`. */
export function iterators({ btf }: KernelFacts): readonly string[] {
  if (btf === undefined) return [];
  const found = new Set<string>();
  for (let id = 1; id < btf.count; id++) {
    if (btf.kindOf(id) !== 'STRUCT') continue;
    const name = btf.nameOf(id);
    if (name.startsWith(CONTEXT)) found.add(name.slice(CONTEXT.length));
  }
  return [...found].filter(name => btf.find(`bpf_iter_${name}`, 'FUNC').length > 0).sort();
}

export function iterator(kernel: KernelFacts, name: string): Verdict {
  return functionOf(kernel, `bpf_iter_${name}`, 'no-iterator');
}

function functionOf(kernel: KernelFacts, name: string, code: 'no-lsm-hook' | 'no-iterator'): Verdict {
  const { btf, btfSource } = kernel;
  const source = btfSource ?? '.BTF';
  if (btf === undefined) return refused('no-btf', 'EINVAL', said(source, `${kernel.name} has no BTF`));
  const [id] = btf.find(name, 'FUNC');
  if (id !== undefined) return accepted('proven', said(source, `FUNC [${id}] ${name}`));
  return refused(code, 'ESRCH', said(source, `no FUNC is named ${name}`));
}
