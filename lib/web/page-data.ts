import type { MemberDescription } from '../../btf/print/describe.js';
import type { Difference } from '../fleet/diff/difference.js';

/**
 * What the page is shown: parts, each plain data, which a report has inlined and the worker of the site makes when they are asked for. Answers are
 * the documents that `--json` prints. This file imports types alone, of models that have no
 * addresses: these are bigints in the library, and text here. The page is checked with the types of the DOM, and the library without them.
 */

/** Any value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One thing that is shown. Its parts have names: those of a kernel are in {@link KernelParts}. */
export interface Subject {
  readonly id: string;
  readonly kind: SubjectKind;
  readonly title: string;
}

/** What can be shown. All but a kernel has one part, `document`: what `kelf diff`, `bpf check`, `module`, `bpf show` print, and symbols by themselves. */
export type SubjectKind = 'kernel' | 'diff' | 'check' | 'module' | 'object' | 'symbols';

/** A column whose values are few: that of a row is `values[codes[row]]`. */
export interface Column<T> {
  readonly codes: ArrayLike<number>;
  readonly values: readonly T[];
}

export interface ShortVerdict {
  readonly outcome: string;
  readonly code: string;
  readonly errno?: string;
}

export interface Tally {
  readonly code: string;
  readonly count: number;
  readonly examples: readonly string[];
}

/** What `kelf audit --json` prints, as far as it is shown. */
export interface AuditData {
  readonly kernel: { readonly name: string; readonly release?: string; readonly buildId?: string };
  readonly symbols: { readonly all: number; readonly text: number; readonly names: number; readonly source: string };
  readonly sites?: { readonly all: number; readonly source: string; readonly freedAfterBoot: number };
  readonly btf?: { readonly types: number; readonly functions: number; readonly source: string; readonly withoutSymbol: number };
  readonly duplicates: { readonly names: number; readonly functions: number; readonly firstUntraceable: readonly string[] };
  readonly sharedWithData: readonly string[];
  readonly kprobeByAddress: readonly Tally[];
  readonly missingBtf: readonly Tally[];
}

export interface Overview {
  readonly banner: string;
  /** What is missing, and damage. */
  readonly notes: readonly string[];
  /** What `kelf info` prints. */
  readonly facts: readonly (readonly [what: string, value: string, source: string])[];
}

/** A row for each function, in the order of names. */
export interface FunctionData {
  readonly name: readonly string[];
  /** Bytes from `_stext`; -1 where unknown. */
  readonly anchor: ArrayLike<number>;
  /** Bytes up to the next symbol; -1 where unknown. */
  readonly size: ArrayLike<number>;
  /** By STT_FILE, without its directory. */
  readonly file: Column<string | null>;
  /** The file that was compiled, with its directory, by DWARF. */
  readonly unit: Column<string | null>;
  readonly kprobe: Column<ShortVerdict>;
  readonly kretprobe: Column<ShortVerdict>;
  readonly fentry: Column<ShortVerdict>;
  readonly fexit: Column<ShortVerdict>;
  readonly fmodRet: Column<ShortVerdict>;
  readonly kprobeMulti: Column<ShortVerdict>;
}

/** The columns of functions: a part each, so that none takes long to unpack. */
export const FUNCTION_COLUMNS: readonly (keyof FunctionData)[] = [
  'name',
  'anchor',
  'size',
  'file',
  'unit',
  'kprobe',
  'kretprobe',
  'fentry',
  'fexit',
  'fmodRet',
  'kprobeMulti',
];

/** Where functions, ftrace's sites and what is blacklisted lie, in pieces of equal length from the first function of the kernel's text on. */
export interface Places {
  /** The first address, in hexadecimal. */
  readonly from: string;
  /** Bytes of a piece. */
  readonly step: number;
  readonly functions: readonly number[];
  readonly sites: readonly number[];
  /** Bytes that the kprobe blacklist covers. */
  readonly blacklisted: readonly number[];
  /** Areas by the labels of the linker script, in bytes from the first address. */
  readonly areas: readonly { readonly name: string; readonly at: number; readonly bytes: number }[];
}

/** Structs of BTF, in the order of their names. */
export interface StructRows {
  readonly id: readonly number[];
  readonly name: readonly string[];
  readonly size: readonly number[];
  readonly members: readonly number[];
  readonly holes: readonly number[];
  /** Unused bytes: in holes and at the end. */
  readonly unused: readonly number[];
}

/** A type as `kelf btf show --json` has it, as far as it is drawn. */
export interface StructData {
  readonly id: number;
  readonly kind: string;
  readonly name: string;
  readonly size: number;
  readonly members: readonly Omit<MemberDescription, 'typeId'>[];
  readonly padding: number;
}

export interface Evidence {
  readonly source: string;
  readonly address?: string;
  readonly says: string;
}

export interface Verdict extends ShortVerdict {
  readonly certainty: string;
  readonly because: readonly Evidence[];
}

export interface FunctionFacts {
  readonly name: string;
  readonly address?: string;
  readonly module?: string;
  readonly section?: string;
  readonly offset?: number;
  readonly letter: string;
  readonly extent?: number;
  readonly size?: number;
  readonly file?: string;
  readonly anchor?: string;
}

/** What `kelf trace --json` prints. */
export interface TraceDocument {
  readonly answers: readonly {
    readonly name: string;
    readonly functions: readonly ({ readonly function: FunctionFacts } & { readonly [mechanism: string]: Verdict | FunctionFacts })[];
    readonly leads?: Readonly<Record<string, { readonly to: string; readonly addresses: readonly string[] }>>;
    readonly [mechanism: string]: unknown;
  }[];
  readonly places?: readonly {
    readonly text: string;
    readonly address?: string;
    readonly function?: FunctionFacts;
    readonly offset?: number;
    readonly beyond?: FunctionFacts;
    readonly kprobe: Verdict;
    readonly kretprobe: Verdict;
  }[];
  readonly tracepoints?: readonly {
    readonly name: string;
    readonly found?: { readonly system?: string; readonly tracepoint: boolean; readonly prototype?: string };
    readonly rawTracepoint: Verdict;
    readonly tpBtf: Verdict;
    readonly event: Verdict;
  }[];
  readonly syscalls?: readonly {
    readonly name: string;
    readonly symbols: readonly { readonly symbol: string; readonly takesRegisters: boolean }[];
  }[];
}

/** What `kelf why --json` prints. */
export interface WhyDocument {
  readonly answers: readonly {
    readonly name: string;
    readonly code: string;
    readonly certainty: string;
    readonly because: readonly Evidence[];
    readonly alternatives: readonly { readonly pahole: string; readonly code: string }[];
    readonly instead: readonly { readonly name: string; readonly prototype: string; readonly says: string }[];
  }[];
}

/** What `kelf attach --json` prints. A report has no program in C of each function, and of its signature the prototype alone. */
export interface AttachDocument {
  readonly answers: readonly {
    readonly name: string;
    readonly functions: readonly {
      readonly name: string;
      readonly function: FunctionFacts;
      readonly signature?: { readonly prototype: string; readonly source: string };
      readonly notes: readonly string[];
      readonly instead: readonly string[];
      readonly fentry?: readonly string[];
      readonly lines: Readonly<Record<string, Readonly<Partial<Record<'entry' | 'return', string | readonly string[]>>>>>;
    }[];
  }[];
}

/** What is asked of one function: the answers of three commands, or why there is none. */
export interface FunctionAnswers {
  readonly trace: TraceDocument | Problem;
  readonly why: WhyDocument | Problem;
  readonly attach: AttachDocument | Problem;
}

/** In the place of an answer: why there is none, in a sentence. */
export interface Problem {
  readonly problem: string;
}

/** The parts of a kernel by their names; besides, `answers/NAME` ({@link FunctionAnswers}) and `struct/ID` ({@link StructData}). */
export interface KernelParts extends Readonly<{ [K in keyof FunctionData as `functions/${K}`]: FunctionData[K] }> {
  readonly overview: Overview;
  /** Without symbols, a problem. */
  readonly audit: AuditData | Problem;
  readonly places: Places | Problem;
  readonly structs: StructRows | Problem;
}

/** What `kelf diff --json` prints. */
export interface DiffDocument {
  readonly old: KernelName;
  readonly new: KernelName;
  readonly notes: readonly string[];
  readonly counts: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly changes: readonly Difference[];
}

export interface KernelName {
  readonly name: string;
  readonly release?: string;
}

export interface Finding {
  readonly subject: string;
  readonly verdict: Verdict;
  readonly usedBy?: readonly string[];
}

/** What one kernel says of an object. */
export interface CheckOnKernel {
  readonly kernel: KernelName;
  readonly unreadable?: string;
  readonly findings?: readonly Finding[];
  readonly programs?: readonly {
    readonly program: string;
    readonly section: string;
    readonly autoload: boolean;
    readonly outcome: string;
    readonly findings: readonly Finding[];
  }[];
}

/** What `kelf bpf check --json` prints. */
export interface CheckDocument {
  readonly loader: string;
  readonly objects: readonly { readonly path: string; readonly offset: number; readonly kernels: readonly CheckOnKernel[] }[];
  readonly notTold: string;
}

/** Symbols without a kernel: how many, and the names that several of text share. */
export interface SymbolsDocument {
  readonly name: string;
  readonly count: number;
  readonly text: number;
  readonly duplicates: readonly { readonly name: string; readonly addresses: readonly string[] }[];
}

/** What the worker is asked; each question has a number, by which it is answered. */
export type Question =
  | { readonly ask: 'open'; readonly files: readonly { readonly name: string; readonly blob: unknown }[] }
  | { readonly ask: 'load'; readonly subject: string; readonly part: string };

/** What was opened, and what could not be. */
export interface Opened {
  readonly subjects: readonly Subject[];
  readonly problems: readonly string[];
}
