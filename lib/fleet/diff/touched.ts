import type { Btf } from '../../../btf/btf.js';
import { essentialName } from '../../../btf/core-compat.js';
import { type CoreSpec, coreSubject } from '../../../btf/core-spec.js';
import { syscallSymbols } from '../../answers/trace/syscall.js';
import { featuresFor } from '../../bpf/features/for-object.js';
import type { BpfObject } from '../../bpf/object/object.js';
import { Preflight } from '../../bpf/preflight/preflight.js';
import { matchesPattern } from '../../bpf/preflight/target-checks.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { Difference, DifferenceKind } from './difference.js';
import { featureName } from './features.js';
import { EVERY_FUNCTION } from './verdicts.js';

/** What programs depend on in a kernel, by the names that changes have. */
export class Touched {
  readonly #names = new Map<DifferenceKind, Set<string>>();
  readonly #patterns: string[] = [];
  readonly #kernels: readonly KernelFacts[];

  /** @param kernels those that are compared: a system call has other functions in each */
  constructor(kernels: readonly KernelFacts[]) {
    this.#kernels = kernels;
  }

  /** A function, in whatever is told of functions. */
  addFunction(name: string): void {
    this.#add(['functions', 'prototypes', 'verdicts', 'btf', 'kfuncs', 'exports'], name);
  }

  /** What an object attaches to, what it reads, and what of BPF it uses. */
  addObject(object: BpfObject): void {
    this.#addFeatures(object);
    for (const { meaning } of object.programs) this.#addTarget(meaning.definition?.grammar, meaning.target);
    for (const { kind, name } of object.externs) {
      if (kind === 'kconfig') this.#add(['config'], name);
      else this.addFunction(essentialName(name));
    }
    for (const { spec } of object.coreRelocations) if (spec !== undefined && object.btf !== undefined) this.#addAccess(object.btf, spec);
  }

  /** Whether a change is one of what programs depend on. */
  readonly has = ({ kind, name, module }: Difference): boolean => {
    if (name === EVERY_FUNCTION) return true;
    const names = this.#names.get(kind);
    if (kind === 'types') return names !== undefined && this.#hasType(names, withoutKind(name));
    if (kind === 'functions' || kind === 'prototypes' || kind === 'verdicts' || kind === 'btf')
      if (module === undefined && this.#patterns.some(pattern => matchesPattern(name, pattern))) return true;
    return names?.has(kind === 'enumerators' ? withoutKind(name) : name) === true;
  };

  /** The struct itself, a member, or what a member that is touched has inside. */
  #hasType(names: ReadonlySet<string>, name: string): boolean {
    const steps = name.split('.');
    return names.has(name) || steps.some((_, i) => i > 1 && names.has(steps.slice(0, i).join('.')));
  }

  /** What either kernel is asked for when the object is loaded. */
  #addFeatures(object: BpfObject): void {
    for (const kernel of this.#kernels)
      for (const { section, feature } of featuresFor(new Preflight(kernel), object))
        this.#add(['features'], featureName(section, feature.name));
  }

  #addTarget(grammar: string | undefined, target: string | undefined): void {
    if (target === undefined || target === '') return;
    const name = target.slice(target.lastIndexOf(':') + 1);
    if (grammar === 'kprobe') this.addFunction(name.replace(/\+.*/, ''));
    else if (grammar === 'kprobe-pattern' || grammar === 'btf-pattern') this.#patterns.push(name);
    else if (grammar === 'btf-function') this.addFunction(name);
    else if (grammar === 'lsm') this.addFunction(`bpf_lsm_${name}`);
    else if (grammar === 'iterator') this.addFunction(`bpf_iter_${name}`);
    else if (grammar === 'syscall') this.#addSyscall(name);
    else if (grammar === 'tracepoint' || grammar === 'raw-tracepoint') this.#addTracepoint(name.slice(name.lastIndexOf('/') + 1));
  }

  #addSyscall(name: string): void {
    this.#add(['syscalls'], name);
    for (const kernel of this.#kernels) for (const { symbol } of syscallSymbols(kernel, name)) this.addFunction(symbol);
  }

  #addTracepoint(name: string): void {
    this.#add(['tracepoints'], name);
    const call = /^sys_(?:enter|exit)_(.+)$/.exec(name)?.[1];
    if (call !== undefined) this.#add(['syscalls'], call);
  }

  /** Each member on the way of an access, under the struct with a name that has it. */
  #addAccess(btf: Btf, spec: CoreSpec): void {
    const { accessors, kind, rootTypeId } = spec;
    const root = essentialName(nameOf(btf, rootTypeId));
    if (coreSubject(kind) === 'enum') {
      this.#add(['enumerators'], `${root === '' ? '' : `${root}.`}${essentialName(accessors[0]?.name ?? '')}`);
      return;
    }
    this.#add(['types'], root);
    let [owner, path] = [root, ''];
    for (const { typeId, index, name } of accessors) {
      const type = btf.type(typeId);
      if (name === undefined) {
        if (path !== '') path += '[0]';
        const element = essentialName(nameOf(btf, typeId));
        if (path !== '' && element !== '') [owner, path] = [element, ''];
        continue;
      }
      path = path === '' ? name : `${path}.${name}`;
      this.#add(['types'], `${owner}.${path}`);
      if (type.kind !== 'STRUCT' && type.kind !== 'UNION') continue;
      const inner = nameOf(btf, btf.resolve(type.members[index]!.typeId));
      if (inner !== '') {
        [owner, path] = [essentialName(inner), ''];
        this.#add(['types'], owner);
      }
    }
  }

  #add(kinds: readonly DifferenceKind[], name: string): void {
    for (const kind of kinds) {
      const known = this.#names.get(kind);
      if (known === undefined) this.#names.set(kind, new Set([name]));
      else known.add(name);
    }
  }
}

/** The name of a type, or of the first typedef to it. */
function nameOf(btf: Btf, id: number): string {
  return btf.nameOf(id) || btf.nameOf(btf.resolve(id));
}

/** `task_struct.state` of `struct task_struct.state` */
export function withoutKind(name: string): string {
  return name.replace(/^(?:struct|union|enum) /, '');
}
