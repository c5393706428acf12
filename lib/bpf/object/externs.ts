import type { Btf } from '../../../btf/btf.js';
import { STB, STT } from '../../../elf/constants.js';
import type { ElfSymbol } from '../../../elf/symbol.js';
import type { BpfFile } from './bpf-file.js';

/** What a `.kconfig` extern is filled with. */
export type KconfigType = 'bool' | 'char' | 'int' | 'tristate' | 'char-array';

interface Extern {
  readonly name: string;
  /** Row in `.symtab`, by which relocations refer to it. */
  readonly symbol: number;
  /** A weak one may be missing: it is then zero. */
  readonly weak: boolean;
  /** Its VAR or FUNC. */
  readonly typeId: number;
  /** In C. */
  readonly declaration: string;
}

/** A value of the kernel's .config, or LINUX_KERNEL_VERSION and its like. */
export interface KconfigExtern extends Extern {
  readonly kind: 'kconfig';
  /** undefined for a type that libbpf refuses. */
  readonly type: KconfigType | undefined;
  readonly size: number;
  readonly signed: boolean;
  /** Where libbpf puts it in the map `.kconfig`. */
  readonly offset: number;
}

/** A variable or a function of the kernel. A `ksym` without a type (`extern const void`) is an address of kallsyms. */
export interface KsymExtern extends Extern {
  readonly kind: 'ksym' | 'typeless-ksym' | 'kfunc';
}

export type BpfExtern = KconfigExtern | KsymExtern;

/**
 * The externs of an object (bpf_object__collect_externs): undefined symbols that BTF declares in `.kconfig` or `.ksyms`. Those of .kconfig
 * come first, in the order of their map.
 */
export function readExterns(file: BpfFile): BpfExtern[] {
  const { btf } = file;
  const symbols = file.symbols.filter(
    ({ index, sectionIndex, binding, type }) =>
      index > 0 && sectionIndex === 0 && type === STT.NOTYPE && (binding === STB.GLOBAL || binding === STB.WEAK),
  );
  if (symbols.length === 0) return [];
  if (btf === undefined) {
    for (const { name } of symbols) file.refuse('.symtab', `${name} is undefined, and there is no BTF that describes it`, 'ESRCH');
    return [];
  }
  const sections = new Map<number, string>();
  for (const name of ['.kconfig', '.ksyms']) {
    for (const id of btf.find(name, 'DATASEC')) {
      const type = btf.type(id);
      if (type.kind === 'DATASEC') for (const { typeId } of type.variables) sections.set(typeId, name);
    }
  }
  const externs = symbols.flatMap(symbol => {
    const found = file.attempt('.BTF', () => externOf(btf, symbol, sections));
    if (found === undefined) {
      file.refuse('.symtab', `${symbol.name} is undefined, and BTF does not declare it in .kconfig or .ksyms`, 'ENOENT');
    }
    return found === undefined ? [] : [found];
  });
  const values = externs.filter(extern => extern.kind === 'kconfig');
  return [...layOut(btf, values), ...externs.filter(extern => extern.kind !== 'kconfig')];
}

function externOf(btf: Btf, { name, index, binding }: ElfSymbol, sections: ReadonlyMap<number, string>): BpfExtern | undefined {
  for (const id of btf.find(name)) {
    const type = btf.type(id);
    if ((type.kind !== 'VAR' && type.kind !== 'FUNC') || type.linkage !== 'extern') continue;
    const section = sections.get(id);
    if (section === undefined) continue;
    const common = { name, symbol: index, weak: binding === STB.WEAK, typeId: id };
    if (type.kind === 'FUNC') return section === '.ksyms' ? { ...common, kind: 'kfunc', declaration: btf.prototype(id) } : undefined;
    const declaration = btf.declaration(type.typeId, name);
    const target = btf.resolve(type.typeId);
    if (section === '.ksyms') return { ...common, kind: target === 0 ? 'typeless-ksym' : 'ksym', declaration };
    const shape = kconfigType(btf, target);
    return {
      ...common,
      kind: 'kconfig',
      declaration,
      type: shape?.type,
      size: btf.sizeof(target) ?? 0,
      signed: shape?.signed ?? false,
      offset: 0,
    };
  }
  return undefined;
}

const SIGNED = 1;
const BOOL = 4;

/** find_kcfg_type of libbpf. */
function kconfigType(btf: Btf, id: number): { readonly type: KconfigType; readonly signed: boolean } | undefined {
  const type = btf.type(id);
  switch (type.kind) {
    case 'INT': {
      const signed = (type.encoding & SIGNED) !== 0;
      if ((type.encoding & BOOL) !== 0) return type.size === 1 ? { type: 'bool', signed } : undefined;
      if (type.size === 1) return { type: 'char', signed };
      return [2, 4, 8].includes(type.size) ? { type: 'int', signed } : undefined;
    }
    case 'ENUM':
    case 'ENUM64':
      return type.size === 4 && type.name === 'libbpf_tristate' ? { type: 'tristate', signed: false } : undefined;
    case 'ARRAY': {
      if (type.nelems === 0) return undefined;
      const element = kconfigType(btf, btf.resolve(type.typeId));
      return element?.type === 'char' ? { type: 'char-array', signed: element.signed } : undefined;
    }
    default:
      return undefined;
  }
}

/** The map `.kconfig`: by alignment from large to small, then size, then name (cmp_externs). */
function layOut(btf: Btf, externs: readonly KconfigExtern[]): KconfigExtern[] {
  const aligned = externs.map(extern => ({ extern, align: btf.alignof(targetOf(btf, extern)) ?? 1 }));
  aligned.sort((a, b) => b.align - a.align || a.extern.size - b.extern.size || (a.extern.name < b.extern.name ? -1 : 1));
  let end = 0;
  return aligned.map(({ extern, align }) => {
    const offset = Math.ceil(end / align) * align;
    end = offset + extern.size;
    return { ...extern, offset };
  });
}

function targetOf(btf: Btf, { typeId }: KconfigExtern): number {
  const type = btf.type(typeId);
  return type.kind === 'VAR' ? type.typeId : 0;
}

/** The size of the map `.kconfig`. */
export function kconfigSize(externs: readonly BpfExtern[]): number {
  return externs.reduce((end, extern) => (extern.kind === 'kconfig' ? Math.max(end, extern.offset + extern.size) : end), 0);
}
