import { machineName } from '../../../elf/names.js';
import { BtfAbsence } from '../../answers/missing-btf/missing-btf.js';
import { compilerOf, versionOf } from '../../facts/banner.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { distributionOf } from '../../rules/pahole/distributions.js';
import { guessedEras } from '../../rules/pahole/eras.js';

/** The options of a configuration that tracing and BPF depend on. */
export const CONFIG_FACTS = [
  'BPF_JIT',
  'BPF_LSM',
  'BPF_KPROBE_OVERRIDE',
  'DEBUG_INFO_BTF',
  'DEBUG_INFO_BTF_MODULES',
  'DYNAMIC_FTRACE',
  'FPROBE',
  'FTRACE_SYSCALLS',
  'FUNCTION_ERROR_INJECTION',
  'KALLSYMS_ALL',
  'KPROBES',
  'KPROBE_EVENTS_ON_NOTRACE',
  'LTO_CLANG',
  'PAHOLE_VERSION',
  'PREEMPT_RT',
  'UPROBES',
  'X86_KERNEL_IBT',
] as const;

/** One kernel of a dataset. */
export interface KernelRow {
  /** The build id; of BTF alone a digest of its bytes. What files are named by. */
  readonly id: string;
  readonly buildId: string | undefined;
  /** From the banner; of BTF alone from the name of its file, where that has one. */
  readonly release: string | undefined;
  /** `x86-64`; undefined for BTF alone that does not show it. */
  readonly machine: string | undefined;
  /** Of those that kelf can tell by the banner: `Debian 12`. */
  readonly distribution: string | undefined;
  readonly compiler: string | undefined;
  /** The banner from `#` on. */
  readonly version: string | undefined;
  /** The releases of pahole that may have made the BTF; undefined without one that has functions, and of BTF alone. */
  readonly pahole: string | undefined;
  /** What the image was wrapped in. */
  readonly form: string;
  /** The file that it was read from, as it was given. */
  readonly source: string;
  readonly symbols: number | undefined;
  readonly btfTypes: number | undefined;
  readonly btfFunctions: number | undefined;
  /** The .config that was read; undefined if there is none. */
  readonly config: Readonly<Record<(typeof CONFIG_FACTS)[number], string | undefined>> | undefined;
}

/** What is known of a kernel as a whole. @param id what its files are named by */
export function kernelRow(kernel: KernelFacts, id: string): KernelRow {
  const { banner, btf, buildId, pieces, release } = kernel;
  const config = pieces.config();
  const functions = btf?.functions().length;
  const named = kernel.symbolsMissing === undefined;
  return {
    id,
    buildId,
    release,
    machine: kernel.machine === 0 ? undefined : machineName(kernel.machine),
    distribution: distributionOf(banner)?.name,
    compiler: compilerOf(banner),
    version: versionOf(banner),
    pahole: named && functions !== undefined && functions > 0 ? guessedEras(new BtfAbsence(kernel).pahole) : undefined,
    form: pieces.form.join(', '),
    source: kernel.name,
    symbols: named ? kernel.symbols.count : undefined,
    btfTypes: btf === undefined ? undefined : btf.count - 1,
    btfFunctions: functions,
    config:
      config === undefined
        ? undefined
        : (Object.fromEntries(CONFIG_FACTS.map(name => [name, config.get(`CONFIG_${name}`)])) as KernelRow['config']),
  };
}
