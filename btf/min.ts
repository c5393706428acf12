import type { Btf } from './btf.js';
import { type CoreSpec, coreSubject } from './core-spec.js';
import { encodeBtf } from './encode.js';
import type { StringOffset, TypeId } from './ids.js';
import { isComposite, KIND, RECORD_WORDS } from './kinds.js';
import { idsIn, recordWords, rewriteRecord } from './rewrite.js';
import { flagOfInfo, kindOfInfo } from './wire.js';

/**
 * The least BTF in which accesses are found where they are in a kernel's: their types, and of structs the members that are named alone, as
 * `bpftool gen min_core_btf` makes it. What pointers lead to is left out where only the pointer is used.
 * @param specs targets of relocations, for `kernel`
 * @returns the blob, in this machine's byte order
 */
export function minimalBtf(kernel: Btf, specs: Iterable<CoreSpec>): Uint8Array<ArrayBuffer> {
  return minimalSplitBtf(kernel, specs, []).kernel;
}

/** What accesses need of one module: its BTF, split over the kernel's, and their targets in it. */
export interface ModuleSpecs {
  readonly btf: Btf;
  readonly specs: readonly CoreSpec[];
}

/**
 * The same for accesses that are found in modules: a blob for each, split over that of the kernel, which has the kernel's types that those of
 * the modules are made of.
 */
export function minimalSplitBtf(
  kernel: Btf,
  specs: Iterable<CoreSpec>,
  modules: readonly ModuleSpecs[],
): { readonly kernel: Uint8Array<ArrayBuffer>; readonly modules: readonly Uint8Array<ArrayBuffer>[] } {
  const marks = new Marks(kernel);
  for (const spec of specs) marks.use(spec);
  const own = modules.map(module => {
    const marked = new Marks(module.btf);
    for (const spec of module.specs) marked.use(spec);
    return { btf: module.btf, marks: marked.above(module.btf.firstId, marks) };
  });
  const extract = new Extract(kernel, marks);
  const blob = extract.encode();
  return { kernel: blob, modules: own.map(module => new Extract(module.btf, module.marks, extract).encode()) };
}

/** The types that are used, and the members of structs. */
class Marks {
  readonly types = new Set<number>();
  readonly members = new Map<number, Set<number>>();
  readonly #btf: Btf;
  /** Types whose contents were gone through for a comparison of everything, and those behind pointers. */
  readonly #matched = new Set<string>();

  constructor(btf: Btf) {
    this.#btf = btf;
  }

  /** Hands over to another's marks what is below an id, in the base, and keeps the rest. */
  above(firstId: number, base: Marks): this {
    for (const id of this.types) {
      if (id >= firstId) continue;
      this.types.delete(id);
      base.types.add(id);
    }
    for (const [id, members] of this.members) {
      if (id >= firstId) continue;
      this.members.delete(id);
      base.members.set(id, new Set([...(base.members.get(id) ?? []), ...members]));
    }
    return this;
  }

  use(spec: CoreSpec): void {
    const { kind, rootTypeId, raw } = spec;
    if (kind === 'local_type_id') return;
    if (kind === 'type_matches') this.#whole(rootTypeId, false);
    else if (coreSubject(kind) === 'field') this.#path(rootTypeId, raw);
    else this.#type(rootTypeId, coreSubject(kind) === 'type');
  }

  /** A type and what it is made of; structs without their members. */
  #type(id: TypeId, throughPointers: boolean): void {
    const open = [id];
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      if (at === 0 || (this.types.has(at) && !throughPointers)) continue;
      const seen = `${at}`;
      if (throughPointers && this.#matched.has(seen)) continue;
      if (throughPointers) this.#matched.add(seen);
      this.types.add(at);
      const kind = this.#btf.kindNumber(at);
      if (isComposite(kind) || (kind === KIND.PTR && !throughPointers)) continue;
      open.push(...this.#idsOf(at));
    }
  }

  #path(rootId: TypeId, raw: readonly number[]): void {
    this.#type(rootId, false);
    let id = rootId;
    for (const index of raw.slice(1)) {
      const typeId = this.#btf.resolve(id);
      const type = this.#btf.type(typeId);
      if (type.kind === 'STRUCT' || type.kind === 'UNION') {
        this.#member(typeId, index);
        id = type.members[index]!.typeId;
        this.#type(id, false);
      } else if (type.kind === 'ARRAY') id = type.typeId;
      else return;
    }
  }

  #member(typeId: TypeId, index: number): void {
    let members = this.members.get(typeId);
    if (members === undefined) this.members.set(typeId, (members = new Set()));
    members.add(index);
  }

  /** A type with all that a comparison of everything looks at: members too, but not of structs behind pointers. */
  #whole(rootId: TypeId, behindPointer: boolean): void {
    const open: [id: TypeId, behindPointer: boolean][] = [[rootId, behindPointer]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [id, behind] = next;
      const seen = `${id}:${behind}`;
      if (id === 0 || this.#matched.has(seen)) continue;
      this.#matched.add(seen);
      this.types.add(id);
      const kind = this.#btf.kindNumber(id);
      if (isComposite(kind)) {
        if (behind) continue;
        for (const index of this.#idsOf(id).keys()) this.#member(id, index);
      }
      for (const target of this.#idsOf(id)) open.push([target, behind || kind === KIND.PTR]);
    }
  }

  /** The ids in a type's record: of a struct, those of its members. */
  #idsOf(id: TypeId): TypeId[] {
    return [...idsIn(this.#btf.ownerOf(id).words, this.#btf.recordOf(id))];
  }
}

/** Marked types in the order of their ids, with ids and names of their own. */
class Extract {
  readonly #btf: Btf;
  readonly #marks: Marks;
  readonly #ids = new Map<number, number>();
  readonly #words: number[] = [];
  readonly #strings: number[] = [];
  readonly #offsets = new Map<string, number>();
  readonly #base: Extract | undefined;

  /** @param base the extract of the kernel, which ids and strings go on after */
  constructor(btf: Btf, marks: Marks, base?: Extract) {
    this.#btf = btf;
    this.#marks = marks;
    this.#base = base;
    if (base === undefined) {
      this.#strings.push(0);
      this.#offsets.set('', 0);
    }
  }

  /** What ids and strings of the base are. */
  get #ofBase():
    | { readonly ids: ReadonlyMap<number, number>; readonly offsets: ReadonlyMap<string, number>; readonly length: number }
    | undefined {
    const base = this.#base;
    return base === undefined ? undefined : { ids: base.#ids, offsets: base.#offsets, length: base.#strings.length };
  }

  encode(): Uint8Array<ArrayBuffer> {
    const ids = [...this.#marks.types].sort((a, b) => a - b);
    const first = (this.#ofBase?.ids.size ?? 0) + 1;
    for (const [i, id] of ids.entries()) this.#ids.set(id, first + i);
    for (const id of ids) this.#record(id);
    return encodeBtf(Uint32Array.from(this.#words), Uint8Array.from(this.#strings));
  }

  #record(id: TypeId): void {
    const { words } = this.#btf.ownerOf(id);
    const at = this.#btf.recordOf(id);
    const info = words[at + 1]!;
    const kind = kindOfInfo(info);
    const start = at + RECORD_WORDS;
    if (isComposite(kind)) {
      const members = [...(this.#marks.members.get(id) ?? [])].sort((a, b) => a - b);
      const flag = flagOfInfo(info);
      const kept = members.map(index => ({
        name: words[start + index * 3]!,
        type: words[start + index * 3 + 1]!,
        offset: words[start + index * 3 + 2]!,
      }));
      // The flag says that offsets hold widths: it stays where one does, or where a member is not on a byte.
      const bitfields = kept.some(({ offset }) => (flag ? offset >>> 24 !== 0 || (offset & 0xffffff) % 8 !== 0 : offset % 8 !== 0));
      this.#words.push(this.#name(words[at]!), ((bitfields ? 1 << 31 : 0) | (kind << 24) | members.length) >>> 0, words[at + 2]!);
      for (const { name, type, offset } of kept) this.#words.push(this.#name(name), this.#id(type), offset);
      return;
    }
    const record = words.slice(at, at + recordWords(info));
    rewriteRecord(record, 0, this.#id, this.#name);
    for (const word of record) this.#words.push(word);
  }

  /** Types that are not used are void: only pointers lead to them. */
  readonly #id = (id: TypeId): number => this.#ids.get(id) ?? this.#ofBase?.ids.get(id) ?? 0;

  readonly #name = (offset: StringOffset): StringOffset => {
    const text = this.#btf.strings.text(offset);
    let own = this.#ofBase?.offsets.get(text) ?? this.#offsets.get(text);
    if (own === undefined) {
      this.#offsets.set(text, (own = (this.#ofBase?.length ?? 0) + this.#strings.length));
      for (const byte of this.#btf.strings.slice(offset)) this.#strings.push(byte);
      this.#strings.push(0);
    }
    return own;
  };
}
