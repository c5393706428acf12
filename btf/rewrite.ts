import type { StringOffset, TypeId } from './ids.js';
import { ELEMENT_NAME, ELEMENT_TYPE, ELEMENT_WORDS, RECORD_WORDS, TAIL_WORDS, typeWords } from './kinds.js';
import { kindOfInfo, vlenOfInfo } from './wire.js';

/**
 * Gives a record of a kind up to LAST_KIND other ids and names, in place, in the order in which they are in it (btf_field_iter_init() of
 * libbpf has the same places).
 */
export function rewriteRecord(
  words: Uint32Array,
  at: number,
  moveId: (id: TypeId) => number,
  moveName: (offset: StringOffset) => number,
): void {
  const info = words[at + 1]!;
  const kind = kindOfInfo(info);
  words[at] = moveName(words[at]!);
  for (const i of typeWords(kind)) words[at + i] = moveId(words[at + i]!);
  const step = ELEMENT_WORDS[kind]!;
  const name = ELEMENT_NAME[kind]!;
  const type = ELEMENT_TYPE[kind]!;
  const end = at + recordWords(info);
  for (let element = at + RECORD_WORDS + TAIL_WORDS[kind]!; element < end; element += step) {
    if (name >= 0) words[element + name] = moveName(words[element + name]!);
    if (type >= 0) words[element + type] = moveId(words[element + type]!);
  }
}

/** The ids in a record, in the order in which they are in it. */
export function* idsIn(words: Uint32Array, at: number): Generator<number> {
  const info = words[at + 1]!;
  const kind = kindOfInfo(info);
  for (const i of typeWords(kind)) yield words[at + i]!;
  const type = ELEMENT_TYPE[kind] ?? -1;
  if (type < 0) return;
  const end = at + recordWords(info);
  for (let element = at + RECORD_WORDS + TAIL_WORDS[kind]!; element < end; element += ELEMENT_WORDS[kind]!) yield words[element + type]!;
}

/** Words of a record of a kind up to LAST_KIND. */
export function recordWords(info: number): number {
  const kind = kindOfInfo(info);
  return RECORD_WORDS + TAIL_WORDS[kind]! + ELEMENT_WORDS[kind]! * vlenOfInfo(info);
}
