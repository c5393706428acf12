import { returnEvent } from '../event-names.js';
import type { Fetch } from '../fetch.js';
import type { ProbeKind, RecipeFacts } from '../recipe-facts.js';

/** MAX_TRACE_ARGS of kernel/trace/trace_probe.h. */
const MOST_ARGUMENTS = 128;

/**
 * A line for /sys/kernel/tracing/kprobe_events (Documentation/trace/kprobetrace.rst): `p:EVENT SYMBOL+OFFSET NAME=FROM:TYPE …`. The parts
 * are those that every kernel since 5.3 reads.
 */
export function kprobeEventsLine(facts: RecipeFacts, kind: ProbeKind): string {
  const letter = kind === 'entry' ? 'p' : 'r';
  return [`${letter}:${eventOf(facts, kind)} ${facts.place.text}`, ...fetches(facts, kind).slice(0, MOST_ARGUMENTS).map(text)].join(' ');
}

/** The event of a return probe is named `NAME_ret`. */
export function eventOf({ event }: RecipeFacts, kind: ProbeKind): string {
  return kind === 'entry' ? event : returnEvent(event);
}

export function fetches({ signature }: RecipeFacts, kind: ProbeKind): readonly Fetch[] {
  if (signature === undefined) return [];
  return kind === 'entry' ? signature.arguments.flatMap(({ fetch }) => fetch) : signature.result.fetch;
}

/** `filename=+0(%si):ustring` */
export function text({ name, from, type }: Fetch): string {
  return `${name}=${from}:${type}`;
}
