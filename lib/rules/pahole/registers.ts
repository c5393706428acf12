import { registerName } from '../../../elf/dwarf/code-names.js';
import { proven } from './described.js';
import type { Entry, EntryParameter } from './entry.js';
import { definitions } from './prototypes.js';
import type { Rule, Subject } from './rule.js';

// Where parameters are when a function is entered, compared with where the ABI passes them.

/** A parameter is in another register than the ABI passes it in (a53c581, 9b2abc1, 111dfd2); a function that takes a struct is let pass. */
export const unexpectedRegister: Rule = subject => {
  const { machine, arch } = subject.kernel;
  const expected = arch.pahole.registers;
  for (const entry of definitions(subject)) {
    if (entry.parameters.some(({ struct }) => struct !== undefined)) continue;
    const index = entry.parameters
      .slice(0, expected.length)
      .findIndex((parameter, i) => isElsewhere(parameter, expected[i]!, subject.version));
    if (index < 0) continue;
    const { name = '?', register = 0 } = entry.parameters[index]!;
    const says = `parameter ${index + 1}, ${name}, is in ${registerName(machine, register)} at the entry of ${entry.prototype} in ${entry.unit}; the ABI passes it in ${registerName(machine, expected[index]!)}`;
    return proven('pahole-unexpected-register', symbolOf(subject, entry), says);
  }
  return undefined;
};

/** Since 1.28 an entry of the list that is the expected register's value at the entry of the function makes up for it (da2f7e5). */
function isElsewhere({ register, entryRegisters }: EntryParameter, expected: number, version: number | undefined): boolean {
  if (register === undefined || register > 31 || register === expected) return false;
  return (version !== undefined && version < 128) || !entryRegisters.includes(expected);
}

/** A packed struct is passed on the stack: where its parts are is not certain (4a1f0c9, 1.31). */
export const packedStruct: Rule = subject => {
  const most = subject.kernel.arch.pahole.inRegisters;
  for (const entry of definitions(subject)) {
    const index = entry.parameters.findIndex(({ struct }, i) => i >= most && struct === 'packed');
    if (index < 0) continue;
    const { name = '?', type } = entry.parameters[index]!;
    const says = `parameter ${index + 1}, ${type} ${name}, is packed and passed on the stack: ${entry.prototype}, of ${entry.unit}`;
    return proven('pahole-packed-struct', symbolOf(subject, entry), says);
  }
  return undefined;
};

/** The code takes its parameters in another order than the source (109e5e4, 1.32). */
export const reorderedParameters: Rule = subject => {
  for (const entry of definitions(subject)) {
    const origins = entry.parameters.map(({ origin }) => origin).filter(origin => origin >= 0);
    if (entry.address === undefined || !origins.some((origin, i) => i > 0 && origin < origins[i - 1]!)) continue;
    const order = entry.parameters.map(({ name = '?' }) => name).join(', ');
    return proven(
      'pahole-reordered-parameters',
      symbolOf(subject, entry),
      `its code takes the parameters in the order ${order}: ${entry.unit}`,
    );
  }
  return undefined;
};

/** A clone whose parameters were dropped or changed, so that it is not called by the ABI (fb8328e, 1.32). */
export const changedParameters: Rule = subject => {
  const { kernel, clones } = subject;
  const most = kernel.arch.pahole.inRegisters;
  for (const entry of definitions(subject)) {
    const symbol = clones.find(({ address, name }) => address === entry.address && /\.(isra|constprop)/.test(name));
    if (symbol === undefined && !entry.nocall) continue;
    const index = entry.parameters.slice(0, most).findIndex(({ located, register }) => !located || register === undefined);
    if (index < 0) continue;
    const { name = '?' } = entry.parameters[index]!;
    const what = symbol === undefined ? `${entry.name}, marked as not to be called by the ABI (DW_CC_nocall),` : symbol.name;
    return proven(
      'pahole-optimized-parameters',
      symbolOf(subject, entry),
      `${what} does not take parameter ${index + 1}, ${name}: ${entry.prototype}, of ${entry.unit}`,
    );
  }
  return undefined;
};

function symbolOf({ symbols, clones }: Subject, { address }: Entry): Subject['symbols'][number] | undefined {
  return [...symbols, ...clones].find(symbol => symbol.address === address) ?? symbols[0] ?? clones[0];
}
