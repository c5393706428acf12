import { describeObject, type MapDescription, type ObjectDescription, type ProgramDescription } from '../../bpf/describe-object.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { toJson } from '../../report/json.js';
import { table } from '../../report/text.js';
import { type Command, command, EXIT, type OptionSpec } from '../command.js';
import { printable } from '../elf.js';

type Switch = OptionSpec & { readonly type: 'boolean' };

const options: {
  readonly name: OptionSpec & { readonly type: 'string' };
  readonly core: Switch;
  readonly relocs: Switch;
  readonly json: Switch;
} = {
  name: {
    type: 'string',
    value: 'NAME',
    help: "the object's name, for the names of its maps in the kernel; the file's up to its first dot where not given",
  },
  core: { type: 'boolean', help: "list every CO-RE relocation, as libbpf's log has them" },
  relocs: { type: 'boolean', help: 'list every relocation, and what it means' },
  json: { type: 'boolean', help: 'print everything as a JSON object' },
};

export const bpfShow: Command<typeof options> = command({
  usage: 'FILE [OPTION…]',
  arity: [1, 1],
  about: `Says what is in a BPF object, as libbpf will take it, without a kernel: its programs and what they attach to, its maps with the names the
kernel will show, its global variables with their values, what it expects of the kernel. What libbpf would refuse is said on stderr.`,
  options,
  run({ args, options, out, note }) {
    const object = openBpfObject(args[0]!, options.name === undefined ? {} : { objectName: options.name });
    const description = describeObject(object);
    if (options.json) out.line(toJson({ schema: 'kelf/bpf-show', version: 1, file: args[0], ...description }));
    else {
      const parts = [
        [heading(args[0]!, description)],
        ...section('programs', programRows(description)),
        ...section('maps', mapRows(description)),
        ...section('variables', variableRows(description)),
        ...section('of the kernel', externRows(description)),
        ...section('fields and types of the kernel (CO-RE)', options.core ? coreRows(description) : coreSummary(description)),
        ...(options.relocs ? section('relocations', relocationRows(description)) : []),
      ];
      for (const [i, lines] of parts.entries()) {
        if (i > 0) out.line();
        for (const line of lines) out.line(printable(line));
      }
    }
    for (const problem of description.problems) note(`kelf: ${problem}`);
    return EXIT.ok;
  },
});

function section(title: string, rows: readonly string[]): string[][] {
  return rows.length === 0 ? [] : [[title, ...rows]];
}

function heading(
  file: string,
  { endian, license, kernelVersion: version, programs, subprograms, maps, coreRelocations }: ObjectDescription,
): string {
  const facts = [
    `${endian} endian`,
    license === undefined ? 'no licence' : `licence ${license}`,
    ...(version === undefined ? [] : [`version ${version >>> 16}.${(version >>> 8) & 0xff}.${version & 0xff}`]),
    count(programs.length, 'program'),
    ...(subprograms.length === 0 ? [] : [count(subprograms.length, 'subprogram')]),
    count(maps.length, 'map'),
    ...(coreRelocations.length === 0 ? [] : [count(coreRelocations.length, 'CO-RE relocation')]),
  ];
  return `${file}: ${facts.join(', ')}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
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
    ...(type === undefined ? ["libbpf knows no such section: it won't load"] : []),
    ...(autoload ? [] : ['not loaded by itself']),
    ...(sleepable ? ['sleepable'] : []),
    ...(structOps === undefined ? [] : [`is ${structOps.join(', ')}`]),
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
    ...(kernelName === name || name.endsWith('.inner') ? [] : [`in the kernel ${kernelName}`]),
    ...(structType === undefined ? [] : [`struct ${structType}`]),
    ...(slots === undefined ? [] : [slots.map(({ index, name }) => `[${index}] ${name}`).join(', ')]),
    ...(pinned ? ['pinned by name'] : []),
    ...(autocreate ? [] : ['not created by itself']),
    ...(numaNode === undefined ? [] : [`NUMA node ${numaNode}`]),
    ...(mapExtra === undefined ? [] : [`map_extra 0x${mapExtra.toString(16)}`]),
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
