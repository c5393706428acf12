import { SHF, SHT, STB, STT } from '../../../elf/constants.js';
import { INSN_BYTES } from '../code/insn.js';
import { type SectionMeaning, sectionMeaning } from '../names/section-names.js';
import type { BpfFile } from './bpf-file.js';

/** A function of a BPF object: a program, or one that programs call. */
export interface BpfFunction {
  readonly name: string;
  /** The ELF section's name, with the `?` it may begin with. */
  readonly section: string;
  readonly sectionIndex: number;
  /** In bytes, from the start of the section. */
  readonly offset: number;
  readonly size: number;
  /** Slots of 8 bytes: an ld_imm64 counts twice, as the kernel counts it. */
  readonly instructionCount: number;
  /** False for a `static` one. */
  readonly global: boolean;
  readonly weak: boolean;
  /** True for STV_HIDDEN and STV_INTERNAL: libbpf makes a static function of it for the verifier. */
  readonly hidden: boolean;
  /** Its FUNC in the object's BTF: by func_info, else by its name. */
  readonly typeId?: number;
  /** What the section's name means to libbpf; undefined for a subprogram. */
  readonly meaning?: SectionMeaning;
}

/** A function that is loaded as a program. */
export interface BpfProgram extends BpfFunction {
  readonly meaning: SectionMeaning;
}

export function isProgram(fn: BpfFunction): fn is BpfProgram {
  return fn.meaning !== undefined;
}

/** Finds functions by their code. */
export interface FunctionPlaces {
  /** The function whose code is at a byte offset of a section. */
  functionAt(sectionIndex: number, offset: number): BpfFunction | undefined;
}

/** The functions of all sections with code, by section and offset. */
export function readFunctions(file: BpfFile): BpfFunction[] {
  const functions: BpfFunction[] = [];
  for (const symbol of file.symbols) {
    const { type, sectionIndex, value, size, name, binding, visibility } = symbol;
    const section = file.elf.sections[sectionIndex];
    if (type !== STT.FUNC || section === undefined || sectionIndex === 0) continue;
    if (section.type === SHT.NOBITS || (section.flags & SHF.EXECINSTR) === 0) continue;
    // bpf_object__add_programs
    const end = value + size;
    if (value % 8n !== 0n || size % 8n !== 0n || size === 0n || end > BigInt(section.size)) {
      file.report(section.name, `function ${name} at ${value}, of ${size} bytes, does not consist of whole instructions of the section`);
      continue;
    }
    functions.push({
      name,
      section: section.name,
      sectionIndex,
      offset: Number(value),
      size: Number(size),
      instructionCount: Number(size) / INSN_BYTES,
      global: binding !== STB.LOCAL,
      weak: binding === STB.WEAK,
      hidden: visibility === 1 || visibility === 2,
    });
  }
  functions.sort((a, b) => a.sectionIndex - b.sectionIndex || a.offset - b.offset || b.size - a.size);
  const typeIds = funcInfo(file);
  return functions.map(fn => {
    const typeId = typeIds.get(`${fn.section}\0${fn.offset}`) ?? file.btf?.find(fn.name, 'FUNC')[0];
    // Those of `.text` are subprograms, where there is another function (prog_is_subprog of libbpf).
    const meaning = fn.section === '.text' && functions.length > 1 ? undefined : sectionMeaning(fn.section);
    // Of programs, and of subprograms outside .text (bpf_object__add_programs).
    if (fn.section !== '.text' && !fn.global) file.refuse(fn.section, `${fn.name} is static`, 'EOPNOTSUPP');
    return { ...fn, ...(typeId === undefined ? {} : { typeId }), ...(meaning === undefined ? {} : { meaning }) };
  });
}

/** FUNCs by section and offset, as .BTF.ext has them. */
function funcInfo(file: BpfFile): Map<string, number> {
  const { ext, btf } = file;
  const ids = new Map<string, number>();
  if (ext === undefined || btf === undefined) return ids;
  const { sections, offsets, typeIds } = ext.functions;
  for (const { name, start, end } of sections) {
    for (let row = start; row < end; row++) {
      if (btf.kindOf(typeIds[row]!) === 'FUNC') ids.set(`${name}\0${offsets[row]}`, typeIds[row]!);
      else file.report('.BTF.ext', `func_info of ${name}+${offsets[row]} refers to type ${typeIds[row]}, which is not a FUNC`);
    }
  }
  return ids;
}
