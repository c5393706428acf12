import type { TypeId } from '../../../btf/ids.js';
import { functionRow } from '../../facts/function-row.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { sitesOf } from '../../rules/sites.js';

/**
 * Functions with BTF that may serve instead of one that has none: those it was inlined into; those whose names contain it, `VERB_NAME`
 * first, since wrappers are named so; then its neighbours in its source file.
 * @param callers names of functions that hold its code
 */
export function substitutes(
  kernel: KernelFacts,
  name: string,
  callers: readonly string[],
  most: number,
): { name: string; prototype: string; says: string }[] {
  const { functions, btf, symbols } = kernel;
  const sites = sitesOf(kernel);
  if (btf === undefined) return [];
  const own = functions.find(name)[0];
  const file = own === undefined ? undefined : functionRow(kernel, own).file;
  const nearby = own === undefined ? [] : neighbours(kernel, own, file);
  const words = new Set(name.split('_').filter(word => word.length > 2));
  const candidates = new Map<string, { id: TypeId; score: number; says: string }>();
  const holding = callers.flatMap(caller => functions.find(caller));
  const containing = symbols.rowsWith(name).flatMap(symbolRow => functions.ofSymbol(symbolRow) ?? []);
  for (const row of [...new Set([...holding, ...nearby, ...containing])].sort((a, b) => a - b)) {
    const other = functions.name(row);
    const ids = btf.find(other, 'FUNC');
    if (ids.length === 0) continue;
    const holds = holding.includes(row);
    const near = nearby.includes(row);
    const contains = other !== name && other.includes(name);
    if (!sites.hasLive(functions.symbolRow[row]!) || !symbols.index.isOnly(symbols.find(other)[0]!)) continue;
    const shared = other.split('_').filter(word => words.has(word)).length;
    if (!holds && !contains && shared === 0) continue;
    const says = [
      ...(holds ? [`the code of ${name} is inlined there`] : []),
      ...(contains ? [`its name contains ${name}`] : []),
      ...(near ? [`it is in ${file ?? 'the same file'}`] : []),
    ].join(', ');
    const likeness = (contains ? 100 : 0) + (other.endsWith(`_${name}`) ? 50 : 0) + (near ? 20 : 0) + shared * 10 - other.length / 100;
    candidates.set(other, { id: ids[0]!, score: (holds ? 1000 : 0) + likeness, says });
  }
  return [...candidates]
    .sort((a, b) => b[1].score - a[1].score)
    .slice(0, most)
    .map(([other, { id, says }]) => ({ name: other, prototype: btf.prototype(id), says }));
}

/**
 * The functions of the same source file: those between the file's first and last local function. Global functions have no file in
 * `.symtab`, but the linker keeps an object's text together.
 */
function neighbours(kernel: KernelFacts, own: number, file: string | undefined): number[] {
  const { functions, symbols } = kernel;
  const images = kernel.pieces.imageSymbols();
  if (images === undefined || file === undefined) return [];
  const fileOf = (row: number): string | undefined => images.symbolOf(symbols, functions.symbolRow[row]!)?.file;
  const rows: number[] = [own];
  // A run of functions of other files ends it; global ones have no file and are passed over.
  for (const step of [-1, 1]) {
    const pending: number[] = [];
    for (let row = own + step; row >= 0 && row < functions.count && pending.length < 64; row += step) {
      const other = fileOf(row);
      if (other !== undefined && other !== file) break;
      pending.push(row);
      if (other === file) rows.push(...pending.splice(0));
    }
    rows.push(...pending);
  }
  return rows;
}
