import { SHT, STB, STT } from '../../../elf/constants.js';
import { isFormatError } from '../../../elf/errors.js';
import type { Section } from '../../../elf/section.js';
import { mapTypeName, mapTypeNumber } from '../names/map-types.js';
import { KERNEL_NAME_LENGTH } from '../names/uapi.js';
import { type BpfFile, isHidden } from './bpf-file.js';
import type { DataKind, DataSections } from './data.js';
import { type BpfExtern, kconfigSize } from './externs.js';
import { type MapDefinition, readMapDefinition } from './map-definition.js';
import type { BpfStructOps } from './struct-ops.js';

/** Where a map comes from: a variable in `.maps`; a section of global data; `.kconfig`; a struct_ops; a symbol in the old `maps`. */
export type MapOrigin = 'btf' | DataKind | 'kconfig' | 'struct_ops' | 'legacy';

/** A map, as libbpf would create it. Sizes in bytes. */
export interface BpfMap {
  /** As `bpf_map__name()` has it. */
  readonly name: string;
  /** What the kernel will show: at most 15 characters, and of global data with the object's name in front (`kprobe_m.rodata`). */
  readonly kernelName: string;
  readonly origin: MapOrigin;
  /** Where it is defined; `.kconfig` is not a section of the file. */
  readonly section: string;
  readonly sectionIndex?: number;
  /** In bytes, from the start of the section. */
  readonly offset: number;
  /** As `enum bpf_map_type`; {@link typeName} is its name. */
  readonly type: number;
  readonly typeName: string;
  readonly keySize: number;
  readonly valueSize: number;
  readonly maxEntries: number;
  readonly flags: number;
  readonly numaNode?: number;
  readonly mapExtra?: bigint;
  /** True for LIBBPF_PIN_BY_NAME: libbpf keeps it under /sys/fs/bpf. */
  readonly pinned: boolean;
  readonly keyTypeId?: number;
  readonly valueTypeId?: number;
  /** In C, where given as types. */
  readonly key?: string;
  readonly value?: string;
  readonly inner?: BpfMap;
  /** False for a struct_ops in a section whose name begins with `?`. */
  readonly autocreate: boolean;
  /** Where the slots of `values` start in the variable. */
  readonly slotsOffset?: number;
  /** What libbpf says against it. */
  readonly refusal?: string;
}

const ARRAY: number = mapTypeNumber('array');
const STRUCT_OPS: number = mapTypeNumber('struct_ops');
const RDONLY_PROG = 1 << 7;
const MMAPABLE = 1 << 10;
const LINK = 1 << 13;

/** Libbpf's name for the map of a section, and the kernel's (internal_map_name, map_uses_real_name). */
function dataMapNames(section: string, objectName: string): { readonly name: string; readonly kernelName: string } {
  const custom = section.indexOf('.', 1) >= 0;
  const suffix = Math.min(Math.max(7, section.length), KERNEL_NAME_LENGTH);
  const prefix = custom ? '' : objectName.slice(0, KERNEL_NAME_LENGTH - suffix);
  const kernelName = `${prefix}${section.slice(0, suffix)}`.replace(/[^A-Za-z0-9_.]/g, '_');
  return { name: custom ? section : kernelName, kernelName };
}

/** What maps are made of besides those that the object defines. */
export interface MapSources {
  readonly objectName: string;
  readonly data: DataSections;
  readonly externs: readonly BpfExtern[];
  readonly structOps: readonly BpfStructOps[];
}

/** The maps of an object, in libbpf's order (bpf_object__init_maps). */
export function readMaps(file: BpfFile, sources: MapSources): BpfMap[] {
  return [...btfMaps(file), ...dataMaps(sources), ...kconfigMap(sources), ...structOpsMaps(sources), ...legacyMaps(file)];
}

/** The variables of `.maps`. */
function btfMaps(file: BpfFile): BpfMap[] {
  const { btf, elf } = file;
  const section = elf.section('.maps');
  if (section === undefined) return [];
  const datasec = btf === undefined ? undefined : btf.type(btf.find('.maps', 'DATASEC')[0] ?? 0);
  if (btf === undefined || datasec?.kind !== 'DATASEC') {
    file.refuse('.maps', 'BTF does not describe its contents', 'ENOENT');
    return [];
  }
  const symbols = new Map(file.symbols.filter(({ sectionIndex }) => sectionIndex === section.index).map(symbol => [symbol.name, symbol]));
  const found = datasec.variables.flatMap(({ typeId, offset }) => {
    const variable = btf.type(typeId);
    if (variable.kind !== 'VAR') return [];
    const symbol = symbols.get(variable.name);
    if (variable.linkage !== 'global') file.refuse('.maps', `map ${variable.name} is ${variable.linkage}`, 'EOPNOTSUPP');
    else if (symbol !== undefined && isHidden(symbol))
      file.refuse('.maps', `map ${variable.name} is hidden, which makes it static: since libbpf 1.1`, 'EOPNOTSUPP');
    return [{ variable, offset: symbol === undefined ? offset : Number(symbol.value) }];
  });
  found.sort((a, b) => a.offset - b.offset);
  return found.flatMap(({ variable, offset }) => {
    try {
      return [mapOf(file, readMapDefinition(btf, variable.typeId, variable.name), variable.name, section, offset)];
    } catch (error) {
      if (!isFormatError(error)) throw error;
      file.refuse('.maps', error.message);
      return [];
    }
  });
}

function mapOf(file: BpfFile, definition: MapDefinition, name: string, section: Section, offset: number): BpfMap {
  const { pinning, inner, keyTypeId, valueTypeId, ofPrograms: _, ...rest } = definition;
  const key = keyTypeId === undefined ? undefined : file.declare(keyTypeId);
  const value = valueTypeId === undefined ? undefined : file.declare(valueTypeId);
  return {
    name,
    kernelName: name.slice(0, KERNEL_NAME_LENGTH),
    origin: 'btf',
    section: section.name,
    sectionIndex: section.index,
    offset,
    ...rest,
    typeName: mapTypeName(definition.type),
    pinned: pinning === 1,
    autocreate: true,
    ...(keyTypeId === undefined ? {} : { keyTypeId }),
    ...(valueTypeId === undefined ? {} : { valueTypeId }),
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
    ...(inner === undefined ? {} : { inner: mapOf(file, inner, `${name}.inner`, section, offset) }),
  };
}

/** One map for each section of global data, an array of one entry (bpf_object__init_global_data_maps). */
function dataMaps({ data, objectName }: MapSources): BpfMap[] {
  return data.sections
    .filter(({ kind }) => kind !== 'arena')
    .map(({ name: section, sectionIndex, kind, size, typeId, variables }) => {
      // Programs and user space share what is not static (map_is_mmapable).
      const shared = typeId !== undefined && variables.some(({ linkage, typeId }) => typeId !== undefined && linkage !== 'static');
      return {
        ...arrayOfOne(section, objectName, size),
        origin: kind,
        sectionIndex,
        flags: (kind === 'rodata' ? RDONLY_PROG : 0) | (shared ? MMAPABLE : 0),
        ...(typeId === undefined ? {} : { valueTypeId: typeId }),
      };
    });
}

function kconfigMap({ externs, objectName }: MapSources): BpfMap[] {
  const size = kconfigSize(externs);
  if (size === 0) return [];
  // Its variables are externs, which are not static.
  return [{ ...arrayOfOne('.kconfig', objectName, size), origin: 'kconfig', flags: RDONLY_PROG | MMAPABLE }];
}

/** What libbpf makes for a section of data: its bytes as the one value. */
function arrayOfOne(section: string, objectName: string, size: number): Omit<BpfMap, 'origin' | 'flags'> {
  return {
    ...dataMapNames(section, objectName),
    section,
    offset: 0,
    type: ARRAY,
    typeName: mapTypeName(ARRAY),
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    pinned: false,
    autocreate: true,
  };
}

function structOpsMaps({ structOps }: MapSources): BpfMap[] {
  return structOps.map(({ name, section, sectionIndex, offset, size, typeId, link, autocreate }) => ({
    name,
    kernelName: name.slice(0, KERNEL_NAME_LENGTH),
    origin: 'struct_ops',
    section,
    sectionIndex,
    offset,
    type: STRUCT_OPS,
    typeName: mapTypeName(STRUCT_OPS),
    keySize: 4,
    valueSize: size,
    maxEntries: 1,
    flags: link ? LINK : 0,
    pinned: false,
    valueTypeId: typeId,
    autocreate,
  }));
}

/** `struct bpf_map_def` of before BTF: type, key size, value size, entries, flags. */
const LEGACY_FIELDS = 5;

const LEGACY = 'legacy map definitions: libbpf 1.0 and later refuse the object';

function legacyMaps(file: BpfFile): BpfMap[] {
  return file.elf.sections
    .filter(({ name, type, size }) => /^maps(\/|$)/.test(name) && type !== SHT.NOBITS && size > 0)
    .flatMap(section => {
      const bytes = file.attempt(section.name, () => section.stored());
      if (bytes === undefined) return [];
      // libbpf passes over other sections, and refuses what refers to them (bpf_object__elf_collect).
      const isRefused = section.name === 'maps';
      if (isRefused) file.report(section.name, LEGACY);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      return (
        file.symbols
          .filter(({ sectionIndex, name }) => sectionIndex === section.index && name !== '')
          // clang up to 7 gave symbols no type.
          .filter(({ type, binding }) => type === STT.OBJECT || (type === STT.NOTYPE && binding !== STB.LOCAL))
          .sort((a, b) => Number(a.value - b.value))
          .flatMap(({ name, value }): BpfMap[] => {
            const offset = Number(value);
            if (offset + LEGACY_FIELDS * 4 > bytes.length) {
              file.report(section.name, `map ${name} at ${offset} does not fit in ${bytes.length} bytes`);
              return [];
            }
            const [type, keySize, valueSize, maxEntries, flags] = Array.from({ length: LEGACY_FIELDS }, (_, i) =>
              view.getUint32(offset + i * 4, file.littleEndian),
            ) as [number, number, number, number, number];
            return [
              {
                name,
                kernelName: name.slice(0, KERNEL_NAME_LENGTH),
                origin: 'legacy',
                section: section.name,
                sectionIndex: section.index,
                offset,
                type,
                typeName: mapTypeName(type),
                keySize,
                valueSize,
                maxEntries,
                flags,
                pinned: false,
                autocreate: true,
                ...(isRefused ? { refusal: 'a legacy definition: libbpf 1.0 and later refuse the object' } : {}),
              },
            ];
          })
      );
    });
}
