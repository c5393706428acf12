import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import type { SymbolRow } from '../../../kallsyms/symbols.js';
import { BtfAbsence } from '../../answers/missing-btf/missing-btf.js';
import type { Certainty } from '../../evidence.js';
import { probedAt } from '../../facts/function-row.js';
import type { FunctionIndex } from '../../facts/function-table.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { once } from '../../facts/once.js';
import type { ReasonCode } from '../../reasons.js';
import { hasPromoted } from '../../rules/lto-names.js';
import { tracingOf } from '../../rules/tracing.js';
import type { TrampolineProgram } from '../../rules/trampolines.js';
import { type Coded, CodedBuilder, orderByName } from './columns.js';
import { MECHANISMS, type Mechanism } from './mechanisms.js';
import { type Prototype, Prototypes } from './prototypes.js';
import { type ShortVerdict, VerdictColumn } from './verdicts.js';

/** Why BTF lacks a function. */
export interface Absence {
  readonly code: ReasonCode;
  readonly certainty: Certainty;
}

/**
 * The functions of a kernel in columns, in the order of their names: a row for each function symbol, and for each name that BTF alone has a
 * FUNC of.
 */
export interface FunctionRows {
  readonly count: number;
  readonly name: readonly string[];
  /** The row in the kernel's table of functions; -1 where BTF alone has the name. */
  readonly function: Int32Array;
  /** Bytes from `_stext` to where a probe goes, the same on every boot; NaN without that label, without a symbol, and for what is before it. */
  readonly anchor: Float64Array;
  /** Bytes up to the next symbol, as the kernel counts; NaN without a symbol. */
  readonly size: Float64Array;
  /** The source file by STT_FILE, without its directory. */
  readonly file: Coded<string | undefined>;
  /** Of the first FUNC of the name. */
  readonly prototype: Coded<Prototype | undefined>;
  readonly hasBtf: Uint8Array;
  /** Why BTF has no FUNC; undefined where it has one. */
  readonly absence: Coded<Absence | undefined>;
  /** What each mechanism meets that is given the name. */
  readonly verdicts: Readonly<Record<Mechanism, Coded<ShortVerdict>>>;
}

/** Where a row comes from: a function of the table, or a FUNC without a symbol. */
interface Sources {
  /** -1 without a symbol. */
  readonly functions: Int32Array;
  /** The FUNC, 0 where there is none. */
  readonly ids: Uint32Array;
  readonly names: readonly string[];
}

/** Works out the functions of a kernel: some 60,000 rows, and no sentence of evidence. What takes a pass of its own is made when it is asked for. */
export function functionRows(kernel: KernelFacts): FunctionRows {
  const sources = inOrder(sourcesOf(kernel));
  const { names, ids, functions } = sources;
  const count = names.length;
  const absence = once(() => absencesOf(kernel, sources));
  const verdicts = once(() => verdictsOf(kernel, sources));
  return {
    count,
    name: names,
    function: functions,
    ...placesOf(kernel, functions),
    ...prototypesOf(kernel.btf, ids),
    hasBtf: Uint8Array.from(ids, id => (id === 0 ? 0 : 1)),
    get absence() {
      return absence();
    },
    get verdicts() {
      return verdicts();
    },
  };
}

function sourcesOf(kernel: KernelFacts): Sources {
  return kernel.symbolsMissing === undefined ? sourcesOfSymbols(kernel) : sourcesOfBtf(kernel);
}

/** Of BTF alone: the names of its FUNCs. */
function sourcesOfBtf({ btf }: KernelFacts): Sources {
  const funcs = btf?.functions();
  const first = new Map<number, TypeId>();
  for (let at = 0; at < (funcs?.length ?? 0); at++) if (!first.has(funcs!.names[at]!)) first.set(funcs!.names[at]!, funcs!.ids[at]!);
  const ids = Uint32Array.from(first.values());
  return { functions: new Int32Array(ids.length).fill(-1), ids, names: Array.from(ids, id => btf!.nameOf(id)) };
}

function sourcesOfSymbols({ functions, symbols, btf }: KernelFacts): Sources {
  const funcs = btf?.functions();
  const alone: number[] = [];
  const seen = new Set<number>();
  for (let at = 0; at < (funcs?.length ?? 0); at++) {
    const name = funcs!.names[at]!;
    // Strings of BTF are merged: equal names are equal offsets.
    if (seen.has(name)) continue;
    seen.add(name);
    const first = symbols.index.firstOf(btf!.strings.bytes, name);
    if (first < 0 || !symbols.index.rowsFrom(first).some(row => functions.ofSymbol(row) !== undefined)) alone.push(at);
  }
  const count = functions.count + alone.length;
  const sources = { functions: new Int32Array(count).fill(-1), ids: new Uint32Array(count), names: new Array<string>(count) };
  const { btfFunc } = functions;
  // Split BTF replaces the kernel's: its base has FUNCs too.
  const idOf = (row: number, name: string): TypeId =>
    btf?.base !== undefined ? (functions.btfIdsOf(name)[0] ?? 0) : btfFunc[row]! < 0 ? 0 : funcs!.ids[btfFunc[row]!]!;
  for (let row = 0; row < functions.count; row++) {
    sources.functions[row] = row;
    sources.names[row] = functions.name(row);
    sources.ids[row] = idOf(row, sources.names[row]!);
  }
  for (const [i, at] of alone.entries()) {
    const row = functions.count + i;
    sources.ids[row] = funcs!.ids[at]!;
    sources.names[row] = btf!.nameOf(funcs!.ids[at]!);
  }
  return sources;
}

function inOrder({ functions, ids, names }: Sources): Sources {
  const order = orderByName(names);
  return {
    functions: Int32Array.from(order, row => functions[row]!),
    ids: Uint32Array.from(order, row => ids[row]!),
    names: Array.from(order, row => names[row]!),
  };
}

function placesOf(kernel: KernelFacts, rows: Int32Array): Pick<FunctionRows, 'anchor' | 'size' | 'file'> {
  const { pieces } = kernel;
  const stext = pieces.labels('_stext');
  const image = pieces.imageSymbols();
  const anchor = new Float64Array(rows.length).fill(Number.NaN);
  const size = new Float64Array(rows.length).fill(Number.NaN);
  const file = new CodedBuilder<string | undefined>(rows.length);
  for (let row = 0; row < rows.length; row++) {
    const index: FunctionIndex = rows[row]!;
    if (index < 0) {
      file.set(row, undefined);
      continue;
    }
    const { functions, symbols } = kernel;
    const symbolRow = functions.symbolRow[index]!;
    const address = functions.address(index);
    size[row] = Number(functions.end(index) - address);
    if (stext !== undefined && address >= stext) {
      const site = functions.site(index);
      const probed = probedAt(kernel, address, site < 0 ? undefined : functions.sites!.ip.big[site]!);
      anchor[row] = Number(probed - stext);
    }
    file.set(row, image?.symbolOf(symbols, symbolRow)?.file);
  }
  return { anchor, size, file };
}

function prototypesOf(btf: Btf | undefined, ids: Uint32Array): Pick<FunctionRows, 'prototype'> {
  const prototype = new CodedBuilder<Prototype | undefined>(ids.length);
  const texts = btf === undefined ? undefined : new Prototypes(btf);
  for (let row = 0; row < ids.length; row++) {
    const id: TypeId = ids[row]!;
    prototype.set(row, id === 0 ? undefined : texts!.of(btf!.ownerOf(id).words[btf!.recordOf(id) + 2]!));
  }
  return { prototype };
}

function absencesOf(kernel: KernelFacts, { ids, names }: Sources): Coded<Absence | undefined> {
  const column = new CodedBuilder<Absence | undefined>(ids.length);
  const absence = new BtfAbsence(kernel, { dwarf: false });
  const known = new Map<string, Absence>();
  for (let row = 0; row < ids.length; row++) {
    if (ids[row] !== 0) {
      column.set(row, undefined);
      continue;
    }
    const { code, certainty } = absence.verdict(names[row]!);
    const key = `${code} ${certainty}`;
    let value = known.get(key);
    if (value === undefined) known.set(key, (value = { code, certainty }));
    column.set(row, value);
  }
  return column;
}

const PROGRAMS: readonly (readonly [Mechanism, TrampolineProgram])[] = [
  ['fentry', 'fentry'],
  ['fexit', 'fexit'],
  ['fmodRet', 'fmod_ret'],
];

/** The verdicts that `Kernel.traceability()` gives of each name. A name is looked up once for all mechanisms, and the rows of it share them. */
function verdictsOf(kernel: KernelFacts, { functions: indices, ids, names }: Sources): FunctionRows['verdicts'] {
  const { kprobes, filters, trampolines } = tracingOf(kernel);
  const listed = kernel.arch.kprobes.noReturnProbe;
  const byName = kernel.symbolsMissing !== undefined || hasPromoted(kernel);
  const columns = Object.fromEntries(MECHANISMS.map(mechanism => [mechanism, new VerdictColumn(names.length)])) as Record<
    Mechanism,
    VerdictColumn
  >;
  // What is said of a name without a FUNC does not depend on the name.
  const without = new Map(PROGRAMS.map(([, program]) => [program, trampolines.byName('attach', program, '')]));
  for (let row = 0; row < names.length; row++) {
    const name = names[row]!;
    if (row > 0 && names[row - 1] === name) {
      for (const mechanism of MECHANISMS) columns[mechanism].codes[row] = columns[mechanism].codes[row - 1]!;
      continue;
    }
    const index = indices[row]!;
    const rows = index < 0 ? [] : rowsOfName(kernel, index);
    const kprobe = byName || index < 0 ? kprobes.byName(name) : kprobes.byRows(rows);
    columns.kprobe.set(row, kprobe);
    columns.kretprobe.set(row, listed.includes(name) ? kprobes.returnByName(name) : kprobe);
    columns.kprobeMulti.set(
      row,
      filters.kprobeMultiOf(() => rows.filter(at => kernel.functions.ofSymbol(at) !== undefined)),
    );
    const id = ids[row]!;
    for (const [mechanism, program] of PROGRAMS) {
      columns[mechanism].set(row, id === 0 ? without.get(program)! : trampolines.attach(program, id));
    }
  }
  return columns;
}

/** The symbols with the name of a function. */
function rowsOfName({ functions, symbols }: KernelFacts, index: FunctionIndex): readonly SymbolRow[] {
  return symbols.index.rowsFrom(symbols.index.firstOf(symbols.strings.bytes, symbols.nameOffset[functions.symbolRow[index]!]!));
}
