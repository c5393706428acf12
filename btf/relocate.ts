import { FormatError } from '../elf/errors.js';
import type { BtfBlob } from './blob.js';
import { encodeBtf } from './encode.js';
import type { StringOffset, TypeId } from './ids.js';
import { isComposite, isModifier, KIND, KIND_NAMES, LAST_KIND, RECORD_WORDS } from './kinds.js';
import { NameIndex } from './names.js';
import { rewriteRecord } from './rewrite.js';
import { flagOfInfo, kindOfInfo, vlenOfInfo } from './wire.js';

/**
 * Moves split BTF from the distilled base it was built with (`.BTF.base`) onto the BTF of a real kernel, by the rules of btf_relocate() in
 * tools/lib/bpf/btf_relocate.c, which the kernel runs too (6.11): types of the distilled base are found again by name, and by size where
 * that matters; ids and string offsets of the split part are rewritten.
 *
 * One rule is applied to the whole of the split part, where btf_relocate() bounds its loop by the number of split types and so may miss the
 * last ones: a struct or union that the split part embeds by value must have kept its size.
 * @param split whose `base` is the distilled base
 * @param base what to relocate onto; may be split itself
 * @returns the bytes of the relocated split part, to be parsed over `base`: its ids go on from `base.count`
 * @throws FormatError `bad-value` for a distilled base with types it must not have, for a type or name without a counterpart, or with
 * several
 */
export function relocateBtf(split: BtfBlob, base: BtfBlob): Uint8Array<ArrayBuffer> {
  const distilled = split.base;
  if (distilled === undefined) throw new FormatError('bad-value', { name: split.name }, 'is not split BTF: there is no base to relocate');
  expectDistilled(distilled);
  const { ids, names } = mapDistilled(split, distilled, base);
  const idShift = base.count - distilled.count;
  const stringShift = base.strings.end - distilled.strings.end;
  const moveId = (id: TypeId): number => (id < distilled.count ? ids[id]! : id + idShift);
  const moveName = (offset: StringOffset, id: TypeId): StringOffset => {
    if (offset === 0) return 0;
    if (offset >= distilled.strings.end) return offset + stringShift;
    const moved = names.get(offset);
    if (moved === undefined) throw split.errorAt(id, `the name '${distilled.strings.text(offset)}' has no counterpart in ${base.name}`);
    return moved;
  };
  return encodeBtf(rewrite(split, moveId, moveName), split.strings.bytes);
}

/** What btf__distill_base() leaves: these kinds, all named. */
const DISTILLED: ReadonlySet<number> = new Set([KIND.INT, KIND.FLOAT, KIND.ENUM, KIND.STRUCT, KIND.UNION, KIND.FWD]);

function expectDistilled(distilled: BtfBlob): void {
  for (let id = distilled.firstId; id < distilled.count; id++) {
    const kind = distilled.kindNumber(id);
    if (!DISTILLED.has(kind)) throw distilled.errorAt(id, `type ${id} is ${kindName(distilled, id)}, which no distilled base has`);
    if (distilled.nameOffset(id) === 0) throw distilled.errorAt(id, `type ${id} of the distilled base has no name`);
  }
}

interface Mapping {
  /** For each id of the distilled base, that of the real one. */
  readonly ids: Uint32Array;
  /** For each name of the distilled base that was matched, the offset of the real one. */
  readonly names: ReadonlyMap<number, number>;
}

function mapDistilled(split: BtfBlob, distilled: BtfBlob, base: BtfBlob): Mapping {
  const ids = new Uint32Array(distilled.count);
  const names = new Map<number, number>();
  const embedded = embeddedTypes(split, distilled);
  const index = new NameIndex(distilled);
  const shared = sharedNames(base, index);
  // The real base's types in turn, those of its own base first, as ids ascend.
  for (let id = 1; id < base.count; id++) {
    const name = base.nameOffset(id);
    if (name === 0) continue;
    const candidates = index.find(base.strings.slice(name));
    if (candidates.length === 0) continue;
    const sizeCounts = needsSize(base, id, shared);
    if (sizeCounts === undefined) continue;
    for (const candidate of candidates) {
      if (sizeCounts && sizeWord(distilled, candidate) !== sizeWord(base, id)) continue;
      if (!fits(distilled, candidate, base, id, embedded.has(candidate))) continue;
      if (ids[candidate] !== 0) {
        const what = `${kindName(distilled, candidate)} '${distilled.strings.text(distilled.nameOffset(candidate))}' of size ${sizeWord(distilled, candidate)}`;
        throw distilled.errorAt(candidate, `${what} could be type ${ids[candidate]} or ${id} of ${base.name}`);
      }
      ids[candidate] = id;
      names.set(distilled.nameOffset(candidate), name);
    }
  }
  for (let id = 1; id < distilled.count; id++) {
    if (ids[id] !== 0) continue;
    const by = embedded.has(id) ? ` of size ${sizeWord(distilled, id)}, which the module embeds,` : '';
    throw distilled.errorAt(
      id,
      `${kindName(distilled, id)} '${distilled.strings.text(distilled.nameOffset(id))}'${by} has no counterpart in ${base.name}`,
    );
  }
  return { ids, names };
}

/**
 * Structs and unions of the distilled base that a struct or union of the split part has as a member, or an array of them: not behind
 * pointers.
 */
function embeddedTypes(split: BtfBlob, distilled: BtfBlob): ReadonlySet<number> {
  const embedded = new Set<number>();
  const { words, offsets } = split;
  // A typedef that refers to itself is valid BTF: a chain is no longer than there are types. Ids that were followed once need not be again.
  const followed = new Uint8Array(split.count);
  for (const at of offsets) {
    const info = words[at + 1]!;
    if (!isComposite(kindOfInfo(info))) continue;
    const end = at + RECORD_WORDS + vlenOfInfo(info) * 3;
    for (let member = at + RECORD_WORDS; member < end; member += 3) {
      for (let id = words[member + 1]!; id !== 0 && followed[id] === 0; ) {
        followed[id] = 1;
        const kind = split.kindNumber(id);
        if (isComposite(kind) && id < distilled.count) embedded.add(id);
        id = behind(split, id, kind);
      }
    }
  }
  return embedded;
}

/** What a modifier, typedef or array is made of; 0 for all else. */
function behind(btf: BtfBlob, id: TypeId, kind: number): number {
  if (kind !== KIND.TYPEDEF && kind !== KIND.ARRAY && !isModifier(kind)) return 0;
  const { words } = btf.ownerOf(id);
  return words[btf.recordOf(id) + (kind === KIND.ARRAY ? RECORD_WORDS : 2)]!;
}

/**
 * Names of the distilled base that several structs and unions of the real one share: there the size tells them apart. By the first one's
 * id.
 */
function sharedNames(base: BtfBlob, index: NameIndex): ReadonlySet<number> {
  const counts = new Map<number, number>();
  for (let id = 1; id < base.count; id++) {
    const name = base.nameOffset(id);
    if (name === 0 || !isComposite(base.kindNumber(id))) continue;
    const [first] = index.find(base.strings.slice(name));
    if (first !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Set([...counts].filter(([, count]) => count > 1).map(([name]) => name));
}

/** Whether a type of the real base is found by its size too; undefined for kinds that no distilled base has. */
function needsSize(base: BtfBlob, id: TypeId, shared: ReadonlySet<number>): boolean | undefined {
  switch (base.kindNumber(id)) {
    case KIND.INT:
    case KIND.FLOAT:
    case KIND.ENUM:
    case KIND.ENUM64:
      return true;
    case KIND.FWD:
      return false;
    case KIND.STRUCT:
    case KIND.UNION:
      return shared.has(base.nameOffset(id));
    default:
      return undefined;
  }
}

/** Whether a type of the distilled base can stand for one of the real base that has its name. */
function fits(distilled: BtfBlob, candidate: number, base: BtfBlob, id: TypeId, embedded: boolean): boolean {
  const kind = base.kindNumber(id);
  switch (distilled.kindNumber(candidate)) {
    case KIND.FWD:
      // The flag says union in a FWD, and bit-fields in what it is a FWD of; btf_relocate() reads it in the latter as in the former.
      if (kind === KIND.FWD) return flagOf(distilled, candidate) === flagOf(base, id);
      return kind === KIND.STRUCT ? !flagOf(base, id) : kind === KIND.UNION && flagOf(base, id);
    case KIND.INT:
      return kind === KIND.INT && intEncoding(distilled, candidate) === intEncoding(base, id);
    case KIND.FLOAT:
      return kind === KIND.FLOAT;
    case KIND.ENUM:
      return kind === KIND.ENUM || kind === KIND.ENUM64;
    default:
      return !embedded || sizeWord(distilled, candidate) === sizeWord(base, id);
  }
}

function kindName(btf: BtfBlob, id: TypeId): string {
  const kind = btf.kindNumber(id);
  return KIND_NAMES[kind] ?? `kind ${kind}`;
}

function sizeWord(btf: BtfBlob, id: TypeId): number {
  return btf.ownerOf(id).words[btf.recordOf(id) + 2]!;
}

function flagOf(btf: BtfBlob, id: TypeId): boolean {
  return flagOfInfo(btf.ownerOf(id).words[btf.recordOf(id) + 1]!);
}

function intEncoding(btf: BtfBlob, id: TypeId): number {
  return (btf.ownerOf(id).words[btf.recordOf(id) + RECORD_WORDS]! >>> 24) & 15;
}

/** The type section with every id and every name moved. */
function rewrite(split: BtfBlob, moveId: (id: TypeId) => number, moveName: (offset: StringOffset, id: TypeId) => number): Uint32Array {
  const words = split.words.slice();
  for (let index = 0; index < split.offsets.length; index++) {
    const id = split.firstId + index;
    const at = split.offsets[index]!;
    const kind = kindOfInfo(words[at + 1]!);
    if (kind > LAST_KIND) throw split.errorAt(id, `type ${id} is of kind ${kind}, and kelf does not know where its ids are`);
    rewriteRecord(words, at, moveId, offset => moveName(offset, id));
  }
  return words;
}
