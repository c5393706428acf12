import { SHF, SHT, STB, STT } from '../../../elf/constants.js';
import type { Section } from '../../../elf/section.js';
import type { ElfSymbol } from '../../../elf/symbol.js';
import { INSN_BYTES } from '../code/insn.js';
import { type SectionMeaning, sectionMeaning } from '../names/section-names.js';
import { type BpfFile, isHidden } from './bpf-file.js';

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
  /** False where its symbol has neither type nor size, as clang up to 7 wrote them: libbpf finds no function there. */
  readonly typed: boolean;
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

/** What functions come to together, for each byte of code. */
const MOST_OF_CODE = 2;
const SPARE = 1 << 16;

/** The functions of all sections with code, by section and offset. */
export function readFunctions(file: BpfFile): BpfFunction[] {
  const functions: BpfFunction[] = [];
  // Aliases stand for the same code; thousands of them would take a file of code each.
  let left = SPARE + MOST_OF_CODE * [...codeSections(file).values()].reduce((sum, { size }) => sum + size, 0);
  for (const { symbol, size } of [...typedSymbols(file), ...untypedSymbols(file)]) {
    const { type, sectionIndex, value, name, binding } = symbol;
    const section = file.elf.sections[sectionIndex]!;
    // bpf_object__add_programs
    const end = value + size;
    if (value % 8n !== 0n || size % 8n !== 0n || size === 0n || end > BigInt(section.size)) {
      file.report(section.name, `function ${name} at ${value}, of ${size} bytes, does not consist of whole instructions of the section`);
      continue;
    }
    left -= Number(size);
    if (left < 0) {
      file.report(section.name, 'its functions lie over each other: together they are many times its code; the others are left out');
      break;
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
      hidden: isHidden(symbol),
      typed: type === STT.FUNC,
    });
  }
  functions.sort((a, b) => a.sectionIndex - b.sectionIndex || a.offset - b.offset || b.size - a.size);
  const typeIds = funcInfo(file);
  return functions.map(fn => {
    const typeId = typeIds.get(`${fn.section}\0${fn.offset}`) ?? file.btf?.find(fn.name, 'FUNC')[0];
    // Those of `.text` are subprograms (prog_is_subprog of libbpf; before ac9ced9e, 1.5, not where there is no other function).
    const meaning = fn.section === '.text' ? undefined : sectionMeaning(fn.section);
    // Of programs, and of subprograms outside .text (bpf_object__add_programs).
    if (fn.section !== '.text' && fn.typed && !fn.global) file.refuse(fn.section, `${fn.name} is static`, 'EOPNOTSUPP');
    return { ...fn, ...(typeId === undefined ? {} : { typeId }), ...(meaning === undefined ? {} : { meaning }) };
  });
}

/** A symbol of code, and the bytes that it stands for. */
interface CodeSymbol {
  readonly symbol: ElfSymbol;
  readonly size: bigint;
}

function codeSections(file: BpfFile): ReadonlyMap<number, Section> {
  const sections = file.elf.sections.filter(({ index, type, flags }) => index > 0 && type !== SHT.NOBITS && (flags & SHF.EXECINSTR) !== 0);
  return new Map(sections.map(section => [section.index, section]));
}

function typedSymbols(file: BpfFile): CodeSymbol[] {
  const sections = codeSections(file);
  return file.symbols
    .filter(({ type, sectionIndex }) => type === STT.FUNC && sections.has(sectionIndex))
    .map(symbol => ({ symbol, size: symbol.size }));
}

/** Labels of basic blocks, which old compilers left in the symbol table. */
const LABEL = /^(\.L|L?BB\d+_\d+|Ltmp|L$)/;

/**
 * clang up to 7 gave symbols of BPF code neither a type nor a size. In sections where no symbol has a type, a function reaches from its
 * symbol to the next, or to the section's end.
 */
function untypedSymbols(file: BpfFile): CodeSymbol[] {
  const sections = codeSections(file);
  const typed = new Set(typedSymbols(file).map(({ symbol }) => symbol.sectionIndex));
  const starts = file.symbols
    .filter(({ type, sectionIndex, name }) => type === STT.NOTYPE && sections.has(sectionIndex) && !typed.has(sectionIndex) && name !== '')
    .filter(({ name }) => !LABEL.test(name))
    .sort((a, b) => a.sectionIndex - b.sectionIndex || (a.value < b.value ? -1 : a.value > b.value ? 1 : 0));
  return starts.flatMap((symbol, i): CodeSymbol[] => {
    const next = starts[i + 1];
    const end = next?.sectionIndex === symbol.sectionIndex ? next.value : BigInt(sections.get(symbol.sectionIndex)!.size);
    // Of two names of one place the last is taken.
    return end > symbol.value ? [{ symbol, size: end - symbol.value }] : [];
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
