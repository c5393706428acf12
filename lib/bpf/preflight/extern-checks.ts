import type { Btf } from '../../../btf/btf.js';
import { accepted, refused, said, untold, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { taggedKfuncs } from '../../facts/kfuncs.js';
import { verdictOf, withoutSymbols } from '../../rules/decision.js';
import { externName, externTarget, isCompatible } from '../load/extern-target.js';
import type { BpfExtern, KconfigExtern, KsymExtern } from '../object/externs.js';
import type { PreflightModules } from './modules.js';

/** Values that libbpf finds itself, in a name like one of .kconfig (bpf_object__resolve_externs). */
const VIRTUAL: readonly string[] = ['LINUX_KERNEL_VERSION', 'LINUX_HAS_BPF_COOKIE', 'LINUX_HAS_SYSCALL_WRAPPER'];

/** How libbpf resolves externs on a kernel. */
export class ExternChecks {
  readonly #kernel: KernelFacts;
  readonly #modules: PreflightModules;
  readonly #local: Btf | undefined;

  constructor(kernel: KernelFacts, modules: PreflightModules, local: Btf | undefined) {
    this.#kernel = kernel;
    this.#modules = modules;
    this.#local = local;
  }

  verdict(extern: BpfExtern): Verdict {
    if (extern.kind === 'kconfig') return this.#kconfig(extern);
    return extern.kind === 'typeless-ksym' ? this.#address(extern) : this.#typed(extern);
  }

  /**
   * What the verifier says of the type id that an ld_imm64 has (check_pseudo_btf_id): the address has to be in kallsyms, which lists data with
   * CONFIG_KALLSYMS_ALL only. Undefined where nothing is against it, and where libbpf puts no id there.
   */
  typeId(extern: BpfExtern): Verdict | undefined {
    const { btf, btfSource } = this.#kernel;
    if (btf === undefined || extern.kind === 'kconfig' || extern.kind === 'typeless-ksym') return undefined;
    const id = externTarget(extern, btf);
    if (id === undefined || !isCompatible(this.#local, extern, btf, id)) return undefined;
    const { name, kind } = extern;
    const change = kind === 'kfunc' ? this.#kernel.change('functionTypeIds') : undefined;
    if (change?.has === false) {
      const says = `FUNC [${id}] ${name} is there, and its id is loaded, which the verifier takes for functions since 6.4 only`;
      return refused('extern-type', 'EINVAL', said(btfSource ?? '.BTF', says), 'likely');
    }
    const unknown = withoutSymbols(this.#kernel);
    if (unknown !== undefined) return verdictOf(unknown);
    const { symbols } = this.#kernel;
    if (symbols.lookup(externName(extern)) !== undefined) return undefined;
    const says = symbols.listsData ? `no symbol is named ${name}` : `it lists functions only (no CONFIG_KALLSYMS_ALL), and ${name} is data`;
    return refused('not-in-kallsyms', 'ENOENT', said('kallsyms', says));
  }

  /** The number in an extern of .kconfig, where the kernel's configuration is known. */
  value(name: string): bigint | undefined {
    if (name === 'LINUX_KERNEL_VERSION') {
      // Debian's release does not tell the patch level, its banner does (get_debian_kernel_version).
      const debian = / Debian (\d+)\.(\d+)\.(\d+)/.exec(this.#kernel.banner ?? '');
      const [, major, minor, patch] = debian ?? /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(this.#kernel.release ?? '') ?? [];
      return major === undefined ? undefined : BigInt((Number(major) << 16) | (Number(minor) << 8) | Math.min(Number(patch ?? 0), 255));
    }
    const config = this.#kernel.pieces.config();
    if (config === undefined || !name.startsWith('CONFIG_')) return undefined;
    const text = config.get(name);
    // enum libbpf_tristate
    if (text === undefined || text === 'n') return 0n;
    if (text === 'y') return 1n;
    if (text === 'm') return 2n;
    return /^(?:-?\d+|0x[0-9a-f]+)$/i.test(text) ? BigInt(text) : undefined;
  }

  #kconfig({ name, weak }: KconfigExtern): Verdict {
    if (VIRTUAL.includes(name)) return accepted('proven', said('libbpf', `${name} is a value that libbpf provides itself`));
    if (!name.startsWith('CONFIG_'))
      return this.#missing(name, weak, 'EINVAL', 'libbpf', `${name} is neither an option nor a value that libbpf provides`);
    const config = this.#kernel.pieces.config();
    if (config === undefined) {
      return weak
        ? accepted('proven', said('.symtab', `${name} is weak: 0 if it is not set`))
        : untold('kconfig-unknown', said('.config', `the kernel's .config is unknown: it would show whether ${name} is set`));
    }
    const value = config.get(name);
    return value === undefined
      ? this.#missing(name, weak, 'ESRCH', config.source, `${name} is not set`)
      : accepted('proven', said(config.source, `${name}=${value}`));
  }

  /** bpf_object__read_kallsyms_file: the address, which has to be one. */
  #address({ name, weak }: KsymExtern): Verdict {
    const unknown = withoutSymbols(this.#kernel);
    if (unknown !== undefined) return verdictOf(unknown);
    const { symbols } = this.#kernel;
    const addresses = new Set(symbols.find(name).map(row => symbols.address.big[row]!));
    if (addresses.size > 1) {
      return refused('ambiguous-name', 'EINVAL', said('kallsyms', `${name} is at ${addresses.size} addresses: libbpf refuses the object`));
    }
    if (addresses.size === 1) return accepted('proven', said('kallsyms', `${name} is one symbol`));
    const [instance] = this.#modules.functions(name);
    if (instance !== undefined)
      return this.#modules.in(instance.module, accepted('proven', said(instance.path, `${name} is a function of ${instance.module}`)));
    // Of modules, the functions are known and the data is not.
    const verdict = this.#modules.unless(this.#missing(name, weak, 'ESRCH', 'kallsyms', `no symbol is named ${name}`));
    return verdict.outcome === 'refused' ? { ...verdict, certainty: 'likely' } : verdict;
  }

  /** bpf_object__resolve_ksyms_btf_id */
  #typed(extern: KsymExtern): Verdict {
    const { name, weak, kind } = extern;
    const { btf, btfSource } = this.#kernel;
    const source = btfSource ?? '.BTF';
    if (btf === undefined) return refused('no-btf', 'ESRCH', said(source, `${this.#kernel.name} has no BTF`));
    const found = externTarget(extern, btf);
    if (found !== undefined) return this.#found(extern, btf, found, source);
    const own = externName(extern);
    const places =
      kind === 'kfunc'
        ? this.#modules.functions(own).map(place => ({ module: place, btf: this.#modules.btfOf(place) }))
        : this.#modules.withType(own);
    for (const { module, btf } of places) {
      const id = btf === undefined ? undefined : externTarget(extern, btf);
      if (btf === undefined || id === undefined) continue;
      const verdict = this.#found(extern, btf, id, `${module.path}: .BTF`);
      return this.#modules.in('module' in module ? module.module : module.name, verdict);
    }
    // What it finds missing, bpf_object__resolve_externs() makes EINVAL of.
    return this.#modules.unless(this.#missing(name, weak, 'EINVAL', source, `no ${kind === 'kfunc' ? 'FUNC' : 'VAR'} is named ${name}`));
  }

  #found(extern: KsymExtern, btf: Btf, id: number, source: string): Verdict {
    const { name, weak, kind } = extern;
    if (!isCompatible(this.#local, extern, btf, id)) {
      return this.#missing(name, weak, 'EINVAL', source, `[${id}] ${name} has a different type than the object declares`, true);
    }
    const tagged = kind === 'kfunc' ? kfuncsOf(btf) : undefined;
    if (tagged !== undefined && tagged.size > 0 && !tagged.has(id)) {
      return refused('not-a-kfunc', 'EINVAL', said(source, `FUNC [${id}] ${name} has no declaration tag bpf_kfunc`), 'likely');
    }
    return accepted('proven', said(source, `${kind === 'kfunc' ? 'FUNC' : 'VAR'} [${id}] ${name}`));
  }

  #missing(name: string, weak: boolean, errno: 'EINVAL' | 'ESRCH', source: string, says: string, typed = false): Verdict {
    if (weak) return accepted('proven', said(source, `${says}; the extern ${name} is weak, so it becomes 0`), 'weak-extern');
    return refused(typed ? 'extern-type' : 'unresolved-extern', errno, said(source, says));
  }
}

/** The same kernel serves one object after the other. */
const kfuncs = new WeakMap<Btf, ReadonlySet<number>>();

function kfuncsOf(btf: Btf): ReadonlySet<number> {
  const known = kfuncs.get(btf) ?? taggedKfuncs(btf);
  kfuncs.set(btf, known);
  return known;
}
