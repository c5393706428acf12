import {
  ELEMENT_WORDS,
  KIND,
  kindOfInfo,
  NAMED_ELEMENTS,
  RECORD_WORDS,
  REFERRING,
  TAIL_WORDS,
  TYPED_ELEMENTS,
  vlenOfInfo,
} from './wire.js';

/**
 * Gives a record of a kind up to LAST_KIND other ids and names, in place, in the order in which they stand in it (btf_field_iter_init() of libbpf
 * has the same places).
 */
export function rewriteRecord(words: Uint32Array, at: number, moveId: (id: number) => number, moveName: (offset: number) => number): void {
  const info = words[at + 1]!;
  const kind = kindOfInfo(info);
  words[at] = moveName(words[at]!);
  if (REFERRING.has(kind)) words[at + 2] = moveId(words[at + 2]!);
  const tail = at + RECORD_WORDS;
  if (kind === KIND.ARRAY) for (const i of [tail, tail + 1]) words[i] = moveId(words[i]!);
  const step = ELEMENT_WORDS[kind]!;
  const first = tail + TAIL_WORDS[kind]!;
  for (let i = first, left = step === 0 ? 0 : vlenOfInfo(info); left > 0; left--, i += step) {
    if (NAMED_ELEMENTS.has(kind)) words[i] = moveName(words[i]!);
    if (TYPED_ELEMENTS.has(kind)) words[i + 1] = moveId(words[i + 1]!);
    if (kind === KIND.DATASEC) words[i] = moveId(words[i]!);
  }
}

/** Words of a record of a kind up to LAST_KIND. */
export function recordWords(info: number): number {
  const kind = kindOfInfo(info);
  return RECORD_WORDS + TAIL_WORDS[kind]! + ELEMENT_WORDS[kind]! * vlenOfInfo(info);
}
