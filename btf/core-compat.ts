import { FormatError } from '../elf/errors.js';
import type { Btf } from './btf.js';
import type { BtfType, CompositeType, Enum64Type, EnumType } from './types.js';

// When a type of a BPF object and a type of a kernel are the same for CO-RE: three relations of libbpf (relo_core.c), from loose to strict.

/** What references and prototypes may nest, as libbpf has it. */
const DEEPEST = 32;

/**
 * A name without its flavour: `task_struct` of `task_struct___old`. Three underscores between other characters begin a flavour, the last
 * such in the name (bpf_core_essential_name_len).
 */
export function essentialName(name: string): string {
  for (let i = name.length - 5; i >= 0; i--) {
    if (name[i] !== '_' && name.startsWith('___', i + 1) && name[i + 4] !== '_') return name.slice(0, i + 1);
  }
  return name;
}

/** Comparisons of types for one question. A kernel's own take some thousands; structs made for it would take for ever. */
const MOST_STEPS = 1 << 20;

/** Comparisons for all questions, for each word of the types and besides. */
const MOST_COMPARED = 16;
const SPARE = 1 << 20;

/** Two BTFs whose types are compared, the object's and the kernel's. */
export class CoreTypes {
  readonly local: Btf;
  readonly target: Btf;
  #steps = 0;
  #left: number;

  constructor(local: Btf, target: Btf) {
    this.local = local;
    this.target = target;
    this.#left = SPARE + MOST_COMPARED * (local.words.length + target.words.length + (target.base?.words.length ?? 0));
  }

  /**
   * Pays for comparisons, those of all questions together: as many records as types may each have all of these as candidates.
   * @throws FormatError `limit`
   */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw this.target.errorAt(0, 'the types have more candidates and members than is reasonable', 'limit');
  }

  /** Whether fields of two types can stand for each other (bpf_core_fields_are_compat). */
  fieldsAreCompatible(localId: number, targetId: number): boolean {
    for (let depth = 0; depth < DEEPEST; depth++) {
      const a = this.local.type(this.local.resolve(localId));
      const b = this.target.type(this.target.resolve(targetId));
      if (isComposite(a) && isComposite(b)) return true;
      if (!sameKind(a, b)) return false;
      switch (a.kind) {
        case 'PTR':
        case 'FLOAT':
          return true;
        case 'FWD':
        case 'ENUM':
        case 'ENUM64':
          return a.name === '' || b.name === '' || essentialName(a.name) === essentialName(b.name);
        case 'INT':
          return a.bitOffset === 0 && (b as typeof a).bitOffset === 0;
        case 'ARRAY':
          localId = a.typeId;
          targetId = (b as typeof a).typeId;
          break;
        default:
          return false;
      }
    }
    return false;
  }

  /** Whether two types, whose names are known to agree, are of one shape (bpf_core_types_are_compat). @throws FormatError `limit` */
  typesAreCompatible(localId: number, targetId: number): boolean {
    this.#steps = 0;
    return this.#compatible(localId, targetId, DEEPEST);
  }

  #compatible(localId: number, targetId: number, depth: number): boolean {
    if (!sameKind(this.local.type(localId), this.target.type(targetId))) return false;
    for (; depth > 0; depth--) {
      this.#step();
      const a = this.local.type(this.local.resolve(localId));
      const b = this.target.type(this.target.resolve(targetId));
      if (!sameKind(a, b)) return false;
      switch (a.kind) {
        case 'VOID':
        case 'STRUCT':
        case 'UNION':
        case 'ENUM':
        case 'ENUM64':
        case 'FWD':
          return true;
        case 'INT':
          return a.bitOffset === 0 && (b as typeof a).bitOffset === 0;
        case 'PTR':
        case 'ARRAY':
          localId = a.typeId;
          targetId = (b as typeof a).typeId;
          break;
        case 'FUNC_PROTO': {
          const other = b as typeof a;
          if (!sameParameters(a, other)) return false;
          const inner = depth - 1;
          const { local, target } = this;
          const agree = a.parameters.every(({ typeId }, i) =>
            this.#compatible(local.resolve(typeId), target.resolve(other.parameters[i]!.typeId), inner),
          );
          if (!agree) return false;
          localId = a.returnTypeId;
          targetId = other.returnTypeId;
          break;
        }
        default:
          return false;
      }
    }
    return false;
  }

  /** Whether two types agree with all that is in them, names included (bpf_core_types_match). @throws FormatError `limit` */
  typesMatch(localId: number, targetId: number): boolean {
    this.#steps = 0;
    return this.#match(localId, targetId, false, DEEPEST);
  }

  #match(localId: number, targetId: number, behindPointer: boolean, level: number): boolean {
    if (level <= 0) return false;
    for (let depth = DEEPEST; depth > 0; depth--) {
      this.#step();
      const a = this.local.type(this.local.resolve(localId));
      const b = this.target.type(this.target.resolve(targetId));
      if (essentialName(a.name) !== essentialName(b.name)) return false;
      switch (a.kind) {
        case 'FWD':
          if (b.kind === 'FWD') return a.union === b.union;
          return behindPointer && b.kind === (a.union ? 'UNION' : 'STRUCT');
        case 'ENUM':
        case 'ENUM64':
          return (b.kind === 'ENUM' || b.kind === 'ENUM64') && enumsMatch(a, b);
        case 'STRUCT':
        case 'UNION':
          if (!behindPointer) return a.kind === b.kind && this.#membersMatch(a, b as CompositeType, level);
          return a.kind === b.kind || (b.kind === 'FWD' && b.union === (a.kind === 'UNION'));
        case 'INT':
          return b.kind === 'INT' && a.size === b.size && (a.encoding & SIGNED) === (b.encoding & SIGNED);
        case 'PTR':
          if (b.kind !== 'PTR') return false;
          behindPointer = true;
          localId = a.typeId;
          targetId = b.typeId;
          break;
        case 'ARRAY':
          if (b.kind !== 'ARRAY' || a.nelems !== b.nelems) return false;
          localId = a.typeId;
          targetId = b.typeId;
          break;
        case 'FUNC_PROTO': {
          if (b.kind !== 'FUNC_PROTO' || !sameParameters(a, b)) return false;
          const pointed = behindPointer;
          const agree = a.parameters.every(({ typeId }, i) => this.#match(typeId, b.parameters[i]!.typeId, pointed, level - 1));
          if (!agree) return false;
          localId = a.returnTypeId;
          targetId = b.returnTypeId;
          break;
        }
        default:
          return a.kind === 'VOID' && b.kind === 'VOID';
      }
    }
    return false;
  }

  #step(): void {
    if (++this.#steps <= MOST_STEPS) return;
    throw new FormatError('limit', { name: this.local.name }, `more than ${MOST_STEPS} types to compare with ${this.target.name}`);
  }

  #membersMatch(a: CompositeType, b: CompositeType, level: number): boolean {
    if (a.members.length > b.members.length) return false;
    return a.members.every(member =>
      b.members.some(
        ({ name, typeId }) => essentialName(name) === essentialName(member.name) && this.#match(member.typeId, typeId, false, level - 1),
      ),
    );
  }
}

/** BTF_INT_SIGNED */
const SIGNED = 1;

function isComposite(type: BtfType): type is CompositeType {
  return type.kind === 'STRUCT' || type.kind === 'UNION';
}

/** ENUM and ENUM64 are one (btf_kind_core_compat). */
export function sameKind(a: BtfType, b: BtfType): boolean {
  return a.kind === b.kind || ((a.kind === 'ENUM' || a.kind === 'ENUM64') && (b.kind === 'ENUM' || b.kind === 'ENUM64'));
}

interface Variadic {
  readonly parameters: readonly unknown[];
  readonly variadic: boolean;
}

/** The record of a variadic prototype has one parameter more. */
function sameParameters(a: Variadic, b: Variadic): boolean {
  return a.parameters.length + Number(a.variadic) === b.parameters.length + Number(b.variadic) && a.variadic === b.variadic;
}

/** Every enumerator of the object is the kernel's too; their values don't matter. */
function enumsMatch(a: EnumType | Enum64Type, b: EnumType | Enum64Type): boolean {
  if (a.size !== b.size) return false;
  const names = new Set(Array.from<{ name: string }, string>(b.values, ({ name }) => essentialName(name)));
  return a.values.every(({ name }: { name: string }) => names.has(essentialName(name)));
}
