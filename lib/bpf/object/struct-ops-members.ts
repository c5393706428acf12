import { formatValue } from './format-value.js';
import type { BpfObject } from './object.js';
import type { BpfFunction } from './programs.js';
import type { BpfStructOps } from './struct-ops.js';

/** A member of a struct_ops that the object sets. */
export interface StructOpsMember {
  readonly name: string;
  /**
   * Its number in the struct of the object, which libbpf gives a program as its expected attach type until it has seen the kernel's struct.
   */
  readonly index: number;
  /** In bytes, from the start of the struct. */
  readonly offset: number;
  /** The program, for a function pointer. */
  readonly program?: BpfFunction;
  /** In C, for what is not a function. */
  readonly value?: string;
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
