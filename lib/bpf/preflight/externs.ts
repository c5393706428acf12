import type { Btf } from '../../../btf/btf.js';
import { CoreTypes, essentialName } from '../../../btf/core-compat.js';
import type { Verdict } from '../../evidence.js';
import type { Kernel } from '../../kernel.js';
import type { BpfExtern, KconfigExtern, KsymExtern } from '../externs.js';
import { accepted, refused, unlessModule, untold } from './verdict.js';

/** Values that libbpf finds itself, in a name like one of .kconfig (bpf_object__resolve_externs). */
const VIRTUAL: readonly string[] = ['LINUX_KERNEL_VERSION', 'LINUX_HAS_BPF_COOKIE', 'LINUX_HAS_SYSCALL_WRAPPER'];

/** What libbpf makes of externs on a kernel. */
export class ExternChecks {
  readonly #kernel: Kernel;
  readonly #types: CoreTypes | undefined;
  readonly #local: Btf | undefined;
  readonly #kfuncs: ReadonlySet<number>;

  /** @param kfuncs as {@link kfuncsOf} has them */
  constructor(kernel: Kernel, local: Btf | undefined, kfuncs: ReadonlySet<number>) {
    this.#kernel = kernel;
    this.#local = local;
    this.#kfuncs = kfuncs;
    const { btf } = kernel;
    this.#types = btf === undefined || local === undefined ? undefined : new CoreTypes(local, btf);
  }

  verdict(extern: BpfExtern): Verdict {
    if (extern.kind === 'kconfig') return this.#kconfig(extern);
    return extern.kind === 'typeless-ksym' ? this.#address(extern) : this.#typed(extern);
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
    if (VIRTUAL.includes(name)) return accepted('libbpf', `${name} is a value that libbpf finds itself`);
    if (!name.startsWith('CONFIG_'))
      return this.#missing(name, weak, 'EINVAL', 'libbpf', `${name} is no option, and no value that libbpf finds`);
    const config = this.#kernel.pieces.config();
    if (config === undefined) {
      return weak
        ? accepted('.symtab', `${name} is weak: 0 where it is not set`)
        : untold('kconfig-unknown', '.config', `the kernel's .config is not known: it would tell whether ${name} is set`);
    }
    const value = config.get(name);
    return value === undefined
      ? this.#missing(name, weak, 'ESRCH', config.source, `${name} is not set`)
      : accepted(config.source, `${name}=${value}`);
  }

  /** bpf_object__read_kallsyms_file: the address, which has to be one. */
  #address({ name, weak }: KsymExtern): Verdict {
    const { symbols } = this.#kernel;
    const addresses = new Set(symbols.find(name).map(row => symbols.address.big[row]!));
    if (addresses.size > 1) {
      return refused('ambiguous-name', 'EINVAL', 'kallsyms', `${name} is at ${addresses.size} addresses: libbpf refuses the object`);
    }
    if (addresses.size === 1) return accepted('kallsyms', `${name} is one symbol`);
    return unlessModule(this.#missing(name, weak, 'ESRCH', 'kallsyms', `no symbol is named ${name}`));
  }

  /** bpf_object__resolve_ksyms_btf_id */
  #typed({ name, weak, kind, typeId }: KsymExtern): Verdict {
    const { btf, btfSource } = this.#kernel;
    const source = btfSource ?? '.BTF';
    if (btf === undefined) return refused('no-btf', 'ESRCH', source, `${this.#kernel.name} has no BTF`);
    const wanted = kind === 'kfunc' ? 'FUNC' : 'VAR';
    const [found] = btf.find(kind === 'kfunc' ? essentialName(name) : name, wanted);
    if (found === undefined) return unlessModule(this.#missing(name, weak, 'ESRCH', source, `no ${wanted} is named ${name}`));
    if (!this.#compatible(typeId, found)) {
      return this.#missing(name, weak, 'EINVAL', source, `[${found}] ${name} is of another type than the object declares`, true);
    }
    if (kind === 'kfunc' && this.#kfuncs.size > 0 && !this.#kfuncs.has(found)) {
      return refused('not-a-kfunc', 'EINVAL', source, `FUNC [${found}] ${name} has no declaration tag bpf_kfunc`, 'likely');
    }
    return accepted(source, `${wanted} [${found}] ${name}`);
  }

  #compatible(localId: number, targetId: number): boolean {
    const local = this.#local?.type(localId);
    const target = this.#kernel.btf?.type(targetId);
    if (this.#types === undefined || local === undefined || target === undefined) return false;
    if (!('typeId' in local) || !('typeId' in target)) return false;
    if (local.kind === 'FUNC') return this.#types.typesAreCompatible(local.typeId, target.typeId);
    // Of variables, modifiers and typedefs do not count.
    const { btf } = this.#kernel;
    return this.#types.typesAreCompatible(this.#local!.resolve(local.typeId), btf!.resolve(target.typeId));
  }

  #missing(name: string, weak: boolean, errno: 'EINVAL' | 'ESRCH', source: string, says: string, typed = false): Verdict {
    if (weak) return accepted(source, `${says}; it is weak, and ${name} is then 0`, 'weak-extern');
    return refused(typed ? 'extern-type' : 'unresolved-extern', errno, source, says);
  }
}

/** The FUNCs with the declaration tag bpf_kfunc, which pahole writes since 1.26; none in older BTF. */
export function kfuncsOf(btf: Btf | undefined): ReadonlySet<number> {
  const found = new Set<number>();
  if (btf === undefined) return found;
  for (const id of btf.find('bpf_kfunc', 'DECL_TAG')) {
    const tag = btf.type(id);
    if (tag.kind === 'DECL_TAG') found.add(tag.typeId);
  }
  return found;
}
