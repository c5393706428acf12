import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import { isPlainName } from '../../../elf/escape.js';
import type { CallingConvention } from '../../arch/calling-convention.js';
import type { Verdict } from '../../evidence.js';
import { type FunctionRow, functionRow, probedAt } from '../../facts/function-row.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { ModuleInstance } from '../../facts/module-table/module-table.js';
import { oncePerKernel } from '../../facts/once-per-kernel.js';
import { type Clone, cloneOf, returnOf } from '../../rules/clones.js';
import { sitesOf } from '../../rules/sites.js';
import { tracingOf } from '../../rules/tracing.js';
import { noFunction } from '../no-function.js';
import { type ModuleTraceability, type NameInModules, traceInModule } from '../trace/in-modules.js';
import { placeIn, type TraceabilityAnswer, traceabilityOf } from '../trace/traceability.js';
import { btfOfSubprogram } from './dwarf-btf.js';
import { Names } from './event-names.js';
import { bpftraceFentryLine } from './forms/bpftrace.js';
import { kprobeEventsLine } from './forms/kprobe-events.js';
import { recipesInside } from './inside.js';
import { insteadOf } from './instead.js';
import { placeInModule, placeOfAddress, placeOfName } from './place.js';
import type { Recipe } from './recipe.js';
import { type Signature, Signatures } from './signature.js';
import { Syscalls } from './syscalls.js';

/** Functions of C take 127 parameters at least (C11, 5.2.4.1), and a probe reads 128 arguments (MAX_TRACE_ARGS). */
const MOST_PARAMETERS = 128;

function tooManyParameters(btf: Btf, ids: readonly TypeId[], notes: string[]): boolean {
  const count = ids.reduce((most, id) => Math.max(most, btf.parameterCount(id)), 0);
  if (count > MOST_PARAMETERS) notes.push(`BTF has ${count} parameters for it: the forms read no arguments`);
  return count > MOST_PARAMETERS;
}

/** How to attach to each function of a name. */
export interface AttachAnswer {
  readonly name: string;
  /** Those of the kernel itself, lowest address first; then those of its modules, where they were read. */
  readonly functions: readonly Recipe[];
  /** Whether what was asked for is a place, `NAME+0x12` or an address: each recipe is for one in a function. */
  readonly inside?: true;
  /** Where there is none: what the name is. */
  readonly problem?: string;
}

/** DW_LANG_Mips_Assembler: what assemblers write, whose functions have no types. */
const ASSEMBLY = 0x8001;

/** The recipes for a kernel. */
export const attachingOf: (kernel: KernelFacts) => Attaching = oncePerKernel(kernel => new Attaching(kernel));

/** Recipes for one kernel: what is needed for all of them is read once. */
export class Attaching {
  readonly #kernel: KernelFacts;
  /** The calling convention; undefined for architectures without a table. */
  readonly abi: CallingConvention | undefined;
  readonly #signatures: Signatures | undefined;

  constructor(kernel: KernelFacts) {
    this.#kernel = kernel;
    const { littleEndian } = kernel;
    this.abi = kernel.callingConvention;
    if (this.abi !== undefined) this.#signatures = new Signatures(kernel, this.abi, new Syscalls(kernel), littleEndian);
  }

  /** The recipes of a name. @param names where the events' names are not to meet those of other answers */
  answer(name: string, names: Names = Names.ofEvents()): AttachAnswer {
    const asked = placeIn(name);
    if (asked?.name !== undefined && asked.distance === 0n) return this.answer(asked.name, names);
    const inside = asked && recipesInside(this.#kernel, name, asked, names, this.abi);
    if (inside !== undefined) {
      return { name, functions: inside, ...(inside.length > 0 ? { inside: true } : { problem: noFunction(this.#kernel, name) }) };
    }
    const { rows, modules } = this.#bearers(name);
    const all = rows.length + (modules?.functions.length ?? 0);
    const own = modules?.functions[0]?.function.name ?? name;
    // Once for all functions of the name.
    const answer = rows.length === 0 ? undefined : traceabilityOf(this.#kernel).answer(this.#kernel.functions.name(rows[0]!));
    const event = (i: number): string => names.take(all > 1 ? `${own}_${i + 1}` : own, '');
    return {
      name,
      ...(all > 0 ? {} : { problem: noFunction(this.#kernel, name) }),
      functions: [
        ...rows.map((row, i) => this.#recipe(functionRow(this.#kernel, row), event(i), answer!)),
        ...(modules?.functions ?? []).map((found, i) => this.#recipeInModule(found, modules!, event(rows.length + i))),
      ],
    };
  }

  /** The recipe for one function. Its event has the name that it has among all functions of its name. */
  recipe(row: FunctionRow): Recipe {
    const { rows, modules } = this.#bearers(row.name);
    const all = rows.length + (modules?.functions.length ?? 0);
    return this.#recipe(
      row,
      Names.ofEvents().take(all > 1 ? `${row.name}_${rows.indexOf(row.row) + 1}` : row.name),
      traceabilityOf(this.#kernel).answer(row.name),
    );
  }

  /**
   * The rows of a name, and the answers about it in modules. A running kernel also lists the symbols of its modules; the modules' files say
   * more about them.
   */
  #bearers(name: string): { readonly rows: readonly number[]; readonly modules: NameInModules | undefined } {
    const { functions, symbols, modules: table } = this.#kernel;
    const rows = functions.find(name);
    if (table === undefined) return { rows, modules: undefined };
    const inModule = traceInModule(this.#kernel, name);
    if (inModule !== undefined) return { rows, modules: inModule };
    const { modules } = traceabilityOf(this.#kernel).answer(name);
    const known = new Set(modules!.functions.map(({ function: { module } }) => module));
    const module = (row: number): string | undefined => symbols.module(functions.symbolRow[row]!);
    return { rows: rows.filter(row => module(row) === undefined || !known.has(module(row)!)), modules };
  }

  /** @param answer what is said of its name */
  #recipe(row: FunctionRow, event: string, answer: TraceabilityAnswer): Recipe {
    const kernel = this.#kernel;
    const { name, address } = row;
    const { kprobe, kretprobe, functions, fentry } = answer;
    const own = functions.find(({ function: other }) => other.row === row.row)!;
    const plain = isPlainName(name);
    // A name that the kernel does not find by itself (ThinLTO's, while it cuts them) leaves the place.
    const symbolRow = kernel.functions.symbolRow[row.row]!;
    // On powerpc a name may lead to the site of the function behind.
    const exact = sitesOf(kernel).rival(symbolRow) === undefined;
    const alone = plain && exact && kernel.symbols.find(name).length === 1 && kprobe.byName.code !== 'no-symbol';
    const listed = own.ftrace.outcome !== 'refused' && kernel.symbols.firstAlias(symbolRow) === symbolRow;
    const place = alone ? placeOfName(name, listed) : placeOfAddress(kernel, probedAt(kernel, address, row.site));
    const clone = cloneOf(name);
    const notes: string[] = clone === undefined ? [] : [clone.says];
    if (!plain) notes.push('its name has characters that no symbol of a kernel has: the lines give its place instead');
    if (!place.everyBoot)
      notes.push('no symbol to count from: the address is the one in the image, and is valid only without KASLR (nokaslr)');
    const signature = this.#signatureOf(row, clone, notes);
    const entry: Verdict = alone ? kprobe.byName : own.kprobe;
    const returned = returnOf(clone, alone ? kretprobe.byName : own.kretprobe);
    const first = functions[0]!.function.row === row.row;
    const others = {
      name: plain ? name : undefined,
      ftrace: own.ftrace.outcome === 'accepted',
      kprobeMulti: tracingOf(kernel).filters.hasMulti,
      fentry: first && fentry.attach.outcome === 'accepted',
    };
    const instead =
      entry.outcome === 'accepted'
        ? returned.outcome === 'accepted'
          ? []
          : insteadOf(returned.code, others)
        : insteadOf(entry.code, others);
    return {
      name,
      event,
      function: row,
      place,
      entry,
      return: returned,
      ...(clone === undefined ? {} : { clone }),
      ...(this.abi === undefined ? {} : { abi: this.abi }),
      ...(signature === undefined ? {} : { signature }),
      notes,
      instead,
    };
  }

  /** What reads arguments; undefined, and a note why, where those of a function can't be read whatever BTF has of it. */
  #signaturesFor(clone: Clone | undefined, notes: string[]): Signatures | undefined {
    if (this.#signatures === undefined) {
      notes.push('kelf does not know the calling convention of this architecture: the forms read no arguments');
    } else if (clone !== undefined && !clone.keepsArguments) {
      notes.push(`its arguments differ from those of ${clone.base}, so the forms do not read them`);
      return undefined;
    }
    return this.#signatures;
  }

  /**
   * How the function is called, by BTF's FUNC of its name, of the name without a suffix that changes nothing, or of another name for the
   * same code.
   */
  #signatureOf(row: FunctionRow, clone: Clone | undefined, notes: string[]): Signature | undefined {
    const { btf, btfSource, functions, symbols } = this.#kernel;
    const signatures = this.#signaturesFor(clone, notes);
    if (signatures === undefined) return undefined;
    if (btf === undefined) {
      const found = signatures.ofWrapper(row.name) ?? this.#signatureByDwarf(signatures, row);
      if (found === undefined) notes.push('there is no BTF that describes its arguments');
      return found;
    }
    const named = clone === undefined ? row.btf : btf.find(clone.base, 'FUNC');
    const alias = named.length > 0 ? undefined : functions.withBtfAt(symbols.firstAlias(functions.symbolRow[row.row]!));
    const ids = alias === undefined ? named : functions.btfIds(alias);
    if (ids.length === 0) {
      const found = signatures.ofWrapper(row.name) ?? this.#signatureByDwarf(signatures, row);
      if (found === undefined) notes.push(`BTF has no FUNC for it: its arguments are unknown ('kelf why' tells why)`);
      return found;
    }
    if (alias !== undefined) notes.push(`BTF has it under another name, ${functions.name(alias)}`);
    const sharing = functions.find(alias === undefined ? (clone?.base ?? row.name) : functions.name(alias)).length;
    return hasOnePrototype(btf, ids, sharing, notes) ? signatures.ofBtf(btf, ids[0]!, btfSource!) : undefined;
  }

  /** By the debug information of the image, which describes the very function, static ones and namesakes too. */
  #signatureByDwarf(signatures: Signatures, { address }: FunctionRow): Signature | undefined {
    const subprogram = this.#kernel.dwarf()?.subprogramAt(address);
    // Code behind the beginning of an entry is that of another symbol.
    if (subprogram === undefined || subprogram.address !== address) return undefined;
    if (!subprogram.prototyped || subprogram.unit.language === ASSEMBLY) return undefined;
    const { btf, id } = btfOfSubprogram(subprogram, this.#kernel.wordSize);
    return signatures.ofBtf(btf, id, 'DWARF');
  }

  /** The recipe for a function of a module: by the module's name, so that neither the kernel's functions nor those of others meet it. */
  #recipeInModule(
    { function: row, anchor, kprobe, kretprobe, fentry }: ModuleTraceability,
    { loaded }: NameInModules,
    event: string,
  ): Recipe {
    const { symbols, modules } = this.#kernel;
    const { name, module, phase, site } = row;
    const own = symbols.find(name).some(symbol => symbols.module(symbol) === undefined);
    const alone =
      anchor !== undefined || modules!.find(name).filter(other => other.module === module && other.phase !== 'init').length <= 1;
    const bare = !own && alone && anchor === undefined && loaded?.one.outcome === 'accepted' && loaded.several === undefined;
    const place = placeInModule(row, anchor ?? { symbol: name, offset: 0 }, { bare, alone });
    const clone = cloneOf(name);
    const notes: string[] = clone === undefined ? [] : [clone.says];
    if (phase !== 'init')
      notes.push(
        `kprobe_events accepts it before ${module} is loaded, and sets it then; perf, bpftrace and libbpf need ${module} loaded (ENOENT)`,
      );
    const signature = this.#signatureInModule(row, clone, notes);
    const facts = {
      name,
      event,
      function: row,
      place,
      entry: kprobe,
      return: returnOf(clone, kretprobe),
      ...(clone === undefined ? {} : { clone }),
      ...(this.abi === undefined ? {} : { abi: this.abi }),
      ...(signature === undefined ? {} : { signature }),
    };
    const beforeLoading = phase === 'init' && site && !row.blacklisted ? kprobeEventsLine(facts, 'entry') : undefined;
    const others = { name: undefined, ftrace: false, kprobeMulti: false, fentry: false, inModule: true, beforeLoading };
    return {
      ...facts,
      notes,
      instead: kprobe.outcome === 'accepted' ? [] : insteadOf(kprobe.code, others),
      ...(fentry.attach.outcome === 'accepted' && signature !== undefined && isPlainName(name) && isPlainName(module)
        ? { fentry: this.#fentryLines(row, signature) }
        : {}),
    };
  }

  /**
   * libbpf looks in the kernel's BTF, then in that of each module, and takes the first FUNC of the name, or since 1.6 (8f8a024272f3) that
   * of MOD:NAME.
   */
  #fentryLines({ name, module }: ModuleInstance, signature: Signature): string[] {
    const { btf, modules } = this.#kernel;
    const first = (btf?.find(name, 'FUNC').length ?? 0) === 0 && modules!.find(name).every(other => !other.btf || other.module === module);
    // bpftrace 0.27 knows the parameters of the first FUNC of the name alone.
    return [`SEC("fentry/${first ? '' : `${module}:`}${name}")`, bpftraceFentryLine(name, module, first ? signature.arguments : [])];
  }

  /** How it is called, by the FUNC in the module's BTF, or by the kernel's, where both have the same and pahole keeps that alone. */
  #signatureInModule(row: ModuleInstance, clone: Clone | undefined, notes: string[]): Signature | undefined {
    const { btf: base, modules } = this.#kernel;
    const signatures = this.#signaturesFor(clone, notes);
    if (signatures === undefined) return undefined;
    const name = clone?.base ?? row.name;
    const btf = modules!.btfOf(row.path);
    const all = btf?.find(name, 'FUNC') ?? [];
    const own = all.filter(id => id >= btf!.firstId);
    const ids = own.length > 0 ? own : all;
    if (btf === undefined || ids.length === 0) {
      const why =
        base === undefined ? `the kernel has no BTF, the base of a module's split BTF` : `the BTF of ${row.module} has no FUNC for it`;
      notes.push(`${why}: its arguments are unknown`);
      return undefined;
    }
    if (own.length === 0)
      notes.push(`its FUNC is in the kernel's BTF, not in the module's: it is likely, not certain, that the two have the same prototype`);
    const sharing = modules!.find(name).filter(({ module }) => module === row.module).length;
    if (!hasOnePrototype(btf, ids, sharing, notes)) return undefined;
    return signatures.ofBtf(btf, ids[0]!, own.length > 0 ? `${row.module}: .BTF` : (this.#kernel.btfSource ?? '.BTF'));
  }
}

/** Whether the FUNCs of a name tell one prototype, whose arguments can be read; notes say why not. @param sharing how many functions have the name */
function hasOnePrototype(btf: Btf, ids: readonly TypeId[], sharing: number, notes: string[]): boolean {
  if (tooManyParameters(btf, ids, notes)) return false;
  const prototypes = new Set(ids.map(id => btf.prototype(id)));
  if (prototypes.size > 1) {
    notes.push(
      `BTF has ${prototypes.size} prototypes for the name, and does not show which function each belongs to: the forms read no arguments`,
    );
    return false;
  }
  if (sharing > 1)
    notes.push(`BTF has one prototype for ${sharing} functions with the name: it is likely, not certain, that it belongs to this one`);
  return true;
}
