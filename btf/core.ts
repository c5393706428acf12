import type { Btf } from './btf.js';
import { CoreTypes, essentialName, sameKind } from './core-compat.js';
import { type CoreMatch, matchSpec } from './core-match.js';
import { type CoreSpec, formatCoreSpec, parseCoreSpec } from './core-spec.js';
import { type CoreValue, coreValue, coreValueOfNone } from './core-value.js';
import type { TypeId } from './ids.js';
import { KIND } from './kinds.js';

/** A type of the kernel with the name, and how far the access matches in it. */
export interface CoreCandidate extends CoreMatch {
  readonly btf: Btf;
}

/** The result of one CO-RE relocation on a kernel. */
export interface CoreResolution {
  readonly local: CoreSpec;
  /** By id, the kernel's own before those of modules; without those that earlier relocations ruled out, as in libbpf. */
  readonly candidates: readonly CoreCandidate[];
  /** The candidates that earlier relocations of the same type ruled out. */
  readonly ruledOut: readonly FoundType[];
  /** The one of the candidate, if one matches. */
  readonly target?: CoreSpec;
  readonly targetBtf?: Btf;
  /** The value that the compiler put into the instruction. */
  readonly original: CoreValue;
  /** The new value. With `poison`, libbpf replaces the instruction with a call that the verifier refuses if the program can reach it. */
  readonly value: bigint;
  readonly poison: boolean;
  /** For an offset: the bytes to load, if they differ from the object's; else undefined. */
  readonly size?: number;
  /** The size differs, and a load can't be adapted to it: libbpf poisons one. */
  readonly sizeUnsafe: boolean;
}

/** A type of the kernel or of a module. */
export interface FoundType {
  readonly btf: Btf;
  readonly typeId: TypeId;
}

/** Why libbpf would give up on the whole object. */
export class CoreError extends Error {
  override readonly name: string = 'CoreError';
  /** Where candidates do not agree. */
  readonly ambiguity?: CoreAmbiguity;

  constructor(message: string, ambiguity?: CoreAmbiguity) {
    super(message);
    if (ambiguity !== undefined) this.ambiguity = ambiguity;
  }
}

/** Candidates that match an access and give different values. */
export interface CoreAmbiguity {
  /** Those that were looked at, the last of which does not agree with an earlier one. */
  readonly candidates: readonly CoreCandidate[];
  /** As libbpf logs it. */
  readonly log: string;
  /** The modules that the two are of, if they are of two: libbpf refuses the object only if both are loaded. */
  readonly modules?: readonly [Btf, Btf];
}

/** Relocates an object's accesses to a kernel, by libbpf's rules (bpf_core_calc_relo_insn). */
export class CoreRelocator {
  readonly local: Btf;
  readonly #targets: readonly CoreTypes[];
  /** By local type: candidates are looked up once, and ruled out for good by the first relocation that some of them match. */
  readonly #candidates = new Map<number, { readonly types: CoreTypes; readonly typeId: TypeId }[]>();
  /** The same, with those that were ruled out. */
  readonly #found = new Map<number, readonly FoundType[]>();
  /** Those that are ruled out by now. */
  readonly #ruledOut = new Map<number, readonly FoundType[]>();

  /** @param targets the kernel's BTF, then that of its modules, which are searched for what the kernel does not have */
  constructor(local: Btf, targets: readonly Btf[]) {
    this.local = local;
    this.#targets = targets.map(target => new CoreTypes(local, target));
  }

  /**
   * @throws CoreError if libbpf refuses the object: candidates that disagree, an access to an anonymous type
   * @throws FormatError for an access that does not fit its type
   */
  relocate(typeId: TypeId, access: string, kind: number): CoreResolution {
    const { local } = this;
    const spec = parseCoreSpec(local, typeId, access, kind);
    const original = coreValue(local, spec);
    if (spec.kind === 'local_type_id')
      return { local: spec, candidates: [], ruledOut: [], original, value: original.value, poison: false, sizeUnsafe: false };
    if (local.nameOf(typeId) === '') throw new CoreError(`${formatCoreSpec(local, spec)}: the type has no name to search for`);
    const known = this.#candidatesOf(typeId);
    const ruledOut = this.#ruledOut.get(typeId) ?? [];
    const candidates: CoreCandidate[] = [];
    const matching: typeof known = [];
    let best: { readonly spec: CoreSpec; readonly value: CoreValue; readonly btf: Btf } | undefined;
    for (const candidate of known) {
      const match = matchSpec(candidate.types, spec, candidate.typeId);
      const { target } = candidate.types;
      candidates.push({ btf: target, ...match });
      if (!match.matches) continue;
      const found = match.spec;
      const value = coreValue(target, found);
      if (best === undefined) best = { spec: found, value, btf: target };
      else if (found.bitOffset !== best.spec.bitOffset) {
        const log = `field offset ambiguity: ${found.bitOffset} != ${best.spec.bitOffset}`;
        throw this.#ambiguous(log, spec, candidates, [best.btf, best.spec], [target, found]);
      } else if (value.value !== best.value.value) {
        const [own, first] = [value.value, best.value.value].map(number => BigInt.asUintN(64, number));
        const log = `relocation decision ambiguity: success ${own} != success ${first}`;
        throw this.#ambiguous(log, spec, candidates, [best.btf, best.spec], [target, found]);
      }
      matching.push(candidate);
    }
    if (best === undefined) {
      const none = coreValueOfNone(spec.kind);
      return {
        local: spec,
        candidates,
        ruledOut,
        original,
        value: none === 'poison' ? 0n : none,
        poison: none === 'poison',
        sizeUnsafe: false,
      };
    }
    if (matching.length < known.length) {
      const kept = new Set(matching);
      const out = known.filter(each => !kept.has(each)).map(({ types, typeId: id }) => ({ btf: types.target, typeId: id }));
      this.#ruledOut.set(
        typeId,
        [...ruledOut, ...out].sort((a, b) => this.#rank(a) - this.#rank(b)),
      );
    }
    this.#candidates.set(typeId, matching);
    const { value } = best;
    const differs = value.size !== original.size;
    return {
      local: spec,
      candidates,
      ruledOut,
      target: best.spec,
      targetBtf: best.btf,
      original,
      value: value.value,
      poison: false,
      ...(differs ? { size: value.size } : {}),
      sizeUnsafe: differs && !canAdapt(local, original.typeId, best.btf, value.typeId),
    };
  }

  /** Looks up the candidates of a local type, as libbpf does before the first relocation of it; undefined where that was done, or it has no name. */
  lookUp(typeId: TypeId): readonly FoundType[] | undefined {
    if (this.#found.has(typeId) || this.local.nameOf(typeId) === '') return undefined;
    this.#candidatesOf(typeId);
    return this.#found.get(typeId);
  }

  /** The kernel's types of a name, flavours apart, and of a kind (bpf_core_add_cands): a module's only where the kernel itself has none. */
  #candidatesOf(typeId: TypeId): { readonly types: CoreTypes; readonly typeId: TypeId }[] {
    let known = this.#candidates.get(typeId);
    if (known !== undefined) return known;
    const name = essentialName(this.local.nameOf(typeId));
    const own = this.local.type(typeId);
    known = [];
    for (const [i, types] of this.#targets.entries()) {
      if (i === 1 && known.length > 0) break;
      const { target } = types;
      const ids = [...target.find(name), ...(flavoredTypes(target).get(name) ?? [])];
      types.spend(ids.length);
      // Split BTF has its base's types too.
      const fitting = ids.filter(id => id >= (i === 0 ? 1 : target.firstId) && sameKind(own, target.type(id)));
      known.push(...fitting.sort((a, b) => a - b).map(id => ({ types, typeId: id })));
    }
    this.#candidates.set(typeId, known);
    this.#found.set(
      typeId,
      known.map(({ types, typeId: id }) => ({ btf: types.target, typeId: id })),
    );
    return known;
  }

  /** The order of candidates: targets one after the other, each by id. */
  #rank({ btf, typeId }: FoundType): number {
    return this.#targets.findIndex(({ target }) => target === btf) * 2 ** 32 + typeId;
  }

  #ambiguous(
    log: string,
    spec: CoreSpec,
    candidates: readonly CoreCandidate[],
    ...found: readonly (readonly [Btf, CoreSpec])[]
  ): CoreError {
    const places = found.map(([btf, candidate]) => formatCoreSpec(btf, candidate)).join(' and ');
    const [[first], [second]] = found as readonly [readonly [Btf, CoreSpec], readonly [Btf, CoreSpec]];
    const modules = first !== second && first.base !== undefined && second.base !== undefined ? { modules: [first, second] as const } : {};
    const what = log.replace(/:.*/, '');
    return new CoreError(`${formatCoreSpec(this.local, spec)}: ${what} between ${places}`, { candidates, log, ...modules });
  }
}

/** The same kernel serves one object after the other: going through its names takes longer than most objects do. */
const flavored = new WeakMap<Btf, ReadonlyMap<string, readonly number[]>>();

/** Types of a kernel that have a flavour themselves, by the name without it. */
function flavoredTypes(target: Btf): ReadonlyMap<string, readonly number[]> {
  let index = flavored.get(target);
  if (index === undefined) flavored.set(target, (index = readFlavoredTypes(target)));
  return index;
}

function readFlavoredTypes(target: Btf): Map<string, number[]> {
  const index = new Map<string, number[]>();
  for (let id = 1; id < target.count; id++) {
    if (target.nameOffset(id) === 0) continue;
    const name = target.nameOf(id);
    if (!name.includes('___')) continue;
    const essential = essentialName(name);
    if (essential === name) continue;
    const ids = index.get(essential);
    if (ids === undefined) index.set(essential, [id]);
    else ids.push(id);
  }
  return index;
}

/** A pointer of 4 bytes where the object has 8, and unsigned integers, may be loaded at another size (bpf_core_calc_relo). */
function canAdapt(local: Btf, localId: number, target: Btf, targetId: number): boolean {
  const kind = local.kindNumber(localId);
  if (kind !== target.kindNumber(targetId)) return false;
  if (kind === KIND.PTR) return true;
  const [a, b] = [local.type(localId), target.type(targetId)];
  return a.kind === 'INT' && b.kind === 'INT' && a.encoding !== 1 && b.encoding !== 1;
}
