import type { Btf } from '../../btf/btf.js';
import type { ElfFile } from '../../elf/file.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { textAt } from '../image/text-at.js';
import type { KernelPieces } from './pieces.js';
import { addressesOf } from './prefixed-symbols.js';
import { calledNumbers } from './syscall-events.js';

/** A tracepoint, or an event of tracefs without one behind it, such as those of system calls. */
export interface Tracepoint {
  /** `sched_switch`; of an event without a tracepoint the event's name, `sys_enter_openat`. */
  readonly name: string;
  /** The folder of its event in tracefs, by TRACE_SYSTEM: `sched`. Absent if it has no event, or none is found. */
  readonly system?: string;
  /** Whether there is a tracepoint: `__tracepoint_NAME`, or the function that calls its probes, `__traceiter_NAME`. */
  readonly tracepoint: boolean;
  readonly address?: bigint;
  /** Whether BPF programs of type raw_tracepoint attach: `__bpf_trace_tp_map_NAME`. Undefined if data symbols are not listed. */
  readonly raw: boolean | undefined;
  /** The typedef `btf_trace_NAME` that tp_btf programs are loaded for. */
  readonly btf?: number;
  /** Whether tracefs has an event of it: an entry of `_ftrace_events`. Undefined if that table is not found. */
  readonly event: boolean | undefined;
  /** In C, from `btf_trace_NAME` or `__traceiter_NAME`, without the pointer to the probe's own data. */
  readonly prototype?: string;
}

/** More entries of a table are treated as damage. */
const MOST_EVENTS = 1 << 16;

interface Event {
  readonly name: string;
  readonly system: string | undefined;
}

/** What tracepoints are read of. */
export interface TracepointSources {
  readonly pieces: KernelPieces;
  readonly image: ElfFile | undefined;
  /** Undefined where the BTF alone tells: its typedefs name the tracepoints. */
  readonly symbols: KernelSymbols | undefined;
  readonly btf: Btf | undefined;
}

/** The tracepoints and events of a kernel's image (include/linux/tracepoint.h, include/trace/trace_events.h, include/trace/bpf_probe.h). */
export class TracepointTable {
  readonly #kernel: TracepointSources;
  readonly #rows: ReadonlyMap<string, Tracepoint>;
  /** False where data symbols, and with them the tables of BPF's raw tracepoints, are not listed. */
  readonly listsData: boolean;
  /** False where `_ftrace_events` is not found. */
  readonly listsEvents: boolean;

  constructor(kernel: TracepointSources) {
    this.#kernel = kernel;
    const tracepoints = addressesOf(kernel, '__tracepoint_');
    const iterators = addressesOf(kernel, '__traceiter_');
    const maps = addressesOf(kernel, '__bpf_trace_tp_map_');
    this.listsData = kernel.symbols !== undefined && (tracepoints.size > 0 || iterators.size === 0);
    const events = readEvents(kernel, new Map([...tracepoints].map(([name, address]) => [address, name])));
    this.listsEvents = events !== undefined;
    const called = events === undefined ? undefined : calledNumbers(kernel.pieces, prefix => addressesOf(kernel, prefix));
    const isKept = ({ name, system }: Event): boolean =>
      called === undefined || system !== 'syscalls' || called.has(name.replace(/^sys_(enter|exit)_/, ''));
    const byName = new Map(events?.filter(isKept).map(event => [event.name, event]));
    const typed = kernel.symbols === undefined && kernel.btf !== undefined ? typedefsOf(kernel.btf, 'btf_trace_') : new Set<string>();
    const names = new Set([...tracepoints.keys(), ...iterators.keys(), ...byName.keys(), ...typed]);
    const rows = new Map<string, Tracepoint>();
    for (const name of [...names].sort()) {
      const event = byName.get(name);
      const address = tracepoints.get(name);
      const [btf] = kernel.btf?.find(`btf_trace_${name}`, 'TYPEDEF') ?? [];
      const prototype = this.#prototype(name, btf);
      rows.set(name, {
        name,
        tracepoint: address !== undefined || iterators.has(name) || typed.has(name),
        raw: this.listsData ? maps.has(name) : undefined,
        event: events === undefined ? undefined : event !== undefined,
        ...(event?.system === undefined ? {} : { system: event.system }),
        ...(address === undefined ? {} : { address }),
        ...(btf === undefined ? {} : { btf }),
        ...(prototype === undefined ? {} : { prototype }),
      });
    }
    this.#rows = rows;
  }

  /** In the order of their names. */
  all(): Tracepoint[] {
    return [...this.#rows.values()];
  }

  find(name: string): Tracepoint | undefined {
    return this.#rows.get(name);
  }

  /** The iterator's FUNC has the names of the parameters, the typedef their types alone. */
  #prototype(name: string, typedef: number | undefined): string | undefined {
    const { btf } = this.#kernel;
    if (btf === undefined) return undefined;
    const [iterator] = btf.find(`__traceiter_${name}`, 'FUNC');
    const func = iterator === undefined ? undefined : btf.type(iterator);
    let proto = func?.kind === 'FUNC' ? func.typeId : undefined;
    if (proto === undefined && typedef !== undefined) {
      const pointer = btf.type(btf.resolve(typedef));
      proto = pointer.kind === 'PTR' ? pointer.typeId : undefined;
    }
    const type = proto === undefined ? undefined : btf.type(proto);
    if (type?.kind !== 'FUNC_PROTO') return undefined;
    const parameters = type.parameters.slice(1).map(({ name, typeId }) => btf.declaration(typeId, name));
    return `${name}(${parameters.join(', ')})`;
  }
}

/** The typedefs of a prefix, by what follows it (include/trace/bpf_probe.h makes one of each tracepoint). */
function typedefsOf(btf: Btf, prefix: string): Set<string> {
  const names = new Set<string>();
  for (let id = 1; id < btf.count; id++) {
    if (btf.kindOf(id) !== 'TYPEDEF') continue;
    const name = btf.nameOf(id);
    if (name.startsWith(prefix)) names.add(name.slice(prefix.length));
  }
  return names;
}

/**
 * `_ftrace_events`: pointers to struct trace_event_call, which begins with a list head, the class and, in one place, the tracepoint or the
 * name of an event without one (include/linux/trace_events.h). A class begins with the name of its system. Undefined if there is no table.
 */
function readEvents({ image, pieces }: TracepointSources, tracepoints: ReadonlyMap<bigint, string>): Event[] | undefined {
  const start = pieces.labels('__start_ftrace_events');
  const stop = pieces.labels('__stop_ftrace_events');
  if (image === undefined || start === undefined || stop === undefined || stop < start) return undefined;
  const { memory } = image;
  const { wordSize } = memory;
  const word = BigInt(wordSize);
  const wordAt = (address: bigint): bigint | undefined => (memory.has(address, wordSize) ? memory.word(address) : undefined);
  const count = Number((stop - start) / word);
  if (count > MOST_EVENTS) return undefined;
  const systems = new Map<bigint, string | undefined>();
  const systemOf = (cls: bigint | undefined): string | undefined => {
    const at = cls === undefined ? undefined : wordAt(cls);
    if (at === undefined) return undefined;
    if (!systems.has(at)) systems.set(at, identifier(textAt(memory, at)));
    return systems.get(at);
  };
  const found: Event[] = [];
  for (let i = 0; i < count; i++) {
    const call = wordAt(start + BigInt(i) * word);
    if (call === undefined || call === 0n) continue;
    const target = wordAt(call + word * 3n);
    if (target === undefined) continue;
    const name = tracepoints.get(target) ?? identifier(textAt(memory, target));
    if (name !== undefined) found.push({ name, system: systemOf(wordAt(call + word * 2n)) });
  }
  return found;
}

/** A name of tracefs; undefined for what damage made of one. */
function identifier(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Za-z_][A-Za-z0-9_-]*$/.test(text) ? text : undefined;
}
