import { encodeBlob } from '../../../btf/encode.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { kfuncFlagNames, kfuncRows } from '../../facts/kfuncs.js';
import { enumeratorRows } from '../rows/enumerators.js';
import { exportRows } from '../rows/exports.js';
import { functionRows } from '../rows/functions.js';
import { CONFIG_FACTS, type KernelRow, kernelRow } from '../rows/kernel-row.js';
import { MECHANISMS, type Mechanism } from '../rows/mechanisms.js';
import { memberRows } from '../rows/members.js';
import { syscallRows } from '../rows/syscalls.js';
import { tracepointRows } from '../rows/tracepoints.js';
import { type Cell, type Column, coded, decode, numbers, required, sorted, texts } from './columns.js';
import type { Table } from './format.js';

/** What a mechanism is called in the names of columns: `fmod_ret`. */
export function columnOf(mechanism: Mechanism): string {
  return mechanism.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`);
}

/** How each table of a kernel is made. They are made one after the other: a kernel's tables together take much memory. */
export const MAKE: Readonly<Record<Table, (kernel: KernelFacts, id: string) => Column[]>> = {
  kernels: (kernel, id) => kernelColumns([kernelRow(kernel, id)]),
  functions: functionColumns,
  members: memberColumns,
  enumerators: enumeratorColumns,
  tracepoints: tracepointColumns,
  syscalls: syscallColumns,
  exports: exportColumns,
  kfuncs: kfuncColumns,
  btf: btfColumns,
};

/** A column of texts that are worked out row by row. */
function column<Row>(name: string, rows: readonly Row[], value: (row: Row) => string | undefined): Column {
  return texts(
    name,
    rows.map(row => value(row) ?? null),
  );
}

function numberColumn<Row>(name: string, rows: readonly Row[], value: (row: Row) => number | undefined): Column {
  return numbers(
    name,
    rows.map(row => value(row) ?? Number.NaN),
  );
}

function flagColumn<Row>(name: string, rows: readonly Row[], value: (row: Row) => boolean | undefined): Column {
  return { name, type: 'BOOLEAN', data: rows.map(row => value(row) ?? null) };
}

/** The kernel that rows are of. */
function of(id: string, rows: number): Column {
  return sorted({ name: 'kernel', type: 'STRING', data: new Array<Cell>(rows).fill(id) });
}

function kernelColumns(rows: readonly KernelRow[]): Column[] {
  const text = (name: string, value: (row: KernelRow) => string | undefined): Column => column(name, rows, value);
  const number = (name: string, value: (row: KernelRow) => number | undefined): Column => numberColumn(name, rows, value);
  return [
    text('kernel', ({ id }) => id),
    text('build_id', ({ buildId }) => buildId),
    text('release', ({ release }) => release),
    text('machine', ({ machine }) => machine),
    text('distribution', ({ distribution }) => distribution),
    text('compiler', ({ compiler }) => compiler),
    text('version', ({ version }) => version),
    text('pahole', ({ pahole }) => pahole),
    text('form', ({ form }) => form),
    text('source', ({ source }) => source),
    number('symbols', ({ symbols }) => symbols),
    number('btf_types', ({ btfTypes }) => btfTypes),
    number('btf_functions', ({ btfFunctions }) => btfFunctions),
    // Of a .config that was read, an option that it does not set is `n`.
    ...CONFIG_FACTS.map(name => text(`config_${name.toLowerCase()}`, ({ config }) => config && (config[name] ?? 'n'))),
  ];
}

function functionColumns(kernel: KernelFacts, id: string): Column[] {
  const rows = functionRows(kernel);
  return [
    of(id, rows.count),
    sorted(texts('name', rows.name)),
    numbers('anchor', rows.anchor),
    numbers('size', rows.size),
    coded('file', rows.file, file => file ?? null),
    coded('prototype', rows.prototype, prototype => prototype?.text ?? null),
    {
      name: 'prototype_id',
      type: 'INT64',
      data: decode(rows.prototype, prototype => (prototype === undefined ? null : BigInt(prototype.id))),
    },
    coded('no_btf', rows.absence, absence => absence?.code ?? null),
    coded('no_btf_certainty', rows.absence, absence => absence?.certainty ?? null),
    ...MECHANISMS.flatMap(mechanism => {
      const name = columnOf(mechanism);
      const verdicts = rows.verdicts[mechanism];
      return [
        required(coded(name, verdicts, ({ outcome }) => outcome)),
        required(coded(`${name}_code`, verdicts, ({ code }) => code)),
        coded(`${name}_errno`, verdicts, ({ errno }) => errno ?? null),
      ];
    }),
  ];
}

function memberColumns(kernel: KernelFacts, id: string): Column[] {
  const rows = memberRows(kernel);
  return [
    of(id, rows.count),
    sorted(coded('struct', rows.struct, name => name)),
    required(coded('kind', rows.kind, kind => kind)),
    required(numbers('type_id', rows.typeId)),
    required(numbers('struct_size', rows.structSize)),
    required(texts('path', rows.path)),
    required(numbers('bit_offset', rows.offset)),
    numbers('bit_size', rows.size),
    required(coded('type', rows.type, type => type)),
  ];
}

function enumeratorColumns(kernel: KernelFacts, id: string): Column[] {
  const rows = enumeratorRows(kernel);
  return [
    of(id, rows.count),
    sorted(coded('enum', rows.enum, name => name)),
    required(numbers('type_id', rows.typeId)),
    required(texts('name', rows.name)),
    required({ name: 'value', type: 'INT64', data: Array.from(rows.value) }),
  ];
}

function tracepointColumns(kernel: KernelFacts, id: string): Column[] {
  const rows = tracepointRows(kernel);
  return [
    of(id, rows.length),
    sorted(column('name', rows, ({ name }) => name)),
    column('system', rows, ({ system }) => system),
    flagColumn('tracepoint', rows, ({ tracepoint }) => tracepoint),
    flagColumn('raw', rows, ({ raw }) => raw),
    flagColumn('event', rows, ({ event }) => event),
    flagColumn('typed', rows, ({ typed }) => typed),
    column('arguments', rows, row => row.arguments),
  ];
}

function syscallColumns(kernel: KernelFacts, id: string): Column[] {
  const rows = syscallRows(kernel);
  return [
    of(id, rows.length),
    sorted(column('name', rows, ({ name }) => name)),
    numberColumn('number', rows, ({ number }) => number),
    column('arguments', rows, row => row.arguments?.join(', ')),
  ];
}

function exportColumns(kernel: KernelFacts, id: string): Column[] {
  const rows = exportRows(kernel);
  return [
    of(id, rows.length),
    sorted(column('name', rows, ({ name }) => name)),
    flagColumn('gpl', rows, ({ gpl }) => gpl),
    numberColumn('crc', rows, ({ crc }) => crc),
    column('namespace', rows, ({ namespace }) => namespace),
  ];
}

function kfuncColumns(kernel: KernelFacts, id: string): Column[] {
  const rows = kfuncRows(kernel);
  return [
    of(id, rows.length),
    sorted(column('name', rows, ({ name }) => name)),
    column('prototype', rows, ({ prototype }) => prototype),
    column('flags', rows, ({ flags }) => (flags === undefined ? undefined : kfuncFlagNames(flags).join('|'))),
    column('set', rows, ({ set }) => set),
  ];
}

/** A row for a kernel that has BTF: as the kernel's machine has it, since its byte order is that of the objects it loads. */
function btfColumns({ btf }: KernelFacts, id: string): Column[] {
  const blobs = btf === undefined ? [] : [encodeBlob(btf, btf.header.littleEndian)];
  return [of(id, blobs.length), { name: 'btf', type: 'BYTE_ARRAY', data: blobs }];
}
