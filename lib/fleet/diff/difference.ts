/** What kinds of things are compared, in the order of a report. */
export const DIFFERENCE_KINDS = [
  'functions',
  'prototypes',
  'verdicts',
  'btf',
  'types',
  'enumerators',
  'tracepoints',
  'syscalls',
  'kfuncs',
  'features',
  'exports',
  'config',
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/**
 * What a change does to a program that worked on the old kernel and names the thing: it fails or sees something else; it may have to be looked at
 * (CO-RE follows it, a number in the program does not); it can do more.
 */
export const EFFECTS = ['breaks', 'changes', 'adds'] as const;
export type Effect = (typeof EFFECTS)[number];

/** What became of a thing. */
export type Fate =
  | 'gone'
  | 'new'
  /** Another name, or another path of a member, stands for it. */
  | 'renamed'
  /** Of a function: the compiler left clones of it alone, or made some beside it. */
  | 'cloned'
  | 'inlined'
  /** Of a mechanism: it refuses what it accepted, it accepts what it refused, it refuses with another reason. */
  | 'refused'
  | 'accepted'
  | 'reason'
  /** Of a member: another offset, another type, other bits. Of a struct: other bytes. */
  | 'moved'
  | 'retyped'
  | 'resized'
  /** Another value: a prototype, a number, a flag, a setting. */
  | 'changed';

/** One difference between two kernels. */
export interface Difference {
  readonly kind: DifferenceKind;
  readonly change: Fate;
  readonly effect: Effect;
  /** The function, `struct task_struct.state`, `enum pid_type.PIDTYPE_MAX`, `CONFIG_X`. */
  readonly name: string;
  /** The module that has it; absent for the kernel itself. */
  readonly module?: string;
  /** What of it differs: mechanisms, `arguments`, `CRC`. Absent where it is the thing itself. */
  readonly field?: string;
  /** What it was, and what it is: a name, a prototype, a type, a number, a verdict. */
  readonly old?: string;
  readonly new?: string;
  /** What is behind it, in a sentence. */
  readonly says?: string;
}
