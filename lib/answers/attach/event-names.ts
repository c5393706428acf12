const RETURN = '_ret';
/**
 * MAX_EVENT_NAME_LEN and MAX_ARG_NAME_LEN of kernel/trace/trace_probe.h and trace.h, less the NUL, and less what the return probe's event
 * adds.
 */
const LONGEST_EVENT = 63 - RETURN.length;
const LONGEST_ARGUMENT = 31;

/** Files that tracefs has in the folder of a group of events, beside the folders of its events. */
const FILES_OF_GROUP = ['enable', 'filter'];
/** Fields that every event has: traceprobe_conflict_field_name() in kernel/trace/trace_probe.c. */
const FIELDS_OF_EVENTS = [
  'common_type',
  'common_flags',
  'common_preempt_count',
  'common_pid',
  'common_tgid',
  '__probe_ip',
  '__probe_ret_ip',
  '__probe_func',
];

/** The event of a function's return probe. */
export function returnEvent(event: string): string {
  return `${event}${RETURN}`;
}

/** Gives out names that are unique among those it gave: `[A-Za-z_][A-Za-z0-9_]*` of limited length (is_good_name()). */
export class Names {
  readonly #taken: Set<string>;
  readonly #longest: number;
  /** A second name that goes with each, and must be free too. */
  readonly #partner: ((name: string) => string) | undefined;
  /** How often a name was requested. */
  readonly #asked = new Map<string, number>();

  private constructor(taken: readonly string[], longest: number, partner?: (name: string) => string) {
    this.#taken = new Set(taken);
    this.#longest = longest;
    this.#partner = partner;
  }

  /** Names of events in one group, each with the event of its return probe: `noop` is not to take the name of a function `noop_ret`. */
  static ofEvents(): Names {
    return new Names(FILES_OF_GROUP, LONGEST_EVENT, returnEvent);
  }

  /** Names of the arguments of one event. */
  static ofArguments(): Names {
    return new Names(FIELDS_OF_EVENTS, LONGEST_ARGUMENT);
  }

  /** A name that comes as close to `wanted` as the rules and those before it allow; `ending` is kept whole. */
  take(wanted: string, ending = ''): string {
    const clean = wanted.replace(/[^A-Za-z0-9_]/g, '_').replace(/^(?=\d|$)/, '_');
    const key = `${clean}\0${ending}`;
    for (let n = this.#asked.get(key) ?? 1; ; n++) {
      const tail = `${n === 1 ? '' : `_${n}`}${ending}`;
      const name = `${clean.slice(0, this.#longest - tail.length)}${tail}`;
      const partner = this.#partner?.(name);
      if (this.#taken.has(name) || (partner !== undefined && this.#taken.has(partner))) continue;
      this.#taken.add(name);
      if (partner !== undefined) this.#taken.add(partner);
      this.#asked.set(key, n + 1);
      return name;
    }
  }
}
