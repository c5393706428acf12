import { SHF, SHT, STB, STT } from '../../../elf/constants.js';
import { isRelocationSection, RelocationTable } from '../../../elf/relocation.js';
import { relocationName } from '../../../elf/relocation-names.js';
import type { Section } from '../../../elf/section.js';
import type { ElfSymbol } from '../../../elf/symbol.js';
import { CALL, INSN_BYTES, type Instructions, OPCODE } from '../code/insn.js';
import type { BpfFile } from './bpf-file.js';
import { type BpfVariable, type DataSections, dataKind } from './data.js';
import type { BpfExtern } from './externs.js';
import type { BpfMap } from './maps.js';
import type { BpfFunction, FunctionPlaces } from './programs.js';

/** What a relocation fills in. */
export type RelocationMeaning =
  /** The map itself, by an ld_imm64. */
  | { readonly kind: 'map'; readonly map: BpfMap }
  /** A byte of global data: an ld_imm64, or a pointer in data. */
  | {
      readonly kind: 'data';
      readonly section: string;
      readonly sectionIndex: number;
      readonly offset: number;
      /** The variable there, and where in it. */
      readonly variable?: BpfVariable;
      readonly variableOffset: number;
    }
  /** A call of a subprogram. */
  | { readonly kind: 'call'; readonly function: BpfFunction }
  /** The address of a function: for a callback, or a member of a struct_ops. */
  | { readonly kind: 'function'; readonly function: BpfFunction }
  /** What the loader knows of the kernel: a value of .kconfig, a symbol, a kfunc that is called. */
  | { readonly kind: 'extern'; readonly name: string; readonly extern?: BpfExtern; readonly call: boolean }
  /** A table of jumps (LLVM since 21): libbpf since 1.7 makes a map of instructions of it. */
  | { readonly kind: 'jump-table'; readonly section: string; readonly offset: number }
  /** A map or a program that is in a map from the start. */
  | { readonly kind: 'slot'; readonly of: BpfMap; readonly map?: BpfMap; readonly program?: BpfFunction }
  /** What libbpf refuses, or kelf does not know. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** A relocation of code, or of data that the loader reads. */
export interface BpfRelocation {
  /** The section that is relocated. */
  readonly section: string;
  readonly sectionIndex: number;
  /** In bytes, from the start of the section. */
  readonly offset: number;
  /** `R_BPF_64_64`; libbpf uses the instruction, not this. */
  readonly type: string;
  /** The symbol's name; of a section symbol, the section's. */
  readonly symbol: string;
  readonly symbolIndex: number;
  readonly meaning: RelocationMeaning;
}

/** Finds relocations by what they relocate. */
export interface RelocationPlaces {
  /** The relocations of the bytes `from` up to `to` of a section. */
  relocationsIn(sectionIndex: number, from: number, to: number): readonly BpfRelocation[];
}

/** What relocations refer to. */
export interface RelocationTargets extends FunctionPlaces {
  readonly data: DataSections;
  readonly externs: readonly BpfExtern[];
  readonly maps: readonly BpfMap[];
}

/** More than this an object has not, and a damaged one of a few megabytes might. */
const MOST = 1 << 20;

/** Every relocation but those of BTF and of debug information, which no loader applies. By section and offset. */
export function readRelocations(file: BpfFile, targets: RelocationTargets): BpfRelocation[] {
  const { elf } = file;
  const relocations: BpfRelocation[] = [];
  const reader = new MeaningReader(file, targets);
  for (const section of elf.sections) {
    const target = elf.sections[section.info];
    if (!isRelocationSection(section) || section.type === SHT.RELR || target === undefined || section.info === 0) continue;
    if (!target.allocated && (target.flags & SHF.EXECINSTR) === 0) continue;
    if (dataKind(target) !== undefined)
      file.report(target.name, 'has relocations, which libbpf does not apply: its pointers do not change');
    file.attempt(section.name, () => {
      const { count, offset, type, symbol } = new RelocationTable(section, elf.header).rows(0, MOST - relocations.length);
      for (let i = 0; i < count; i++) {
        const at = Number(offset.big[i]!);
        const row = file.symbols[symbol[i]!];
        relocations.push({
          section: target.name,
          sectionIndex: target.index,
          offset: at,
          type: relocationName(elf.header.machine, type[i]!) ?? `type ${type[i]}`,
          symbol: row === undefined ? '' : symbolName(file, row),
          symbolIndex: symbol[i]!,
          meaning: row === undefined ? unknown(`there is no symbol ${symbol[i]}`) : reader.meaning(target, at, row),
        });
      }
    });
  }
  return relocations.sort((a, b) => a.sectionIndex - b.sectionIndex || a.offset - b.offset);
}

function symbolName(file: BpfFile, { name, type, sectionIndex }: ElfSymbol): string {
  return type === STT.SECTION ? (file.elf.sections[sectionIndex]?.name ?? name) : name;
}

function unknown(reason: string): RelocationMeaning {
  return { kind: 'unknown', reason };
}

class MeaningReader {
  readonly #file: BpfFile;
  readonly #targets: RelocationTargets;
  readonly #externs: ReadonlyMap<number, BpfExtern>;
  readonly #maps: ReadonlyMap<string, BpfMap>;
  /** The maps of `.maps`, by offset, for what points into their slots. */
  readonly #withSlots: readonly BpfMap[];

  constructor(file: BpfFile, targets: RelocationTargets) {
    this.#file = file;
    this.#targets = targets;
    this.#externs = new Map(targets.externs.map(extern => [extern.symbol, extern]));
    const placed = targets.maps.filter(({ origin }) => origin === 'btf' || origin === 'legacy');
    this.#maps = new Map(placed.map(map => [`${map.sectionIndex}:${map.offset}`, map]));
    this.#withSlots = placed.filter(({ slotsOffset }) => slotsOffset !== undefined);
  }

  meaning(target: Section, at: number, symbol: ElfSymbol): RelocationMeaning {
    if ((target.flags & SHF.EXECINSTR) !== 0) return this.#ofCode(target, at, symbol);
    if (target.name === '.maps') return this.#ofMap(target, at, symbol);
    return this.#ofData(target, at, symbol);
  }

  /** bpf_program__record_reloc of libbpf. */
  #ofCode(target: Section, at: number, symbol: ElfSymbol): RelocationMeaning {
    const file = this.#file;
    const instructions = file.attempt(target.name, () => file.instructions(target.index));
    const index = at / INSN_BYTES;
    if (instructions === undefined || !Number.isInteger(index) || index >= instructions.count)
      return unknown('there is no instruction here');
    const code = instructions.code[index]!;
    const isCall = code === OPCODE.CALL;
    if (!isCall && code !== OPCODE.LD_IMM64) return unknown('the instruction is neither a call nor an ld_imm64');
    if (symbol.sectionIndex === 0) return this.#extern(symbol, isCall);
    const section = file.elf.sections[symbol.sectionIndex];
    if (section === undefined) return unknown(`symbol ${symbol.name} is in no section`);
    return isCall ? this.#call(instructions, index, section, symbol) : this.#load(instructions, index, section, symbol);
  }

  #extern(symbol: ElfSymbol, call: boolean): RelocationMeaning {
    const extern = this.#externs.get(symbol.index);
    return { kind: 'extern', name: symbol.name, call, ...(extern === undefined ? {} : { extern }) };
  }

  #call(instructions: Instructions, index: number, section: Section, symbol: ElfSymbol): RelocationMeaning {
    if (instructions.src[index] !== CALL.SUBPROGRAM) return unknown('the call is not to a subprogram');
    // The compiler counts from the next instruction, and has -1 in place for a symbol of its own.
    const offset = Number(symbol.value) + (instructions.imm[index]! + 1) * INSN_BYTES;
    return this.#function('call', section, offset);
  }

  #load(instructions: Instructions, index: number, section: Section, symbol: ElfSymbol): RelocationMeaning {
    const offset = Number(symbol.value);
    const addend = instructions.imm[index]!;
    if ((section.flags & SHF.EXECINSTR) !== 0) return this.#function('function', section, offset + addend);
    if (section.name === '.maps' || /^maps(\/|$)/.test(section.name)) {
      const map = this.#maps.get(`${section.index}:${offset}`);
      return map === undefined ? unknown(`no map is at ${section.name}+${offset}`) : { kind: 'map', map };
    }
    return this.#data(section, offset + addend);
  }

  #function(kind: 'call' | 'function', section: Section, offset: number): RelocationMeaning {
    const fn = this.#targets.functionAt(section.index, offset);
    return fn?.offset === offset ? { kind, function: fn } : unknown(`no function starts at ${section.name}+${offset}`);
  }

  #data(section: Section, offset: number): RelocationMeaning {
    const { data } = this.#targets;
    if (section.name === '.jumptables') return { kind: 'jump-table', section: section.name, offset };
    if (data.of(section.index) === undefined) return unknown(`${section.name} holds no global data`);
    const variable = data.at(section.index, offset);
    return {
      kind: 'data',
      section: section.name,
      sectionIndex: section.index,
      offset,
      ...(variable === undefined ? {} : { variable }),
      variableOffset: variable === undefined ? 0 : offset - variable.offset,
    };
  }

  /** bpf_object__collect_map_relos: a slot of 8 bytes for each map or program. */
  #ofMap(target: Section, at: number, symbol: ElfSymbol): RelocationMeaning {
    const of = this.#withSlots.findLast(({ offset, slotsOffset }) => at >= offset + slotsOffset!);
    if (of === undefined || of.sectionIndex !== target.index) return unknown('there is no map of maps or programs here');
    if (symbol.type === STT.FUNC) {
      const program = this.#targets.functionAt(symbol.sectionIndex, Number(symbol.value));
      return program === undefined ? unknown(`${symbol.name} is not a program`) : { kind: 'slot', of, program };
    }
    const map = this.#maps.get(`${symbol.sectionIndex}:${symbol.value}`);
    return map === undefined ? unknown(`${symbol.name} is not a map`) : { kind: 'slot', of, map };
  }

  /** A pointer in data: R_BPF_64_ABS64 (or, of old compilers, R_BPF_64_64), the addend being in place. */
  #ofData(target: Section, at: number, symbol: ElfSymbol): RelocationMeaning {
    const file = this.#file;
    if (symbol.sectionIndex === 0 && symbol.binding !== STB.LOCAL) return this.#extern(symbol, false);
    const section = file.elf.sections[symbol.sectionIndex];
    const bytes = file.attempt(target.name, () => (target.type === SHT.NOBITS ? undefined : target.storedRange(at, 8)));
    if (section === undefined || bytes === undefined) return unknown('does not point to a section');
    const addend = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0, file.littleEndian);
    const offset = Number(symbol.value + addend);
    if ((section.flags & SHF.EXECINSTR) !== 0) return this.#function('function', section, offset);
    const map = section.name === '.maps' ? this.#maps.get(`${section.index}:${offset}`) : undefined;
    return map === undefined ? this.#data(section, offset) : { kind: 'map', map };
  }
}

/** `map events`, `call policy_of`, `.rodata+4 (only_pid)`: what a relocation means, in a few words. */
export function describeRelocation(meaning: RelocationMeaning): string {
  switch (meaning.kind) {
    case 'map':
      return `map ${meaning.map.name}`;
    case 'data': {
      const { section, offset, variable, variableOffset } = meaning;
      if (variable === undefined) return `${section}+${offset}`;
      return `${variable.name}${variableOffset === 0 ? '' : `+${variableOffset}`} (${section}+${offset})`;
    }
    case 'call':
      return `call ${meaning.function.name}`;
    case 'function':
      return `function ${meaning.function.name}`;
    case 'extern': {
      const { name, extern } = meaning;
      if (extern === undefined) return `extern ${name}, which BTF does not declare`;
      const weak = extern.weak ? ' (weak)' : '';
      if (extern.kind === 'kconfig') return `kconfig ${name}${weak}`;
      return `${extern.kind === 'kfunc' ? 'kfunc' : 'ksym'} ${name}${weak}`;
    }
    case 'jump-table':
      return `jump table (${meaning.section}+${meaning.offset})`;
    case 'slot':
      return meaning.map === undefined ? `program ${meaning.program?.name}` : `map ${meaning.map.name}`;
    case 'unknown':
      return `unknown: ${meaning.reason}`;
  }
}
