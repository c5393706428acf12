import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import { cellOf } from '../rows/columns.js';
import type { Difference } from './difference.js';
import type { Side, Sides } from './sides.js';

/** Prototypes that differ, of functions that both kernels have a FUNC of: which parameter, from what to what. */
export function* prototypeChanges(sides: Sides): Generator<Difference> {
  const others = sides.new.names();
  const [before, after] = [sides.old.functions().prototype, sides.new.functions().prototype];
  for (const [name, row] of sides.old.names()) {
    const other = others.get(name);
    if (other === undefined) continue;
    const old = cellOf(before, row);
    const now = cellOf(after, other);
    if (old === undefined || now === undefined || old.text === now.text) continue;
    const change = prototypeChange(name, { text: old.text, btf: sides.old.kernel.btf! }, { text: now.text, btf: sides.new.kernel.btf! });
    if (isShared(sides.old, row) || isShared(sides.new, other))
      yield {
        ...change,
        effect: 'changes',
        says: `several functions share the name, and BTF may describe another of them: ${change.says}`,
      };
    else yield change;
  }
}

/** Whether another function has the name: rows stand in the order of names. */
function isShared(side: Side, row: number): boolean {
  const { name } = side.functions();
  return name[row + 1] === name[row];
}

/** A prototype in words, and where it is from. */
interface Written {
  readonly text: string;
  readonly btf: Btf;
}

/** How the prototypes of the FUNCs of a name differ. */
export function prototypeChange(name: string, old: Written, now: Written): Difference {
  const { says, renamesAlone } = compare(signatureOf(old.btf, name), signatureOf(now.btf, name));
  return { kind: 'prototypes', change: 'changed', effect: renamesAlone ? 'changes' : 'breaks', name, old: old.text, new: now.text, says };
}

interface Parameter {
  readonly name: string;
  readonly type: string;
}

interface Signature {
  readonly returns: string;
  readonly parameters: readonly Parameter[];
}

function signatureOf(btf: Btf, name: string): Signature {
  const id = ownFunc(btf, name);
  const type = id === undefined ? undefined : btf.type(id);
  return type?.kind === 'FUNC' ? signatureOfProto(btf, type.typeId) : { returns: '', parameters: [] };
}

/** The first FUNC of a name; of a module's BTF, whose kernel may have the name too, its own. */
export function ownFunc(btf: Btf, name: string): TypeId | undefined {
  const ids = btf.find(name, 'FUNC');
  return ids.find(id => id >= btf.firstId) ?? ids[0];
}

function signatureOfProto(btf: Btf, id: TypeId): Signature {
  const type = btf.type(id);
  if (type.kind !== 'FUNC_PROTO') return { returns: '', parameters: [] };
  return {
    returns: btf.declaration(type.returnTypeId),
    parameters: [
      ...type.parameters.map(({ name, typeId }) => ({ name, type: btf.declaration(typeId) })),
      ...(type.variadic ? [{ name: '', type: '...' }] : []),
    ],
  };
}

/** Kernels have no function with more; a damaged blob may. */
const MOST_PARAMETERS = 64;

/** What differs, in words. A parameter that is elsewhere because of others that came or went is not told of. */
function compare(old: Signature, now: Signature): { readonly says: string; readonly renamesAlone: boolean } {
  const most = Math.max(old.parameters.length, now.parameters.length);
  if (most > MOST_PARAMETERS)
    return { says: `${now.parameters.length} parameters, not ${old.parameters.length}: too many to compare`, renamesAlone: false };
  const parts: string[] = [];
  const renamed: string[] = [];
  if (old.returns !== now.returns) parts.push(`it returns ${now.returns}, not ${old.returns}`);
  for (const [before, after] of aligned(old.parameters, now.parameters)) {
    if (before === undefined) parts.push(`parameter ${after!.at + 1} is new: ${text(after!)}`);
    else if (after === undefined) parts.push(`parameter ${before.at + 1} is gone: ${text(before)}`);
    else {
      const which = `parameter ${before.at + 1}${before.name === '' ? '' : ` ${before.name}`}`;
      const name = before.name === after.name ? [] : [`is called ${after.name === '' ? 'nothing' : after.name}`];
      if (before.type !== after.type) parts.push([`${which} is ${after.type}, not ${before.type}`, ...name].join(', '));
      else if (name.length > 0) renamed.push(`${which} ${name[0]}`);
    }
  }
  return { says: [...parts, ...renamed].join('; '), renamesAlone: parts.length === 0 };
}

interface Placed extends Parameter {
  readonly at: number;
}

/**
 * Parameters of the same name, else of the same type, are the same one, in the order of both (the longest common subsequence); between such, one stands
 * for the one at its place.
 */
function aligned(old: readonly Parameter[], now: readonly Parameter[]): [Placed | undefined, Placed | undefined][] {
  const weight = (i: number, j: number): number => {
    const [a, b] = [old[i]!, now[j]!];
    const name = a.name !== '' && a.name === b.name;
    return name && a.type === b.type ? 4 : name ? 3 : a.type === b.type ? 2 : 0;
  };
  // best[i][j]: the weight of what follows parameter i of the one and j of the other.
  const best = Array.from({ length: old.length + 1 }, () => new Array<number>(now.length + 1).fill(0));
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = now.length - 1; j >= 0; j--) {
      const both = weight(i, j);
      best[i]![j] = Math.max(best[i + 1]![j]!, best[i]![j + 1]!, both > 0 ? both + best[i + 1]![j + 1]! : 0);
    }
  const pairs: [number | undefined, number | undefined][] = [];
  let loose: [number[], number[]] = [[], []];
  const settle = (): void => {
    const [left, right] = loose;
    for (let k = 0; k < Math.max(left.length, right.length); k++) pairs.push([left[k], right[k]]);
    loose = [[], []];
  };
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const both = i < old.length && j < now.length ? weight(i, j) : 0;
    if (both > 0 && best[i]![j] === both + best[i + 1]![j + 1]!) {
      settle();
      pairs.push([i++, j++]);
    } else if (j >= now.length || (i < old.length && best[i + 1]![j]! >= best[i]![j + 1]!)) loose[0].push(i++);
    else loose[1].push(j++);
  }
  settle();
  const placed = (list: readonly Parameter[], at: number | undefined): Placed | undefined =>
    at === undefined ? undefined : { ...list[at]!, at };
  return pairs.map(([a, b]) => [placed(old, a), placed(now, b)]);
}

function text({ name, type }: Parameter): string {
  return name === '' ? type : `${type} ${name}`;
}
