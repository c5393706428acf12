import type { Errno } from '../evidence.js';
import type { ChangeName } from '../releases.js';
import type { CallingConvention } from './calling-convention.js';
import type { Calls } from './constant-calls.js';
import type { Instruction } from './x86-instructions.js';

/** A pair of labels of the linker script, and the name of what is between them. */
export type LabelledArea = readonly [name: string, start: string, end: string];

/**
 * Everything that kelf knows of one architecture of the kernel: a file of this folder for each, so that the compiler lists what a new one
 * lacks. What the ELF format itself says about a machine (relocations, DWARF's numbers of registers, names) is in elf/, by e_machine.
 */
export interface Architecture {
  /** e_machine. */
  readonly machine: number;
  /** `process.arch` of a Node that runs on it; undefined if there is none. */
  readonly node: string | undefined;
  /** A member of its `struct pt_regs` or `struct user_pt_regs` that no other architecture has there: BTF names no machine. */
  readonly registerMember: string;
  /** What many functions of its own code begin with, which tells its raw images apart; undefined for an unknown one. */
  readonly functionPrefix: string | undefined;
  /** Instructions begin at multiples of `unit` bytes; where `fixed`, one does at each. */
  readonly instructions: {
    readonly unit: 1 | 2 | 4;
    readonly fixed: boolean;
    /** The instruction at a place of code; absent where they are fixed, or kelf can't tell. */
    readonly decode?: (code: Uint8Array, at: number) => Instruction | undefined;
    /** How its calls are read; absent where kelf does not. */
    readonly calls?: Calls;
    /** What arch_prepare_kprobe() answers for a place where none begins. */
    readonly between: 'EINVAL' | 'EILSEQ';
  };
  /** How functions are called, for each kind of kernel: of 32 and of 64 bits. None where kelf has no table. */
  readonly conventions: readonly CallingConvention[];
  /** How a word of `__mcount_loc` leads to its function, and to the instruction that ftrace patches. */
  readonly callSites: CallSites;
  /** Where a probe that is set by a distance goes, and how far a function is entered; undefined if that is its first instruction. */
  readonly entry: FunctionEntry | undefined;
  readonly kprobes: {
    /** Areas that the kernel blacklists whole: arch_populate_kprobe_blacklist() and arch_within_kprobe_blacklist(). */
    readonly blacklist: readonly LabelledArea[];
    /** Functions that return probes are refused for: kretprobe_blacklist. */
    readonly noReturnProbe: readonly string[];
    /** Whether ftrace calls the kprobes at its sites (HAVE_KPROBES_ON_FTRACE); kernels that have `kprobe_ftrace_handler` do besides. */
    readonly onFtrace: boolean;
    /** Bytes behind a symbol in which a kprobe by its name takes any ftrace site: kprobe_lookup_name(). */
    readonly nameReach?: bigint;
  };
  readonly trampolines: {
    /** What they pass, the newest first: a kernel without the change of the last has none. */
    readonly eras: readonly TrampolineEra[];
    /** What bpf_arch_text_poke() answers for a function without an ftrace site, for freed text, and for one of a module. */
    readonly withoutSite: { readonly errno: Errno; readonly freed: Errno; readonly module: Errno };
    /** Whether it patches a call into any NOP of five bytes at a function's entry (x86). */
    readonly takesAnyNop: boolean;
  };
  readonly syscalls: {
    /** What libbpf puts before the name of a system call (arch_specific_syscall_pfx()); undefined if it knows none. */
    readonly libbpf: string | undefined;
    /** How the functions in sys_call_table are named; undefined if that was not compared with a booted kernel. */
    readonly table: string | undefined;
    /** What the names of functions begin with that has_arch_syscall_prefix() takes for system calls; undefined if none are. */
    readonly modifiable: string | undefined;
  };
  /** The raw image that it boots; undefined if it boots something else. */
  readonly rawImage: RawImageKind | undefined;
  /** What pahole takes of its calling convention. */
  readonly pahole: {
    /** The registers it expects parameters in, by DWARF's numbers (arch__set_register_params(), a53c581); empty where it has no list. */
    readonly registers: readonly number[];
    /** How many parameters it takes to be in registers (arch__nr_register_params()). */
    readonly inRegisters: number;
  };
}

/** What arch_prepare_bpf_trampoline() takes, since a change. */
export interface TrampolineEra {
  readonly since: ChangeName;
  /** The most it passes. The verifier takes 12 arguments, of two registers at most. */
  readonly most: number;
  /** What it counts. */
  readonly counts: 'arguments' | 'registers';
  /** Which structs and unions by value it passes: all, those in argument registers alone, or none. */
  readonly structs: 'all' | 'in registers' | 'none';
  /** What it answers for others. */
  readonly errno: 'ENOTSUPP' | 'EOPNOTSUPP';
}

/** How words of `__mcount_loc` stand to functions: kernel/trace/ftrace.c, and ftrace.h and ftrace.c of the architecture. */
export interface CallSites {
  /** Distances between a word and its function that a compiler has made. The table is found by them in an image without labels. */
  readonly distances: readonly number[];
  /**
   * Whether modules have a section `__mcount_loc` alone, and `__patchable_function_entries` is padding before functions
   * (CALL_PADDING).
   */
  readonly mcountOnly: boolean;
  /** Bytes that the kernel may change around a site: so many before it, and so many from it on. A jump label takes no more than the latter. */
  readonly patched: { readonly before: number; readonly length: number };
  /** ftrace_call_adjust(): what is added to every word. */
  adjust(table: CallSiteTable): number;
  /** What is added to a word besides, by the instructions there; undefined where every word is adjusted alike. */
  readonly adjustWord?: (word: bigint, adjusted: number, instruction: (address: bigint) => number | undefined) => number;
}

/** The input of an architecture's adjustment. */
export interface CallSiteTable {
  /** The distance that most words have; 0 if none has any. */
  commonDistance(): number;
  /** The first words of the table that are not zero, at most so many. */
  words(most: number): bigint[];
  /** The 32 bits of an instruction; undefined if the image holds none at an address. */
  readonly instruction: ((address: bigint) => number | undefined) | undefined;
  /** Whether the kernel has a change. */
  has(change: ChangeName): boolean | undefined;
}

/** How a function is entered where that is not always at its first instruction. */
export interface FunctionEntry {
  /**
   * Where a kprobe goes that is set by a distance and not by the function's name.
   * @param first whether what ftrace patches is the first instruction of functions
   */
  probed(address: bigint, site: bigint | undefined, first: boolean): bigint;
  /** How far after its first instruction a function is still entered, for a return probe. */
  reach(littleEndian: boolean, probesOnFtrace: boolean): number;
}

/** What the header of a raw image says. */
export interface RawImageKind {
  readonly machine: number;
  readonly is64: boolean;
  readonly littleEndian: boolean;
  /** Whether images carry relocations that the boot code applies. */
  readonly relocates: boolean;
  /** The address of offset 0; or symbols that are there, for images whose words are final. */
  readonly start?: bigint | readonly string[];
  readonly memorySize?: number;
}

/** Calls of _mcount stand behind a prologue, whose instructions have `unit` bytes, or begin at multiples of it: at most so far behind. */
export function behindPrologue(unit: number, most = 64): readonly number[] {
  return Array.from({ length: most / unit + 1 }, (_, i) => i * unit);
}

/** Distances that some release or compiler of an architecture has: 8 or 4 bytes in front (CALL_OPS), at the function, behind its prologue. */
export const ANY_DISTANCE: readonly number[] = [...behindPrologue(4), -8, -4];

/** Text areas that several architectures blacklist. */
export const ENTRY: LabelledArea = ['.entry.text', '__entry_text_start', '__entry_text_end'];
export const IRQENTRY: LabelledArea = ['.irqentry.text', '__irqentry_text_start', '__irqentry_text_end'];
export const IDMAP: LabelledArea = ['.idmap.text', '__idmap_text_start', '__idmap_text_end'];

/** bpf_arch_text_poke() of architectures that change no text of the kernel itself, and of those that have none. */
export const NO_POKE: Architecture['trampolines']['withoutSite'] = { errno: 'ENOTSUPP', freed: 'ENOTSUPP', module: 'ENOTSUPP' };

/** x86: an instruction of five bytes. */
export const ONE_CALL: CallSites['patched'] = { before: 0, length: 5 };
/**
 * A call takes one or two instructions. What saves the link register stands before it; and before the function, where it begins with a landing pad,
 * the word of DYNAMIC_FTRACE_WITH_CALL_OPS (arch/arm64/kernel/ftrace.c).
 */
export const CALL_BEHIND_SAVE: CallSites['patched'] = { before: 16, length: 8 };

/** An architecture without BPF trampolines. */
export const NO_TRAMPOLINES: Architecture['trampolines'] = { eras: [], withoutSite: NO_POKE, takesAnyNop: false };
