import { SHT } from '../../elf/constants.js';
import type { BpfObject } from './object.js';
import type { BpfFunction } from './programs.js';
import { formatValue } from './value.js';

/** A member of a struct_ops that the object sets. */
export interface StructOpsMember {
  readonly name: string;
  /** Its number in the struct of the object, which libbpf gives a program as its expected attach type until it has seen the kernel's struct. */
  readonly index: number;
  /** In bytes, from the start of the struct. */
  readonly offset: number;
  /** The program, for a function pointer. */
  readonly program?: BpfFunction;
  /** In C, for what is no function. */
  readonly value?: string;
}

/** A variable in `.struct_ops` or `.struct_ops.link`: a table of functions that the kernel calls. */
export interface BpfStructOps {
  readonly name: string;
  readonly section: string;
  readonly sectionIndex: number;
  readonly offset: number;
  readonly size: number;
  readonly typeId: number;
  /** The struct's name in the object. The kernel's is the same without a flavor, `___…`. */
  readonly typeName: string;
  /** True in `.struct_ops.link`: it is attached by a link. */
  readonly link: boolean;
  /** False where the section's name begins with `?`. */
  readonly autocreate: boolean;
}

const SECTION = /^\??\.struct_ops(\.link)?$/;

/** The struct_ops of an object (init_struct_ops_maps of libbpf). */
export function readStructOps(object: BpfObject): BpfStructOps[] {
  const { btf } = object;
  if (btf === undefined) return [];
  return object.elf.sections
    .filter(({ name, type, size }) => SECTION.test(name) && type !== SHT.NOBITS && size > 0)
    .flatMap(section => {
      const datasec = btf.type(btf.find(section.name, 'DATASEC')[0] ?? 0);
      if (datasec.kind !== 'DATASEC') {
        object.refuse(section.name, 'BTF does not say what is in it', 'EINVAL');
        return [];
      }
      const symbols = new Map(
        object.symbols.filter(({ sectionIndex }) => sectionIndex === section.index).map(symbol => [symbol.name, symbol]),
      );
      return datasec.variables
        .flatMap((entry): BpfStructOps[] => {
          const variable = btf.type(entry.typeId);
          if (variable.kind !== 'VAR') return [];
          const type = object.attempt(section.name, () => btf.type(btf.resolve(variable.typeId)));
          if (type?.kind !== 'STRUCT' || type.name === '') {
            object.refuse(section.name, `${variable.name} is of no struct with a name`);
            return [];
          }
          const symbol = symbols.get(variable.name);
          return [
            {
              name: variable.name,
              section: section.name,
              sectionIndex: section.index,
              offset: symbol === undefined ? entry.offset : Number(symbol.value),
              size: type.size,
              typeId: type.id,
              typeName: type.name,
              link: section.name.endsWith('.link'),
              autocreate: !section.name.startsWith('?'),
            },
          ];
        })
        .sort((a, b) => a.offset - b.offset);
    });
}

/** The members that an object sets: functions by their relocations, others where they are not zero. */
export function structOpsMembers(object: BpfObject, ops: BpfStructOps): StructOpsMember[] {
  const { btf, littleEndian } = object;
  const type = btf?.type(ops.typeId);
  const bytes = object.attempt(ops.section, () => object.elf.sections[ops.sectionIndex]!.storedRange(ops.offset, ops.size));
  if (btf === undefined || type?.kind !== 'STRUCT' || bytes === undefined) return [];
  const programs = new Map<number, BpfFunction>();
  for (const { offset, meaning } of object.relocationsIn(ops.sectionIndex, ops.offset, ops.offset + ops.size)) {
    if (meaning.kind === 'function') programs.set(offset - ops.offset, meaning.function);
  }
  return type.members.flatMap(({ name, typeId, bitOffset, bitfieldSize }, index): StructOpsMember[] => {
    const offset = Math.floor(bitOffset / 8);
    const program = programs.get(offset);
    if (program !== undefined) return [{ name, index, offset, program }];
    // libbpf refuses bit-fields that are set.
    const size = bitfieldSize > 0 ? undefined : object.attempt(ops.section, () => btf.sizeof(typeId));
    const part = size === undefined ? undefined : bytes.subarray(offset, offset + size);
    if (part === undefined || !part.some(byte => byte !== 0)) return [];
    const value = object.attempt(ops.section, () => formatValue(btf, typeId, part, littleEndian));
    return value === undefined ? [] : [{ name, index, offset, value }];
  });
}
