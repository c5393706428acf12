import type { ProbeKind, RecipeFacts } from '../recipe.js';

/** For libbpf: the section of a program that `bpf_program__attach()` attaches, or the call that does. */
export function libbpfLine(facts: RecipeFacts, kind: ProbeKind): string {
  return sectionOf(facts, kind) ?? attachCall(facts, kind);
}

/** `SEC("kprobe/NAME")`, and with an offset for entries alone: libbpf refuses one on return probes. */
export function sectionOf({ place }: RecipeFacts, kind: ProbeKind): string | undefined {
  const { symbol, offset } = place;
  // attach_kprobe() of libbpf reads [a-zA-Z0-9_.]+, then the offset.
  if (symbol === undefined || !/^[a-zA-Z0-9_.]+$/.test(symbol)) return undefined;
  if (offset === 0n) return `SEC("${kind === 'entry' ? 'kprobe' : 'kretprobe'}/${symbol}")`;
  return kind === 'entry' ? `SEC("kprobe/${symbol}+0x${offset.toString(16)}")` : undefined;
}

/** The call of libbpf for a program that its section does not attach. */
export function attachCall({ place }: RecipeFacts, kind: ProbeKind): string {
  const { symbol, offset } = place;
  const options = [...(offset === 0n ? [] : [`.offset = 0x${offset.toString(16)}`]), ...(kind === 'return' ? ['.retprobe = true'] : [])];
  const name = symbol === undefined ? 'NULL' : `"${symbol}"`;
  return `LIBBPF_OPTS(bpf_kprobe_opts, opts, ${options.join(', ')}); bpf_program__attach_kprobe_opts(prog, ${name}, &opts);`;
}
