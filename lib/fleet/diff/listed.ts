import { type KfuncRow, kfuncFlagNames, kfuncRows } from '../../facts/kfuncs.js';
import type { SystemCall } from '../../facts/system-calls.js';
import { type ExportRow, exportRows } from '../rows/exports.js';
import { syscallRows } from '../rows/syscalls.js';
import { type TracepointRow, tracepointRows } from '../rows/tracepoints.js';
import type { Difference, Effect } from './difference.js';
import { compareKeyed, type Keyed } from './keyed.js';
import type { Sides } from './sides.js';

// Things that a kernel has lists of.

const yesNo = (has: boolean | undefined): string | undefined => (has === undefined ? undefined : has ? 'yes' : 'no');
/** What programs could do and can't any more, or the other way. */
const loses = (had: boolean | undefined): Effect => (had === true ? 'breaks' : 'adds');

const TRACEPOINTS: Keyed<TracepointRow> = {
  kind: 'tracepoints',
  name: ({ name }) => name,
  text: ({ arguments: list }) => (list === undefined ? undefined : `(${list})`),
  fields: [
    { field: 'arguments', text: ({ arguments: list }) => (list === undefined ? undefined : `(${list})`), effect: 'breaks' },
    { field: 'system', text: ({ system }) => system, effect: 'breaks' },
    { field: 'raw_tp', text: ({ raw }) => yesNo(raw), effect: ({ raw }) => loses(raw) },
    { field: 'tp_btf', text: ({ typed }) => yesNo(typed), effect: ({ typed }) => loses(typed) },
    { field: 'event', text: ({ event }) => yesNo(event), effect: ({ event }) => loses(event) },
  ],
};

/** Where one kernel shows fewer than the other, those are compared that both would show. */
export function* tracepointChanges({ old, new: now }: Sides): Generator<Difference> {
  const sides = [old, now];
  const shown = ({ tracepoint, typed }: TracepointRow): boolean =>
    sides.every(({ kernel }) => kernel.tracepoints.listsData)
      ? tracepoint || sides.every(({ kernel }) => kernel.tracepoints.listsEvents)
      : typed;
  const [before, after] = [tracepointRows(old.kernel).filter(shown), tracepointRows(now.kernel).filter(shown)];
  // BTF names none before 5.5.
  if (before.length > 0 && after.length > 0) yield* compareKeyed(TRACEPOINTS, before, after);
}

const SYSCALLS: Keyed<SystemCall> = {
  kind: 'syscalls',
  name: ({ name }) => name,
  text: call => argumentsText(call),
  fields: [
    { field: 'arguments', text: call => argumentsText(call), effect: 'breaks' },
    { field: 'number', text: ({ number }) => (number === undefined ? undefined : String(number)), effect: 'changes' },
  ],
};

function argumentsText({ arguments: list }: SystemCall): string | undefined {
  return list === undefined ? undefined : `(${list.join(', ')})`;
}

export function* syscallChanges({ old, new: now }: Sides): Generator<Difference> {
  const [before, after] = [syscallRows(old.kernel), syscallRows(now.kernel)];
  if (before.length > 0 && after.length > 0) yield* compareKeyed(SYSCALLS, before, after);
}

const KFUNCS: Keyed<KfuncRow> = {
  kind: 'kfuncs',
  name: ({ name }) => name,
  module: ({ module }) => module,
  text: ({ prototype }) => prototype,
  fields: [
    { field: 'prototype', text: ({ prototype }) => prototype, effect: 'breaks' },
    {
      field: 'flags',
      text: ({ flags }) => (flags === undefined ? undefined : kfuncFlagNames(flags).join(' ') || 'none'),
      effect: 'changes',
    },
  ],
};

export function kfuncChanges({ old, new: now }: Sides): Generator<Difference> {
  return compareKeyed(KFUNCS, kfuncRows(old.kernel), kfuncRows(now.kernel));
}

const EXPORTS: Keyed<ExportRow> = {
  kind: 'exports',
  name: ({ name }) => name,
  text: ({ gpl, namespace }) => [gpl ? 'GPL' : 'all', namespace ?? ''].filter(Boolean).join(', '),
  fields: [
    {
      field: 'namespace',
      text: ({ namespace }) => namespace ?? 'none',
      effect: ({ namespace }) => (namespace === undefined ? 'breaks' : 'changes'),
    },
    { field: 'license', text: ({ gpl }) => (gpl ? 'GPL' : 'all'), effect: ({ gpl }) => (gpl ? 'adds' : 'breaks') },
    // Modules are built anew for each kernel, whose checksums differ for what no program sees.
    { field: 'CRC', text: ({ crc }) => (crc === undefined ? undefined : `0x${crc.toString(16).padStart(8, '0')}`), effect: 'changes' },
  ],
};

export function* exportChanges({ old, new: now }: Sides): Generator<Difference> {
  const [before, after] = [exportRows(old.kernel), exportRows(now.kernel)];
  if (before.length > 0 && after.length > 0) yield* compareKeyed(EXPORTS, before, after);
}

const OPTIONS: Keyed<readonly [string, string]> = {
  kind: 'config',
  name: ([name]) => name,
  text: ([, value]) => value,
  fields: [{ field: 'value', text: ([, value]) => value, effect: 'changes' }],
};

/** Settings: what is not set in one of them is gone or new. */
export function* configChanges({ old, new: now }: Sides): Generator<Difference> {
  const [before, after] = [old.kernel.pieces.config()!, now.kernel.pieces.config()!];
  for (const change of compareKeyed(OPTIONS, before.entries(), after.entries())) yield { ...change, effect: 'changes' };
}
