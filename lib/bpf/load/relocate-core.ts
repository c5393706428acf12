import type { Btf } from '../../../btf/btf.js';
import { type CoreAmbiguity, CoreError, CoreRelocator, type CoreResolution, type FoundType } from '../../../btf/core.js';
import { CORE_KINDS } from '../../../btf/core-spec.js';
import { isFormatError } from '../../../elf/errors.js';
import { INSN_BYTES, Instructions, successors } from '../code/insn.js';
import type { BpfCoreRelocation } from '../object/core-relocations.js';
import type { BpfObject } from '../object/object.js';
import type { BpfFunction, BpfProgram } from '../object/programs.js';
import { type CorePatch, PatchableCode } from './core-patch.js';
import { type DecidedBranch, type Reach, type ReachContext, reachOf } from './reach.js';

/** The result of one relocation of an object on a kernel. */
export interface CoreOutcome {
  readonly relocation: BpfCoreRelocation;
  readonly resolution?: CoreResolution;
  /** The types that were looked up for it: only for the first relocation of a type of the object. */
  readonly found?: readonly FoundType[];
  readonly patch?: CorePatch;
  /** Why libbpf gives up on the whole object here. */
  readonly refused?: string;
  /** Where that is because candidates do not agree. */
  readonly ambiguity?: CoreAmbiguity;
  /** Of a poisoned instruction: whether some program reaches it. */
  readonly poison?: CorePoison;
}

/** Whether the verifier reaches a poisoned instruction. */
export interface CorePoison {
  /** The programs that reach it: the kernel would refuse each. If there are none, tests guard it. */
  readonly reachedBy: readonly string[];
  /** What decides the tests that lead around it: `field_exists of struct request.rq_disk`, `.rodata: targ_ns`. */
  readonly guards: readonly string[];
  /** True where it is guarded only as long as read-only data has the values that it has in the file. */
  readonly byData: boolean;
}

/** An object's code as libbpf would have it for a kernel. */
export interface CoreReport {
  readonly outcomes: readonly CoreOutcome[];
  /** By section index; sections without relocations are not in it. */
  readonly code: ReadonlyMap<number, Instructions>;
  /**
   * The instructions that a program can reach, in each function that it reaches: slots of the function's section.
   * @param data whether read-only data has the values that it has in the file
   */
  reached(program: BpfProgram, data: boolean): ReadonlyMap<BpfFunction, ReadonlySet<number>>;
  /** Where a program, or a function that it hands the context to, loads from the context, in bytes, on a way that it can go. */
  contextReads(program: BpfProgram): ReadonlySet<number>;
}

/** Options of {@link relocateCore}. */
export interface CoreOptions {
  /** BTF of modules, which is searched for types that the kernel's does not have. */
  readonly modules?: readonly Btf[];
  /** The value of a `.kconfig` extern, where the kernel's configuration is known. */
  readonly kconfig?: (name: string) => bigint | undefined;
  /** Whether a weak symbol of `.ksyms` is known to be missing: its address is then 0. */
  readonly isMissing?: (name: string) => boolean;
}

/**
 * Applies every CO-RE relocation of an object for a kernel, as libbpf would (bpf_object__relocate_core), and follows the programs to tell
 * which poisoned instructions they reach.
 */
export function relocateCore(object: BpfObject, kernel: Btf, options: CoreOptions = {}): CoreReport {
  const { btf } = object;
  const outcomes: CoreOutcome[] = [];
  const patchable = new Map<number, PatchableCode>();
  if (btf === undefined) return reportOf(object, outcomes, new Map(), options);
  const relocator = new CoreRelocator(btf, [kernel, ...(options.modules ?? [])]);
  for (const relocation of object.coreRelocations) {
    const { kind, typeId, access, function: fn, offset } = relocation;
    if (fn === undefined || kind === undefined) {
      outcomes.push({ relocation, refused: fn === undefined ? 'it belongs to no function' : 'its kind is unknown' });
      continue;
    }
    const looked = kind === 'local_type_id' ? undefined : relocator.lookUp(typeId);
    const found = looked === undefined ? {} : { found: looked };
    try {
      const resolution = relocator.relocate(typeId, access, CORE_KINDS.indexOf(kind));
      let code = patchable.get(fn.sectionIndex);
      if (code === undefined) {
        code = new PatchableCode(object.instructions(fn.sectionIndex).bytes, object.littleEndian);
        patchable.set(fn.sectionIndex, code);
      }
      outcomes.push({ relocation, ...found, resolution, patch: code.apply(offset / INSN_BYTES, resolution) });
    } catch (error) {
      // What is kelf's own limit is no refusal of libbpf's.
      if (!(error instanceof CoreError) && !(isFormatError(error) && error.code !== 'limit')) throw error;
      const ambiguity = error instanceof CoreError ? error.ambiguity : undefined;
      outcomes.push({ relocation, ...found, refused: error.message, ...(ambiguity === undefined ? {} : { ambiguity }) });
    }
  }
  const code = new Map<number, Instructions>();
  for (const [section, { bytes }] of patchable)
    code.set(section, new Instructions(bytes, object.littleEndian, object.elf.sections[section]!.label));
  return reportOf(object, outcomes, code, options);
}

/** What CO-RE leaves constants for in comparisons, and what it asks. */
const DECIDING: ReadonlySet<string> = new Set([
  'field_exists',
  'type_exists',
  'type_matches',
  'type_size',
  'byte_sz',
  'enumval_exists',
  'enumval_value',
]);

function reportOf(
  object: BpfObject,
  outcomes: readonly CoreOutcome[],
  code: ReadonlyMap<number, Instructions>,
  options: CoreOptions,
): CoreReport {
  const walks = new Walks(object, outcomes, code, options);
  const judged = outcomes.map(outcome => {
    const { patch, relocation } = outcome;
    if (patch?.kind !== 'poisoned') return outcome;
    return { ...outcome, poison: walks.poisonAt(relocation.function!, relocation.offset / INSN_BYTES) };
  });
  return {
    outcomes: judged,
    code,
    reached: (program, data) => walks.reached(program, data),
    contextReads: program => walks.contextReads(program),
  };
}

/** Looks at a poisoned instruction twice: first with CO-RE's answers alone, then with the values of read-only data too. */
class Walks {
  readonly #plain: WalksOf;
  readonly #withData: WalksOf;

  constructor(
    object: BpfObject,
    outcomes: readonly CoreOutcome[],
    code: ReadonlyMap<number, Instructions>,
    { kconfig, isMissing }: CoreOptions,
  ) {
    const origins = new Map<number, Map<number, string>>();
    for (const { relocation, patch } of outcomes) {
      const { function: fn, kind, offset, text } = relocation;
      if (fn === undefined || patch?.kind !== 'patched' || !DECIDING.has(kind ?? '')) continue;
      let origin = origins.get(fn.sectionIndex);
      if (origin === undefined) origins.set(fn.sectionIndex, (origin = new Map()));
      origin.set(offset / INSN_BYTES, question(text));
    }
    const context = (data: boolean) => (section: number) => ({
      origin: origins.get(section) ?? new Map<number, string>(),
      data,
      ...(kconfig === undefined ? {} : { kconfig }),
      ...(isMissing === undefined ? {} : { isMissing }),
    });
    this.#plain = new WalksOf(object, code, context(false));
    this.#withData = new WalksOf(object, code, context(true), this.#plain);
  }

  poisonAt(fn: BpfFunction, slot: number): CorePoison {
    const plain = this.#plain.at(fn, slot);
    if (plain.reachedBy.length === 0) return { ...plain, byData: false };
    const withData = this.#withData.at(fn, slot);
    return { ...withData, byData: withData.reachedBy.length === 0 };
  }

  reached(program: BpfProgram, data: boolean): ReadonlyMap<BpfFunction, ReadonlySet<number>> {
    return (data ? this.#withData : this.#plain).reached(program);
  }

  contextReads(program: BpfProgram): ReadonlySet<number> {
    return this.#withData.contextReads(program);
  }
}

/** Functions that are handed the context in different ways are followed once for each; more than these no program has. */
const MOST_CALLS = 64;

/** The walks through an object's functions, each made once. */
class WalksOf {
  readonly #object: BpfObject;
  readonly #code: ReadonlyMap<number, Instructions>;
  readonly #context: (section: number) => ReachContext;
  readonly #withoutData: WalksOf | undefined;
  readonly #reach = new Map<BpfFunction, Reach>();
  /** What may be gone through to tell which tests skip poisoned instructions; beyond it none is named. */
  readonly #steps = { left: 1 << 24 };
  readonly #loaded = new Map<BpfProgram, ReadonlySet<BpfFunction>>();
  #programs: ReadonlyMap<BpfFunction, readonly string[]> | undefined;

  /** @param withoutData the walks that take no values of read-only data: where none is loaded, they are the same */
  constructor(
    object: BpfObject,
    code: ReadonlyMap<number, Instructions>,
    context: (section: number) => ReachContext,
    withoutData?: WalksOf,
  ) {
    this.#object = object;
    this.#code = code;
    this.#context = context;
    this.#withoutData = withoutData;
  }

  /** The programs that reach a slot of a function, and what decides the tests that skip it. */
  at(fn: BpfFunction, slot: number): { readonly reachedBy: readonly string[]; readonly guards: readonly string[] } {
    const reach = this.#reachOf(fn);
    const reachedBy = reach.slots.has(slot) ? this.#programsOf(fn) : [];
    const guards = new Set(
      reach.branches.filter(branch => leadsTo(this.#codeOf(fn), fn, branch, slot, this.#steps)).flatMap(({ because }) => because),
    );
    return { reachedBy, guards: [...guards] };
  }

  reached(program: BpfProgram): ReadonlyMap<BpfFunction, ReadonlySet<number>> {
    return new Map([...this.#functionsOf(program)].map(fn => [fn, this.#reachOf(fn).slots]));
  }

  /** Those of the functions that are handed the context, too. */
  contextReads(program: BpfProgram): ReadonlySet<number> {
    const { contextReads, contextCalls } = this.#reachOf(program);
    const reads = new Set(contextReads);
    const seen = new Set<string>();
    const open = [...contextCalls];
    for (let call = open.pop(); call !== undefined && seen.size < MOST_CALLS; call = open.pop()) {
      const { callee, register, offset } = call;
      const key = `${callee.sectionIndex}:${callee.offset}:${register}:${offset}`;
      if (seen.has(key)) continue;
      seen.add(key);
      const reach = reachOf(this.#object, callee, this.#codeOf(callee), this.#context(callee.sectionIndex), { register, offset });
      for (const read of reach.contextReads) reads.add(read);
      open.push(...reach.contextCalls);
    }
    return reads;
  }

  /** The names of the programs that reach a function. */
  #programsOf(fn: BpfFunction): readonly string[] {
    if (this.#programs === undefined) {
      const programs = new Map<BpfFunction, string[]>();
      for (const program of this.#object.programs) {
        for (const reached of this.#functionsOf(program)) {
          const known = programs.get(reached);
          if (known === undefined) programs.set(reached, [program.name]);
          else known.push(program.name);
        }
      }
      this.#programs = programs;
    }
    return this.#programs.get(fn) ?? [];
  }

  /** The functions that a program reaches, itself among them: as many as are loaded with it. @throws FormatError `limit` */
  #functionsOf(program: BpfProgram): ReadonlySet<BpfFunction> {
    let found = this.#loaded.get(program);
    if (found === undefined) {
      const all = new Set<BpfFunction>([program]);
      // A set gives what is added while it is gone through, too.
      const loaded = new Set(this.#object.subprogramsOf(program));
      for (const fn of all) for (const callee of this.#reachOf(fn).calls) if (loaded.has(callee)) all.add(callee);
      this.#loaded.set(program, (found = all));
    }
    return found;
  }

  #reachOf(fn: BpfFunction): Reach {
    let reach = this.#reach.get(fn);
    if (reach === undefined) {
      const plain = this.#withoutData === undefined ? undefined : this.#withoutData.#reachOf(fn);
      reach = plain?.loadsData === false ? plain : reachOf(this.#object, fn, this.#codeOf(fn), this.#context(fn.sectionIndex));
      this.#reach.set(fn, reach);
    }
    return reach;
  }

  #codeOf({ sectionIndex }: BpfFunction): Instructions {
    return this.#code.get(sectionIndex) ?? this.#object.instructions(sectionIndex);
  }
}

/** `field_exists of struct request.rq_disk` from `<field_exists> [12] struct request.rq_disk (0:1 @ offset 8)`. */
function question(text: string): string {
  return text.replace(/^<(\w+)> \[\d+\] /, '$1 of ').replace(/ \([\d:]+ @ offset [\d.]+\)$/, '');
}

/** Whether the way that a branch does not take leads to a slot, by any path. */
function leadsTo(code: Instructions, fn: BpfFunction, { notTaken }: DecidedBranch, slot: number, steps: { left: number }): boolean {
  const first = fn.offset / INSN_BYTES;
  const end = first + fn.instructionCount;
  const seen = new Set<number>();
  const open = [notTaken];
  for (let at = open.pop(); at !== undefined && steps.left > 0; at = open.pop()) {
    steps.left--;
    if (at === slot) return true;
    if (at < first || at >= end || seen.has(at)) continue;
    seen.add(at);
    open.push(...successors(code, at));
  }
  return false;
}
