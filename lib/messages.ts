import { ERRNO_NUMBERS, type Errno } from './evidence.js';
import type { ReasonCode } from './reasons.js';

/** What a tool prints, and the reasons that it prints it for; the likeliest first. */
interface Message {
  readonly says: RegExp;
  readonly codes: readonly ReasonCode[];
}

/**
 * Messages of the kernel (kernel/bpf/verifier.c, kernel/bpf/btf.c, kernel/trace/trace_kprobe.c) and of libbpf (libbpf.c, relo_core.c). What stands for a
 * name or a number in them is left open.
 */
const MESSAGES: readonly Message[] = [
  // libbpf: libbpf_find_attach_btf_id() and find_kernel_btf_id(); -ESRCH.
  { says: /failed to find (?:kernel )?BTF type ID of/i, codes: ['no-btf-func', 'no-tracepoint-btf', 'no-lsm-hook', 'needs-module'] },
  { says: /is not found in vmlinux BTF|no such (?:kernel )?BTF type/i, codes: ['no-btf-func', 'no-tracepoint-btf'] },
  // libbpf: btf__load_vmlinux_btf().
  { says: /failed to find valid kernel BTF|Error loading vmlinux BTF|kernel BTF is missing/i, codes: ['no-btf'] },
  // kernel: btf_module_notify(). The module was built against another BTF of vmlinux.
  { says: /failed to validate module .*BTF/i, codes: ['needs-module', 'no-btf-func'] },
  // libbpf: bpf_core_poison_insn() writes the call of a helper 0xbad2310; the verifier says that it is unknown.
  {
    says: /\b195896080\b|0xbad2310|invalid CO-RE relocation|substituting insn .*invalid insn|no matching targets found/i,
    codes: ['core-poisoned', 'core-guarded'],
  },
  {
    says: /relocation decision ambiguity|field offset ambiguity|unexpected insn .*relo|failed to (?:perform )?CO-RE reloc/i,
    codes: ['core-refused'],
  },
  // libbpf: bpf_map/ksym poisoned calls.
  { says: /\b200100\d{4}\b|0x7d04\d{4}/, codes: ['unresolved-extern'] },
  { says: /cannot call GPL-restricted function/i, codes: ['gpl-only'] },
  { says: /program of this type cannot use helper|(?:cannot|unable to) use helper/i, codes: ['helper-not-for-type'] },
  {
    says: /(?:unknown|invalid) func(?:tion)? [\w.]+#(?!195896080)\d+/i,
    codes: ['unknown-helper', 'helper-not-for-type', 'helper-not-built'],
  },
  { says: /calling kernel function .* is not allowed/i, codes: ['not-a-kfunc'] },
  {
    says: /kernel function .* (?:is )?not found|(?:extern|ksym) .*(?:not found|failed to find|is not resolved)|failed to find BTF for extern/i,
    codes: ['unresolved-extern', 'not-a-kfunc', 'needs-module'],
  },
  { says: /extern .*(?:incompatible|expected|type mismatch)/i, codes: ['extern-type'] },
  { says: /The address of function .* cannot be found/i, codes: ['not-in-kallsyms'] },
  // kernel: btf_distill_func_proto().
  { says: /The function .* has \d+ arguments\. Too many/i, codes: ['too-many-arguments'] },
  { says: /The function .* has variable args/i, codes: ['variable-arguments'] },
  { says: /The function .* return type .* unsupported/i, codes: ['unsupported-return'] },
  { says: /The function .* arg\d+ .*(?:unsupported|malformed)/i, codes: ['unsupported-argument'] },
  // kernel: bpf_check_attach_target() and check_attach_btf_id().
  { says: /is not modifiable|can't modify return codes/i, codes: ['not-modifiable'] },
  { says: /to __noreturn functions? is rejected/i, codes: ['noreturn'] },
  { says: /Attaching tracing programs to function .* is rejected/i, codes: ['btf-denied'] },
  { says: /points to disabled hook|Invalid LSM hook|is not an LSM hook/i, codes: ['no-lsm-hook'] },
  { says: /doesn't have \d+-th argument|invalid bpf_context access/i, codes: ['context-argument'] },
  // kernel: __trace_kprobe_create() and __register_trace_kprobe().
  { says: /Could not probe notrace function/i, codes: ['no-ftrace-site'] },
  {
    says: /not located in a probable area|is not a valid instruction boundary|could not insert probe at/i,
    codes: ['kprobe-blacklisted', 'not-an-instruction', 'not-text'],
  },
  { says: /(?:symbol|function) is not unique|multiple symbols/i, codes: ['ambiguous-name'] },
  { says: /does not exist\. probe|not found in kernel text|Failed to find symbol/i, codes: ['no-symbol'] },
  { says: /failed to determine tracepoint .* perf event ID|failed to open tracepoint/i, codes: ['no-trace-event', 'no-tracepoint'] },
  { says: /failed to open raw tracepoint|failed to attach.*raw_tp/i, codes: ['no-raw-tracepoint', 'no-tracepoint'] },
  { says: /missing BPF prog type|unrecognized ELF section|failed to guess program type/i, codes: ['unknown-section'] },
  { says: /struct_ops .*Cannot find member/i, codes: ['struct-ops-member'] },
  { says: /struct_ops .*(?:not found|failed to find)/i, codes: ['no-struct-ops'] },
  { says: /failed to (?:open|get|find) .*kconfig|system Kconfig/i, codes: ['kconfig-unknown'] },
  {
    says: /map '.*': failed to create|Error in bpf_create_map/i,
    codes: ['map-refused', 'unknown-map-type', 'map-type-not-built', 'unknown-map-flag'],
  },
];

/** strerror(3) of the errnos that answers have. */
const ERRNO_TEXTS: Readonly<Record<Errno, string>> = {
  EACCES: 'Permission denied',
  ENOENT: 'No such file or directory',
  ENOMEM: 'Cannot allocate memory',
  EBUSY: 'Device or resource busy',
  EINVAL: 'Invalid argument',
  EOPNOTSUPP: 'Operation not supported',
  EADDRNOTAVAIL: 'Cannot assign requested address',
  ENOTSUPP: 'Unknown error 524',
  ESRCH: 'No such process',
  EFAULT: 'Bad address',
  EILSEQ: 'Invalid or incomplete multibyte or wide character',
};

/** The reasons that a line of a tool's output is printed for; none where it is not known. */
export function reasonsOfMessage(line: string): ReasonCode[] {
  return [...new Set(MESSAGES.filter(({ says }) => says.test(line)).flatMap(({ codes }) => codes))];
}

/** The errno that a text is or ends with: `EBUSY`, `524`, `-524`, `Device or resource busy`, `…: -3`, `(errno=99)`. */
export function errnoOf(text: string): Errno | undefined {
  const errnos = Object.keys(ERRNO_NUMBERS) as Errno[];
  const number = Number(
    /^-?(\d{1,3})$/.exec(text)?.[1] ?? /(?::\s*|\()-(\d{1,3})\)?$/.exec(text)?.[1] ?? /\berrno\s*=?\s*(\d{1,3})\b/.exec(text)?.[1],
  );
  return (
    errnos.find(errno => new RegExp(`\\b${errno}\\b`, 'i').test(text)) ??
    errnos.find(errno => text.toLowerCase().includes(ERRNO_TEXTS[errno].toLowerCase())) ??
    errnos.find(errno => ERRNO_NUMBERS[errno] === number)
  );
}
