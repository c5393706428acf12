/** A register that carries arguments or results. */
export interface CallRegister {
  /** Its name in kprobe_events, without the percent sign: regoffset_table in arch/ARCH/kernel/ptrace.c. */
  readonly name: string;
  /** What it is in C as a part of `struct pt_regs`, as vmlinux.h declares that: `di`, `regs[0]`. */
  readonly field: string;
}

/** How a kernel's functions are called on one architecture: what the tables of this folder hold. */
export interface CallingConvention {
  /** `x86-64`, `arm64` … */
  readonly name: string;
  /** `__TARGET_ARCH_…` of libbpf's bpf_tracing.h; absent if it has none. */
  readonly bpfTarget?: string;
  /** BPF_KPROBE() of bpf_tracing.h counts other registers: where vmlinux.h is included, it knows those of x86-64 alone for x86. */
  readonly macroDiffers?: true;
  /** The byte order it is for; for both where absent. */
  readonly byteOrder?: 'little';
  /** Bytes of a general register. */
  readonly wordSize: 4 | 8;
  /** The registers of arguments, the first first. */
  readonly registers: readonly CallRegister[];
  /** The registers of a result, the low or first word first; the first is `$retval`. */
  readonly results: readonly CallRegister[];
  /** The stack pointer. */
  readonly stackPointer: CallRegister;
  /** N of the `$stackN` that is the first argument on the stack, at the function's first instruction. */
  readonly firstStack: number;
  /** Whether an argument aligned to two words begins at an even register. */
  readonly evenRegisters: boolean;
  /** Whether one that is aligned to two words begins at an even place on the stack. */
  readonly evenStack: boolean;
  /** Whether both hold of structs alone, and not of integers of two words. */
  readonly evenStructsOnly?: boolean;
  /** Whether what does not fit in the registers that are left is split over them and the stack; else all of it goes to the stack. */
  readonly splits: boolean;
  /** Whether a smaller argument after one that went to the stack may still take a register. */
  readonly resumes: boolean;
  /** Structs and unions by value. */
  readonly structs: {
    /** The largest, in bytes, that goes as its words do; 0 for none. */
    readonly largest: number;
    /** If given, only these sizes do. */
    readonly sizes?: readonly number[];
    /** How larger ones go: copied to the stack, or as a pointer to a copy. */
    readonly beyond: 'stack' | 'pointer';
    /** Those with a part that is not aligned go to the stack, whatever their size. */
    readonly unalignedToStack?: boolean;
    /** Whether a small struct is in the high bytes of its register. */
    readonly leftJustified?: boolean;
  };
  /** Integers of two words: in two words as a struct of that size, or as a pointer to a copy. */
  readonly doubleWord: 'words' | 'pointer';
  /** Floating-point arguments of a kernel function: registers of their own, or as integers of their size. */
  readonly floats: 'separate' | 'integer';
  readonly returned: {
    /** The largest struct, in bytes, that comes back in `results`; 0 for none. */
    readonly largest: number;
    /** If given, only these sizes do. */
    readonly sizes?: readonly number[];
    /** Larger ones are written where a pointer says: that is the first argument, or in a register of its own. */
    readonly hidden: 'first' | 'apart';
    /** Whether that pointer is the result as well. */
    readonly givesPointer: boolean;
  };
  /** The entry symbols of system calls that take the caller's registers as their one argument. */
  readonly syscalls: readonly SyscallEntry[];
}

/** The wrappers of system calls that share a prefix (ARCH_HAS_SYSCALL_WRAPPER). */
export interface SyscallEntry {
  /** `__x64_sys_`; what follows is the name of the system call. */
  readonly prefix: string;
  /** The arguments, as parts of struct pt_regs. */
  readonly arguments: readonly { readonly offset: number; readonly field: string }[];
  /** Bytes of each that count; the word where not given. */
  readonly width?: 4;
}
