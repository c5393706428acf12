import type { ModuleInstance, ModuleRow, ModuleTable } from '../../facts/module-table/module-table.js';
import { once } from '../../facts/once.js';
import type { Difference, DifferenceKind } from './difference.js';
import { compareEnumerators, enumeratorNames } from './enumerators.js';
import { ownFunc, prototypeChange } from './prototypes.js';
import type { OwnTypes, Side, Sides } from './sides.js';
import { compareTypes, compositeNames } from './types.js';

/**
 * What changed in the modules that were read of both kernels: modules that are gone or new, and of the others their functions, prototypes and types.
 * Kfuncs of modules are among those of kernels.
 */
export function* moduleChanges({ old, new: now }: Sides, kinds: ReadonlySet<DifferenceKind>): Generator<Difference> {
  const [before, after] = [old.kernel.modules, now.kernel.modules];
  if (before === undefined || after === undefined) return;
  const [functions, others] = [functionsOf(before), functionsOf(after)];
  const paths = pathsOf(after);
  const inKernel = { old: once(() => typeNames(old)), new: once(() => typeNames(now)) };
  for (const { name: module, path } of before.modules) {
    const other = paths.get(module);
    if (other === undefined) {
      if (kinds.has('functions'))
        yield { kind: 'functions', change: 'gone', effect: 'breaks', name: module, module, says: 'the whole module' };
      continue;
    }
    const shared = yield* compareFunctions(module, functions.get(module) ?? new Map(), others.get(module) ?? new Map(), kinds);
    if (!['prototypes', 'types', 'enumerators'].some(kind => kinds.has(kind as DifferenceKind))) continue;
    const [one, two] = [ownTypes(before, path), ownTypes(after, other)];
    if (one === undefined || two === undefined) continue;
    // A type that several modules have stands in the kernel's BTF instead, where the kernel uses it too.
    for (const change of compareBtf(one, two, shared, kinds))
      if (!(change.change === 'gone' && inKernel.new().has(change.name)) && !(change.change === 'new' && inKernel.old().has(change.name)))
        yield { ...change, module };
  }
  if (!kinds.has('functions')) return;
  const known = pathsOf(before);
  for (const { name: module } of after.modules)
    if (!known.has(module)) yield { kind: 'functions', change: 'new', effect: 'adds', name: module, module, says: 'the whole module' };
}

type Functions = ReadonlyMap<string, ModuleInstance>;

/** The first path of each module. */
function pathsOf({ modules }: ModuleTable): Map<string, string> {
  return new Map([...modules].reverse().map(({ name, path }) => [name, path]));
}

/** Functions by module and name, clones left out. */
function functionsOf(table: ModuleTable): Map<string, Map<string, ModuleInstance>> {
  const found = new Map<string, Map<string, ModuleInstance>>();
  for (let row = 0; row < table.count; row++) {
    const instance = table.at(row as ModuleRow);
    if (instance.name.includes('.')) continue;
    const known = found.get(instance.module);
    if (known === undefined) found.set(instance.module, new Map([[instance.name, instance]]));
    else if (!known.has(instance.name)) known.set(instance.name, instance);
  }
  return found;
}

/** @returns the names that both have a FUNC of */
function* compareFunctions(
  module: string,
  old: Functions,
  now: Functions,
  kinds: ReadonlySet<DifferenceKind>,
): Generator<Difference, string[]> {
  const shared: string[] = [];
  for (const [name, one] of old) {
    const two = now.get(name);
    if (two === undefined) {
      if (kinds.has('functions')) yield { kind: 'functions', change: 'gone', effect: 'breaks', name, module };
      continue;
    }
    if (one.btf && two.btf) shared.push(name);
    if (kinds.has('btf') && one.btf !== two.btf)
      yield { kind: 'btf', change: one.btf ? 'gone' : 'new', effect: one.btf ? 'breaks' : 'adds', name, module };
    if (kinds.has('verdicts') && one.site !== two.site) {
      yield {
        kind: 'verdicts',
        change: one.site ? 'refused' : 'accepted',
        effect: one.site ? 'breaks' : 'adds',
        name,
        module,
        field: 'ftrace',
        old: siteText(one.site),
        new: siteText(two.site),
      };
    }
  }
  if (kinds.has('functions'))
    for (const name of now.keys()) if (!old.has(name)) yield { kind: 'functions', change: 'new', effect: 'adds', name, module };
  return shared;
}

function siteText(site: boolean): string {
  return site ? 'an ftrace site' : 'no ftrace site';
}

/** The structs, unions and enumerators of a kernel, by the names that differences have. */
function typeNames({ kernel: { btf } }: Side): ReadonlySet<string> {
  return btf === undefined ? new Set() : new Set([...compositeNames({ btf, first: 1 }), ...enumeratorNames({ btf, first: 1 })]);
}

function ownTypes(table: ModuleTable, path: string): OwnTypes | undefined {
  const btf = table.btfOf(path);
  return btf === undefined ? undefined : { btf, first: btf.firstId };
}

function* compareBtf(old: OwnTypes, now: OwnTypes, shared: readonly string[], kinds: ReadonlySet<DifferenceKind>): Generator<Difference> {
  if (kinds.has('prototypes'))
    for (const name of shared) {
      const [one, two] = [ownFunc(old.btf, name), ownFunc(now.btf, name)];
      if (one === undefined || two === undefined) continue;
      const [was, is] = [old.btf.prototype(one), now.btf.prototype(two)];
      if (was !== is) yield prototypeChange(name, { text: was, btf: old.btf }, { text: is, btf: now.btf });
    }
  if (kinds.has('types')) yield* compareTypes(old, now);
  if (kinds.has('enumerators')) yield* compareEnumerators(old, now);
}
