import { EM, SHT } from './constants.js';
import { FormatError } from './errors.js';
import type { ElfHeader } from './header.js';
import { decodeRelr } from './relr.js';
import type { Section } from './section.js';
import { Words } from './words.js';

/** Rows of a relocation table as columns. */
export interface RelocationRows {
  readonly count: number;
  /** r_offset: an address in a linked file, an offset in the section in a relocatable one. */
  readonly offset: Words;
  readonly type: Uint32Array;
  /** Index in the symbol table that the relocation section links to; 0 for none. */
  readonly symbol: Uint32Array;
  /** r_addend, wrapped to 64 bits; absent in REL and RELR, whose addend is the word in place. */
  readonly addend?: Words;
}

/** One relocation section: SHT_REL, SHT_RELA, SHT_RELR or Android's SHT_RELR. Nothing is read until rows are asked for. */
export class RelocationTable {
  readonly section: Section;
  readonly kind: 'REL' | 'RELA' | 'RELR';
  readonly #header: ElfHeader;
  #relr: Words | undefined;

  constructor(section: Section, header: ElfHeader) {
    this.section = section;
    this.kind = section.type === SHT.RELA ? 'RELA' : section.type === SHT.REL ? 'REL' : 'RELR';
    this.#header = header;
  }

  /** How many relocations it holds: for RELR, how many its bitmaps stand for. */
  get count(): number {
    return this.kind === 'RELR' ? this.#relrWords().length : this.section.entryCount(this.#entrySize());
  }

  /** The rows from `start`, at most `most` of them: 13 million relocations of a debug kernel are read in pieces. */
  rows(start = 0, most: number = Number.POSITIVE_INFINITY): RelocationRows {
    if (this.kind === 'RELR') return this.#relrRows(start, most);
    const count = Math.max(0, Math.min(most, this.count - start));
    const { is64, littleEndian, machine } = this.#header;
    const { entsize } = this.section;
    const bytes = this.section.storedRange(start * entsize, count * entsize);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const offset = new Words(count);
    const type = new Uint32Array(count);
    const symbol = new Uint32Array(count);
    const addend = this.kind === 'RELA' ? new Words(count) : undefined;
    const low = littleEndian ? 0 : 4;
    const mips64el = machine === EM.MIPS && littleEndian;
    for (let i = 0, at = 0; i < count; i++, at += entsize) {
      if (is64) {
        offset.set(i, view.getUint32(at + low, littleEndian), view.getUint32(at + 4 - low, littleEndian));
        const infoLow = view.getUint32(at + 8 + low, littleEndian);
        const infoHigh = view.getUint32(at + 12 - low, littleEndian);
        // MIPS64 little endian keeps the symbol in the first word and its first type in the last byte (SysV MIPS64 supplement, §2.9).
        type[i] = mips64el ? infoHigh >>> 24 : infoLow;
        symbol[i] = mips64el ? infoLow : infoHigh;
        addend?.set(i, view.getUint32(at + 16 + low, littleEndian), view.getUint32(at + 20 - low, littleEndian));
      } else {
        offset.set(i, view.getUint32(at, littleEndian), 0);
        const info = view.getUint32(at + 4, littleEndian);
        type[i] = info & 0xff;
        symbol[i] = info >>> 8;
        if (addend !== undefined) {
          const value = view.getInt32(at + 8, littleEndian);
          addend.set(i, value, value >> 31);
        }
      }
    }
    return { count, offset, type, symbol, ...(addend === undefined ? {} : { addend }) };
  }

  #entrySize(): number {
    const words = this.kind === 'RELA' ? 3 : 2;
    return words * (this.#header.is64 ? 8 : 4);
  }

  #relrWords(): Words {
    this.#relr ??= decodeRelr(this.section.stored(), this.#header);
    return this.#relr;
  }

  #relrRows(start: number, most: number): RelocationRows {
    const all = this.#relrWords();
    const offset = new Words(Math.max(0, Math.min(most, all.length - start)));
    offset.big.set(all.big.subarray(start, start + offset.length));
    const type = new Uint32Array(offset.length).fill(relativeType(this.#header.machine));
    return { count: offset.length, offset, type, symbol: new Uint32Array(offset.length) };
  }
}

/** How a relocation makes its value: S the symbol's value, A the addend, P the place. The image is taken to run where it is linked. */
export type RelocationForm =
  /** Leaves the word as it is. */
  | 'none'
  /** A */
  | 'relative'
  /** S + A */
  | 'absolute'
  /** S + A - P */
  | 'pc-relative'
  /** S + A in the two immediates of a BPF ld_imm64. */
  | 'bpf-immediate64'
  /** (S + A) / 8 - 1 in the immediate of a BPF call. */
  | 'bpf-call';

export interface RelocationRule {
  readonly name: string;
  readonly form: RelocationForm;
  /** How many bytes at r_offset it writes to. */
  readonly width: number;
}

const rule = (name: string, form: RelocationForm, width: number): RelocationRule => ({ name, form, width });
const rules = (prefix: string, rows: Record<number, readonly [string, RelocationForm, number]>): ReadonlyMap<number, RelocationRule> =>
  new Map(Object.entries(rows).map(([type, [name, form, width]]) => [Number(type), rule(prefix + name, form, width)]));

// The data relocations that fill words of kernels, modules and BPF objects. Those of instructions are not applied: nothing reads operands.
const RULES: Readonly<Record<number, ReadonlyMap<number, RelocationRule>>> = {
  // System V ABI, AMD64 supplement, §4.4
  [EM.X86_64]: rules('R_X86_64_', {
    0: ['NONE', 'none', 0],
    1: ['64', 'absolute', 8],
    2: ['PC32', 'pc-relative', 4],
    4: ['PLT32', 'pc-relative', 4],
    6: ['GLOB_DAT', 'absolute', 8],
    8: ['RELATIVE', 'relative', 8],
    10: ['32', 'absolute', 4],
    11: ['32S', 'absolute', 4],
    24: ['PC64', 'pc-relative', 8],
  }),
  // System V ABI, Intel386 supplement, §4
  [EM.I386]: rules('R_386_', {
    0: ['NONE', 'none', 0],
    1: ['32', 'absolute', 4],
    2: ['PC32', 'pc-relative', 4],
    6: ['GLOB_DAT', 'absolute', 4],
    8: ['RELATIVE', 'relative', 4],
  }),
  // ELF for the Arm 64-bit Architecture, "Relocation"
  [EM.AARCH64]: rules('R_AARCH64_', {
    0: ['NONE', 'none', 0],
    256: ['NONE', 'none', 0],
    257: ['ABS64', 'absolute', 8],
    258: ['ABS32', 'absolute', 4],
    260: ['PREL64', 'pc-relative', 8],
    261: ['PREL32', 'pc-relative', 4],
    1025: ['GLOB_DAT', 'absolute', 8],
    1027: ['RELATIVE', 'relative', 8],
  }),
  // ELF for the Arm Architecture, "Relocation"
  [EM.ARM]: rules('R_ARM_', {
    0: ['NONE', 'none', 0],
    2: ['ABS32', 'absolute', 4],
    3: ['REL32', 'pc-relative', 4],
    21: ['GLOB_DAT', 'absolute', 4],
    23: ['RELATIVE', 'relative', 4],
  }),
  // zSeries ELF ABI supplement, "Relocation Types"
  [EM.S390]: rules('R_390_', {
    0: ['NONE', 'none', 0],
    4: ['32', 'absolute', 4],
    5: ['PC32', 'pc-relative', 4],
    10: ['GLOB_DAT', 'absolute', 8],
    12: ['RELATIVE', 'relative', 8],
    22: ['64', 'absolute', 8],
    23: ['PC64', 'pc-relative', 8],
  }),
  // RISC-V ELF psABI, "Relocations"
  [EM.RISCV]: rules('R_RISCV_', {
    0: ['NONE', 'none', 0],
    1: ['32', 'absolute', 4],
    2: ['64', 'absolute', 8],
    3: ['RELATIVE', 'relative', 8],
  }),
  // Power Architecture 64-bit ELF V2 ABI, §3.5
  [EM.PPC64]: rules('R_PPC64_', {
    0: ['NONE', 'none', 0],
    1: ['ADDR32', 'absolute', 4],
    22: ['RELATIVE', 'relative', 8],
    26: ['REL32', 'pc-relative', 4],
    38: ['ADDR64', 'absolute', 8],
    44: ['REL64', 'pc-relative', 8],
  }),
  // LoongArch ELF psABI, "Relocations"
  [EM.LOONGARCH]: rules('R_LARCH_', {
    0: ['NONE', 'none', 0],
    1: ['32', 'absolute', 4],
    2: ['64', 'absolute', 8],
    3: ['RELATIVE', 'relative', 8],
  }),
  // Documentation/bpf/llvm_reloc.rst
  [EM.BPF]: rules('R_BPF_', {
    0: ['NONE', 'none', 0],
    1: ['64_64', 'bpf-immediate64', 16],
    2: ['64_ABS64', 'absolute', 8],
    3: ['64_ABS32', 'absolute', 4],
    4: ['64_NODYLD32', 'absolute', 4],
    10: ['64_32', 'bpf-call', 8],
  }),
};

/** What a relocation type does on a machine; undefined for those kelf does not apply. */
export function relocationRule(machine: number, type: number): RelocationRule | undefined {
  return RULES[machine]?.get(type);
}

/** The machine's R_*_RELATIVE, which RELR stands for; 0 where kelf knows none. */
function relativeType(machine: number): number {
  for (const [type, { form }] of RULES[machine] ?? []) if (form === 'relative') return type;
  return 0;
}

/** True for the section types that {@link RelocationTable} reads. */
export function isRelocationSection(section: Section): boolean {
  return section.type === SHT.REL || section.type === SHT.RELA || section.type === SHT.RELR || section.type === SHT.ANDROID_RELR;
}

/** Refuses Android's packed REL and RELA ("APS2"), which kelf does not read. */
export function expectReadable(section: Section): void {
  if (section.type !== SHT.ANDROID_REL && section.type !== SHT.ANDROID_RELA) return;
  throw new FormatError('unsupported', { name: section.label }, "Android's packed relocations (APS2) are not read");
}
