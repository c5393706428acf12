import type { Btf } from '../../../btf/btf.js';
import { CALL, INSN_BYTES, type Instructions, OPCODE, PSEUDO } from '../code/insn.js';
import type { KsymExtern } from '../object/externs.js';
import type { BpfObject } from '../object/object.js';
import type { BpfFunction, BpfProgram } from '../object/programs.js';
import type { BpfRelocation } from '../object/relocations.js';
import { externTarget, isCompatible } from './extern-target.js';

/** A program as libbpf hands it to the kernel, with its subprograms after it. */
export interface ProgramImage {
  /** What differs from load to load is zero: numbers of maps, and where in them data is. */
  readonly bytes: Uint8Array;
  /**
   * What else goes by the kernel it is loaded on, and was not known; empty where the image is what any loader of libbpf's kind hands over.
   */
  readonly conditions: readonly string[];
}

/** What an image depends on. */
export interface ImageContext {
  /** Code that CO-RE relocated, by section index. */
  readonly code: ReadonlyMap<number, Instructions>;
  /** The kernel's BTF, for the ids of what programs use of it. */
  readonly kernel?: Btf | undefined;
}

/** What libbpf has instead of a call of a weak kfunc that is not there, with the extern's number (POISON_CALL_KFUNC_BASE). */
const MISSING_KFUNC = 2_002_000_000;

/** Puts a program together (bpf_object__relocate_calls and bpf_object__relocate_data of libbpf). */
export function programImage(object: BpfObject, program: BpfProgram, context: ImageContext): ProgramImage {
  return new Image(object, program, context).build();
}

const externIndexes = new WeakMap<BpfObject, ReadonlyMap<string, number>>();

/** Where in `externs` the first of each name is. */
function externIndexOf(object: BpfObject): ReadonlyMap<string, number> {
  let index = externIndexes.get(object);
  if (index === undefined) {
    index = new Map(object.externs.map(({ name }, i) => [name, i] as const).reverse());
    externIndexes.set(object, index);
  }
  return index;
}

class Image {
  readonly #object: BpfObject;
  readonly #context: ImageContext;
  readonly #functions: readonly BpfFunction[];
  /** The slot at which each function begins. */
  readonly #starts = new Map<BpfFunction, number>();
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #conditions = new Set<string>();
  readonly #externIndex: ReadonlyMap<string, number>;

  constructor(object: BpfObject, program: BpfProgram, context: ImageContext) {
    this.#object = object;
    this.#context = context;
    this.#externIndex = externIndexOf(object);
    this.#functions = [program, ...object.subprogramsOf(program)];
    let slots = 0;
    for (const fn of this.#functions) {
      this.#starts.set(fn, slots);
      slots += fn.instructionCount;
    }
    this.#bytes = new Uint8Array(slots * INSN_BYTES);
    this.#view = new DataView(this.#bytes.buffer);
  }

  build(): ProgramImage {
    for (const fn of this.#functions) this.#place(fn);
    return { bytes: this.#bytes, conditions: [...this.#conditions] };
  }

  #place(fn: BpfFunction): void {
    const instructions = this.#context.code.get(fn.sectionIndex) ?? this.#object.instructions(fn.sectionIndex);
    const start = this.#starts.get(fn)!;
    this.#bytes.set(instructions.bytes.subarray(fn.offset, fn.offset + fn.size), start * INSN_BYTES);
    const relocated = new Set<number>();
    for (const relocation of this.#object.relocationsIn(fn.sectionIndex, fn.offset, fn.offset + fn.size)) {
      const slot = (relocation.offset - fn.offset) / INSN_BYTES;
      if (!Number.isInteger(slot)) continue;
      relocated.add(slot);
      this.#relocate(start + slot, relocation);
    }
    this.#moveCalls(fn, instructions, start, relocated);
  }

  /** Calls and addresses of functions of the same section, for which the compiler needs no relocation. */
  #moveCalls(fn: BpfFunction, instructions: Instructions, start: number, relocated: ReadonlySet<number>): void {
    const first = fn.offset / INSN_BYTES;
    for (let slot = 0; slot < fn.instructionCount; slot += instructions.isWide(first + slot) ? 2 : 1) {
      if (relocated.has(slot)) continue;
      const { code, src, imm } = instructions.at(first + slot);
      const isCall = code === OPCODE.CALL && src === CALL.SUBPROGRAM;
      if (!isCall && !(code === OPCODE.LD_IMM64 && src === PSEUDO.FUNC)) continue;
      const callee = this.#object.functionAt(fn.sectionIndex, (first + slot + 1 + imm) * INSN_BYTES);
      this.#setDistance(start + slot, callee);
    }
  }

  #relocate(slot: number, { meaning, symbol }: BpfRelocation): void {
    switch (meaning.kind) {
      case 'map':
        this.#setWide(slot, PSEUDO.MAP_FD, 0);
        return;
      case 'data':
      case 'jump-table':
        this.#setWide(slot, PSEUDO.MAP_VALUE, 0);
        return;
      case 'call':
        this.#setSource(slot, CALL.SUBPROGRAM);
        this.#setDistance(slot, meaning.function);
        return;
      case 'function':
        this.#setWide(slot, PSEUDO.FUNC, 0);
        this.#setDistance(slot, meaning.function);
        return;
      case 'extern':
        this.#extern(slot, meaning.name, meaning.call);
        return;
      default:
        this.#conditions.add(`the relocated value of ${symbol}`);
    }
  }

  /** @param call false for an ld_imm64 of its address or its type id */
  #extern(slot: number, name: string, call: boolean): void {
    const { externs } = this.#object;
    const index = this.#externIndex.get(name) ?? -1;
    const extern = externs[index];
    switch (extern?.kind) {
      case 'kconfig':
        this.#setWide(slot, PSEUDO.MAP_VALUE, 0);
        return;
      case 'ksym':
        this.#setTypeId(slot, extern);
        return;
      case 'kfunc':
        if (call) this.#setKfunc(slot, extern, index);
        else this.#setTypeId(slot, extern);
        return;
      default:
        this.#conditions.add(`the address of ${name} in the kernel as it booted`);
    }
  }

  /** The type id of a typed extern; 0 of a weak one that the kernel lacks (bpf_object__relocate_data, RELO_EXTERN_LD64). */
  #setTypeId(slot: number, extern: KsymExtern): void {
    const id = this.#idOf(extern);
    if (id !== undefined) this.#setWide(slot, PSEUDO.BTF_ID, id);
    else this.#setWide(slot, 0, 0);
  }

  #setKfunc(slot: number, extern: KsymExtern, index: number): void {
    const id = this.#idOf(extern);
    if (id === undefined && this.#context.kernel !== undefined && extern.weak) this.#setMissing(slot, index);
    else {
      this.#setSource(slot, CALL.KFUNC);
      this.#view.setInt32(slot * INSN_BYTES + 4, id ?? 0, this.#little);
    }
  }

  /** The kernel's type id of a typed extern; undefined where it has none, and the image depends on what has one. */
  #idOf(extern: KsymExtern): number | undefined {
    const { kernel } = this.#context;
    const id = kernel === undefined ? undefined : externTarget(extern, kernel);
    if (kernel === undefined || (id === undefined && !extern.weak)) this.#conditions.add(`the type id of ${extern.name} in the kernel`);
    else if (id === undefined) this.#conditions.add(`that no loaded module has ${extern.name}`);
    else if (isCompatible(this.#object.btf, extern, kernel, id)) return id;
    return undefined;
  }

  get #little(): boolean {
    return this.#object.littleEndian;
  }

  /** dst stays; which half of the byte it is depends on the byte order. */
  #setSource(slot: number, source: number): void {
    const at = slot * INSN_BYTES + 1;
    const registers = this.#bytes[at]!;
    this.#bytes[at] = this.#little ? (registers & 0x0f) | (source << 4) : (registers & 0xf0) | source;
  }

  #setWide(slot: number, source: number, imm: number): void {
    if ((slot + 2) * INSN_BYTES > this.#bytes.length) return;
    this.#setSource(slot, source);
    this.#view.setInt32(slot * INSN_BYTES + 4, imm, this.#little);
    this.#view.setInt32(slot * INSN_BYTES + 12, 0, this.#little);
  }

  /** A call to a helper that does not exist. */
  #setMissing(slot: number, index: number): void {
    const at = slot * INSN_BYTES;
    this.#bytes.fill(0, at, at + INSN_BYTES);
    this.#bytes[at] = OPCODE.CALL;
    this.#view.setInt32(at + 4, MISSING_KFUNC + index, this.#little);
  }

  #setDistance(slot: number, callee: BpfFunction | undefined): void {
    const target = callee === undefined ? undefined : this.#starts.get(callee);
    if (target === undefined) this.#conditions.add('the target of a call');
    else this.#view.setInt32(slot * INSN_BYTES + 4, target - slot - 1, this.#little);
  }
}
