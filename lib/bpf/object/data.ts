import type { Linkage } from '../../../btf/wire.js';
import { SHF, SHT, STB, STT } from '../../../elf/constants.js';
import type { Section } from '../../../elf/section.js';
import { type BpfFile, isHidden } from './bpf-file.js';

/** What a section of global data becomes. */
export type DataKind = 'data' | 'rodata' | 'bss' | 'arena';

/** A section of global data. */
export interface DataSection {
  readonly name: string;
  readonly sectionIndex: number;
  readonly kind: DataKind;
  readonly size: number;
  /** Its DATASEC; undefined if BTF has none. */
  readonly typeId?: number;
  /** By offset. */
  readonly variables: readonly BpfVariable[];
}

/** A global variable. */
export interface BpfVariable {
  readonly name: string;
  readonly section: string;
  readonly sectionIndex: number;
  /** In bytes, from the start of the section. */
  readonly offset: number;
  readonly size: number;
  /** As BTF has it; `static` for a symbol that it calls global and that is hidden, as libbpf takes it (btf_fixup_datasec). */
  readonly linkage: Linkage | undefined;
  /** Its type, not its VAR; undefined for a symbol that BTF does not know. */
  readonly typeId?: number;
  /** In C. */
  readonly declaration?: string;
}

/** More variables than this an object has not; a damaged one may have a DATASEC that lists one variable a million times. */
const MOST_VARIABLES = 1 << 16;

/** What an object has of global data: the sections, and the variables in them. */
export class DataSections {
  readonly sections: readonly DataSection[];
  readonly variables: readonly BpfVariable[];
  readonly #bySection: ReadonlyMap<number, DataSection>;

  constructor(file: BpfFile) {
    let room = MOST_VARIABLES;
    this.sections = file.elf.sections.flatMap(section => {
      const kind = dataKind(section);
      if (kind === undefined) return [];
      const typeId = file.btf?.find(section.name, 'DATASEC')[0];
      const variables = variablesOf(file, section, typeId, room);
      room -= variables.length;
      const { name, index: sectionIndex, size } = section;
      return [{ name, sectionIndex, kind, size, ...(typeId === undefined ? {} : { typeId }), variables }];
    });
    this.variables = this.sections.flatMap(({ variables }) => variables);
    this.#bySection = new Map(this.sections.map(section => [section.sectionIndex, section]));
  }

  of(sectionIndex: number): DataSection | undefined {
    return this.#bySection.get(sectionIndex);
  }

  /** The variable that holds a byte of a section. */
  at(sectionIndex: number, offset: number): BpfVariable | undefined {
    const variables = this.#bySection.get(sectionIndex)?.variables ?? [];
    let low = 0;
    let high = variables.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (variables[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    const variable = variables[low - 1];
    return variable !== undefined && offset < variable.offset + Math.max(variable.size, 1) ? variable : undefined;
  }
}

/** Which sections hold global data (bpf_object__elf_collect): `.data`, `.rodata`, `.bss`, and with a dot and a name behind. */
export function dataKind({ name, type, flags, size }: Section): DataKind | undefined {
  if (size === 0 || (flags & SHF.EXECINSTR) !== 0) return undefined;
  const is = (base: string): boolean => name === base || name.startsWith(`${base}.`);
  if (type === SHT.NOBITS) return is('.bss') ? 'bss' : undefined;
  if (type !== SHT_PROGBITS) return undefined;
  if (is('.data')) return 'data';
  if (is('.rodata')) return 'rodata';
  return name === '.addr_space.1' ? 'arena' : undefined;
}

const SHT_PROGBITS = 1;

/**
 * The variables of a section: those of its DATASEC, and symbols that it lacks. clang leaves the offsets of global variables in a DATASEC
 * zero, for a linker to fill in, and libbpf takes them from the symbols (btf_fixup_datasec); those of static ones are there.
 */
function variablesOf(file: BpfFile, section: Section, datasec: number | undefined, room: number): BpfVariable[] {
  const { btf } = file;
  const symbols = file.symbols.filter(({ sectionIndex, type }) => sectionIndex === section.index && type === STT.OBJECT);
  const globals = new Map(symbols.filter(({ binding }) => binding !== STB.LOCAL).map(symbol => [symbol.name, symbol]));
  const common = { section: section.name, sectionIndex: section.index };
  const variables: BpfVariable[] = [];
  const named = new Set<string>();
  const type = btf === undefined || datasec === undefined ? undefined : btf.type(datasec);
  if (btf !== undefined && type?.kind === 'DATASEC') {
    if (type.variables.length > room) file.report(section.name, `has ${type.variables.length} variables; ${room} of them are read`);
    for (const entry of type.variables.slice(0, room)) {
      const variable = btf.type(entry.typeId);
      if (variable.kind !== 'VAR') {
        file.report(section.name, `its DATASEC lists type ${entry.typeId}, which is not a variable`);
        continue;
      }
      named.add(variable.name);
      const symbol = variable.linkage === 'static' ? undefined : globals.get(variable.name);
      const declaration = file.declare(variable.typeId, variable.name);
      variables.push({
        name: variable.name,
        ...common,
        offset: symbol === undefined ? entry.offset : Number(symbol.value),
        size: entry.size,
        linkage: symbol !== undefined && isHidden(symbol) ? 'static' : variable.linkage,
        typeId: variable.typeId,
        ...(declaration === undefined ? {} : { declaration }),
      });
    }
  }
  for (const { name, value, size, binding } of symbols) {
    if (named.has(name) || name === '' || variables.length >= room) continue;
    variables.push({ name, ...common, offset: Number(value), size: Number(size), linkage: binding === STB.LOCAL ? 'static' : 'global' });
  }
  return variables.sort((a, b) => a.offset - b.offset);
}
