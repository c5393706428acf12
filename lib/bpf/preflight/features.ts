import type { Btf } from '../../../btf/btf.js';
import { accepted, type Errno, type Evidence, refused, said, untold, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ReasonCode } from '../../reasons.js';
import type { Built } from '../names/built.js';
import { MAP_TYPES, mapType } from '../names/map-types.js';
import { PROGRAM_TYPES, programTypeNumber } from '../names/program-types.js';
import type { SectionDefinition } from '../names/section-names.js';
import { ATTACH_TYPES, HELPER_COUNT, helperName, mapFlagNames } from '../names/uapi.js';
import type { BpfMap } from '../object/maps.js';
import { ALWAYS, type BuiltCheck, builtCheck } from './built-checks.js';

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
  #helperNames: ReadonlyMap<number, string> | undefined;
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

  /** The program types that the kernel's BTF or the table of them names, as section-names.ts has them; `unspec` is none. */
  get programTypes(): readonly string[] {
    return named(this.#kernel.btf, 'bpf_prog_type', 'BPF_PROG_TYPE_', PROGRAM_TYPES);
  }

  /** The map types that the kernel's BTF or the table of them names, by their numbers. */
  get mapTypes(): ReadonlyMap<number, string> {
    const known = enumerators(this.#kernel.btf, 'bpf_map_type') ?? new Map<string, number>();
    const byNumber = new Map(MAP_TYPES.map(({ name }, number) => [number, name]));
    // Enumerators that share a number are older and newer names of one type.
    for (const [name, number] of known)
      if (!name.startsWith('__') && !byNumber.has(number)) byNumber.set(number, name.replace('BPF_MAP_TYPE_', '').toLowerCase());
    byNumber.delete(0);
    return byNumber;
  }

  /** The attach types that the kernel's BTF or the table of them names: `TRACE_FENTRY`. */
  get attachTypes(): readonly string[] {
    return [...new Set([...ATTACH_TYPES, ...this.#newerAttachTypes()])];
  }

  /** The commands of bpf(2) that the kernel's BTF names: `PROG_LOAD`. */
  get commands(): readonly string[] {
    const known = enumerators(this.#kernel.btf, 'bpf_cmd') ?? new Map<string, number>();
    // BPF_COMMON_ATTRS is a bit above them.
    return [...known].filter(([name, number]) => number < 1 << 16 && !name.startsWith('__')).map(([name]) => name.replace('BPF_', ''));
  }

  /** Enumerators of numbers that the table does not have: of others, names were changed. */
  #newerAttachTypes(): string[] {
    const known = [...(enumerators(this.#kernel.btf, 'bpf_attach_type') ?? [])];
    return known
      .filter(([name, number]) => !name.startsWith('__') && number >= ATTACH_TYPES.length)
      .map(([name]) => name.replace('BPF_', ''));
  }

  /** The numbers of the helpers that the kernel's BTF or the table of them has. */
  get helpers(): readonly number[] {
    const numbers = new Set([...Array.from({ length: HELPER_COUNT }, (_, id) => id), ...(this.#helpers ?? [])]);
    numbers.delete(0);
    return [...numbers].sort((a, b) => a - b);
  }

  /** `bpf_map_lookup_elem`, by the kernel's BTF where the table has no name. */
  helperName(id: number): string {
    this.#helperNames ??= new Map([...(enumerators(this.#kernel.btf, 'bpf_func_id') ?? [])].map(([name, number]) => [number, name]));
    return helperName(id) ?? this.#helperNames.get(id)?.replace('BPF_FUNC_', 'bpf_') ?? `helper ${id}`;
  }

  /** A program type as section-names.ts has it. Open where its enumerator is there, and nothing shows whether it was built. */
  programType(type: string): Verdict {
    const name = `BPF_PROG_TYPE_${type.toUpperCase()}`;
    const number = programTypeNumber(type);
    const part = PROGRAM_TYPES[number]?.built;
    const what = `program type ${type}`;
    if (this.#programTypes === undefined) return this.#byImage('bpf_prog_type', part, 'program-type-not-built', what);
    // Of what is newer than the table the name is all that is known.
    if (number < 0 ? !this.#programNames.has(name) : !this.#programTypes.has(number)) {
      return refused('unknown-program-type', 'EINVAL', said(this.#source, `enum bpf_prog_type has no ${name}`));
    }
    if (this.#built?.has(name) === true) return accepted('proven', said(this.#source, `struct bpf_ctx_convert has ${name}`));
    if (this.#built !== undefined) {
      const says = `struct bpf_ctx_convert has no ${name}_prog: it was not compiled`;
      return refused('program-type-not-built', 'EINVAL', [...said(this.#source, says), ...this.#notSet(part?.option)]);
    }
    return this.#ofTable(part, 'program-type-not-built', what, said(this.#source, `enum bpf_prog_type has ${name}`));
  }

  /** The attach type of a section; undefined if it has none. */
  attachType({ type, attachType }: SectionDefinition): Verdict | undefined {
    if (attachType === undefined) return undefined;
    const verdict = this.knowsAttachType(attachType);
    if (verdict.code !== 'unknown-attach-type' || PROGRAM_TYPES[programTypeNumber(type)]?.attachTypeAtAttach !== true) return verdict;
    const [{ says, source }] = verdict.because as readonly [Evidence];
    return untold('unknown-attach-type', said(source, `${says}; it loads all the same, and the tool decides how to attach it`));
  }

  /** Whether the kernel has a number for an attach type: `TRACE_FENTRY`. */
  knowsAttachType(attachType: string): Verdict {
    if (this.#attachTypes === undefined) return this.#untold('bpf_attach_type');
    const number = ATTACH_TYPES.indexOf(attachType);
    // Enumerators were renamed, with their numbers kept; of what is newer than the table the name is all that is known.
    const known = number < 0 ? this.#attachNames.has(`BPF_${attachType}`) : this.#attachTypes.has(number);
    return known
      ? accepted('proven', said(this.#source, `enum bpf_attach_type has BPF_${attachType}`))
      : refused('unknown-attach-type', 'EINVAL', said(this.#source, `enum bpf_attach_type has no BPF_${attachType}`));
  }

  /** A command of bpf(2): what its enumerator tells, for each does its work where the configuration lets it. */
  command(name: string): Verdict {
    if (enumerators(this.#kernel.btf, 'bpf_cmd') === undefined) return this.#untold('bpf_cmd');
    return this.commands.includes(name)
      ? accepted('proven', said(this.#source, `enum bpf_cmd has BPF_${name}`))
      : refused('no-such-feature', 'EINVAL', said(this.#source, `enum bpf_cmd has no BPF_${name}`));
  }

  /** The map's type, and its flags. Where nothing shows that the type was built, its enumerator makes it likely. */
  map({ type, typeName, origin, flags }: BpfMap): Verdict {
    const verdict = this.mapType(type, typeName);
    if (verdict.outcome === 'refused' || verdict.code === 'features-unknown') return verdict;
    // libbpf takes from maps of global data the flags that the kernel does not know (bpf_object__sanitize_maps).
    const strange = origin === 'btf' || origin === 'struct_ops' ? this.#strangeFlags(flags) : 0;
    if (strange !== 0) {
      const names = mapFlagNames(strange).replace(/\b(?=[A-Z])/g, 'BPF_F_');
      return refused('unknown-map-flag', 'EINVAL', said(this.#source, `the enum of map flags has no ${names}`));
    }
    return probably(verdict);
  }

  /** A map type by its number. Open where its enumerator is there, and nothing shows whether it was built. */
  mapType(type: number, typeName: string): Verdict {
    const name = `BPF_MAP_TYPE_${typeName.toUpperCase()}`;
    const part = mapType(type)?.built;
    if (this.#mapTypes === undefined) return this.#byImage('bpf_map_type', part, 'map-type-not-built', `map type ${typeName}`);
    if (!this.#mapTypes.has(type)) return refused('unknown-map-type', 'EINVAL', said(this.#source, `enum bpf_map_type has no ${name}`));
    const known = said(this.#source, `enum bpf_map_type has ${name}`);
    return this.#ofTable(part, 'map-type-not-built', `map type ${typeName}`, known);
  }

  /** @param id of `enum bpf_func_id`: what a call has in imm */
  helper(id: number): Verdict {
    if (this.#helpers === undefined) return this.#untold('bpf_func_id');
    const name = helperName(id) ?? `number ${id}`;
    if (this.#helpers.has(id)) return accepted('proven', said(this.#source, `enum bpf_func_id has ${name}`));
    return refused('unknown-helper', 'EINVAL', said(this.#source, `enum bpf_func_id has no ${name}`));
  }

  /** Of map_flags, the bits that the kernel does not know. */
  #strangeFlags(flags: number): number {
    if (flags === 0) return 0;
    this.#mapFlags ??= { known: mapFlagsOf(this.#kernel.btf) };
    return this.#mapFlags.known === undefined ? 0 : flags & ~this.#mapFlags.known;
  }

  /** What has its enumerator, by what the table of its kind says of it; undefined for what is newer than that. */
  #ofTable(part: Built | undefined, code: ReasonCode, what: string, known: readonly Evidence[]): Verdict {
    if (part === undefined)
      return accepted('likely', [...known, { source: 'kernel', says: 'it is newer than kelf: what it depends on is not known' }]);
    const isInAll = part.option === undefined && part.functions.length === 0;
    return isInAll && this.#kernel.hasFunction(ALWAYS) !== true ? accepted('proven', known) : this.whereBuilt(part, code, what, known);
  }

  /** What depends on a configuration besides its enumerator. */
  whereBuilt(part: Built, code: ReasonCode, what: string, known: readonly Evidence[], errno: Errno = 'EINVAL'): Verdict {
    const shown = builtCheck(this.#kernel, part, what);
    const { built, certainty, evidence } = (shown.built === undefined ? this.#byTypes(part.option) : undefined) ?? shown;
    if (built === undefined) return untold('build-unknown', [...known, evidence]);
    if (built) return accepted(certainty, [...known, evidence]);
    return refused(code, errno, [evidence, ...(certainty === 'likely' ? [] : this.#notSet(part.option))], certainty);
  }

  /** Program types that were compiled show the option that they depend on. Others may have depended on another one in this release. */
  #byTypes(option: string | undefined): BuiltCheck | undefined {
    const types = PROGRAM_TYPES.filter(({ built }) => option !== undefined && built.option === option).map(
      ({ name }) => `BPF_PROG_TYPE_${name.toUpperCase()}`,
    );
    const [first] = types;
    if (this.#built === undefined || first === undefined) return undefined;
    const compiled = types.find(name => this.#built!.has(name));
    const says = `struct bpf_ctx_convert has ${compiled ?? `no ${first}`}, which depends on ${option} too`;
    return { built: compiled !== undefined, certainty: 'likely', evidence: { source: this.#source, says } };
  }

  /** Without the enum the symbols of the image may still show it. */
  #byImage(enumName: string, part: Built | undefined, code: ReasonCode, what: string): Verdict {
    const listsData = this.#kernel.hasFunction(ALWAYS) === true || this.#kernel.pieces.imageSymbols()?.addressOf(ALWAYS) !== undefined;
    return part?.symbol === undefined || !listsData ? this.#untold(enumName) : this.whereBuilt(part, code, what, []);
  }

  /** What the .config says of what was not built; nothing where it says otherwise, or there is none. */
  #notSet(option: string | undefined): readonly Evidence[] {
    const config = this.#kernel.pieces.config();
    return option === undefined || config === undefined || config.get(option) !== undefined
      ? []
      : said(config.source, `${option} is not set`);
  }

  #untold(name: string): Verdict {
    return untold(
      'features-unknown',
      said(this.#source, `there is no enum ${name}: the BTF of the kernel as it was built would settle it`),
    );
  }
}

/** A verdict for what has to be answered: what has its enumerator is likely to have been built. */
export function probably(verdict: Verdict): Verdict {
  return verdict.code === 'build-unknown' ? accepted('likely', verdict.because) : verdict;
}

/** What an enum and a table name, in lower case and without what all of the names begin with. */
function named(btf: Btf | undefined, name: string, prefix: string, table: readonly { readonly name: string }[]): string[] {
  const known = [...(enumerators(btf, name)?.keys() ?? [])].filter(value => value.startsWith(prefix));
  const all = new Set([...table.map(({ name }) => name), ...known.map(value => value.slice(prefix.length).toLowerCase())]);
  all.delete('unspec');
  return [...all];
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
