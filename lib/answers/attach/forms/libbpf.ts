import type { ProbeKind, RecipeFacts } from '../recipe-facts.js';

/** For libbpf: the section of a program that `bpf_program__attach()` attaches, or the call that does. */
export function libbpfLine(facts: RecipeFacts, kind: ProbeKind): string {
  return sectionOf(facts, kind) ?? attachCall(facts, kind);
}

/** `SEC("kprobe/NAME")`, and with an offset for entries alone: libbpf refuses one on return probes. */
export function sectionOf({ place }: RecipeFacts, kind: ProbeKind): string | undefined {
  const { module, symbol, offset, bare } = place;
  // attach_kprobe() of libbpf reads [a-zA-Z0-9_.]+, then the offset: no module.
  if (symbol === undefined || !/^[a-zA-Z0-9_.]+$/.test(symbol) || (module !== undefined && bare !== true)) return undefined;
  if (offset === 0n) return `SEC("${kind === 'entry' ? 'kprobe' : 'kretprobe'}/${symbol}")`;
  return kind === 'entry' ? `SEC("kprobe/${symbol}+0x${offset.toString(16)}")` : undefined;
}

/**
 * The call of libbpf for a program that its section does not attach. perf_event_open() of kernels before 9d8616034f16 (6.12) finds no
 * symbol whose name has a module in it (create_local_trace_kprobe()), kprobe_events of all does: a module's function is attached through
 * those.
 */
export function attachCall({ place }: RecipeFacts, kind: ProbeKind): string {
  const { module, symbol, offset } = place;
  const options = [
    ...(offset === 0n ? [] : [`.offset = 0x${offset.toString(16)}`]),
    ...(kind === 'return' ? ['.retprobe = true'] : []),
    ...(module === undefined ? [] : ['.attach_mode = PROBE_ATTACH_MODE_LEGACY']),
  ];
  const name = symbol === undefined ? 'NULL' : module === undefined ? `"${symbol}"` : `"${module}:${symbol}"`;
  return `LIBBPF_OPTS(bpf_kprobe_opts, opts, ${options.join(', ')}); bpf_program__attach_kprobe_opts(prog, ${name}, &opts);`;
}
