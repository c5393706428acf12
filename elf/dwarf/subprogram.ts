import { conventionName } from './code-names.js';
import type { CodeRange } from './debug-file.js';
import { NO_STRING } from './debug-strings.js';
import { type DieReader, NONE } from './die.js';
import { DW_AT, DW_TAG } from './dw-constants.js';
import { OUTERMOST } from './inlined.js';
import type { SourcePlace } from './line.js';
import { type LocationEntry, readLocations } from './location.js';
import { type SubprogramLink, subprogramChain, subprogramName } from './subprogram-chain.js';
import { isGiven, SUBPROGRAM, type SubprogramTable } from './subprogram-table.js';
import { TypePrinter } from './type.js';
import type { Unit } from './unit.js';
import type { UnitList } from './unit-list.js';

/** Functions between an inlined call and the code that holds it, of which are said at most. */
const MOST_THROUGH = 64;

/** A parameter of a subprogram. */
export interface Parameter {
  /** Undefined if none is given: `int (int)`. */
  readonly name?: string;
  /** As C writes it. */
  readonly type: string;
  /** Offset of the type's entry in .debug_info; -1 for none. */
  readonly typeOffset: number;
  /** Where it is, for a subprogram with code: the entries of its list, the first of which holds at the entry of the function mostly. */
  readonly locations: readonly LocationEntry[];
  /** DW_AT_const_value is given: it is always the same, and is nowhere. */
  readonly constant: boolean;
  /** Offset of its own entry, and of the one of the abstract instance that it stands for; -1 for none. */
  readonly offset: number;
  readonly origin: number;
}

/** A place where a function was inlined. */
export interface InlinedInto {
  /** The function whose code holds it. */
  readonly caller: Subprogram;
  /** Functions inlined between the two, the outermost first. */
  readonly through: readonly string[];
  /** Where the call is written. */
  readonly call?: SourcePlace;
  /** Empty where all of its code was optimized away. */
  readonly ranges: readonly CodeRange[];
}

/** What an entry says that the one before it in the chain does not. */
export interface Addition {
  readonly by: SubprogramLink['by'];
  /** Offset of the entry in .debug_info. */
  readonly offset: number;
  /** `name`, `declared`, `external`, `inline`, `type`. */
  readonly adds: readonly string[];
}

const INLINE = ['not-inlined', 'inlined', 'declared-not-inlined', 'declared-inlined'] as const;

/**
 * One DW_TAG_subprogram, with what it takes over from its abstract origin and its declaration. A view of a row of a {@link
 * SubprogramTable}: each property is looked up on first use.
 */
export class Subprogram {
  /** Where the entries are that it refers to. */
  readonly units: UnitList;
  readonly unit: Unit;
  readonly row: number;
  readonly #table: SubprogramTable;
  #chain: readonly SubprogramLink[] | undefined;
  #parameters: Parameters | undefined;

  constructor(units: UnitList, unit: Unit, row: number) {
    this.units = units;
    this.unit = unit;
    this.row = row;
    this.#table = unit.subprograms;
  }

  /** The subprogram whose entry is at an offset in .debug_info. */
  static at(units: UnitList, offset: number): Subprogram | undefined {
    const unit = units.unitContaining(offset);
    const row = unit?.subprograms.rowAt(offset) ?? -1;
    return row < 0 ? undefined : new Subprogram(units, unit!, row);
  }

  /** Offset of its entry in .debug_info. */
  get offset(): number {
    return this.#table.offset[this.row]!;
  }

  /** The name in the source, without suffixes such as `.isra.0`. */
  get name(): string | undefined {
    return this.unit.file.strings.get(subprogramName(this.units, this.unit, this.row));
  }

  /** The mangled name, in C++ and Rust. */
  get linkageName(): string | undefined {
    return this.unit.file.strings.get(
      this.#first(
        ({ table, row }) => table.linkageName[row]! >= 0,
        ({ table, row }) => table.linkageName[row]!,
      ) ?? NO_STRING,
    );
  }

  /**
   * What the entry is: `definition` with code of its own; `instance`, the code of an abstract instance that was not (only) inlined;
   * `abstract`, what inlined calls refer to, without code; `declaration`.
   */
  get kind(): 'definition' | 'instance' | 'abstract' | 'declaration' {
    if (this.isDeclaration) return 'declaration';
    if (this.#table.origin[this.row]! >= 0) return 'instance';
    return this.hasCode ? 'definition' : 'abstract';
  }

  /** DW_AT_declaration of the entry itself. */
  get isDeclaration(): boolean {
    return (this.#table.flags[this.row]! & SUBPROGRAM.declaration) !== 0;
  }

  /** DW_AT_external: visible outside its unit; else static. */
  get external(): boolean {
    return this.#has(SUBPROGRAM.external);
  }

  get prototyped(): boolean {
    return this.#has(SUBPROGRAM.prototyped);
  }

  get noreturn(): boolean {
    return this.#has(SUBPROGRAM.noreturn);
  }

  /** DW_AT_inline: whether it was declared inline, and whether it was inlined; undefined if no entry says. */
  get inline(): (typeof INLINE)[number] | undefined {
    const inline = this.#first(
      ({ table, row }) => table.inline[row]! !== 0xff,
      ({ table, row }) => table.inline[row]!,
    );
    return inline === undefined ? undefined : INLINE[inline];
  }

  /** DW_AT_calling_convention by name; undefined for the usual one. */
  get callingConvention(): string | undefined {
    const convention = this.#first(
      ({ table, row }) => table.convention[row]! !== 0,
      ({ table, row }) => table.convention[row]!,
    );
    return convention === undefined ? undefined : conventionName(convention);
  }

  /** Where it is declared: the file, line and column of its name. */
  get declared(): SourcePlace | undefined {
    for (const { unit, table, row } of this.chain) {
      if (!isGiven(table.declFile[row]!)) continue;
      const file = unit.lines?.file(table.declFile[row]!);
      if (file === undefined) return undefined;
      // A concrete instance repeats what differs from its origin only: the line may stand one further.
      return { ...file, line: this.#number(table => table.declLine), column: this.#number(table => table.declColumn) };
    }
    return undefined;
  }

  get hasCode(): boolean {
    return this.#table.hasCode(this.row);
  }

  /** Its first address: that of its symbol. Undefined without code. */
  get address(): bigint | undefined {
    const low = this.#table.low[this.row]!;
    if (!Number.isNaN(low)) return this.unit.file.address(low);
    return this.ranges[0]?.low;
  }

  /** Its code: one range, or several where cold parts stand elsewhere. */
  get ranges(): readonly CodeRange[] {
    return this.unit.file.codeRanges(this.#table.rangesOf(this.row));
  }

  /** Offset of the entry of its return type; -1 for void. */
  get returnTypeOffset(): number {
    return (
      this.#first(
        ({ table, row }) => table.type[row]! >= 0,
        ({ table, row }) => table.type[row]!,
      ) ?? NONE
    );
  }

  /** `void`, `struct file *`. */
  get returnType(): string {
    return new TypePrinter(this.units, this.unit).text(this.returnTypeOffset);
  }

  /** Its parameters in the order of its own entry; those of its abstract origin or declaration where it lists none. */
  get parameters(): readonly Parameter[] {
    return this.#allParameters.all;
  }

  /** Whether it takes more arguments than it names (`...`). */
  get variadic(): boolean {
    return this.#allParameters.variadic;
  }

  /** `long int do_sys_openat2(int dfd, const char *filename, struct open_how *how)`. */
  get prototype(): string {
    const types = new TypePrinter(this.units, this.unit);
    const parameters = this.parameters.map(({ typeOffset, name }) => types.text(typeOffset, name));
    if (this.variadic) parameters.push('...');
    const list = parameters.length === 0 && this.prototyped ? 'void' : parameters.join(', ');
    return types.text(this.returnTypeOffset, `${this.name ?? ''}(${list})`);
  }

  /** The row itself, its abstract origin, the declaration of that. */
  get chain(): readonly SubprogramLink[] {
    this.#chain ??= subprogramChain(this.units, this.unit, this.row);
    return this.#chain;
  }

  /** What each entry of the chain says that those before it do not. */
  get additions(): Addition[] {
    const seen = new Set<string>();
    return this.chain.map(({ table, row, by }) => {
      const flags = table.flags[row]!;
      const says = {
        name: table.name[row]! >= 0,
        linkageName: table.linkageName[row]! >= 0,
        declared: isGiven(table.declFile[row]!) || isGiven(table.declLine[row]!),
        external: (flags & SUBPROGRAM.external) !== 0,
        prototyped: (flags & SUBPROGRAM.prototyped) !== 0,
        declaration: (flags & SUBPROGRAM.declaration) !== 0,
        inline: table.inline[row]! !== 0xff,
        type: table.type[row]! >= 0,
        code: table.hasCode(row),
      };
      const adds = Object.entries(says).flatMap(([what, said]) => (said && !seen.has(what) ? [what] : []));
      for (const what of adds) seen.add(what);
      return { by, offset: table.offset[row]!, adds };
    });
  }

  /**
   * Where it was inlined: the inlined calls that refer to this entry, or to the abstract instance it is the code of. They are in its own
   * unit, but for what link-time optimization moved.
   * @param most of them
   */
  inlinedInto(most: number = Number.POSITIVE_INFINITY): InlinedInto[] {
    const targets = new Set(this.chain.map(({ table, row }) => table.offset[row]!));
    const { inlined } = this.unit;
    const found: InlinedInto[] = [];
    for (let call = 0; call < inlined.count && found.length < most; call++)
      if (targets.has(inlined.origin[call]!)) found.push(this.#inlinedAt(call));
    return found;
  }

  #inlinedAt(call: number): InlinedInto {
    const { units, unit } = this;
    const { inlined } = unit;
    const through: string[] = [];
    for (let outer = inlined.inside[call]!; outer !== OUTERMOST && through.length < MOST_THROUGH; outer = inlined.inside[outer]!) {
      through.unshift(Subprogram.at(units, inlined.origin[outer]!)?.name ?? '?');
    }
    const file = unit.lines?.file(inlined.callFile[call]!);
    return {
      caller: new Subprogram(units, unit, inlined.caller[call]!),
      through,
      // Made when they are asked for: a list may be long, and every call may have it.
      get ranges(): CodeRange[] {
        return unit.file.codeRanges(inlined.rangesOf(call));
      },
      ...(file === undefined ? {} : { call: { ...file, line: inlined.callLine[call]!, column: inlined.callColumn[call]! } }),
    };
  }

  get #allParameters(): Parameters {
    if (this.#parameters === undefined) {
      let own: Parameters = { all: [], variadic: false };
      for (const { unit, table, row } of this.chain) {
        own = parametersOf(this.units, unit, table.offset[row]!);
        if (own.all.length > 0 || own.variadic) break;
      }
      // A thousand instances may take over those of one.
      this.unit.file.allowance('info', 'the parameters', 1 / 2).account(this.offset)(own.all.length);
      this.#parameters = own;
    }
    return this.#parameters;
  }

  #has(flag: number): boolean {
    return this.chain.some(({ table, row }) => (table.flags[row]! & flag) !== 0);
  }

  #first<T>(has: (link: SubprogramLink) => boolean, get: (link: SubprogramLink) => T): T | undefined {
    const link = this.chain.find(has);
    return link === undefined ? undefined : get(link);
  }

  #number(column: (table: SubprogramTable) => Uint32Array): number {
    return (
      this.#first(
        ({ table, row }) => isGiven(column(table)[row]!),
        ({ table, row }) => column(table)[row]!,
      ) ?? 0
    );
  }
}

interface Parameters {
  readonly all: readonly Parameter[];
  readonly variadic: boolean;
}

/** What was read of a unit, by the offset of the entry: instances share that of their origin. */
const known = new WeakMap<Unit, Map<number, Parameters>>();

function parametersOf(units: UnitList, unit: Unit, offset: number): Parameters {
  let ofUnit = known.get(unit);
  if (ofUnit === undefined) known.set(unit, (ofUnit = new Map()));
  let parameters = ofUnit.get(offset);
  if (parameters === undefined) ofUnit.set(offset, (parameters = readParameters(units, unit, offset)));
  return parameters;
}

/** The parameters among the children of an entry. */
function readParameters(units: UnitList, unit: Unit, offset: number): Parameters {
  const all: Parameter[] = [];
  let variadic = false;
  const die = unit.reader();
  die.seek(offset);
  while (die.next() && die.depth > 0) {
    if (die.tag === DW_TAG.formal_parameter) all.push(readParameter(units, unit, die));
    else if (die.tag === DW_TAG.unspecified_parameters) variadic = true;
    die.skipTree();
  }
  return { all, variadic };
}

/** Parameters that refer to each other in a circle are damage; one refers to one mostly. */
const LONGEST_CHAIN = 8;

function readParameter(units: UnitList, unit: Unit, die: DieReader): Parameter {
  let name = NO_STRING;
  let type = NONE;
  let origin = NONE;
  let constant = false;
  let locations: readonly LocationEntry[] = [];
  for (let spec = die.firstSpec; spec < die.lastSpec; spec++) {
    const form = die.form(spec);
    switch (die.attribute(spec)) {
      case DW_AT.name:
        name = die.string(form);
        break;
      case DW_AT.type:
        type = die.reference(form);
        break;
      case DW_AT.abstract_origin:
        origin = die.reference(form);
        break;
      case DW_AT.location:
        locations = readLocations(die, form, unit.root.low);
        break;
      case DW_AT.const_value:
        constant = true;
        die.skipForm(form);
        break;
      default:
        die.skipForm(form);
    }
  }
  for (let at = origin, hops = 0; at >= 0 && (name < 0 || type < 0) && hops < LONGEST_CHAIN; hops++) {
    const reader = units.entryAt(at, unit);
    if (reader === undefined) break;
    const said = (attribute: number) => reader.find(attribute);
    let form = said(DW_AT.name);
    if (name < 0 && form !== 0) name = reader.string(form);
    form = said(DW_AT.type);
    if (type < 0 && form !== 0) type = reader.reference(form);
    form = said(DW_AT.abstract_origin);
    at = form === 0 ? NONE : reader.reference(form);
  }
  const text = unit.file.strings.get(name);
  return {
    ...(text === undefined ? {} : { name: text }),
    type: new TypePrinter(units, unit).text(type),
    typeOffset: type,
    locations,
    constant,
    offset: die.offset,
    origin,
  };
}
