import { expectBytes } from '../elf/arguments.js';
import { identifier } from '../elf/escape.js';
import { BtfBlob, type BtfOptions } from './blob.js';
import { decodeType } from './decode.js';
import type { TypeId } from './ids.js';
import { KIND, KIND_NAMES, type Kind, LAST_KIND } from './kinds.js';
import { Layout, resolveType } from './layout.js';
import { NameIndex } from './names.js';
import { declare, prototypeOf } from './print/declare.js';
import type { BtfType, VoidType } from './types.js';
import { kindOfInfo, vlenOfInfo } from './wire.js';

/** Compilers are to take 127 (C11, 5.2.4.1). */
const MOST_PARAMETERS = 128;
/** Elements of a type that is kept once it was decoded. */
const LARGE = 128;

/** The FUNCs of a blob in columns: row i is one FUNC, ascending by id. */
export interface FunctionColumns {
  readonly length: number;
  readonly ids: Uint32Array;
  /** Offsets into {@link Btf.strings}. */
  readonly names: Uint32Array;
  /** Ids of the FUNC_PROTOs. */
  readonly prototypes: Uint32Array;
  /** 0 static, 1 global, 2 extern. */
  readonly linkages: Uint8Array;
}

const VOID: VoidType = { id: 0, name: '', kind: 'VOID' };

/**
 * The types of one BTF blob (Documentation/bpf/btf.rst). Parsing notes where each record starts and checks names and ids; it makes objects
 * of types on demand. Ids run from `firstId` to `count - 1`; id 0 is void; ids below `firstId` are the base's and work everywhere here.
 */
export class Btf extends BtfBlob {
  declare readonly base: Btf | undefined;
  #names: NameIndex | undefined;
  #last: { readonly name: string; readonly ids: readonly TypeId[] } | undefined;
  /** Those that many records may be about: to decode one of 65,535 members for each of them takes a while. */
  readonly #large = new Map<TypeId, BtfType>();
  #functions: FunctionColumns | undefined;
  #layout: Layout | undefined;
  #pointerSize: 4 | 8 | undefined;

  /**
   * Reads a blob, by the rules of libbpf: header, strings, every record's length, every name and every type id.
   * @param bytes kept, not copied: do not write to them afterwards
   * @throws FormatError
   */
  static parse(bytes: Uint8Array, options: BtfOptions<Btf> = {}): Btf {
    expectBytes(bytes, 'bytes');
    return new Btf(bytes, options);
  }

  override get pointerSize(): 4 | 8 {
    this.#pointerSize ??= super.pointerSize;
    return this.#pointerSize;
  }

  kindOf(id: TypeId): Kind {
    const number = this.kindNumber(id);
    return number > LAST_KIND ? 'UNKNOWN' : KIND_NAMES[number]!;
  }

  /** '' for void and anonymous types. */
  nameOf(id: TypeId): string {
    return this.strings.text(this.nameOffset(id));
  }

  /** The name's bytes, as they are in the blob. */
  nameBytes(id: TypeId): Uint8Array {
    return this.strings.slice(this.nameOffset(id));
  }

  /** The type, decoded anew at every call, but for those of many members. @throws RangeError for an invalid id */
  type(id: TypeId): BtfType {
    if (id === 0) return VOID;
    const owner = this.ownerOf(id);
    const at = owner.offsets[id - owner.firstId]!;
    if (vlenOfInfo(owner.words[at + 1]!) < LARGE) return decodeType(owner, id, at);
    let type = this.#large.get(id);
    if (type === undefined) this.#large.set(id, (type = decodeType(owner, id, at)));
    return type;
  }

  /** The types of this blob, in order of id. */
  *types(): Generator<BtfType, void, undefined> {
    for (let id = this.firstId; id < this.count; id++) yield this.type(id);
  }

  /** Ids of all types of this name, the base's first, ascending. Kernels have several FUNCs and structs of one name. */
  find(name: string, kind?: Kind): TypeId[] {
    const bytes = new TextEncoder().encode(name);
    if (bytes.length === 0 || bytes.includes(0)) return [];
    // Each mechanism asks for the same name.
    if (this.#last?.name !== name) this.#last = { name, ids: this.#find(bytes) };
    const { ids } = this.#last;
    return kind === undefined ? [...ids] : ids.filter(id => this.kindOf(id) === kind);
  }

  #find(name: Uint8Array): TypeId[] {
    this.#names ??= new NameIndex(this);
    const own = this.#names.find(name);
    return this.base === undefined ? own : [...this.base.#find(name), ...own];
  }

  /**
   * The FUNCs of this blob (not of its base), in columns that are made once. @throws FormatError where one does not refer to a FUNC_PROTO
   */
  functions(): FunctionColumns {
    this.#functions ??= this.#readFunctions();
    return this.#functions;
  }

  #readFunctions(): FunctionColumns {
    const { words, offsets, firstId } = this;
    const most = offsets.length;
    const ids = new Uint32Array(most);
    const names = new Uint32Array(most);
    const prototypes = new Uint32Array(most);
    const linkages = new Uint8Array(most);
    let length = 0;
    for (let i = 0; i < most; i++) {
      const at = offsets[i]!;
      const info = words[at + 1]!;
      if (kindOfInfo(info) !== KIND.FUNC) continue;
      const target = words[at + 2]!;
      // Nearly all refer to a FUNC_PROTO of the same blob.
      if (target < firstId || kindOfInfo(words[offsets[target - firstId]! + 1]!) !== KIND.FUNC_PROTO)
        this.requireProto(firstId + i, target);
      ids[length] = firstId + i;
      names[length] = words[at]!;
      prototypes[length] = target;
      linkages[length++] = Math.min(vlenOfInfo(info), 255);
    }
    const cut = { ids: ids.slice(0, length), names: names.slice(0, length), prototypes: prototypes.slice(0, length) };
    return { length, ...cut, linkages: linkages.slice(0, length) };
  }

  /** A FUNC's type has to be a FUNC_PROTO (btf_validate_type of libbpf). */
  requireProto(id: TypeId, target: number): void {
    if (this.kindNumber(target) === KIND.FUNC_PROTO) return;
    throw this.errorAt(id, `FUNC ${id} refers to type ${target}, which is ${this.kindOf(target)}, not FUNC_PROTO`);
  }

  /** The type behind typedefs, const, volatile, restrict and type tags. @throws FormatError after 32 of them, as in libbpf */
  resolve(id: TypeId): number {
    return resolveType(this, id);
  }

  /**
   * Size in bytes, as by C's sizeof; undefined for types without one: void, functions, forward declarations.
   * @throws FormatError for a cycle, and for arrays larger than 2^53 - 1 bytes
   */
  sizeof(id: TypeId): number | undefined {
    return this.#layoutFor(id).sizeOf(id);
  }

  /** The table of layouts. @throws RangeError for an invalid id */
  #layoutFor(id: TypeId): Layout {
    this.kindNumber(id);
    this.#layout ??= new Layout(this);
    return this.#layout;
  }

  /** Alignment in bytes, as by C's alignof, for a packed struct as shown by the offsets; undefined as with {@link sizeof}. */
  alignof(id: TypeId): number | undefined {
    return this.#layoutFor(id).alignOf(id);
  }

  /** The type in C, declaring `name` where given: `const char *name[4]`. Anonymous structs are `struct {...}`. */
  declaration(id: TypeId, name = ''): string {
    return declare(this, id, name);
  }

  /** How many parameters a FUNC or a FUNC_PROTO has, the `...` among them; 0 for other types. */
  parameterCount(id: TypeId): number {
    const kind = this.kindNumber(id);
    const { words } = this.ownerOf(id === 0 ? this.firstId : id);
    if (kind === KIND.FUNC) return this.parameterCount(words[this.recordOf(id) + 2]!);
    return kind === KIND.FUNC_PROTO ? vlenOfInfo(words[this.recordOf(id) + 1]!) : 0;
  }

  /**
   * A FUNC in C, `ssize_t vfs_read(struct file *file, …)`, or a FUNC_PROTO, `int (struct file *)`. Of more parameters than a function has, their
   * number is all there is: thousands of functions may have a prototype of thousands.
   * @throws FormatError
   */
  prototype(id: TypeId): string {
    if (this.kindNumber(id) === KIND.FUNC) this.requireProto(id, this.ownerOf(id).words[this.recordOf(id) + 2]!);
    const count = this.parameterCount(id);
    return count > MOST_PARAMETERS ? `${identifier(this.nameOf(id))}(/* ${count} parameters */)` : prototypeOf(this, id);
  }
}
