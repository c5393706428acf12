import type { ProbeKind, RecipeFacts } from '../recipe.js';
import { eventOf, fetches, kprobeEventsLine, text } from './kprobe-events.js';

/**
 * For perf: `perf probe` where the name stands for one function. It takes no offset beyond the symbol's end, so that other places are made in tracefs
 * and recorded by their event.
 */
export function perfLine(facts: RecipeFacts, kind: ProbeKind): string {
  const { place, event } = facts;
  const name = eventOf(facts, kind);
  if (place.symbol !== undefined && place.offset === 0n && !place.symbol.includes(':')) {
    const at = `${place.symbol}${kind === 'return' ? '%return' : ''}`;
    const named = event === place.symbol && kind === 'entry' ? at : `${name}=${at}`;
    return `perf probe --add '${[named, ...fetches(facts, kind).map(text)].join(' ')}'`;
  }
  return `echo '${kprobeEventsLine(facts, kind)}' >> /sys/kernel/tracing/kprobe_events && perf record -a -e kprobes:${name}`;
}
