import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import type { Errno, Evidence } from '../../evidence.js';
import { expectKernel, type KernelFacts } from '../../facts/kernel-facts.js';
import { REASONS, type ReasonCode } from '../../reasons.js';
import { type Audit, auditKernel } from '../audit.js';
import { BtfAbsence, type MissingBtfOptions } from '../missing-btf/missing-btf.js';
import { traceabilityOf } from '../trace/traceability.js';
import { PrototypeComparison } from './compare-types.js';
import type { CFunction } from './ctype.js';
import { fixOf } from './fixes.js';
import { figureOf } from './limits.js';
import { type Asked, decide } from './mechanisms.js';
import { ModuleRequirement } from './module-requirement.js';
import type { RequiredFunction, RequiredLimit, Requirements } from './requirements.js';
import type { ListPlace } from './yaml.js';

/** One requirement, and whether the kernel meets it. */
export interface CheckItem {
  readonly part: 'functions' | 'limits';
  /** The function, `MODULE:NAME` where the list names a module, or the figure. */
  readonly name: string;
  /** The mechanism, `prototype`, or `at most N`. */
  readonly needs: string;
  /** `open` where the file does not tell: a gate is not passed by it. */
  readonly outcome: 'passed' | 'failed' | 'open';
  /** One sentence. */
  readonly says: string;
  readonly code?: ReasonCode;
  readonly errno?: Errno;
  /** What to do about it. */
  readonly fix?: string;
  /** Which of several prototypes the kernel has. */
  readonly variant?: string;
  readonly because: readonly Evidence[];
  /** Where the list requires it. */
  readonly at: ListPlace & { readonly file: string };
}

/** The result of checking a kernel against a list. */
export interface CheckResult {
  /** Every requirement is met. */
  readonly ok: boolean;
  /** In the order of the list. */
  readonly items: readonly CheckItem[];
}

/**
 * Compares a kernel with a list of requirements.
 * @param options of the answers on missing BTF
 * @throws MissingError where nothing names the kernel's functions; FormatError for damage
 */
export function checkKernel(kernel: KernelFacts, requirements: Requirements, options: MissingBtfOptions = {}): CheckResult {
  expectKernel(kernel, 'kernel');
  const checker = new Checker(kernel, requirements.file, options);
  const items = [
    ...requirements.functions.flatMap(required => checker.checkFunction(required)),
    ...requirements.limits.map(limit => checker.checkLimit(limit)),
  ];
  return { ok: items.every(({ outcome }) => outcome === 'passed'), items };
}

/** More modules than these are not opened for the prototypes of one name. */
const MOST_OPENED = 64;

class Checker {
  readonly #kernel: KernelFacts;
  readonly #file: string;
  readonly #options: MissingBtfOptions;
  readonly #absence: BtfAbsence;
  readonly #comparisons = new Map<Btf, PrototypeComparison>();
  #audit: Audit | undefined;

  constructor(kernel: KernelFacts, file: string, options: MissingBtfOptions) {
    this.#kernel = kernel;
    this.#file = file;
    this.#options = options;
    this.#absence = new BtfAbsence(kernel, options);
  }

  checkFunction(required: RequiredFunction): CheckItem[] {
    const { needs, prototypes, module } = required;
    const kernel = this.#kernel;
    const at = { file: this.#file, ...required.at };
    const name = module === undefined ? required.name : `${module}:${required.name}`;
    const common = { part: 'functions', name, at } as const;
    if (module !== undefined && kernel.modules === undefined) {
      const says = `the modules of ${kernel.name} were not read`;
      return needs.map(needs => ({ ...common, needs, outcome: 'open', says, fix: 'pass --modules DIR', because: [] }));
    }
    const asked: Asked = { answer: traceabilityOf(kernel).answer(required.name), missingBtf: () => this.#absence.answer(required.name) };
    const inModules = kernel.modules === undefined ? undefined : new ModuleRequirement(kernel, asked.answer, module);
    // Where the kernel itself has the name, that is the one that is meant.
    const ofModules = module !== undefined || (asked.answer.functions.length === 0 && (inModules?.functions ?? []).length > 0);
    const items = needs.map((mechanism): CheckItem => {
      const verdict = ofModules ? inModules!.decide(mechanism) : decide(mechanism, asked);
      if (verdict === undefined) {
        const says = 'kelf does not check this for functions in modules';
        return { ...common, needs: mechanism, outcome: 'open', says, fix: 'require kprobe or fentry instead', because: [] };
      }
      const { outcome, code, errno, because } = inModules === undefined || ofModules ? verdict : inModules.ofKernel(mechanism, verdict);
      const item = { ...common, needs: mechanism, because };
      if (outcome === 'accepted') return { ...item, outcome: 'passed', says: REASONS.accepted };
      return {
        ...item,
        outcome: outcome === 'refused' ? 'failed' : 'open',
        says: REASONS[code],
        code,
        ...(errno === undefined ? {} : { errno }),
        fix: ofModules && inModules!.functions.length > 0 ? fixIn(inModules!, code) : this.#fix(required.name, code, mechanism, asked),
      };
    });
    return prototypes.length === 0 ? items : [...items, this.#checkPrototype(required, name, asked, ofModules ? inModules : undefined)];
  }

  /** The places of the functions of an ambiguous name, the functions with BTF instead of one without, or what holds for the reason. */
  #fix(name: string, code: ReasonCode, mechanism: string, { answer, missingBtf }: Asked): string {
    if (code === 'ambiguous-name') {
      const places = answer.functions.flatMap(({ function: { anchor, file } }) =>
        anchor === undefined ? [] : [`p:${anchor}${file === undefined ? '' : ` (${file})`}`],
      );
      if (places.length > 0) return `probe one of them by its address: ${places.slice(0, 4).join(', ')}${places.length > 4 ? ' …' : ''}`;
    }
    if (code === 'no-btf-func' || mechanism === 'btf') {
      const instead = missingBtf().instead.slice(0, 3);
      if (instead.length > 0) return `these have BTF and can be traced: ${instead.map(other => other.name).join(', ')}`;
    }
    if (code === 'no-symbol') {
      const clones = this.#kernel.definitions.clones(name).slice(0, 3);
      if (clones.length > 0) return `the compiler left only ${clones.map(clone => clone.name).join(', ')}`;
    }
    return fixOf(code);
  }

  /** The FUNCs of a required function: the kernel's, or those of the modules that have it. */
  #functions(name: string, inModules: ModuleRequirement | undefined): { btf: Btf; id: TypeId; source: string }[] {
    const { btf, btfSource, modules } = this.#kernel;
    if (inModules === undefined) return (btf?.find(name, 'FUNC') ?? []).map(id => ({ btf: btf!, id, source: btfSource! }));
    const paths = new Set(inModules.functions.map(each => each.function.path));
    return [...paths].slice(0, MOST_OPENED).flatMap(path => {
      const own = modules!.btfOf(path);
      const ids = own?.find(name, 'FUNC').filter(id => id >= own.firstId) ?? [];
      return ids.map(id => ({ btf: own!, id, source: `${path}: .BTF` }));
    });
  }

  #difference(prototype: CFunction, { btf, id }: { btf: Btf; id: TypeId }): string | undefined {
    const type = btf.type(id);
    let comparison = this.#comparisons.get(btf);
    if (comparison === undefined) this.#comparisons.set(btf, (comparison = new PrototypeComparison(btf)));
    return type.kind === 'FUNC' ? comparison.difference(prototype, type.typeId) : undefined;
  }

  #checkPrototype(required: RequiredFunction, name: string, { missingBtf }: Asked, inModules: ModuleRequirement | undefined): CheckItem {
    const { prototypes, at } = required;
    const common = { part: 'functions', name, needs: 'prototype', at: { file: this.#file, ...at } } as const;
    const functions = this.#functions(required.name, inModules);
    if (functions.length === 0) {
      const { code, because } = inModules?.decide('btf') ?? missingBtf();
      return {
        ...common,
        outcome: 'open',
        says: `the prototype is unknown: ${REASONS[code]}`,
        code,
        fix: `kelf explain ${code}`,
        because,
      };
    }
    const because = functions.map(({ btf, id, source }) => ({ source, says: `FUNC [${id}] ${btf.prototype(id)}` }));
    const tried = prototypes.map(({ name, prototype }) => ({
      name,
      differences: functions.map(each => this.#difference(prototype.type, each)),
    }));
    const found = tried.find(({ differences }) => differences.includes(''));
    if (found !== undefined) return { ...common, outcome: 'passed', says: `has ${found.name}`, variant: found.name, because };
    const undecided = tried.some(({ differences }) => differences.includes(undefined));
    const says = tried.map(
      ({ name, differences }) => `${tried.length > 1 ? `${name}: ` : ''}${differences[0] ?? 'its types are nested too deeply to compare'}`,
    );
    return {
      ...common,
      outcome: undecided ? 'open' : 'failed',
      says: says.join('; '),
      fix: `${inModules === undefined ? 'the kernel' : 'the module'} has ${functions[0]!.btf.prototype(functions[0]!.id)}`,
      because,
    };
  }

  checkLimit({ figure, code, most, at }: RequiredLimit): CheckItem {
    this.#audit ??= auditKernel(this.#kernel, this.#options);
    const { count, says, examples } = figureOf(this.#audit, figure, code);
    const common = { part: 'limits', name: figure, needs: `at most ${most}`, because: [], at: { file: this.#file, ...at } } as const;
    const named = examples.length === 0 ? '' : `: ${examples.join(', ')}${count > examples.length ? ' …' : ''}`;
    if (count <= most) return { ...common, outcome: 'passed', says: `${count} ${says}` };
    return {
      ...common,
      outcome: 'failed',
      says: `${count} ${says}${named}`,
      ...(code === undefined ? {} : { code }),
      fix: 'kelf audit counts them by reason',
    };
  }
}

/** The places of the functions of a name in modules, where it is the name that is refused. */
function fixIn({ functions }: ModuleRequirement, code: ReasonCode): string {
  const places =
    code !== 'ambiguous-name' ? [] : functions.filter(({ kprobe }) => kprobe.outcome === 'accepted').map(({ probe }) => `p:${probe}`);
  if (places.length === 0) return fixOf(code);
  return `probe one of them by its address: ${places.slice(0, 4).join(', ')}${places.length > 4 ? ' …' : ''}`;
}
