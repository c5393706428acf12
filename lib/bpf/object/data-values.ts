import { SHT } from '../../../elf/constants.js';
import type { BpfFile } from './bpf-file.js';
import type { BpfVariable } from './data.js';
import { formatInt, formatValue } from './format-value.js';
import type { RelocationMeaning, RelocationPlaces } from './relocations.js';

/** The values that global variables start with. */
export class DataValues {
  readonly #file: BpfFile;
  readonly #relocations: RelocationPlaces;
  readonly #bytes = new Map<number, Uint8Array>();
  /** Bytes that may be looked at for the values of all variables: in a damaged file they may all be the same megabyte. */
  readonly #budget: { left: number };

  /** @param relocations what pointers in data point to */
  constructor(file: BpfFile, relocations: RelocationPlaces) {
    this.#file = file;
    this.#relocations = relocations;
    this.#budget = { left: (1 << 20) + file.elf.source.size * 64 };
  }

  /** The value a variable starts with, in C; zero in .bss, undefined if it is not to be had. */
  of(variable: BpfVariable): string | undefined {
    const { btf, littleEndian, elf } = this.#file;
    const { sectionIndex, typeId, offset, size } = variable;
    if (elf.sections[sectionIndex]!.type === SHT.NOBITS) return this.#zero(typeId);
    const bytes = this.#bytesOf(variable);
    if (bytes === undefined) return undefined;
    if (btf === undefined || typeId === undefined) return hexBytes(bytes);
    const pointers = new Map<number, string>();
    for (const { offset: at, meaning } of this.#relocations.relocationsIn(sectionIndex, offset, offset + size)) {
      pointers.set(at - offset, pointedAt(meaning));
    }
    const budget = this.#budget;
    return this.#file.attempt(variable.section, () => formatValue(btf, typeId, bytes, littleEndian, { budget, pointers }));
  }

  /** The bytes a variable starts with; undefined in .bss, where all are zero, and where the section ends before the variable does. */
  #bytesOf({ sectionIndex, offset, size }: BpfVariable): Uint8Array | undefined {
    const section = this.#file.elf.sections[sectionIndex]!;
    if (section.type === SHT.NOBITS) return undefined;
    let bytes = this.#bytes.get(sectionIndex);
    if (bytes === undefined) {
      bytes = this.#file.attempt(section.name, () => section.stored()) ?? new Uint8Array(0);
      this.#bytes.set(sectionIndex, bytes);
    }
    return offset + size <= bytes.length ? bytes.subarray(offset, offset + size) : undefined;
  }

  /** What zero bytes are of a type: those of .bss are not in the file, and may be as many as the file likes to say. */
  #zero(typeId: number | undefined): string {
    const { btf } = this.#file;
    const type = btf === undefined || typeId === undefined ? undefined : this.#file.attempt('.BTF', () => btf.type(btf.resolve(typeId)));
    switch (type?.kind) {
      case 'ARRAY':
      case 'STRUCT':
      case 'UNION':
        return '{}';
      case 'PTR':
        return 'NULL';
      case 'INT':
        return formatInt(type, 0n);
      default:
        return '0';
    }
  }
}

function pointedAt(meaning: RelocationMeaning): string {
  switch (meaning.kind) {
    case 'map':
      return `&${meaning.map.name}`;
    case 'call':
    case 'function':
      return `&${meaning.function.name}`;
    case 'data':
      if (meaning.variable === undefined) return `&${meaning.section}+${meaning.offset}`;
      return `&${meaning.variable.name}${meaning.variableOffset === 0 ? '' : `+${meaning.variableOffset}`}`;
    case 'extern':
      return `&${meaning.name}`;
    default:
      return '?';
  }
}

/** Up to 16 bytes. */
function hexBytes(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, 16)].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
  return bytes.length > 16 ? `${shown} …` : shown;
}
