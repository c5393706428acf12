import type { MapDescription, ObjectDescription, ProgramDescription } from '../bpf/describe-object.js';
import { hex } from './json.js';
import type { Report } from './report.js';
import { count, table } from './text.js';

export interface BpfShowModel extends ObjectDescription {
  readonly file: string;
}

/** `kelf bpf show`. @param lists what the text has a list of, where else are none or their sum: CO-RE relocations, and all relocations */
export function bpfShowReport(lists: { readonly core: boolean; readonly relocs: boolean }): Report<BpfShowModel> {
  return {
    schema: 'kelf/bpf-show',
    version: 1,
    text: model =>
      [
        [heading(model)],
        ...section('programs', programRows(model)),
        ...section('maps', mapRows(model)),
        ...section('variables', variableRows(model)),
        ...section('from the kernel', externRows(model)),
        ...section('kernel fields and types (CO-RE)', lists.core ? coreRows(model) : coreSummary(model)),
        ...section('relocations', lists.relocs ? relocationRows(model) : []),
      ].flatMap((lines, i) => [...(i === 0 ? [] : ['']), ...lines]),
  };
}

function section(title: string, rows: readonly string[]): string[][] {
  return rows.length === 0 ? [] : [[title, ...rows]];
}

function heading({ file, endian, license, kernelVersion: version, programs, subprograms, maps, coreRelocations }: BpfShowModel): string {
  const facts = [
    `${endian} endian`,
    license === undefined ? 'no license' : `license ${license}`,
    ...(version === undefined ? [] : [`version ${version >>> 16}.${(version >>> 8) & 0xff}.${version & 0xff}`]),
    count(programs.length, 'program'),
    ...(subprograms.length === 0 ? [] : [count(subprograms.length, 'subprogram')]),
    count(maps.length, 'map'),
    ...(coreRelocations.length === 0 ? [] : [count(coreRelocations.length, 'CO-RE relocation')]),
  ];
  return `${file}: ${facts.join(', ')}`;
}

const INDENT = '  ';

function programRows({ programs }: ObjectDescription): string[] {
  if (programs.length === 0) return [];
  return table(
    [
      ['program', 'section', 'type', 'insns', 'with', ''],
      ...programs.map(program => [
        program.name,
        program.section,
        [program.type ?? 'unknown', program.attachType].filter(Boolean).join(' '),
        program.instructionCount,
        program.totalInstructionCount,
        programRemarks(program),
      ]),
    ],
    INDENT,
  );
}

function programRemarks({ sleepable, autoload, type, subprograms, structOps, coreRelocations, functionInfo }: ProgramDescription): string {
  return [
    ...(type === undefined ? ["libbpf does not know the section: it won't load"] : []),
    ...(autoload ? [] : ['not autoloaded']),
    ...(sleepable ? ['sleepable'] : []),
    ...(structOps === undefined ? [] : [`implements ${structOps.join(', ')}`]),
    // Without it the kernel refuses calls of global functions, callbacks and spin locks.
    ...(functionInfo > subprograms.length ? [] : ['no func_info']),
    ...(subprograms.length === 0 ? [] : [`calls ${subprograms.join(', ')}`]),
    ...(coreRelocations === 0 ? [] : [`${coreRelocations} CO-RE`]),
  ].join('; ');
}

function mapRows({ maps }: ObjectDescription): string[] {
  if (maps.length === 0) return [];
  return table(
    [
      ['map', 'type', 'key', 'value', 'entries', 'flags', ''],
      ...maps.flatMap(map => [
        mapCells(map),
        ...(map.inner === undefined ? [] : [mapCells(map.inner)]),
        ...(map.members ?? []).map(({ name, program, value }) => [`${INDENT}.${name}`, program ?? value ?? '', '', '', '', '', '']),
      ]),
    ],
    INDENT,
  );
}

function mapCells(map: MapDescription): (string | number)[] {
  const { name, kernelName, type, key, keySize, value, valueSize, maxEntries, flagNames } = map;
  const cell = (type: string | undefined, size: number): string =>
    size === 0 && type === undefined ? '-' : `${type === undefined ? '' : `${type} `}${size}`;
  return [name, type, cell(key, keySize), cell(value, valueSize), maxEntries, flagNames || '-', mapRemarks(map, kernelName)];
}

function mapRemarks(map: MapDescription, kernelName: string): string {
  const { name, numaNode, mapExtra, pinned, autocreate, slots, structType, refusal } = map;
  return [
    ...(refusal === undefined ? [] : [refusal]),
    ...(kernelName === name || name.endsWith('.inner') ? [] : [`named ${kernelName} in the kernel`]),
    ...(structType === undefined ? [] : [`struct ${structType}`]),
    ...(slots === undefined ? [] : [slots.map(({ index, name }) => `[${index}] ${name}`).join(', ')]),
    ...(pinned ? ['pinned by name'] : []),
    ...(autocreate ? [] : ['not autocreated']),
    ...(numaNode === undefined ? [] : [`NUMA node ${numaNode}`]),
    ...(mapExtra === undefined ? [] : [`map_extra ${hex(mapExtra)}`]),
  ].join('; ');
}

function variableRows({ variables }: ObjectDescription): string[] {
  return table(
    variables.map(({ section, offset, declaration, name, size, value }) => [
      section,
      offset,
      `${declaration ?? `${name}, ${size} bytes`}${value === undefined ? '' : ` = ${value}`}`,
    ]),
    INDENT,
  );
}

function externRows({ externs }: ObjectDescription): string[] {
  const kinds: Readonly<Record<string, string>> = { kconfig: '.config', ksym: 'variable', 'typeless-ksym': 'symbol', kfunc: 'kfunc' };
  return table(
    externs.map(({ kind, declaration, weak }) => [kinds[kind] ?? kind, declaration, weak ? 'weak' : '']),
    INDENT,
  );
}

/** Each root type once, with the members that are used of it: `struct task_struct  .comm .pid .tgid`. */
function coreSummary({ coreRelocations }: ObjectDescription): string[] {
  const roots = new Map<string, Set<string>>();
  for (const { root, path, kind, text } of coreRelocations) {
    const key = root ?? text;
    const uses = roots.get(key) ?? new Set();
    // Of a type as a whole it is told what is asked: whether it exists, its size.
    roots.set(key, uses.add(path === '' ? (kind ?? '') : (path ?? '')));
  }
  return table(
    [...roots].map(([root, uses]) => [root, [...uses].filter(Boolean).join(' ')]),
    INDENT,
  );
}

function coreRows({ coreRelocations }: ObjectDescription): string[] {
  return coreRelocations.map(({ function: fn, number, text }) => `${INDENT}prog '${fn ?? '?'}': relo #${number}: ${text}`);
}

function relocationRows({ relocations }: ObjectDescription): string[] {
  return table(
    relocations.map(({ section, offset, function: fn, instruction, type, meaning }) => [
      fn === undefined ? `${section}+${offset}` : `${fn}+${instruction}`,
      type,
      meaning,
    ]),
    INDENT,
  );
}
