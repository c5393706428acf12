import type { Evidence } from '../../evidence.js';
import type { Definition } from '../../facts/definitions.js';
import type { ReasonCode } from '../../reasons.js';
import type { Entry } from './entry.js';
import type { Reason, Rule, Subject } from './rule.js';

// Rules that DWARF settles for every release: whether it describes the function at all, in which language, with which names.

/** DW_LANG_*, DWARF 5 §7.12. */
const LANGUAGE = { assembly: 0x8001, rust: 0x1c } as const;

/** The entries of DWARF for the code that the symbols of a name, or its clones, are at. */
export function entriesAtSymbols({ name, symbols, clones, dwarf }: Subject): Entry[] {
  if (dwarf === undefined) return [];
  return [...symbols, ...clones].flatMap(({ address }) => {
    const { entry } = dwarf.at(address);
    return entry?.name === name ? [entry] : [];
  });
}

/** Rust units are left out by --lang_exclude=rust, which kernels pass since 6.3 (49358df, pahole 1.24). */
export const rustUnit: Rule = subject => {
  const { dwarf, symbols, name } = subject;
  const units = symbols.flatMap(({ address }) => dwarf?.at(address).unit ?? []);
  if (units.length === 0 || !units.every(({ language }) => language === LANGUAGE.rust)) return undefined;
  return proven('pahole-rust', symbols[0], `${name} is of ${units[0]!.name}, which is written in Rust`);
};

/** No entry describes the code of the symbol by its name: pahole, which goes from entries to symbols, never meets it. */
export const undescribed: Rule = subject => {
  const { dwarf, symbols, name } = subject;
  const [symbol] = symbols;
  if (dwarf === undefined || symbol === undefined || entriesAtSymbols(subject).length > 0) return undefined;
  const tool = MADE_BY_TOOL.find(({ prefix }) => name.startsWith(prefix));
  if (tool !== undefined)
    return proven('pahole-no-debug-info', symbol, `${tool.by} makes ${tool.prefix}*, in front of a function: no source has it`);
  const { unit, entry, inside } = dwarf.at(symbol.address);
  if (entry !== undefined) return otherName(subject, symbol, entry);
  if (inside !== undefined) {
    return proven('pahole-assembly', symbol, `${name} is a label inside of ${inside}(), made by asm(): no entry describes it`);
  }
  if (unit?.language === LANGUAGE.assembly) {
    return proven('pahole-assembly', symbol, `its code is of ${unit.name}, written in assembly: no entry describes it`);
  }
  if (unit !== undefined) {
    return proven('pahole-assembly', symbol, `its code is of ${unit.name}, and no entry describes it: it is written as asm() there`);
  }
  const macro = WRITTEN_BY_MACRO.find(({ prefix }) => name.startsWith(prefix));
  if (macro !== undefined) {
    return proven(
      'pahole-assembly',
      symbol,
      `no unit has code there: ${macro.by} writes ${macro.prefix}* as asm() in a section of its own`,
    );
  }
  // A C file that declares a function for itself, and has no entry for its code, has it as asm(); that of a static symbol is known by
  // STT_FILE.
  const own = dwarf
    .under(name)
    .entries.find(({ unit, declared }) => baseName(unit) === symbol.file || declared?.startsWith(`${unit}:`) === true);
  if (own !== undefined) {
    const reason = proven('pahole-assembly', symbol, `${own.unit} declares it and has no entry for its code: it is written as asm() there`);
    return baseName(own.unit) === symbol.file ? reason : { ...reason, certainty: 'likely' };
  }
  return proven(
    'pahole-no-debug-info',
    symbol,
    'no unit has code there: its object was built without -g, or it is asm() in a section of its own',
  );
};

/** Macros of the kernel that write functions as asm() outside the text of their unit. */
const WRITTEN_BY_MACRO = [
  { prefix: '__SCT__', by: 'ARCH_DEFINE_STATIC_CALL_TRAMP (static_call.h)' },
  { prefix: '__raw_callee_save_', by: 'PV_CALLEE_SAVE_REGS_THUNK (paravirt.h)' },
] as const;

/** Symbols of padding and type hashes. */
const MADE_BY_TOOL = [
  { prefix: '__pfx_', by: 'objtool' },
  { prefix: '__cfi_', by: 'clang' },
] as const;

/**
 * DWARF has the code under another name: that of the source, where objcopy renamed the symbol; that of the function, for an alias of it.
 */
function otherName({ kernel, name }: Subject, symbol: Definition, entry: Entry): Reason {
  const at = `${entry.unit} defines the code as ${entry.name}${entry.declared === undefined ? '' : ` (${entry.declared})`}`;
  const symbols = kernel.definitions.find(entry.name);
  if (name.endsWith(entry.name) && !symbols.some(({ address }) => address === symbol.address)) {
    return proven('pahole-renamed', symbol, `${at}: the symbol was renamed after compilation`);
  }
  return proven('pahole-alias', symbol, `${at}: ${name} is an alias, which DWARF does not define`);
}

/** Every definition has a parameter without a name: it is passed over since 1.19 (5a22c2d). */
export const argumentNames: Rule = subject => {
  const entries = entriesAtSymbols(subject);
  const [entry] = entries;
  if (entry === undefined || !entries.every(({ parameters }) => parameters.some(({ name }) => name === undefined))) return undefined;
  const index = entry.parameters.findIndex(({ name }) => name === undefined);
  return proven('pahole-argument-names', subject.symbols[0], `parameter ${index + 1} has no name: ${entry.prototype}, of ${entry.unit}`);
};

/** A reason that the debug information proves. */
export function proven(code: ReasonCode, symbol: Definition | undefined, ...says: string[]): Reason {
  const because = says.map(
    (text): Evidence => ({ source: 'DWARF', ...(symbol === undefined ? {} : { address: symbol.address }), says: text }),
  );
  return { code, certainty: 'proven', because };
}

/** `tty_io.c` of `drivers/tty/tty_io.c` */
function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
