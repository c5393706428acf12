import { corePath, coreRoot } from '../../btf/core-spec.js';
import { KERNEL_NAME_LENGTH, mapFlagNames } from './names/uapi.js';
import { slotsOf } from './object/map-slots.js';
import type { BpfMap } from './object/maps.js';
import type { BpfObject } from './object/object.js';
import type { BpfFunction, BpfProgram } from './object/programs.js';
import { describeRelocation } from './object/relocations.js';
import { structOpsMembers } from './object/struct-ops-members.js';

// An object as plain data: what `kelf bpf show --json` prints, and what its text is made from.

export interface ProgramDescription {
  readonly name: string;
  /** What the kernel keeps of the name; tools find the whole of it in the program's BTF. */
  readonly kernelName: string;
  readonly section: string;
  /** `kprobe`; left out where libbpf has no definition for the section's name. */
  readonly type?: string;
  readonly attachType?: string;
  readonly target?: string;
  readonly sleepable: boolean;
  readonly autoload: boolean;
  readonly instructionCount: number;
  /** In libbpf's order. */
  readonly subprograms: readonly string[];
  /** The members of struct_ops that it is for: `my_ops.init`. */
  readonly structOps?: readonly string[];
  /** With the subprograms. */
  readonly totalInstructionCount: number;
  /** In C, where BTF has it. */
  readonly prototype?: string;
  /** Functions and lines of source that .BTF.ext knows, the subprograms' too. */
  readonly functionInfo: number;
  readonly lineInfo: number;
  readonly coreRelocations: number;
}

export interface MapDescription {
  readonly name: string;
  readonly kernelName: string;
  readonly origin: string;
  readonly section: string;
  readonly type: string;
  readonly typeNumber: number;
  readonly key?: string;
  readonly keySize: number;
  readonly value?: string;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly flagNames: string;
  readonly numaNode?: number;
  readonly mapExtra?: bigint;
  readonly pinned: boolean;
  readonly autocreate: boolean;
  readonly inner?: MapDescription;
  /** Of maps in maps and prog arrays: what is in it from the start. */
  readonly slots?: readonly { readonly index: number; readonly name: string }[];
  /** Of a struct_ops: its struct, and the members that are set. */
  readonly structType?: string;
  readonly members?: readonly { readonly name: string; readonly program?: string; readonly value?: string }[];
  readonly refusal?: string;
}

export interface ObjectDescription {
  readonly endian: 'little' | 'big';
  /** libbpf's name for the object. */
  readonly name: string;
  readonly license?: string;
  /** What the section `version` says: 0x60100 is 6.1.0. */
  readonly kernelVersion?: number;
  readonly programs: readonly ProgramDescription[];
  readonly subprograms: readonly {
    readonly name: string;
    readonly section: string;
    readonly instructionCount: number;
    readonly global: boolean;
  }[];
  readonly maps: readonly MapDescription[];
  readonly variables: readonly {
    readonly name: string;
    readonly section: string;
    readonly offset: number;
    readonly size: number;
    readonly linkage?: string;
    readonly declaration?: string;
    readonly value?: string;
  }[];
  readonly externs: readonly {
    readonly name: string;
    readonly kind: string;
    readonly weak: boolean;
    readonly declaration: string;
    readonly type?: string;
  }[];
  readonly relocations: readonly {
    readonly section: string;
    readonly offset: number;
    readonly function?: string;
    readonly instruction?: number;
    readonly type: string;
    readonly symbol: string;
    readonly kind: string;
    readonly meaning: string;
  }[];
  readonly coreRelocations: readonly {
    readonly section: string;
    readonly number: number;
    readonly offset: number;
    readonly function?: string;
    readonly instruction: number;
    readonly kind?: string;
    readonly typeId: number;
    readonly access: string;
    /** `struct pt_regs` and `.si`; left out if the access does not fit its type. */
    readonly root?: string;
    readonly path?: string;
    readonly text: string;
  }[];
  /** What is damaged, or what libbpf would refuse. */
  readonly problems: readonly string[];
}

/** Everything that is in an object. */
export function describeObject(object: BpfObject): ObjectDescription {
  const { license, version } = object;
  const parts = {
    endian: object.littleEndian ? ('little' as const) : ('big' as const),
    name: object.objectName,
    ...(license === undefined ? {} : { license }),
    ...(version === undefined ? {} : { kernelVersion: version }),
    programs: programs(object),
    subprograms: object.subprograms.map(({ name, section, instructionCount, global }) => ({ name, section, instructionCount, global })),
    maps: object.maps.map(map => describeMap(object, map)),
    variables: object.variables.map(variable => {
      const { name, section, offset, size, linkage, declaration } = variable;
      const value = object.initialValue(variable);
      return {
        name,
        section,
        offset,
        size,
        ...(linkage === undefined ? {} : { linkage }),
        ...(declaration === undefined ? {} : { declaration }),
        ...(value === undefined ? {} : { value }),
      };
    }),
    externs: object.externs.map(extern => ({
      name: extern.name,
      kind: extern.kind,
      weak: extern.weak,
      declaration: extern.declaration,
      ...(extern.kind === 'kconfig' && extern.type !== undefined ? { type: extern.type } : {}),
    })),
    relocations: object.relocations.map(({ section, sectionIndex, offset, type, symbol, meaning }) => {
      const fn = object.functionAt(sectionIndex, offset);
      const place = fn === undefined ? {} : { function: fn.name, instruction: (offset - fn.offset) / 8 };
      return { section, offset, ...place, type, symbol, kind: meaning.kind, meaning: describeRelocation(meaning) };
    }),
    coreRelocations: object.coreRelocations.map(
      ({ section, number, offset, function: fn, instruction, kind, typeId, access, spec, text }) => ({
        section,
        number,
        offset,
        ...(fn === undefined ? {} : { function: fn.name }),
        instruction,
        ...(kind === undefined ? {} : { kind }),
        typeId,
        access,
        ...(spec === undefined || object.btf === undefined ? {} : { root: coreRoot(object.btf, spec), path: corePath(spec) }),
        text,
      }),
    ),
  };
  return { ...parts, problems: object.diagnostics.map(({ message }) => message) };
}

function programs(object: BpfObject): ProgramDescription[] {
  const counts = new Map<string, { functions: number; lines: number; core: number }>();
  const countOf = (name: string, offset: number): { functions: number; lines: number; core: number } | undefined => {
    const index = object.elf.section(name)?.index;
    const fn = index === undefined ? undefined : object.functionAt(index, offset);
    if (fn === undefined) return undefined;
    const key = `${fn.sectionIndex}:${fn.offset}`;
    let count = counts.get(key);
    if (count === undefined) counts.set(key, (count = { functions: 0, lines: 0, core: 0 }));
    return count;
  };
  for (const [table, field] of [
    [object.ext?.functions, 'functions'],
    [object.ext?.lines, 'lines'],
    [object.ext?.relocations, 'core'],
  ] as const) {
    for (const { name, start, end } of table?.sections ?? []) {
      for (let row = start; row < end; row++) {
        const count = countOf(name, table!.offsets[row]!);
        if (count !== undefined) count[field]++;
      }
    }
  }
  const members = new Map<BpfFunction, string[]>();
  for (const ops of object.structOps) {
    for (const { name, program } of structOpsMembers(object, ops)) {
      if (program !== undefined) members.set(program, [...(members.get(program) ?? []), `${ops.name}.${name}`]);
    }
  }
  return object.programs.map(program => describeProgram(object, program, members.get(program), key => counts.get(key)));
}

function describeProgram(
  object: BpfObject,
  program: BpfProgram,
  structOps: readonly string[] | undefined,
  countOf: (key: string) => { readonly functions: number; readonly lines: number; readonly core: number } | undefined,
): ProgramDescription {
  const { name, section, typeId, instructionCount } = program;
  const { definition, target, autoload } = program.meaning;
  const subprograms = object.subprogramsOf(program);
  const all = [program, ...subprograms];
  const counts = all.map(({ sectionIndex, offset }) => countOf(`${sectionIndex}:${offset}`));
  const prototype = typeId === undefined ? undefined : object.attempt('.BTF', () => object.btf?.prototype(typeId));
  return {
    name,
    kernelName: name.slice(0, KERNEL_NAME_LENGTH),
    section,
    ...(definition === undefined ? {} : { type: definition.type }),
    ...(definition?.attachType === undefined ? {} : { attachType: definition.attachType }),
    ...(target === undefined ? {} : { target }),
    sleepable: definition?.sleepable ?? false,
    autoload,
    instructionCount,
    subprograms: subprograms.map(({ name }) => name),
    ...(structOps === undefined ? {} : { structOps }),
    totalInstructionCount: all.reduce((sum, { instructionCount }) => sum + instructionCount, 0),
    ...(prototype === undefined ? {} : { prototype }),
    functionInfo: counts.reduce((sum, count) => sum + (count?.functions ?? 0), 0),
    lineInfo: counts.reduce((sum, count) => sum + (count?.lines ?? 0), 0),
    coreRelocations: counts.reduce((sum, count) => sum + (count?.core ?? 0), 0),
  };
}

function describeMap(object: BpfObject, map: BpfMap): MapDescription {
  const slots = slotsOf(object, map).map(({ index, map, program }) => ({ index, name: map?.name ?? program?.name ?? '?' }));
  const ops =
    map.origin === 'struct_ops' ? object.structOps.find(({ name, section }) => name === map.name && section === map.section) : undefined;
  return {
    name: map.name,
    kernelName: map.kernelName,
    origin: map.origin,
    section: map.section,
    type: map.typeName,
    typeNumber: map.type,
    ...(map.key === undefined ? {} : { key: map.key }),
    keySize: map.keySize,
    ...(map.value === undefined ? {} : { value: map.value }),
    valueSize: map.valueSize,
    maxEntries: map.maxEntries,
    flags: map.flags,
    flagNames: mapFlagNames(map.flags),
    ...(map.numaNode === undefined ? {} : { numaNode: map.numaNode }),
    ...(map.mapExtra === undefined ? {} : { mapExtra: map.mapExtra }),
    pinned: map.pinned,
    autocreate: map.autocreate,
    ...(map.inner === undefined ? {} : { inner: describeMap(object, map.inner) }),
    ...(slots.length === 0 ? {} : { slots }),
    ...(ops === undefined
      ? {}
      : {
          structType: ops.typeName,
          members: structOpsMembers(object, ops).map(({ name, program, value }) => ({
            name,
            ...(program === undefined ? {} : { program: program.name }),
            ...(value === undefined ? {} : { value }),
          })),
        }),
    ...(map.refusal === undefined ? {} : { refusal: map.refusal }),
  };
}
