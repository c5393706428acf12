import { SHF, SHT, STB, STT } from '../../elf/constants.js';
import { CALL, INSN_BYTES, OPCODE, PSEUDO } from './insn.js';
import type { BpfObject } from './object.js';
import { type SectionMeaning, sectionMeaning } from './section-names.js';

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
  /** What libbpf makes of the section's name; undefined for a subprogram. */
  readonly meaning?: SectionMeaning;
}

/** A function that is loaded as a program. */
export interface BpfProgram extends BpfFunction {
  readonly meaning: SectionMeaning;
}

export function isProgram(fn: BpfFunction): fn is BpfProgram {
  return fn.meaning !== undefined;
}

/** The functions of all sections with code, by section and offset. */
export function readFunctions(object: BpfObject): BpfFunction[] {
  const functions: BpfFunction[] = [];
  for (const symbol of object.symbols) {
    const { type, sectionIndex, value, size, name, binding, visibility } = symbol;
    const section = object.elf.sections[sectionIndex];
    if (type !== STT.FUNC || section === undefined || sectionIndex === 0) continue;
    if (section.type === SHT.NOBITS || (section.flags & SHF.EXECINSTR) === 0) continue;
    // bpf_object__add_programs
    const end = value + size;
    if (value % 8n !== 0n || size % 8n !== 0n || size === 0n || end > BigInt(section.size)) {
      object.report(section.name, `function ${name} at ${value}, of ${size} bytes, is not made of the section's instructions`);
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
  const typeIds = funcInfo(object);
  return functions.map(fn => {
    const typeId = typeIds.get(`${fn.section}\0${fn.offset}`) ?? object.btf?.find(fn.name, 'FUNC')[0];
    // Those of `.text` are subprograms, where there is another function (prog_is_subprog of libbpf).
    const meaning = fn.section === '.text' && functions.length > 1 ? undefined : sectionMeaning(fn.section);
    // Of programs, and of subprograms outside of .text (bpf_object__add_programs).
    if (fn.section !== '.text' && !fn.global) object.refuse(fn.section, `${fn.name} is static`, 'EOPNOTSUPP');
    return { ...fn, ...(typeId === undefined ? {} : { typeId }), ...(meaning === undefined ? {} : { meaning }) };
  });
}

/** FUNCs by section and offset, as .BTF.ext has them. */
function funcInfo(object: BpfObject): Map<string, number> {
  const { ext, btf } = object;
  const ids = new Map<string, number>();
  if (ext === undefined || btf === undefined) return ids;
  const { sections, offsets, typeIds } = ext.functions;
  for (const { name, start, end } of sections) {
    for (let row = start; row < end; row++) {
      if (btf.kindOf(typeIds[row]!) === 'FUNC') ids.set(`${name}\0${offsets[row]}`, typeIds[row]!);
      else object.report('.BTF.ext', `func_info of ${name}+${offsets[row]} refers to type ${typeIds[row]}, which is no FUNC`);
    }
  }
  return ids;
}

/**
 * The functions that libbpf appends to a program (bpf_object__reloc_code): those it calls or takes the address of, and theirs, in the order in
 * which they are met, each once.
 */
export function callOrder(object: BpfObject, program: BpfFunction): BpfFunction[] {
  const order: BpfFunction[] = [];
  const seen = new Set<BpfFunction>();
  // A stack of functions that are being gone through: calls may be nested as deep as there are functions.
  const open: { readonly calls: readonly BpfFunction[]; next: number }[] = [{ calls: callsOf(object, program), next: 0 }];
  while (open.length > 0) {
    const top = open.at(-1)!;
    const callee = top.calls[top.next++];
    if (callee === undefined) open.pop();
    else if (!seen.has(callee)) {
      seen.add(callee);
      order.push(callee);
      open.push({ calls: callsOf(object, callee), next: 0 });
    }
  }
  return order;
}

const calls = new WeakMap<BpfFunction, readonly BpfFunction[]>();

/** The functions that one calls or takes the address of, in the order of its instructions. */
function callsOf(object: BpfObject, fn: BpfFunction): readonly BpfFunction[] {
  let known = calls.get(fn);
  if (known === undefined) calls.set(fn, (known = readCalls(object, fn)));
  return known;
}

function readCalls(object: BpfObject, fn: BpfFunction): BpfFunction[] {
  const instructions = object.attempt(fn.section, () => object.instructions(fn.sectionIndex));
  if (instructions === undefined) return [];
  const targets = new Map<number, BpfFunction | undefined>();
  for (const { offset, meaning } of object.relocationsIn(fn.sectionIndex, fn.offset, fn.offset + fn.size)) {
    targets.set(offset / INSN_BYTES, meaning.kind === 'call' || meaning.kind === 'function' ? meaning.function : undefined);
  }
  const found: BpfFunction[] = [];
  const first = fn.offset / INSN_BYTES;
  for (let i = first; i < first + fn.instructionCount; i++) {
    const code = instructions.code[i]!;
    const source = instructions.src[i]!;
    const isCall = code === OPCODE.CALL && source === CALL.SUBPROGRAM;
    const isAddress = code === OPCODE.LD_IMM64 && (source === PSEUDO.FUNC || targets.has(i));
    if (code === OPCODE.LD_IMM64) {
      if (isAddress) push(targets.get(i));
      i++;
      continue;
    }
    if (!isCall) continue;
    // A call without a relocation is of a function in the same section.
    const inSection = object.functionAt(fn.sectionIndex, (i + 1 + instructions.imm[i]!) * INSN_BYTES);
    push(targets.has(i) ? targets.get(i) : inSection);
  }
  return found;

  function push(callee: BpfFunction | undefined): void {
    if (callee !== undefined && callee !== fn) found.push(callee);
  }
}
