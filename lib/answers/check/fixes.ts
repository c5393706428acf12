import type { ReasonCode } from '../../reasons.js';

/** What to do about a refusal, by its reason; what has no line here is explained on the page of the reason. */
const FIXES: Partial<Record<ReasonCode, string>> = {
  'no-symbol': 'it is inlined, renamed, compiled out or in a module: probe a caller, or look for its clones',
  'ambiguous-name': 'probe one of them by its address, as kelf duplicates prints it',
  'no-ftrace-site': 'probe a function that calls it, or one that it calls',
  'init-text': 'probe it during boot, or probe another function',
  'kprobe-blacklisted': 'probe a function that calls it',
  'first-match-untraceable': 'probe the one you mean by its address, as kelf duplicates prints it',
  'no-kprobe-multi': 'attach one kprobe for each function',
  'no-trampoline': 'use a kprobe',
  'no-btf-func': 'use a kprobe, or an alternative that kelf why lists',
  'no-btf': 'use a kprobe, or give the kernel BTF (CONFIG_DEBUG_INFO_BTF)',
  'too-many-arguments': 'use a kprobe',
  'variable-arguments': 'use a kprobe',
  noreturn: 'use fentry',
  'kretprobe-blacklisted': 'use a kprobe',
  'sites-unknown': 'check the debug vmlinux',
};

/** A sentence, or undefined if there is nothing better than the page of the reason. */
export function fixOf(code: ReasonCode): string {
  return FIXES[code] ?? `kelf explain ${code}`;
}
