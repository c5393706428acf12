import { SHT } from '../../../elf/constants.js';
import type { BpfFile } from './bpf-file.js';

/** A variable in `.struct_ops` or `.struct_ops.link`: a table of functions that the kernel calls. */
export interface BpfStructOps {
  readonly name: string;
  readonly section: string;
  readonly sectionIndex: number;
  readonly offset: number;
  readonly size: number;
  readonly typeId: number;
  /** The struct's name in the file. The kernel's is the same without a flavor, `___…`. */
  readonly typeName: string;
  /** True in `.struct_ops.link`: it is attached by a link. */
  readonly link: boolean;
  /** False where the section's name begins with `?`. */
  readonly autocreate: boolean;
}

const SECTION = /^\??\.struct_ops(\.link)?$/;

/** The struct_ops of an object (init_struct_ops_maps of libbpf). */
export function readStructOps(file: BpfFile): BpfStructOps[] {
  const { btf } = file;
  if (btf === undefined) return [];
  return file.elf.sections
    .filter(({ name, type, size }) => SECTION.test(name) && type !== SHT.NOBITS && size > 0)
    .flatMap(section => {
      const datasec = btf.type(btf.find(section.name, 'DATASEC')[0] ?? 0);
      if (datasec.kind !== 'DATASEC') {
        file.refuse(section.name, 'BTF does not describe its contents', 'EINVAL');
        return [];
      }
      const symbols = new Map(
        file.symbols.filter(({ sectionIndex }) => sectionIndex === section.index).map(symbol => [symbol.name, symbol]),
      );
      return datasec.variables
        .flatMap((entry): BpfStructOps[] => {
          const variable = btf.type(entry.typeId);
          if (variable.kind !== 'VAR') return [];
          const type = file.attempt(section.name, () => btf.type(btf.resolve(variable.typeId)));
          if (type?.kind !== 'STRUCT' || type.name === '') {
            file.refuse(section.name, `${variable.name} has no struct type with a name`);
            return [];
          }
          const symbol = symbols.get(variable.name);
          return [
            {
              name: variable.name,
              section: section.name,
              sectionIndex: section.index,
              offset: symbol === undefined ? entry.offset : Number(symbol.value),
              size: type.size,
              typeId: type.id,
              typeName: type.name,
              link: section.name.endsWith('.link'),
              autocreate: !section.name.startsWith('?'),
            },
          ];
        })
        .sort((a, b) => a.offset - b.offset);
    });
}
