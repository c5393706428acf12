/** More ids than these a set does not have. */
const MOST_IDS = 4096;

/** A set of BTF ids with flags beside them: struct btf_id_set8. */
export interface FlaggedIds {
  /** The set's own: BTF_SET8_KFUNCS (1) of kfuncs, since 6.9. */
  readonly flags: number;
  readonly entries: readonly { readonly id: number; readonly flags: number }[];
}

/** Gives bytes of `.BTF_ids`, in a kernel by address, in a module by offset; undefined where they are not there. */
export type ReadIds = (at: bigint, size: number) => DataView | undefined;

/** The ids of a set that begins at a place, as resolve_btfids filled it; undefined where none can begin (include/linux/btf_ids.h). */
export function idsAt(read: ReadIds, at: bigint, littleEndian: boolean): readonly number[] | undefined {
  const count = read(at, 4)?.getUint32(0, littleEndian);
  if (count === undefined || count > MOST_IDS) return undefined;
  const view = read(at + 4n, count * 4);
  return view === undefined ? undefined : Array.from({ length: count }, (_, i) => view.getUint32(i * 4, littleEndian));
}

/** The same of a set with flags: a count, its own flags, then pairs of id and flags. */
export function flaggedIdsAt(read: ReadIds, at: bigint, littleEndian: boolean): FlaggedIds | undefined {
  const head = read(at, 8);
  const count = head?.getUint32(0, littleEndian);
  if (head === undefined || count === undefined || count > MOST_IDS) return undefined;
  const view = read(at + 8n, count * 8);
  if (view === undefined) return undefined;
  const word = (i: number): number => view.getUint32(i * 4, littleEndian);
  return {
    flags: head.getUint32(4, littleEndian),
    entries: Array.from({ length: count }, (_, i) => ({ id: word(i * 2), flags: word(i * 2 + 1) })),
  };
}
