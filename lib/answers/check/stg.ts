import { FormatError } from '../../../elf/errors.js';
import { baseName, type CFunction, type CType } from './ctype.js';
import type { AbiSymbol, KernelAbi } from './kernel-abi.js';

/** A node of the graph: its fields in the order of the file; those within a definition are left out. */
interface StgNode {
  readonly tag: string;
  readonly fields: readonly (readonly [key: string, value: string])[];
}

/** Whether a text begins as STG does. */
export function isStg(text: string): boolean {
  return /^\s*version:/.test(text);
}

/**
 * Reads STG, the form that Android keeps its ABI in since 2022 (android/abi_gki_aarch64.stg): the text form of a protocol buffer (stg.proto
 * of android.googlesource.com/platform/external/stg; older files have `void` and `variadic` for `special`), a node each for symbols and
 * types, which name each other by id. It does not tell whether the kernel itself or a module of it has a symbol.
 * @throws FormatError
 */
export function readStg(text: string, file: string): KernelAbi {
  const nodes = readNodes(text, file);
  const types = new StgTypes(nodes);
  const symbols = new Map<string, AbiSymbol>();
  for (const node of nodes) {
    const name = node.tag === 'elf_symbol' ? textOf(node, 'name') : undefined;
    if (name === undefined || fieldOf(node, 'is_defined') !== 'true') continue;
    const type = fieldOf(node, 'symbol_type');
    const crc = /^0x[0-9a-f]{1,8}$/i.exec(fieldOf(node, 'crc') ?? '')?.[0];
    const prototype = types.type(fieldOf(node, 'type_id'));
    const declared = textOf(node, 'full_name');
    symbols.set(name, {
      name,
      ...(type === 'FUNCTION' || type === 'OBJECT' ? { kind: type === 'FUNCTION' ? 'function' : 'variable' } : {}),
      ...(crc === undefined ? {} : { crc: Number(crc) }),
      ...(declared === undefined ? {} : { declared }),
      ...(prototype.kind === 'function' ? { prototype } : {}),
    });
  }
  if (symbols.size === 0) throw new FormatError('bad-value', { name: file }, 'is STG, but has no symbols');
  return { file, form: 'stg', symbols, modules: new Map() };
}

/** A line opens a node or a part of one, sets a field, or closes what was opened last. */
function readNodes(text: string, file: string): StgNode[] {
  const nodes: StgNode[] = [];
  let fields: [key: string, value: string][] = [];
  let depth = 0;
  let offset = 0;
  for (const line of text.split('\n')) {
    // Each part begins with what none before it may have: no way back is tried twice.
    const [, key, opens, value] = /^(\w+)(?:\s*(\{)|:(.*))$/.exec(line.trim()) ?? [];
    if (key !== undefined && opens !== undefined) {
      if (depth++ === 0) nodes.push({ tag: key, fields: (fields = []) });
    } else if (key !== undefined) {
      if (depth === 1) fields.push([key, value?.trim() ?? '']);
    } else if (line.trim() === '}' && depth > 0) depth--;
    else if (!/^\s*(#.*)?$/.test(line))
      throw new FormatError('bad-value', { name: file, offset }, 'is not STG: a line is neither a field nor a node');
    offset += line.length + 1;
  }
  if (depth > 0) throw new FormatError('truncated', { name: file, offset }, 'ends within a node');
  return nodes;
}

function fieldOf({ fields }: StgNode, key: string): string | undefined {
  return fields.find(field => field[0] === key)?.[1];
}

/** The text between quotes; names of C have no escapes. */
function textOf(node: StgNode, key: string): string | undefined {
  return /^"(.*)"$/.exec(fieldOf(node, key) ?? '')?.[1];
}

/** Types by their ids; what they refer to is made on first use. */
class StgTypes {
  readonly #nodes = new Map<string, StgNode>();
  readonly #made = new Map<string, CType>();

  constructor(nodes: readonly StgNode[]) {
    for (const node of nodes) {
      const id = fieldOf(node, 'id');
      if (id !== undefined) this.#nodes.set(id, node);
    }
  }

  type(id: string | undefined): CType {
    let made = id === undefined ? undefined : this.#made.get(id);
    if (made === undefined) {
      const node = id === undefined ? undefined : this.#nodes.get(id);
      made = node === undefined ? { kind: 'unknown' } : this.#make(node);
      if (id !== undefined) this.#made.set(id, made);
    }
    return made;
  }

  #make(node: StgNode): CType {
    const name = textOf(node, 'name') ?? '';
    const target = (key: string): CType => this.type(fieldOf(node, key));
    switch (node.tag) {
      case 'void':
        return { kind: 'void' };
      case 'special':
        return fieldOf(node, 'kind') === 'VOID' ? { kind: 'void' } : { kind: 'unknown' };
      case 'primitive':
        return { kind: 'base', name: baseName(name) };
      case 'pointer_reference':
        return {
          kind: 'pointer',
          get to(): CType {
            return target('pointee_type_id');
          },
        };
      case 'typedef':
        return {
          kind: 'typedef',
          name,
          get of(): CType {
            return target('referred_type_id');
          },
        };
      case 'qualified': {
        const qualifier = fieldOf(node, 'qualifier');
        return {
          kind: 'qualified',
          const: qualifier === 'CONST',
          volatile: qualifier === 'VOLATILE',
          get of(): CType {
            return target('qualified_type_id');
          },
        };
      }
      case 'array': {
        const count = Number(fieldOf(node, 'number_of_elements') ?? 0);
        return {
          kind: 'array',
          count: Number.isSafeInteger(count) ? count : undefined,
          get of(): CType {
            return target('element_type_id');
          },
        };
      }
      case 'struct_union':
        return name === '' ? { kind: 'unknown' } : { kind: fieldOf(node, 'kind') === 'UNION' ? 'union' : 'struct', name };
      case 'enumeration':
        return name === '' ? { kind: 'unknown' } : { kind: 'enum', name };
      case 'function':
        return this.#function(node);
      default:
        return { kind: 'unknown' };
    }
  }

  #function(node: StgNode): CFunction {
    const ids = node.fields.filter(([key]) => key === 'parameter_id').map(([, id]) => id);
    const isMark = (id: string): boolean => {
      const special = this.#nodes.get(id);
      return special?.tag === 'variadic' || (special?.tag === 'special' && fieldOf(special, 'kind') === 'VARIADIC');
    };
    const type = (id: string | undefined): CType => this.type(id);
    return {
      kind: 'function',
      rest: ids.some(isMark) ? 'yes' : 'no',
      parameters: ids
        .filter(id => !isMark(id))
        .map(id => ({
          get type(): CType {
            return type(id);
          },
        })),
      get returns(): CType {
        return type(fieldOf(node, 'return_type_id'));
      },
    };
  }
}
