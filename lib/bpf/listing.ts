import type { SourceLine } from '../../btf/ext.js';
import { SHF, SHT, STT } from '../../elf/constants.js';
import type { ElfSymbol } from '../../elf/symbol.js';
import { decode, type Operation } from './code/decode-instruction.js';
import { CALL, INSN_BYTES, type Instruction, type Instructions, jumpDistance, OPCODE } from './code/insn.js';
import { type KernelNames, kernelNotation } from './code/kernel-notation.js';
import { llvmNotation } from './code/llvm-notation.js';
import { POISON_IMM } from './load/core-patch.js';
import { mapTypeName } from './names/map-types.js';
import type { BpfCoreRelocation } from './object/core-relocations.js';
import type { BpfObject } from './object/object.js';
import type { BpfFunction } from './object/programs.js';
import { type BpfRelocation, describeRelocation } from './object/relocations.js';

/** One instruction of a listing, with what is known of it. */
export interface ListedInstruction {
  /** Its slot in what is listed: a function, or a section. An ld_imm64 takes two. */
  readonly index: number;
  /** In bytes, from the start of the section. */
  readonly offset: number;
  /** 8 or 16 of them, as they are in the file. */
  readonly bytes: Uint8Array;
  readonly instruction: Instruction;
  readonly operation: Operation;
  readonly relocation?: BpfRelocation;
  readonly core: readonly BpfCoreRelocation[];
  /** The line of source that starts here. */
  readonly line?: SourceLine;
}

/** A symbol of a section with code. */
export interface CodeLabel {
  readonly offset: number;
  readonly name: string;
}

/** Disassembles an object. */
export class Listing {
  readonly #object: BpfObject;
  /** By section name and offset, since .BTF.ext knows sections by name. */
  readonly #core = new Map<string, BpfCoreRelocation[]>();
  readonly #lines = new Map<string, number>();
  readonly #labels = new Map<number, readonly CodeLabel[]>();
  #symbols: ReadonlyMap<number, readonly ElfSymbol[]> | undefined;
  readonly #code: ReadonlyMap<number, Instructions>;

  /**
   * @param code sections, by index, whose code is listed instead of the object's: `code` of `relocateCore()` has it as a kernel wants
   * it
   */
  constructor(object: BpfObject, code: ReadonlyMap<number, Instructions> = new Map()) {
    this.#object = object;
    this.#code = code;
    for (const relocation of object.coreRelocations) {
      const key = `${relocation.section}\0${relocation.offset}`;
      const list = this.#core.get(key);
      if (list === undefined) this.#core.set(key, [relocation]);
      else list.push(relocation);
    }
    const lines = object.ext?.lines;
    for (const { name, start, end } of lines?.sections ?? []) {
      for (let row = start; row < end; row++) this.#lines.set(`${name}\0${lines!.offsets[row]}`, row);
    }
  }

  /** The sections with code. */
  sections(): readonly { readonly name: string; readonly index: number; readonly size: number }[] {
    return this.#object.elf.sections.filter(({ flags, type, size }) => (flags & SHF.EXECINSTR) !== 0 && type !== SHT.NOBITS && size > 0);
  }

  /** The instructions of a function. @throws FormatError */
  ofFunction({ sectionIndex, offset, size }: BpfFunction): ListedInstruction[] {
    return this.instructions(sectionIndex, offset, offset + size);
  }

  /** The instructions from one byte offset of a section to another, both of whole instructions. @throws FormatError */
  instructions(sectionIndex: number, from: number, to: number): ListedInstruction[] {
    const object = this.#object;
    const instructions = this.#code.get(sectionIndex) ?? object.instructions(sectionIndex);
    const { name } = object.elf.sections[sectionIndex]!;
    const relocations = new Map(object.relocationsIn(sectionIndex, from, to).map(relocation => [relocation.offset, relocation]));
    const listed: ListedInstruction[] = [];
    const last = Math.min(to / INSN_BYTES, instructions.count);
    for (let i = from / INSN_BYTES; i < last; ) {
      const slots = instructions.isWide(i) ? 2 : 1;
      const offset = i * INSN_BYTES;
      const instruction = instructions.at(i);
      const relocation = relocations.get(offset);
      const row = this.#lines.get(`${name}\0${offset}`);
      listed.push({
        index: i - from / INSN_BYTES,
        offset,
        bytes: instructions.bytes.subarray(offset, offset + slots * INSN_BYTES),
        instruction,
        operation: decode(instruction),
        ...(relocation === undefined ? {} : { relocation }),
        core: this.#core.get(`${name}\0${offset}`) ?? [],
        ...(row === undefined ? {} : { line: object.ext!.line(row) }),
      });
      i += slots;
    }
    return listed;
  }

  /**
   * A function in the kernel's notation: each instruction's text, as `bpftool prog dump xlated` prints it of the loaded program, with names
   * where that has numbers of what is loaded: `map[name:events]`. Distances of a program's calls are those of libbpf's layout, the
   * subprograms behind the program; those of a subprogram are as in the file.
   */
  kernelText(fn: BpfFunction, listed: readonly ListedInstruction[]): string[] {
    const places = new Map<BpfFunction, number>();
    if (fn.meaning !== undefined) {
      let end = fn.instructionCount;
      for (const subprogram of this.#object.subprogramsOf(fn)) {
        places.set(subprogram, end);
        end += subprogram.instructionCount;
      }
    }
    return listed.map(item => {
      const { relocation, operation, instruction } = item;
      const target = this.#target(item, fn);
      if (relocation?.meaning.kind === 'extern' && operation.kind === 'call') {
        // libbpf makes a call of a kfunc of it; the function's id is one of the kernel's BTF.
        return kernelNotation(instruction.code, { kind: 'call', of: CALL.KFUNC, imm: 0 }, { callee: relocation.meaning.name }).replace(
          /#0$/,
          '#?',
        );
      }
      if (target === undefined) return kernelNotation(instruction.code, operation, this.#names(relocation));
      // Functions of one section stand as far from each other as in the file.
      const place = places.get(target) ?? (target.sectionIndex === fn.sectionIndex ? (target.offset - fn.offset) / INSN_BYTES : undefined);
      const distance = (place ?? 0) - item.index - 1;
      if (operation.kind === 'call') return kernelNotation(instruction.code, { ...operation, imm: distance }, { callee: target.name });
      return kernelNotation(instruction.code, operation, { immediate: `subprog[${distance < 0 ? '' : '+'}${distance}]` });
    });
  }

  /** The subprogram that an instruction calls or takes the address of. */
  #target({ relocation, operation, index }: ListedInstruction, fn: BpfFunction): BpfFunction | undefined {
    const meaning = relocation?.meaning;
    if (meaning?.kind === 'call' || meaning?.kind === 'function') return meaning.function;
    if (operation.kind !== 'call' || operation.of !== CALL.SUBPROGRAM || meaning !== undefined) return undefined;
    return this.#object.functionAt(fn.sectionIndex, fn.offset + (index + 1 + operation.imm) * INSN_BYTES);
  }

  /** How a relocation changes an ld_imm64 or a call. */
  #names(relocation: BpfRelocation | undefined): KernelNames {
    const meaning = relocation?.meaning;
    switch (meaning?.kind) {
      case 'map':
        return { immediate: `map[name:${meaning.map.name}]` };
      case 'data': {
        // An arena's variables lie in the map that is the arena.
        const inArena = this.#object.data.of(meaning.sectionIndex)?.kind === 'arena';
        const map = this.#object.maps.find(({ sectionIndex, origin, type }) =>
          inArena ? mapTypeName(type) === 'arena' : sectionIndex === meaning.sectionIndex && origin !== 'btf',
        );
        return { immediate: `map[name:${map?.name ?? meaning.section}][0]+${meaning.offset}` };
      }
      case 'extern': {
        const { extern, name } = meaning;
        if (extern?.kind !== 'kconfig') return { immediate: `ksym[name:${name}]` };
        const map = this.#object.maps.find(({ origin }) => origin === 'kconfig');
        return { immediate: `map[name:${map?.name}][0]+${extern.offset}` };
      }
      case 'jump-table':
        return { immediate: `map[name:${meaning.section}][0]+0` };
      default:
        return {};
    }
  }

  /** Instructions of a section as llvm-objdump writes them, jumps with the symbol they lead to. */
  llvmText(sectionIndex: number, listed: readonly ListedInstruction[], hex = false): string[] {
    return listed.map(({ instruction, operation, offset, bytes }) => {
      const distance = operation.kind === 'unknown' ? undefined : jumpDistance(instruction);
      const at = distance === undefined ? undefined : offset + bytes.length + distance * INSN_BYTES;
      return llvmNotation(operation, { hex, target: at === undefined ? undefined : this.#place(sectionIndex, at) });
    });
  }

  /** `LBB0_2`, `f+0x10`: the last symbol at or before an offset. */
  #place(sectionIndex: number, offset: number): string | undefined {
    const labels = this.labels(sectionIndex);
    let low = 0;
    let high = labels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (labels[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    // Addresses wrap: before the section is after all of its symbols.
    const label = offset < 0 ? labels.at(-1) : labels[low - 1];
    if (label === undefined) return undefined;
    if (offset < 0) return `${label.name}+0x${BigInt.asUintN(64, BigInt(offset - label.offset)).toString(16)}`;
    return offset === label.offset ? label.name : `${label.name}+0x${(offset - label.offset).toString(16)}`;
  }

  #symbolsOf(sectionIndex: number): readonly ElfSymbol[] {
    if (this.#symbols === undefined) {
      const symbols = new Map<number, ElfSymbol[]>();
      for (const symbol of this.#object.symbols) {
        if (symbol.type === STT.SECTION || symbol.name === '') continue;
        const known = symbols.get(symbol.sectionIndex);
        if (known === undefined) symbols.set(symbol.sectionIndex, [symbol]);
        else known.push(symbol);
      }
      this.#symbols = symbols;
    }
    return this.#symbols.get(sectionIndex) ?? [];
  }

  /** The symbols of a section, by offset and name; one for each offset. */
  labels(sectionIndex: number): readonly CodeLabel[] {
    let labels = this.#labels.get(sectionIndex);
    if (labels === undefined) {
      const all = this.#symbolsOf(sectionIndex)
        .map(({ name, value }) => ({ name, offset: Number(value) }))
        .sort((a, b) => a.offset - b.offset || (a.name < b.name ? -1 : 1));
      labels = all.filter(({ offset }, i) => all[i + 1]?.offset !== offset);
      this.#labels.set(sectionIndex, labels);
    }
    return labels;
  }
}

/** What is after an instruction in the kernel's notation: the variable, and the CO-RE relocations, of which its text says nothing. */
export function remarks({ relocation, core, instruction: { code, imm } }: ListedInstruction): string[] {
  const poisoned = code === OPCODE.CALL && imm === POISON_IMM ? 'poisoned: ' : '';
  const meaning = relocation?.meaning;
  const said = meaning === undefined || meaning.kind === 'map' || meaning.kind === 'call';
  return [...(said ? [] : [describeRelocation(meaning)]), ...core.map(({ text }) => `${poisoned}CO-RE ${text}`)];
}
