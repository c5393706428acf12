import { CORE_KINDS, type CoreKind, type CoreSpec, formatCoreSpec, parseCoreSpec } from '../../../btf/core-spec.js';
import { FormatError } from '../../../elf/errors.js';
import { INSN_BYTES } from '../code/insn.js';
import type { BpfFile } from './bpf-file.js';
import type { BpfFunction, FunctionPlaces } from './programs.js';

/** One CO-RE relocation of an object, before any kernel is looked at. */
export interface BpfCoreRelocation {
  /** The ELF section of the code. */
  readonly section: string;
  /** Its number in its section, as in libbpf's `relo #0`. */
  readonly number: number;
  /** Row in `BtfExt.relocations`. */
  readonly row: number;
  /** In bytes from the start of the section. */
  readonly offset: number;
  /** The function that holds the instruction, and the slot in it. */
  readonly function?: BpfFunction;
  readonly instruction: number;
  /** undefined for a number that is unknown. */
  readonly kind: CoreKind | undefined;
  readonly typeId: number;
  readonly access: string;
  /** undefined if the access does not fit its type: libbpf refuses the object. */
  readonly spec?: CoreSpec;
  /** As libbpf logs it: `<byte_off> [2] struct pt_regs.si (0:13 @ offset 104)`. */
  readonly text: string;
}

/** The CO-RE relocations of an object, in the order of .BTF.ext. */
export function readCoreRelocations(file: BpfFile, places: FunctionPlaces): BpfCoreRelocation[] {
  const { ext, btf, elf } = file;
  if (ext === undefined || btf === undefined) return [];
  const { sections, offsets, typeIds, kinds } = ext.relocations;
  return sections.flatMap(({ name, start, end }) => {
    const sectionIndex = elf.section(name)?.index;
    if (sectionIndex === undefined) file.report('.BTF.ext', `core_relo is for section ${name}, which does not exist`);
    return Array.from({ length: end - start }, (_, number): BpfCoreRelocation => {
      const row = start + number;
      const offset = offsets[row]!;
      const fn = sectionIndex === undefined ? undefined : places.functionAt(sectionIndex, offset);
      const access = ext.access(row);
      const typeId = typeIds[row]!;
      let spec: CoreSpec | undefined;
      let text: string;
      try {
        spec = parseCoreSpec(btf, typeId, access, kinds[row]!);
        text = formatCoreSpec(btf, spec);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
        text = `<${CORE_KINDS[kinds[row]!] ?? kinds[row]}> [${typeId}] ${access.slice(0, 80)}`;
        file.report('.BTF.ext', error.message);
      }
      return {
        section: name,
        number,
        row,
        offset,
        ...(fn === undefined ? {} : { function: fn }),
        instruction: Math.floor((offset - (fn?.offset ?? 0)) / INSN_BYTES),
        kind: CORE_KINDS[kinds[row]!],
        typeId,
        access,
        ...(spec === undefined ? {} : { spec }),
        text,
      };
    });
  });
}
