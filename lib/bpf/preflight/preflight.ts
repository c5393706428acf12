import type { Btf } from '../../../btf/btf.js';
import { essentialName } from '../../../btf/core-compat.js';
import { accepted, refused, said, untold, type Verdict } from '../../evidence.js';
import { expectKernel, type KernelFacts } from '../../facts/kernel-facts.js';
import { INSN_BYTES } from '../code/insn.js';
import type { FeatureName, FeatureSection } from '../features/feature.js';
import { externName } from '../load/extern-target.js';
import { missingTypes } from '../load/missing-types.js';
import { type CoreReport, relocateCore } from '../load/relocate-core.js';
import type { SectionDefinition, SectionMeaning } from '../names/section-names.js';
import type { BpfMap } from '../object/maps.js';
import type { BpfObject } from '../object/object.js';
import type { BpfFunction, BpfProgram } from '../object/programs.js';
import { contextVerdict } from './context-checks.js';
import { ExternChecks } from './extern-checks.js';
import { KernelFeatures, probably } from './features.js';
import { HelperChecks, isGpl, licenseSays, OVERRIDE_RETURN } from './helper-checks.js';
import { LIBBPF, type Loader } from './loaders.js';
import { againstMap, errnoAgainst } from './map-rules.js';
import { PreflightModules } from './modules.js';
import { overrideVerdict } from './override-check.js';
import { structOpsVerdict } from './struct-ops-check.js';
import { TargetChecks } from './target-checks.js';

/** What a finding is about. */
export type FindingKind = 'program-type' | 'attach-type' | 'helper' | 'core' | 'target' | 'map' | 'extern' | 'struct_ops' | 'object';

/** One thing that a program, or its object, needs of a kernel. */
export interface Finding {
  readonly kind: FindingKind;
  /** `bpf_get_func_ip`, `map events`, `fentry on do_exit` */
  readonly subject: string;
  readonly verdict: Verdict;
  /** The feature of the kernel that it is about: where it is listed, and its name there. */
  readonly feature?: FeatureName;
  /** Of the object's findings: the programs that use it. libbpf refuses the object all the same. */
  readonly usedBy?: readonly string[];
}

/** `fails` where something would be refused; `open` where nothing would, but not all can be told. */
export type CheckOutcome = 'passes' | 'fails' | 'open';

export interface ProgramCheck {
  readonly program: string;
  readonly section: string;
  /** False with a `?` in the section's name: it is loaded only where the tool asks for it. */
  readonly autoload: boolean;
  /** Of the program's own findings and of the object's. */
  readonly outcome: CheckOutcome;
  readonly findings: readonly Finding[];
}

/** What an object needs, and whether a kernel has it. */
export interface ObjectCheck {
  readonly programs: readonly ProgramCheck[];
  /** Of what is created or resolved before any program is loaded: maps, externs, struct_ops. One that is refused keeps all programs out. */
  readonly findings: readonly Finding[];
}

/** What neither the object nor the kernel's image tells. */
export const NOT_TOLD =
  "not told by files: the verifier's verdict, what the tool changes before it loads, permissions, lockdown, lsm= and other settings at run time";

/** Asks one kernel about objects: what is read of the kernel is read once. */
export class Preflight {
  readonly kernel: KernelFacts;
  readonly #features: KernelFeatures;
  readonly #targets: TargetChecks;
  readonly #modules: PreflightModules;
  readonly #helpers: HelperChecks;
  readonly #loader: Loader;

  /**
   * @param kernel with `modules` where what these have counts too: read them with `types`
   * @param loader whose rules decide what is refused before the kernel sees it
   */
  constructor(kernel: KernelFacts, loader: Loader = LIBBPF) {
    expectKernel(kernel, 'kernel');
    this.kernel = kernel;
    this.#loader = loader;
    this.#features = new KernelFeatures(kernel);
    this.#helpers = new HelperChecks(kernel, this.#features);
    this.#modules = new PreflightModules(kernel);
    this.#targets = new TargetChecks(kernel, this.#modules);
  }

  /** Whether the programs of an object would load and attach, as the loader does it. */
  check(object: BpfObject): ObjectCheck {
    const externs = new ExternChecks(this.kernel, this.#modules, object.btf);
    const verdicts = new Map(object.externs.map(extern => [extern.name, externs.verdict(extern)]));
    const { btf } = this.kernel;
    const core =
      btf === undefined
        ? undefined
        : relocateCore(object, btf, {
            modules: this.#modulesFor(object, btf),
            kconfig: name => externs.value(name),
            isMissing: name => verdicts.get(name)?.code === 'weak-extern',
          });
    const uses = usesOf(object);
    const { unknown } = this.#features;
    const bpf: Finding[] = unknown === undefined ? [] : [{ kind: 'object', subject: 'bpf(2)', verdict: unknown }];
    const findings = [
      ...bpf,
      ...this.#byteOrder(object),
      ...this.#objectFindings(object, core),
      ...this.#mapFindings(object, uses),
      ...this.#opsFindings(object),
    ];
    for (const extern of object.externs) {
      const { name, kind } = extern;
      const feature: Pick<Finding, 'feature'> = kind === 'kfunc' ? about('kfuncs', externName(extern)) : {};
      findings.push({ kind: 'extern', subject: `${kind} ${name}`, verdict: verdicts.get(name)!, ...feature, usedBy: users(uses, name) });
    }
    const programs = object.programs.map((program): ProgramCheck => {
      const own = [
        ...this.#programFindings(object, program, core),
        ...missingCalls(object, program, core, verdicts, this.#modules),
        ...externUses(object, program, externs, verdicts, this.#loader.license(object)),
      ];
      const { autoload } = program.meaning;
      return { program: program.name, section: program.section, autoload, outcome: outcomeOf([...own, ...findings]), findings: own };
    });
    return { programs, findings };
  }

  #byteOrder(object: BpfObject): Finding[] {
    if (object.littleEndian === this.kernel.littleEndian) return [];
    const [own, kernels] = [object, this.kernel].map(({ littleEndian }) => (littleEndian ? 'little' : 'big'));
    const end = {
      libbpf: 'libbpf does not load it (before 1.6 it does not open it)',
      cilium: 'cilium/ebpf does not load it',
      aya: 'the kernel refuses its instructions',
    };
    const says = `the object is ${own} endian, the kernel ${kernels} endian: ${end[this.#loader.name]}`;
    return [{ kind: 'object', subject: 'byte order', verdict: refused('wrong-byte-order', undefined, said('ELF header', says)) }];
  }

  /** What the loader refuses as it opens the object, and relocations of subprograms, which may be of any program. */
  #objectFindings(object: BpfObject, core: CoreReport | undefined): Finding[] {
    const { title, unknownCore } = this.#loader;
    const refusals = this.#loader.refusals(object).map(({ part, says, errno }): Finding => {
      return { kind: 'object', subject: part, verdict: refused('object-refused', errno, said(title, says)) };
    });
    const strange = object.coreRelocations.filter(({ kind }) => kind !== undefined && unknownCore.includes(kind));
    for (const { text } of strange.slice(0, 1))
      refusals.push({
        kind: 'core',
        subject: text,
        verdict: refused('core-refused', undefined, said(title, 'it does not know this kind of relocation')),
      });
    return [...refusals, ...coreRefusals(core, fn => fn === undefined || fn.meaning === undefined)];
  }

  #mapFindings(object: BpfObject, uses: ReadonlyMap<BpfProgram, ReadonlySet<string>>): Finding[] {
    return object.maps
      .filter(({ autocreate, origin }) => autocreate && (origin !== 'legacy' || this.#loader.makesLegacyMaps))
      .map(map => this.#loader.filled(map))
      .map(
        (map): Finding => ({
          kind: 'map',
          subject: `map ${map.name} (${map.typeName})`,
          verdict: this.#mapVerdict(map),
          ...about('mapTypes', map.typeName),
          usedBy: users(uses, map.name),
        }),
      )
      .filter(isTold);
  }

  /** Of maps that the object defines itself, what the kernel says of their sizes, too. */
  #mapVerdict(map: BpfMap): Verdict {
    const verdict = this.#features.map(map);
    const says = map.origin === 'btf' || map.origin === 'legacy' ? againstMap(map) : undefined;
    if (verdict.outcome !== 'accepted' || says === undefined) return verdict;
    return refused('map-refused', errnoAgainst(map), said('.maps', `${says}: as it stands, unless the tool sets it before it loads`));
  }

  #opsFindings(object: BpfObject): Finding[] {
    return object.structOps
      .filter(({ autocreate }) => autocreate)
      .map(ops => ({
        kind: 'struct_ops',
        subject: `struct_ops ${ops.name} (${ops.typeName})`,
        verdict: structOpsVerdict(object, ops, this.kernel, this.#modules),
        ...about('structOps', essentialName(ops.typeName)),
      }));
  }

  #programFindings(object: BpfObject, program: BpfProgram, core: CoreReport | undefined): Finding[] {
    const meaning = this.#loader.meaning(program);
    const { definition, name } = meaning;
    if (definition === undefined) {
      const says = `it knows no section ${name}: the program has no type unless the tool sets one`;
      return [{ kind: 'program-type', subject: name, verdict: refused('unknown-section', 'EINVAL', said(this.#loader.title, says)) }];
    }
    if (!program.typed) {
      const says = `its symbol has no type, as clang up to 7 wrote it: ${this.#loader.title} finds no program there`;
      return [{ kind: 'program-type', subject: name, verdict: refused('untyped-function', undefined, said('.symtab', says)) }];
    }
    const type = probably(this.#features.programType(definition.type));
    const findings: Finding[] = [
      { kind: 'program-type', subject: `program type ${definition.type}`, verdict: type, ...about('programTypes', definition.type) },
    ];
    const attachType = this.#features.attachType(definition);
    if (attachType !== undefined) {
      const feature = about('attachTypes', definition.attachType!);
      findings.push({ kind: 'attach-type', subject: `attach type ${definition.attachType}`, verdict: attachType, ...feature });
    }
    const license = this.#loader.license(object);
    findings.push(...this.#license(license, definition));
    for (const { id, verdict } of this.#helpers.verdicts(object, program, { meaning, license }, core)) {
      const name = this.#features.helperName(id);
      findings.push({ kind: 'helper', subject: name, verdict, ...about('helpers', name) });
      const override = id === OVERRIDE_RETURN && verdict.outcome === 'accepted' ? overrideVerdict(this.kernel, meaning) : undefined;
      if (override !== undefined) findings.push({ kind: 'helper', subject: `bpf_override_return on ${meaning.target}`, verdict: override });
    }
    if (core === undefined) {
      if (object.coreRelocations.length > 0) {
        const verdict = refused('no-btf', 'ESRCH', said('.BTF', `${this.kernel.name} has no BTF, which CO-RE relocations need`));
        findings.push({ kind: 'core', subject: 'CO-RE', verdict });
      }
    } else
      findings.push(
        ...coreRefusals(core, fn => fn === program),
        ...this.#foundInModules(core, program),
        ...poisonOf(core, program, this.#modules),
      );
    for (const [i, { subject, verdict }] of this.#targets.verdicts({ meaning }).entries())
      findings.push({ kind: 'target', subject, verdict, ...(i === 0 ? featureOfTarget(meaning) : {}) });
    const context = contextVerdict(this.kernel, meaning, core?.contextReads(program) ?? new Set());
    if (context !== undefined) findings.push({ kind: 'target', subject: `arguments of ${meaning.target}`, verdict: context });
    if (definition.type === 'struct_ops' && !isMember(object, program)) {
      const { title } = this.#loader;
      const says = `no struct_ops refers to it: ${title} does not load it`;
      findings.push({ kind: 'struct_ops', subject: program.name, verdict: refused('object-refused', 'EINVAL', said(title, says)) });
    }
    return findings.filter(isTold);
  }

  /** bpf_lsm_verify_prog(), check_struct_ops_btf_id(): their programs have to be under the GPL, whatever they call. */
  #license(license: string | undefined, { type }: SectionDefinition): Finding[] {
    if ((type !== 'lsm' && type !== 'struct_ops') || isGpl(license)) return [];
    const says = `${licenseSays(license)}, and programs of type ${type} are for the GPL only`;
    return [{ kind: 'program-type', subject: 'license', verdict: refused('gpl-only', 'EINVAL', said('license', says)) }];
  }

  /** The BTF of the modules that have a type which CO-RE relocations are about, and which the kernel itself does not have. */
  #modulesFor(object: BpfObject, kernel: Btf): Btf[] {
    if (this.kernel.modules === undefined) return [];
    return [...new Set(missingTypes(object, kernel).flatMap(name => this.#modules.withType(name).map(found => found.btf)))];
  }

  /** A finding for each module whose types a program's relocations were found in. */
  #foundInModules(core: CoreReport, program: BpfProgram): Finding[] {
    const types = new Map<string, Set<string>>();
    for (const { relocation, resolution } of core.outcomes) {
      const { targetBtf, target } = resolution ?? {};
      if (relocation.function !== program || target === undefined || targetBtf === undefined || targetBtf === this.kernel.btf) continue;
      const names = types.get(targetBtf.name) ?? new Set();
      types.set(targetBtf.name, names.add(targetBtf.nameOf(target.rootTypeId)));
    }
    return [...types].map(([source, names]) => {
      const verdict = this.#modules.in(
        'the module',
        accepted('proven', said(source, `it has ${[...names].join(', ')}, which the kernel itself lacks`)),
      );
      return { kind: 'core', subject: `CO-RE of ${[...names].join(', ')}`, verdict };
    });
  }
}

function about(section: FeatureSection, name: string): { readonly feature: FeatureName } {
  return { feature: { section, name } };
}

/** What the target of a section is of itself a feature; others are functions of the kernel, or of user space. */
function featureOfTarget({ definition, target }: SectionMeaning): Pick<Finding, 'feature'> {
  if (target === undefined || target === '') return {};
  switch (definition?.grammar) {
    case 'iterator':
      return about('iterators', target);
    case 'lsm':
      return about('lsmHooks', target);
    case 'raw-tracepoint':
      return about('tracepoints', target);
    case 'tracepoint':
      return about('tracepoints', target.slice(target.indexOf('/') + 1));
    default:
      return {};
  }
}

/** Unknown features are reported once, for the object. */
function isTold({ verdict }: Finding): boolean {
  return verdict.code !== 'features-unknown';
}

function coreRefusals(core: CoreReport | undefined, isOf: (fn: BpfFunction | undefined) => boolean): Finding[] {
  return (core?.outcomes ?? []).flatMap(({ relocation, refused: why, ambiguity }): Finding[] => {
    if (why === undefined || !isOf(relocation.function)) return [];
    if (ambiguity?.modules !== undefined) {
      const [first, second] = ambiguity.modules;
      const says = `insn ${relocation.instruction}: ${why}; only if ${first.name} and ${second.name} are both loaded`;
      return [{ kind: 'core', subject: relocation.text, verdict: untold('core-refused', said('.BTF.ext', says)) }];
    }
    const verdict = refused('core-refused', 'EINVAL', said('.BTF.ext', `insn ${relocation.instruction}: ${why}`));
    return [{ kind: 'core', subject: relocation.text, verdict }];
  });
}

/** One finding for each relocation that became a poisoned instruction that the program reaches or that its tests skip. */
function poisonOf(core: CoreReport, program: BpfProgram, modules: PreflightModules): Finding[] {
  return core.outcomes.flatMap(({ relocation, resolution, poison }): Finding[] => {
    if (poison === undefined || relocation.function === undefined) return [];
    const { instruction, text } = relocation;
    if (poison.reachedBy.includes(program.name)) {
      const verdict = refused(
        'core-poisoned',
        'EINVAL',
        said('.BTF.ext', `insn ${instruction}: the kernel does not have it, and no test skips it`),
      );
      // A type of the kernel's own is taken before those of its modules.
      return [{ kind: 'core', subject: text, verdict: resolution?.candidates.length === 0 ? modules.unless(verdict) : verdict }];
    }
    if (relocation.function !== program) return [];
    const guards = poison.guards.length === 0 ? 'no code reaches it' : poison.guards.join(', ');
    const says = `insn ${instruction}: the kernel does not have it; ${guards}${poison.byData ? ', as long as read-only data stays as it is' : ''}`;
    return [
      { kind: 'core', subject: text, verdict: accepted(poison.byData ? 'likely' : 'proven', said('.BTF.ext', says), 'core-guarded') },
    ];
  });
}

/**
 * Calls of weak kfuncs that the kernel does not have, if the program reaches them: libbpf turns them into instructions that the kernel
 * refuses.
 */
function missingCalls(
  object: BpfObject,
  program: BpfProgram,
  core: CoreReport | undefined,
  externs: ReadonlyMap<string, Verdict>,
  modules: PreflightModules,
): Finding[] {
  const names = new Set<string>();
  for (const [fn, slots] of core?.reached(program, true) ?? []) {
    for (const { offset, meaning } of object.relocationsIn(fn.sectionIndex, fn.offset, fn.offset + fn.size)) {
      if (meaning.kind !== 'extern' || !meaning.call || !slots.has(offset / INSN_BYTES)) continue;
      if (externs.get(meaning.name)?.code === 'weak-extern') names.add(meaning.name);
    }
  }
  return [...names].map(name => {
    const [evidence] = externs.get(name)!.because;
    const verdict = refused('unresolved-extern', 'EINVAL', said(evidence!.source, `${evidence!.says}, and no test skips the call`));
    return { kind: 'extern', subject: `call of ${name}`, verdict: modules.unless(verdict) };
  });
}

/** Whether a member of a struct_ops is set to a program. */
function isMember(object: BpfObject, program: BpfProgram): boolean {
  return object.structOps.some(({ sectionIndex, offset, size }) =>
    object
      .relocationsIn(sectionIndex, offset, offset + size)
      .some(({ meaning }) => meaning.kind === 'function' && meaning.function === program),
  );
}

/**
 * What the verifier says of the externs of all code that is loaded with a program, whether it is reached or not (resolve_pseudo_ldimm64,
 * add_kfunc_call): ids of types, and calls of kfuncs, which are for the GPL only.
 */
function externUses(
  object: BpfObject,
  program: BpfProgram,
  externs: ExternChecks,
  verdicts: ReadonlyMap<string, Verdict>,
  license: string | undefined,
): Finding[] {
  const findings = new Map<string, Finding>();
  const add = (subject: string, verdict: Verdict | undefined): void => {
    if (verdict !== undefined) findings.set(subject, { kind: 'extern', subject, verdict });
  };
  for (const fn of [program, ...object.subprogramsOf(program)]) {
    for (const { meaning } of object.relocationsIn(fn.sectionIndex, fn.offset, fn.offset + fn.size)) {
      if (meaning.kind !== 'extern' || meaning.extern === undefined) continue;
      const { name, extern, call } = meaning;
      if (!call) add(`type id of ${name}`, externs.typeId(extern));
      else if (verdicts.get(name)?.code !== 'weak-extern' && !isGpl(license))
        add(`call of ${name}`, refused('gpl-only', 'EINVAL', said('license', `${licenseSays(license)}, and kfuncs are for the GPL only`)));
    }
  }
  return [...findings.values()];
}

/** The maps and externs that each program refers to, by name. */
function usesOf(object: BpfObject): ReadonlyMap<BpfProgram, ReadonlySet<string>> {
  return new Map(
    object.programs.map(program => {
      const names = new Set<string>();
      for (const fn of [program, ...object.subprogramsOf(program)]) {
        for (const { meaning } of object.relocationsIn(fn.sectionIndex, fn.offset, fn.offset + fn.size)) {
          if (meaning.kind === 'map') names.add(meaning.map.name);
          if (meaning.kind === 'extern') names.add(meaning.name);
        }
      }
      return [program, names];
    }),
  );
}

function users(uses: ReadonlyMap<BpfProgram, ReadonlySet<string>>, name: string): string[] {
  return [...uses].filter(([, names]) => names.has(name)).map(([program]) => program.name);
}

/** The result of a list of findings. */
export function outcomeOf(findings: readonly Finding[]): CheckOutcome {
  if (findings.some(({ verdict }) => verdict.outcome === 'refused')) return 'fails';
  return findings.some(({ verdict }) => verdict.outcome === 'open') ? 'open' : 'passes';
}

/** Whether a program fails the check. One in `SEC("?…")` is not loaded by itself, and what is open is no failure. */
export function programFails({ autoload, outcome }: ProgramCheck): boolean {
  return autoload && outcome === 'fails';
}

/**
 * Whether what an object needs as a whole fails the check. That is needed whichever programs are loaded, even if there are none: in an object of
 * struct_ops alone.
 */
export function objectFails({ findings }: ObjectCheck): boolean {
  return outcomeOf(findings) === 'fails';
}

/** The exit rule of `kelf bpf check`: whether no program fails, and no object. */
export function checkPasses(checks: Iterable<ObjectCheck>): boolean {
  for (const check of checks) if (objectFails(check) || check.programs.some(programFails)) return false;
  return true;
}
