import { type Audit, auditKernel } from '../answers/audit.js';
import { BtfAbsence, type MissingBtfOptions } from '../answers/missing-btf.js';
import type { Errno, Evidence } from '../evidence.js';
import type { Kernel } from '../kernel.js';
import { REASONS, type ReasonCode } from '../reasons.js';
import { PrototypeComparison } from './compare-types.js';
import { fixOf } from './fixes.js';
import { figureOf } from './limits.js';
import { type Asked, decide } from './mechanisms.js';
import type { RequiredFunction, RequiredLimit, Requirements } from './requirements.js';
import type { ListPlace } from './yaml.js';

/** One requirement, and whether the kernel meets it. */
export interface CheckItem {
  readonly part: 'functions' | 'limits';
  /** The function, or the figure. */
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

/** What a kernel makes of a list. */
export interface CheckResult {
  /** Every requirement is met. */
  readonly ok: boolean;
  /** In the order of the list. */
  readonly items: readonly CheckItem[];
}

/**
 * Compares a kernel with a list of what it has to have.
 * @param options of the answers on missing BTF
 * @throws MissingError where nothing names the kernel's functions; FormatError for damage
 */
export function checkKernel(kernel: Kernel, requirements: Requirements, options: MissingBtfOptions = {}): CheckResult {
  const checker = new Checker(kernel, requirements.file, options);
  const items = [
    ...requirements.functions.flatMap(required => checker.checkFunction(required)),
    ...requirements.limits.map(limit => checker.checkLimit(limit)),
  ];
  return { ok: items.every(({ outcome }) => outcome === 'passed'), items };
}

class Checker {
  readonly #kernel: Kernel;
  readonly #file: string;
  readonly #options: MissingBtfOptions;
  readonly #absence: BtfAbsence;
  readonly #comparison: PrototypeComparison | undefined;
  #audit: Audit | undefined;

  constructor(kernel: Kernel, file: string, options: MissingBtfOptions) {
    this.#kernel = kernel;
    this.#file = file;
    this.#options = options;
    this.#absence = new BtfAbsence(kernel, options);
    this.#comparison = kernel.btf === undefined ? undefined : new PrototypeComparison(kernel.btf);
  }

  checkFunction(required: RequiredFunction): CheckItem[] {
    const { name, needs, prototypes } = required;
    const kernel = this.#kernel;
    const asked: Asked = { answer: kernel.traceability(name), missingBtf: () => this.#absence.answer(name) };
    const at = { file: this.#file, ...required.at };
    const items = needs.map((mechanism): CheckItem => {
      const { ok, code, errno, because } = decide(mechanism, asked);
      const common = { part: 'functions', name, needs: mechanism, because, at } as const;
      if (ok === true) return { ...common, outcome: 'passed', says: REASONS.accepted };
      return {
        ...common,
        outcome: ok === false ? 'failed' : 'open',
        says: REASONS[code],
        code,
        ...(errno === undefined ? {} : { errno }),
        fix: this.#fix(name, code, mechanism, asked),
      };
    });
    return prototypes.length === 0 ? items : [...items, this.#checkPrototype(required, asked)];
  }

  /** The places of the functions of an ambiguous name, the functions with BTF in place of one without, or what holds for the reason. */
  #fix(name: string, code: ReasonCode, mechanism: string, { answer, missingBtf }: Asked): string {
    if (code === 'ambiguous-name') {
      const places = answer.functions.flatMap(({ function: { anchor, file } }) =>
        anchor === undefined ? [] : [`p:${anchor}${file === undefined ? '' : ` (${file})`}`],
      );
      if (places.length > 0) return `probe one of them by its place: ${places.slice(0, 4).join(', ')}${places.length > 4 ? ' …' : ''}`;
    }
    if (code === 'no-btf-func' || mechanism === 'btf') {
      const instead = missingBtf().instead.slice(0, 3);
      if (instead.length > 0) return `these have BTF and can be traced: ${instead.map(other => other.name).join(', ')}`;
    }
    if (code === 'no-symbol') {
      const clones = this.#kernel.facts.clones(name).slice(0, 3);
      if (clones.length > 0) return `the compiler left ${clones.map(clone => clone.name).join(', ')} of it`;
    }
    return fixOf(code);
  }

  #checkPrototype({ name, prototypes, at }: RequiredFunction, { missingBtf }: Asked): CheckItem {
    const { btf, btfSource } = this.#kernel;
    const common = { part: 'functions', name, needs: 'prototype', at: { file: this.#file, ...at } } as const;
    const ids = btf?.find(name, 'FUNC') ?? [];
    if (btf === undefined || this.#comparison === undefined || ids.length === 0) {
      const { code, because } = missingBtf();
      return {
        ...common,
        outcome: 'open',
        says: `the prototype is not known: ${REASONS[code]}`,
        code,
        fix: `kelf explain ${code}`,
        because,
      };
    }
    const because = ids.map(id => ({ source: btfSource!, says: `FUNC [${id}] ${btf.prototype(id)}` }));
    const tried = prototypes.map(({ name, prototype }) => {
      const differences = ids.map(id => {
        const type = btf.type(id);
        return type.kind === 'FUNC' ? this.#comparison!.difference(prototype.type, type.typeId) : undefined;
      });
      return { name, differences };
    });
    const found = tried.find(({ differences }) => differences.includes(''));
    if (found !== undefined) return { ...common, outcome: 'passed', says: `has ${found.name}`, variant: found.name, because };
    const undecided = tried.some(({ differences }) => differences.includes(undefined));
    const says = tried.map(
      ({ name, differences }) => `${tried.length > 1 ? `${name}: ` : ''}${differences[0] ?? 'its types are too deep to be compared'}`,
    );
    return {
      ...common,
      outcome: undecided ? 'open' : 'failed',
      says: says.join('; '),
      fix: `the kernel has ${btf.prototype(ids[0]!)}`,
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
