import { accepted, refused, said, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { TrampolineLimits } from '../../rules/trampoline-limits.js';
import type { Built } from '../names/built.js';
import type { KernelFeatures } from '../preflight/features.js';
import { lsmInactive } from '../preflight/hooks.js';
import { attachTypeOption, attachTypeVerdict } from './attach-types.js';

/** What depends on one option: a name, the option, and functions of which kernels with it have one. */
const TABLE = `
bpf(2)           BPF_SYSCALL               bpf_map_new_fd
jit              BPF_JIT                   bpf_jit_binary_alloc bpf_jit_binary_pack_alloc
kprobe           KPROBE_EVENTS             create_local_trace_kprobe
uprobe           UPROBE_EVENTS             create_local_trace_uprobe
error-injection  FUNCTION_ERROR_INJECTION  within_error_injection_list
module-btf       DEBUG_INFO_BTF_MODULES    btf_module_notify
`;

const PARTS: ReadonlyMap<string, Built> = new Map(
  TABLE.trim()
    .split('\n')
    .map(line => {
      const [name, option, ...functions] = line.split(/\s+/);
      return [name!, { option: `CONFIG_${option}`, functions }];
    }),
);

/** Those that an attach type stands for. */
const ATTACHED: Readonly<Record<string, string>> = {
  'kprobe.multi': 'TRACE_KPROBE_MULTI',
  'kprobe.session': 'TRACE_KPROBE_SESSION',
  'uprobe.multi': 'TRACE_UPROBE_MULTI',
  'uprobe.session': 'TRACE_UPROBE_SESSION',
};

/** The number of arenas in `enum bpf_map_type`. */
const ARENA = 33;

/** How programs are attached, and what else a kernel has or lacks as a whole: each with the option that it depends on. */
export function mechanisms(
  kernel: KernelFacts,
  features: KernelFeatures,
): { name: string; verdict: Verdict; option?: string | undefined }[] {
  return [
    ...[...PARTS].map(([name, part]) => ({ name, verdict: features.whereBuilt(part, 'no-such-feature', name, []), option: part.option })),
    ...Object.entries(ATTACHED).map(([name, type]) => ({
      name,
      verdict: attachTypeVerdict(features, type),
      option: attachTypeOption(type),
    })),
    { name: 'trampolines', verdict: trampolines(kernel, features), option: DIRECT_CALLS.option },
    { name: 'lsm', verdict: lsm(kernel, features), option: 'CONFIG_BPF_LSM' },
    { name: 'token', verdict: features.command('TOKEN_CREATE') },
    { name: 'arena', verdict: features.mapType(ARENA, 'arena') },
    { name: 'btf', verdict: btf(kernel), option: 'CONFIG_DEBUG_INFO_BTF' },
  ];
}

const DIRECT_CALLS: Built = {
  option: 'CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS',
  functions: ['register_ftrace_direct', 'register_ftrace_direct_multi'],
};

/** fentry, fexit, fmod_ret and lsm run in them, where ftrace calls them; what they pass is of the architecture and the release. */
function trampolines(kernel: KernelFacts, features: KernelFeatures): Verdict {
  const { summary } = new TrampolineLimits(kernel);
  const called = features.whereBuilt(DIRECT_CALLS, 'no-trampoline', 'direct calls of ftrace', [], 'ENOTSUPP');
  if (summary.outcome === 'refused') return summary;
  return called.outcome === 'refused' ? called : { ...called, because: [...called.because, ...summary.because] };
}

/** Whether its programs are loaded, and whether they are called. */
function lsm(kernel: KernelFacts, features: KernelFeatures): Verdict {
  const type = features.programType('lsm');
  return type.outcome === 'accepted' ? (lsmInactive(kernel) ?? type) : type;
}

function btf({ btf, btfSource, name }: KernelFacts): Verdict {
  if (btf !== undefined) return accepted('proven', said(btfSource ?? '.BTF', `${btf.count - 1} types`));
  return refused('no-btf', undefined, said('.BTF', `${name} has none`));
}
