import type { Btf } from '../../btf/btf.js';
import type { TypeId } from '../../btf/ids.js';
import type { Kind } from '../../btf/kinds.js';
import { listed, similarNames } from '../similar-names.js';
import { glob, isPattern } from './glob.js';

/** The types that a name, or a pattern, stands for. @param kinds undefined for all */
export function typesNamed(btf: Btf, name: string, kinds: ReadonlySet<Kind> | undefined): TypeId[] {
  const ids = isPattern(name) ? matching(btf, glob(name)) : btf.find(name);
  return ids.filter(id => kinds === undefined || kinds.has(btf.kindOf(id)));
}

function matching(btf: Btf, wanted: (name: string) => boolean): TypeId[] {
  const ids: TypeId[] = [];
  for (let id = btf.firstId; id < btf.count; id++) if (btf.nameOffset(id) !== 0 && wanted(btf.nameOf(id))) ids.push(id);
  return ids;
}

/** That nothing has the names, and what is near: of other kinds too. */
export function noType(path: string, btf: Btf, missing: readonly string[], kind: string | undefined): string {
  const near = missing.filter(name => !isPattern(name)).flatMap(name => nearTypes(btf, name));
  return [`${path} has no ${kind ?? 'type'} called ${missing.join(', ')}`, ...near].join('; ');
}

function nearTypes(btf: Btf, name: string): string[] {
  // `struct task_struct`, as C has it.
  const [, bare] = /^(?:struct|union|enum) (.+)$/.exec(name) ?? [];
  if (bare !== undefined) return btf.find(bare).length > 0 ? [`give the name alone: ${bare}`] : nearTypes(btf, bare);
  const kinds = [...new Set(btf.find(name).map(id => btf.kindOf(id).toLowerCase()))];
  if (kinds.length > 0) return [`${name} is a ${kinds.join(' and a ')}`];
  const names = new Set<string>();
  for (let id = btf.firstId; id < btf.count; id++) if (btf.nameOffset(id) !== 0) names.add(btf.nameOf(id));
  const similar = similarNames(name, names);
  return similar.length === 0 ? [] : [`similar names: ${listed(similar)}`];
}
