import { SHF, STB, STT } from '../../../elf/constants.js';
import type { Section } from '../../../elf/section.js';
import type { ElfSymbol } from '../../../elf/symbol.js';
import { CALL, INSN_BYTES, OPCODE } from '../code/insn.js';
import { mapType, mapTypeNumber } from '../names/map-types.js';
import type { BpfFile } from './bpf-file.js';
import { dataKind } from './data.js';
import type { BpfMap } from './maps.js';
import { isProgram } from './programs.js';
import type { BpfRelocation, RelocationTargets } from './relocations.js';

/** Notes every relocation for which libbpf does not open an object (bpf_object__collect_relos): those of code, of maps and of struct_ops. */
export function refuseRelocations(file: BpfFile, targets: RelocationTargets, relocations: readonly BpfRelocation[]): void {
  const rules = new Rules(file, targets);
  for (const relocation of relocations) {
    const says = rules.against(relocation);
    if (says !== undefined) file.refuse(relocation.section, says);
  }
}

const HASH_OF_MAPS = mapTypeNumber('hash_of_maps');

class Rules {
  readonly #file: BpfFile;
  readonly #targets: RelocationTargets;
  readonly #maps: readonly BpfMap[];
  readonly #text: Section | undefined;

  constructor(file: BpfFile, targets: RelocationTargets) {
    this.#file = file;
    this.#targets = targets;
    this.#maps = targets.maps.filter(({ origin }) => origin === 'btf');
    this.#text = file.elf.sections.find(({ name, flags, size }) => name === '.text' && (flags & SHF.EXECINSTR) !== 0 && size > 0);
  }

  against(relocation: BpfRelocation): string | undefined {
    const { elf, symbols } = this.#file;
    const section = elf.sections[relocation.sectionIndex]!;
    const symbol = symbols[relocation.symbolIndex];
    if (symbol === undefined) return `a relocation refers to symbol ${relocation.symbolIndex}, which is not there`;
    if ((section.flags & SHF.EXECINSTR) !== 0) return this.#code(section, relocation, symbol);
    if (section.name === '.maps') return this.#slot(relocation, symbol);
    return /^\??\.struct_ops(\.link)?$/.test(section.name) ? this.#member(relocation, symbol) : undefined;
  }

  /** bpf_object__collect_prog_relos, bpf_program__record_reloc */
  #code(section: Section, { offset, symbol: name }: BpfRelocation, symbol: ElfSymbol): string | undefined {
    const file = this.#file;
    const { sections } = file.elf;
    if (symbol.sectionIndex >= sections.length) return `${name} is in section ${symbol.sectionIndex}, which is not there`;
    if (offset % INSN_BYTES !== 0 || offset >= section.size) return `a relocation is at ${offset}, where no instruction is`;
    const fn = this.#targets.functionAt(section.index, offset);
    const instructions = file.attempt(section.name, () => file.instructions(section.index));
    // What belongs to no function is code of a weak one that was overridden: it is passed over.
    if (fn?.typed !== true || instructions === undefined) return undefined;
    const index = offset / INSN_BYTES;
    const isCall = instructions.code[index] === OPCODE.CALL;
    if (!isCall && instructions.code[index] !== OPCODE.LD_IMM64)
      return `${fn.name}: what refers to ${name} is neither a call nor an ld_imm64`;
    if (isExtern(symbol)) return undefined;
    const target = sections[symbol.sectionIndex]!;
    if (isCall) {
      if (instructions.src[index] !== CALL.SUBPROGRAM) return `${fn.name}: the call of ${name} is not that of a subprogram`;
      if (target.index === 0 || target !== this.#text) return `${fn.name} calls ${name}, which is in ${placeOf(target)} and not in .text`;
      return symbol.value % 8n === 0n ? undefined : `${fn.name} calls ${name}, which is not at an instruction`;
    }
    return this.#load(fn.name, name, symbol, target, instructions.imm[index]!);
  }

  #load(fn: string, name: string, symbol: ElfSymbol, target: Section, addend: number): string | undefined {
    if (target.index === 0) return `${fn} refers to ${name}, which is in no section`;
    if (target === this.#text && isSubprogram(symbol)) {
      const whole = symbol.value % 8n === 0n && addend % INSN_BYTES === 0;
      return whole ? undefined : `${fn} takes the address of ${name}, which is not at an instruction`;
    }
    if (target.name === '.addr_space.1') {
      const hasArena = this.#maps.some(({ type }) => type === mapTypeNumber('arena'));
      return hasArena ? undefined : `${fn} refers to ${name} in ${target.name}, and no map is an arena`;
    }
    if (target.name === '.jumptables' || dataKind(target) !== undefined) return undefined;
    if (target.name !== '.maps') return `${fn} refers to ${name} in ${placeOf(target)}, where libbpf finds neither maps nor data`;
    const isMap = this.#maps.some(({ sectionIndex, offset }) => sectionIndex === target.index && BigInt(offset) === symbol.value);
    return isMap ? undefined : `${fn} refers to ${name}, and no map is at .maps+${symbol.value}`;
  }

  /** bpf_object__collect_map_relos */
  #slot({ offset, symbol: name }: BpfRelocation, symbol: ElfSymbol): string | undefined {
    const map = this.#maps.findLast(each => each.offset <= offset);
    if (map === undefined) return `${name} is put where no map is`;
    const slots = mapType(map.type)?.slots;
    if (slots === undefined || map.slotsOffset === undefined || offset < map.offset + map.slotsOffset)
      return `${name} is put in map ${map.name}, outside of its values`;
    if ((offset - map.offset - map.slotsOffset) % 8 !== 0) return `${name} is put in map ${map.name} between two slots`;
    if (slots === 'programs') {
      const fn = this.#targets.functionAt(symbol.sectionIndex, Number(symbol.value));
      const isEntry = fn !== undefined && isProgram(fn) && fn.typed && fn.name === name && BigInt(fn.offset) === symbol.value;
      return isEntry ? undefined : `map ${map.name} has ${name} in a slot, which is no program`;
    }
    if (map.type === HASH_OF_MAPS && map.keySize !== 4) return `map ${map.name} has slots, and keys of ${map.keySize} bytes, not 4`;
    const isMap = this.#file.elf.sections[symbol.sectionIndex]?.name === '.maps' && this.#targets.maps.some(each => each.name === name);
    return isMap ? undefined : `map ${map.name} has ${name} in a slot, which is no map`;
  }

  /** bpf_object__collect_st_ops_relos */
  #member({ symbol: name }: BpfRelocation, symbol: ElfSymbol): string | undefined {
    const fn = this.#targets.functionAt(symbol.sectionIndex, Number(symbol.value));
    if (fn === undefined || !fn.typed) return `${name}, which a member is set to, is no program`;
    return fn.meaning?.definition?.type === 'struct_ops' ? undefined : `${fn.name}, which a member is set to, is no struct_ops program`;
  }
}

/** sym_is_extern */
function isExtern({ sectionIndex, binding, type }: ElfSymbol): boolean {
  return sectionIndex === 0 && (binding === STB.GLOBAL || binding === STB.WEAK) && type === STT.NOTYPE;
}

/** sym_is_subprog, of a symbol in .text */
function isSubprogram({ binding, type }: ElfSymbol): boolean {
  return binding === STB.LOCAL ? type === STT.SECTION : (binding === STB.GLOBAL || binding === STB.WEAK) && type === STT.FUNC;
}

function placeOf({ index, name }: Section): string {
  return index === 0 ? 'no section' : `section ${name}`;
}
