import type { Evidence } from '../../evidence.js';
import type { Definition } from '../../facts/definitions.js';
import { type FunctionRow, functionRow } from '../../facts/function-row.js';
import { argumentNames, rustUnit, undescribed } from './described.js';
import { type Era, eraReleases } from './eras.js';
import { inconsistentByDwarf } from './prototypes.js';
import { changedParameters, packedStruct, reorderedParameters, unexpectedRegister } from './registers.js';
import type { Reason, Rule, Subject } from './rule.js';

/** Why an era of pahole leaves the subject out: the first of its rules that applies. */
export function reasonUnder(subject: Subject, era: Era): Reason {
  for (const rule of RULES[era.id]) {
    const reason = rule(subject, era);
    if (reason !== undefined) return reason;
  }
  return unknown(subject, era);
}

// Each rule looks at one thing that pahole looked at. Sources: btf_encoder.c of the release named, by commit where a rule came or went.

/** `if (fn->declaration || !fn->external) continue;` up to 1.18 */
const staticFunction: Rule = ({ name, symbols }, era) => {
  const symbol = symbols.find(({ binding }) => binding === 'local');
  if (symbol === undefined || symbols.some(({ binding }) => binding !== 'local')) return undefined;
  return {
    code: 'pahole-static',
    certainty: 'proven',
    because: [{ source: 'rule', says: `${eraReleases(era)}: keeps only external functions, and ${name} is static` }],
  };
};

/** 1.19 to 1.21 keep the functions whose address is a word of the table as it is in the file (5a22c2d, 8156bec, 8e1f8c9). */
const ftraceFilter: Rule = (subject, era) => {
  const { kernel, name, symbols } = subject;
  const table = kernel.mcount;
  const usable = table !== undefined && table.zeroStored < table.count;
  const rows = kernel.functions.find(name);
  if (usable) {
    if (rows.length === 0 || rows.some(row => holdsSite(functionRow(kernel, row)))) return undefined;
    const says = `${eraReleases(era)}: keeps only functions that the words of __mcount_loc point at, and none points into ${name}`;
    return { code: 'pahole-no-ftrace-site', certainty: 'proven', because: [{ source: 'rule', says }] };
  }
  if (symbols.length === 0 || !symbols.every(({ binding }) => binding === 'local')) return undefined;
  const because: Evidence[] = [
    { source: 'rule', says: `${eraReleases(era)}: keeps the functions that the words of __mcount_loc in the file point at` },
  ];
  if (kernel.image === undefined)
    because.push({ source: '__mcount_loc', says: 'the image would show whether its words are zero in the file' });
  else if (table === undefined) because.push({ source: '__mcount_loc', says: 'the image has no such table' });
  else because.push({ source: '__mcount_loc', address: table.start, says: `all ${table.count} words of the table are zero in the file` });
  because.push({
    source: 'rule',
    says: `so it found no function with an ftrace site, and fell back to only external functions: ${name} is static`,
  });
  return { code: 'pahole-external-only-fallback', certainty: 'proven', because };
};

/** is_ftrace_func() there: from its first byte up to its size. What lies behind belongs to a weak function that the linker dropped. */
function holdsSite({ address, site, size }: FunctionRow): boolean {
  return site !== undefined && (size === undefined || site < address + BigInt(size));
}

/**
 * Another function symbol at the same address has the FUNC: pahole goes by the name in DWARF, and an alias is not a definition of its own.
 */
const alias: Rule = ({ kernel, symbols, source }) => {
  const { functions } = kernel;
  for (const symbol of symbols) {
    const first = kernel.symbols.containing(symbol.address);
    const row = first === undefined ? undefined : functions.withBtfAt(first);
    if (row === undefined) continue;
    const says = `${functions.name(row)} has the same address and has a FUNC: this name is an alias, which DWARF does not define`;
    return { code: 'pahole-alias', certainty: 'proven', because: [{ source, address: symbol.address, says }] };
  }
  return undefined;
};

/**
 * Only clones are left: up to 1.24 a symbol has to be of just the name (strcmp); until 1.30 a prefix is enough with --btf_gen_optimized.
 */
const suffix: Rule = ({ kernel, symbols, clones, source }, era) => {
  if (symbols.length > 0 || clones.length === 0) return undefined;
  const exact = era.to <= 124;
  const says = exact
    ? `only ${listed(clones)}; ${eraReleases(era)}: needs a symbol with exactly the function's name`
    : `only ${listed(clones)}; ${eraReleases(era)}: takes them only if the kernel asks for optimized functions, as it has since 6.5 and 6.1.74`;
  return {
    code: 'pahole-suffix',
    certainty: exact || kernel.change('optimizedBtf').has === false ? 'proven' : 'likely',
    because: [{ source, address: clones[0]!.address, says }],
  };
};

/** Symbols grouped by their name up to the first dot, `.cold` and `.part` left out, at two addresses: dropped (09c1e9c, 1.31). */
const ambiguousAddress: Rule = ({ name, symbols, clones, source }, era) => {
  const group = [...symbols, ...clones].filter(({ name: full }) => !/\.(cold|part)/.test(full));
  if (new Set(group.map(({ address }) => address)).size < 2) return undefined;
  const says = `${eraReleases(era)}: drops names with several addresses: ${listed(group)}`;
  return {
    code: 'pahole-ambiguous-address',
    certainty: 'proven',
    because: [{ source, address: group[0]!.address, says: `${name}: ${says}` }],
  };
};

/** Several symbols of the name: their prototypes were compared (f104790, 1.25, with --skip_encoding_btf_inconsistent_proto). */
const inconsistentPrototypes: Rule = ({ name, symbols, source, dwarf }, era) => {
  // With DWARF, the prototypes themselves were compared.
  if (symbols.length < 2 || dwarf !== undefined) return undefined;
  const files = symbols.map(({ file, binding }) => file ?? (binding === 'local' ? 'a static one' : 'a global one')).join(', ');
  const says = `${symbols.length} functions are named ${name} (${files}); ${eraReleases(era)}: drops names whose prototypes differ`;
  return {
    code: 'pahole-inconsistent-prototypes',
    certainty: 'likely',
    because: [{ source, address: symbols[0]!.address, says }],
  };
};

/** From 1.31, symbols with `.cold` or `.part` do not stand for their function. */
const outlinedOnly: Rule = ({ symbols, clones, source }, era) => {
  if (symbols.length > 0 || clones.length === 0 || !clones.every(({ name }) => /\.(cold|part)/.test(name))) return undefined;
  const says = `only ${listed(clones)}; ${eraReleases(era)}: does not treat these as the function`;
  return { code: 'pahole-suffix', certainty: 'proven', because: [{ source, address: clones[0]!.address, says }] };
};

/** 1.32 drops clones whose parameters were changed (109e5e4, fb8328e). */
const optimizedParameters: Rule = ({ symbols, clones, source }, era) => {
  if (symbols.length > 0 || !clones.some(({ name }) => /\.(isra|constprop)/.test(name))) return undefined;
  const says = `only ${listed(clones)}; ${eraReleases(era)}: drops clones whose parameters the compiler changed`;
  return { code: 'pahole-optimized-parameters', certainty: 'likely', because: [{ source, address: clones[0]!.address, says }] };
};

/** `pfn_to_mfn.part.0 at 0xffffffff810208f0, …` */
function listed(symbols: readonly Definition[]): string {
  const some = symbols.slice(0, 4).map(({ name, address }) => `${name} at 0x${address.toString(16)}`);
  return symbols.length > some.length ? `${some.join(', ')} and ${symbols.length - some.length} more` : some.join(', ');
}

/** What DWARF shows of any function that has a symbol. */
const DESCRIBED: readonly Rule[] = [rustUnit, undescribed, argumentNames];

const RULES: Readonly<Record<Era['id'], readonly Rule[]>> = {
  external: [staticFunction, alias, undescribed],
  ftrace: [suffix, ftraceFilter, alias, ...DESCRIBED],
  symbols: [suffix, alias, ...DESCRIBED],
  prototypes: [alias, ...DESCRIBED, unexpectedRegister, inconsistentByDwarf, inconsistentPrototypes, suffix],
  addresses: [outlinedOnly, alias, ...DESCRIBED, ambiguousAddress, unexpectedRegister, inconsistentByDwarf, packedStruct],
  // Parameters that the compiler moved or dropped make prototypes differ too: they are searched for first.
  signatures: [
    outlinedOnly,
    alias,
    ...DESCRIBED,
    ambiguousAddress,
    unexpectedRegister,
    reorderedParameters,
    changedParameters,
    inconsistentByDwarf,
    packedStruct,
    optimizedParameters,
  ],
};

/** What is left where no rule applies: without DWARF, it needs the debug information that pahole read. */
function unknown({ name, source, dwarf }: Subject, era: Era): Reason {
  const says =
    dwarf === undefined
      ? `the image does not tell: ${name} may be assembly, have parameters without names or in registers the ABI does not use, or come from a unit without debug information; its DWARF would settle it`
      : `nothing in the DWARF of the image keeps ${name} out of BTF by the rules of ${eraReleases(era)}: a different pahole made the BTF, or it ran with other flags or on other debug information`;
  return { code: 'pahole-unknown', certainty: 'open', because: [{ source: dwarf === undefined ? source : 'DWARF', says }] };
}
