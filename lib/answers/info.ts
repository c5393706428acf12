import { KIND_NAMES, KINDS, type RecordKind } from '../../btf/kinds.js';
import { machineName } from '../../elf/names.js';
import { compilerOf, versionOf } from '../facts/banner.js';
import { kernelExports } from '../facts/exports.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { type Era, eraReleases, paholeRelease } from '../rules/pahole/eras.js';
import { BtfAbsence } from './missing-btf/missing-btf.js';

/** What is known of a kernel. What is absent is not known, or not there; `source` is what it was read from. */
export interface KernelInfo {
  /** How it is packed, from the outermost: `bzImage`, `zstd`, `ELF`. */
  readonly form: readonly string[];
  readonly machine: string;
  readonly release?: string;
  /** Where the release is from: of a file without a banner, such as BTF alone, it is the name of the file. */
  readonly releaseFrom?: 'banner' | 'file name';
  /** As the banner has it. */
  readonly compiler?: string;
  /** `#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)`, what `uname -v` says. */
  readonly utsVersion?: string;
  readonly buildId?: string;
  readonly symbols?: SymbolCounts;
  /** Why there are no symbols. */
  readonly symbolsMissing?: string;
  /** Rows of `.symtab`. */
  readonly symtab?: number;
  /** Places that ftrace may patch. */
  readonly ftraceSites?: { readonly count: number; readonly source: string };
  /** Whether it has the function tracer, where its sites are not known. */
  readonly ftrace?: 'none' | 'unknown';
  readonly mcount?: { readonly words: number; readonly zeroInFile: number };
  readonly kprobeBlacklist?: { readonly ranges: number; readonly source: string };
  readonly btf?: BtfInfo;
  readonly pahole?: PaholeInfo;
  /** What it exports to modules, and how much of that to modules under the GPL alone. */
  readonly exports?: { readonly count: number; readonly gpl: number };
  readonly config?: ConfigInfo;
}

export interface SymbolCounts {
  readonly count: number;
  /** Symbols of text. */
  readonly text: number;
  readonly source: string;
}

export interface BtfInfo {
  readonly types: number;
  readonly functions: number;
  readonly source: string;
  /** The kinds of its types, by number. */
  readonly kinds: readonly BtfKindInfo[];
}

export interface BtfKindInfo {
  /** In the place of a name, the number of a kind that is not known here. */
  readonly kind: string | number;
  /** The libbpf that reads it: an older one says `Unsupported BTF_KIND:19`, and reads none of the BTF. Absent: every one does, or it is not known. */
  readonly libbpf?: string;
}

/** Which pahole wrote the BTF. */
export interface PaholeInfo {
  /** `1.24` */
  readonly version?: string;
  /** Where the release is not known, those that it can be: `pahole 1.22 to 1.24`. */
  readonly releases: readonly string[];
}

export interface ConfigInfo {
  readonly source: string;
  /** Options that configure tracing: null for one that is not set. */
  readonly tracing: Readonly<Record<string, string | null>>;
}

const OPTIONS_OF_TRACING = [
  'PAHOLE_VERSION',
  'KALLSYMS_ALL',
  'KPROBES',
  'KPROBE_EVENTS_ON_NOTRACE',
  'DYNAMIC_FTRACE',
  'FPROBE',
  'X86_KERNEL_IBT',
];

/** What is known of a kernel, and where from. */
export function infoOf(kernel: KernelFacts): KernelInfo {
  const { pieces, release, banner, buildId, symbolsMissing } = kernel;
  const symtab = pieces.imageSymbols()?.table.count;
  return {
    form: pieces.form,
    machine: machineName(kernel.machine),
    ...(release === undefined ? {} : { release, releaseFrom: banner === undefined ? 'file name' : 'banner' }),
    ...(buildId === undefined ? {} : { buildId }),
    ...(symtab === undefined ? {} : { symtab }),
    ...btfInfo(kernel),
    ...(symbolsMissing === undefined ? infoOfNamed(kernel) : { symbolsMissing }),
  };
}

/** What only a kernel with functions tells. */
function infoOfNamed(kernel: KernelFacts): Partial<KernelInfo> {
  const { pieces, banner, symbols, functions, mcount } = kernel;
  const { sites, ftrace } = functions;
  const [compiler, utsVersion] = [compilerOf(banner), versionOf(banner)];
  const [blacklist, exports, config] = [pieces.blacklist(), kernelExports(kernel), pieces.config()];
  return {
    ...(compiler === undefined ? {} : { compiler }),
    ...(utsVersion === undefined ? {} : { utsVersion }),
    symbols: { count: symbols.count, text: functions.count, source: symbols.source },
    ...(sites !== undefined ? { ftraceSites: { count: sites.ip.length, source: sites.source } } : ftrace === 'sites' ? {} : { ftrace }),
    ...(mcount === undefined ? {} : { mcount: { words: mcount.count, zeroInFile: mcount.zeroStored } }),
    ...(blacklist === undefined ? {} : { kprobeBlacklist: { ranges: blacklist.ranges.areas.length, source: blacklist.source } }),
    ...(kernel.btf === undefined ? {} : { pahole: paholeInfo(kernel) }),
    ...(exports === undefined ? {} : { exports: { count: exports.length, gpl: exports.filter(({ gpl }) => gpl).length } }),
    ...(config === undefined
      ? {}
      : {
          config: {
            source: config.source,
            tracing: Object.fromEntries(OPTIONS_OF_TRACING.map(name => [`CONFIG_${name}`, config.get(`CONFIG_${name}`) ?? null])),
          },
        }),
  };
}

function btfInfo({ btf, btfSource = '' }: KernelFacts): Pick<KernelInfo, 'btf'> {
  if (btf === undefined) return {};
  const numbers = new Set<number>();
  for (let id = btf.firstId; id < btf.count; id++) numbers.add(btf.kindNumber(id));
  const kinds = [...numbers].sort((a, b) => a - b).map(number => kindInfo(number, KIND_NAMES[number]));
  return { btf: { types: btf.count - 1, functions: btf.functions().length, source: btfSource, kinds } };
}

function kindInfo(number: number, name: string | undefined): BtfKindInfo {
  const libbpf = name === undefined ? undefined : KINDS[name as RecordKind].libbpf;
  return { kind: name ?? number, ...(libbpf === undefined ? {} : { libbpf }) };
}

function paholeInfo(kernel: KernelFacts): PaholeInfo {
  const { version, eras } = new BtfAbsence(kernel).pahole;
  const releases = eras.map((era: Era) => eraReleases(era));
  return { releases, ...(version === undefined ? {} : { version: paholeRelease(version) }) };
}
