import type { ProbeKind, RecipeFacts } from '../recipe-facts.js';
import { eventOf, fetches, kprobeEventsLine, text } from './kprobe-events.js';

/**
 * perf names the event of a return probe `NAME__return`, of 63 characters at most (get_new_event_name() of tools/perf/util/probe-event.c).
 */
const LONGEST_RETURN = 63 - '__return'.length;

/**
 * For perf: `perf probe` where the name stands for one function. It takes no offset beyond the symbol's end, so that other places are made
 * in tracefs and recorded by their event. Of a module it finds the symbols of .text alone.
 */
export function perfLine(facts: RecipeFacts, kind: ProbeKind): string {
  const { place, event } = facts;
  const { module, section = '.text', symbol, offset, alone = true } = place;
  if (symbol !== undefined && offset === 0n && section === '.text' && alone) {
    const name = kind === 'entry' ? event : event.slice(0, LONGEST_RETURN);
    const at = `${symbol}${kind === 'return' ? '%return' : ''}`;
    const named = name === symbol ? at : `${name}=${at}`;
    const of = module === undefined ? '' : ` -m ${module}`;
    return `perf probe${of} --add '${[named, ...fetches(facts, kind).map(text)].join(' ')}'`;
  }
  const name = eventOf(facts, kind);
  return `echo '${kprobeEventsLine(facts, kind)}' >> /sys/kernel/tracing/kprobe_events && perf record -a -e kprobes:${name}`;
}
