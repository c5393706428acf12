import type { Btf } from '../../../btf/btf.js';
import { accepted, refused, said, untold, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { mapType } from '../names/map-types.js';
import { PROGRAM_TYPES, programTypeNumber } from '../names/program-types.js';
import type { SectionDefinition } from '../names/section-names.js';
import { ATTACH_TYPES, helperName, mapFlagNames } from '../names/uapi.js';
import type { BpfMap } from '../object/maps.js';

/** Helpers that libbpf replaces by older ones where the kernel lacks them: bpf_object__sanitize_prog. */
const REPLACED: Readonly<Record<number, number>> = { 112: 4, 113: 4, 114: 45, 115: 45 };

/** What a kernel's bpf(2) has, by the enumerators that are in its BTF. */
export class KernelFeatures {
  readonly #kernel: KernelFacts;
  readonly #source: string;
  readonly #programTypes: ReadonlySet<number> | undefined;
  readonly #programNames: ReadonlySet<string>;
  readonly #attachTypes: ReadonlySet<number> | undefined;
  readonly #attachNames: ReadonlySet<string>;
  readonly #mapTypes: ReadonlySet<number> | undefined;
  #mapFlags: { readonly known?: number | undefined } | undefined;
  readonly #helpers: ReadonlySet<number> | undefined;
  /** The program types that were compiled: members of struct bpf_ctx_convert. */
  readonly #built: ReadonlySet<string> | undefined;

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
    const { btf } = kernel;
    this.#source = kernel.btfSource ?? '.BTF';
    this.#programTypes = valuesOf(btf, 'bpf_prog_type');
    this.#programNames = new Set(enumerators(btf, 'bpf_prog_type')?.keys());
    this.#attachTypes = valuesOf(btf, 'bpf_attach_type');
    this.#attachNames = new Set(enumerators(btf, 'bpf_attach_type')?.keys());
    this.#mapTypes = valuesOf(btf, 'bpf_map_type');
    this.#helpers = valuesOf(btf, 'bpf_func_id');
    this.#built = builtTypes(btf);
  }

  /** What keeps the questions below from being answered: then they all are `features-unknown`. */
  get unknown(): Verdict | undefined {
    const known = [this.#programTypes, this.#attachTypes, this.#mapTypes, this.#helpers].every(set => set !== undefined);
    return known ? undefined : this.#untold('bpf_prog_type, bpf_attach_type, bpf_map_type or bpf_func_id');
  }

  /** @param type as section-names.ts has it */
  programType(type: string): Verdict {
    const name = `BPF_PROG_TYPE_${type.toUpperCase()}`;
    if (this.#programTypes === undefined) return this.#untold('bpf_prog_type');
    const number = programTypeNumber(type);
    // Of what is newer than the table the name is all that is known.
    if (number < 0 ? !this.#programNames.has(name) : !this.#programTypes.has(number)) {
      return refused('unknown-program-type', 'EINVAL', said(this.#source, `enum bpf_prog_type has no ${name}`));
    }
    if (this.#built !== undefined && !this.#built.has(name)) {
      return refused(
        'program-type-not-built',
        'EINVAL',
        said(this.#source, `struct bpf_ctx_convert has no ${name}_prog: it was not compiled`),
      );
    }
    return accepted('proven', said(this.#source, `enum bpf_prog_type has ${name}`));
  }

  /** The attach type of a section; undefined if it has none. */
  attachType({ type, attachType }: SectionDefinition): Verdict | undefined {
    if (attachType === undefined) return undefined;
    if (this.#attachTypes === undefined) return this.#untold('bpf_attach_type');
    const number = ATTACH_TYPES.indexOf(attachType);
    // Enumerators were renamed, with their numbers kept; of what is newer than the table the name is all that is known.
    const known = number < 0 ? this.#attachNames.has(`BPF_${attachType}`) : this.#attachTypes.has(number);
    if (known) return accepted('proven', said(this.#source, `enum bpf_attach_type has BPF_${attachType}`));
    const says = `enum bpf_attach_type has no BPF_${attachType}`;
    if (PROGRAM_TYPES[programTypeNumber(type)]?.attachTypeAtAttach) {
      return untold('unknown-attach-type', said(this.#source, `${says}; it loads all the same, and the tool decides how to attach it`));
    }
    return refused('unknown-attach-type', 'EINVAL', said(this.#source, says));
  }

  /** The map's type, and its flags. */
  map({ type, typeName, origin, flags }: BpfMap): Verdict {
    const name = `BPF_MAP_TYPE_${typeName.toUpperCase()}`;
    if (this.#mapTypes === undefined) return this.#untold('bpf_map_type');
    if (!this.#mapTypes.has(type)) return refused('unknown-map-type', 'EINVAL', said(this.#source, `enum bpf_map_type has no ${name}`));
    // libbpf takes from maps of global data the flags that the kernel does not know (bpf_object__sanitize_maps).
    const strange = origin === 'btf' || origin === 'struct_ops' ? this.#strangeFlags(flags) : 0;
    if (strange !== 0) {
      const names = mapFlagNames(strange).replace(/\b(?=[A-Z])/g, 'BPF_F_');
      return refused('unknown-map-flag', 'EINVAL', said(this.#source, `the enum of map flags has no ${names}`));
    }
    const operations = mapType(type)?.operations;
    const has = (name: string): boolean | undefined => this.#kernel.hasFunction(name);
    // Data is in kallsyms with CONFIG_KALLSYMS_ALL; the operations of arrays are in every kernel.
    if (operations !== undefined && has('array_map_ops') === true && has(operations) === false) {
      return refused('map-type-not-built', 'EINVAL', said('kallsyms', `no ${operations}: the type was not compiled`));
    }
    return accepted('proven', said(this.#source, `enum bpf_map_type has ${name}`));
  }

  /** @param id of `enum bpf_func_id`: what a call has in imm */
  helper(id: number): Verdict {
    if (this.#helpers === undefined) return this.#untold('bpf_func_id');
    const name = helperName(id) ?? `number ${id}`;
    if (this.#helpers.has(id)) return accepted('proven', said(this.#source, `enum bpf_func_id has ${name}`));
    const older = REPLACED[id];
    if (older !== undefined && this.#helpers.has(older)) {
      return accepted('proven', said(this.#source, `enum bpf_func_id has no ${name}; libbpf calls ${helperName(older)} instead`));
    }
    return refused('unknown-helper', 'EINVAL', said(this.#source, `enum bpf_func_id has no ${name}`));
  }

  /** Of map_flags, the bits that the kernel does not know. */
  #strangeFlags(flags: number): number {
    if (flags === 0) return 0;
    this.#mapFlags ??= { known: mapFlagsOf(this.#kernel.btf) };
    return this.#mapFlags.known === undefined ? 0 : flags & ~this.#mapFlags.known;
  }

  #untold(name: string): Verdict {
    return untold(
      'features-unknown',
      said(this.#source, `there is no enum ${name}: the BTF of the kernel as it was built would settle it`),
    );
  }
}

/** The enumerators of an enum, by name; undefined if it is not there. */
function enumerators(btf: Btf | undefined, name: string): ReadonlyMap<string, number> | undefined {
  const type = btf?.type(btf.find(name, 'ENUM')[0] ?? 0);
  if (type?.kind !== 'ENUM') return undefined;
  return new Map(type.values.map(({ name: value, value: number }) => [value, Number(number)]));
}

/** The values, without those that end an enum: `__MAX_BPF_ATTACH_TYPE`, `__BPF_FUNC_MAX_ID`. */
function valuesOf(btf: Btf | undefined, name: string): ReadonlySet<number> | undefined {
  const known = enumerators(btf, name);
  return known === undefined ? undefined : new Set([...known].filter(([value]) => !value.startsWith('__')).map(([, number]) => number));
}

/** All bits of the enum without a name that begins with BPF_F_NO_PREALLOC; undefined of kernels before 5.7, where they were macros. */
function mapFlagsOf(btf: Btf | undefined): number | undefined {
  for (let id = 1; id < (btf?.count ?? 0); id++) {
    if (btf!.kindOf(id) !== 'ENUM' || btf!.nameOf(id) !== '') continue;
    const type = btf!.type(id);
    if (type.kind !== 'ENUM' || type.values[0]?.name !== 'BPF_F_NO_PREALLOC') continue;
    return type.values.reduce((flags, { value }) => flags | Number(value), 0);
  }
  return undefined;
}

/** btf.c makes the struct of include/linux/bpf_types.h, with two members for each program type that the configuration leaves in. */
function builtTypes(btf: Btf | undefined): ReadonlySet<string> | undefined {
  const type = btf?.type(btf.find('bpf_ctx_convert', 'STRUCT')[0] ?? 0);
  if (type?.kind !== 'STRUCT') return undefined;
  return new Set(type.members.map(({ name }) => name.replace(/_(prog|kern)$/, '')));
}
