import { proven } from './described.js';
import type { Entry } from './entry.js';
import type { Rule, Subject } from './rule.js';

// What pahole compares between all entries of a name since 1.25, also those of functions that were inlined everywhere.

/** The entries that pahole looks at: all but declarations (f104790). */
export function definitions({ dwarf, name }: Subject): readonly Entry[] {
  return dwarf?.under(name).entries.filter(({ kind }) => kind !== 'declaration') ?? [];
}

/** The prototypes of two entries differ: both are shown (f104790, 4d17096, 4bff114). */
export const inconsistentByDwarf: Rule = subject => {
  const [first, ...others] = definitions(subject);
  if (first === undefined) return undefined;
  const differ = subject.version !== undefined && subject.version <= 127 ? differByText : differByType;
  const other = others.find(entry => differ(first, entry));
  if (other === undefined) return undefined;
  const lines = [first, other].map(entry => `${entry.prototype}, of ${placed(entry)}`);
  return proven('pahole-inconsistent-prototypes', subject.symbols[0] ?? subject.clones[0], ...lines);
};

/** 1.25 to 1.27: the numbers of parameters, then the text without their names. What returns nothing is taken for equal. */
function differByText(a: Entry, b: Entry): boolean {
  if (a.parameters.length !== b.parameters.length) return true;
  if (a.parameters.length === 0 || (a.returns === 'void' && b.returns === 'void')) return false;
  return textOf(a) !== textOf(b);
}

function textOf({ returns, parameters }: Entry): string {
  return [returns, ...parameters.map(({ type }) => type.replaceAll(/\b(const|volatile|restrict) ?/g, ''))].join(', ');
}

/** Since 1.28: their return types and parameters as BTF has them. */
function differByType(a: Entry, b: Entry): boolean {
  return (
    a.parameters.length !== b.parameters.length ||
    a.returns !== b.returns ||
    a.parameters.some(({ comparable }, i) => comparable !== b.parameters[i]!.comparable)
  );
}

/** `drivers/tty/tty_io.c (inlined everywhere there)` */
function placed({ unit, declared, address }: Entry): string {
  const where = declared === undefined || declared.startsWith(`${unit}:`) ? (declared ?? unit) : `${unit} (${declared})`;
  return address === undefined ? `${where}, without code of its own` : `${where}, at 0x${address.toString(16)}`;
}
