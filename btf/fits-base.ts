import { FormatError } from '../elf/errors.js';
import type { BtfBlob } from './blob.js';
import type { StringOffset } from './ids.js';
import { KIND } from './kinds.js';

/**
 * Refuses split BTF over a base that it was not made over: its ids and offsets go on where that one ended, so that over another base they
 * lead anywhere. Every FUNC has to refer to a FUNC_PROTO, as btf_func_check() of kernel/bpf/btf.c wants it, and to have a name that is a whole
 * string of the table: pahole writes each once, and none as the end of another.
 * @throws FormatError
 */
export function requireFittingBase(split: BtfBlob, base: BtfBlob): void {
  const { firstId, count, words, offsets, strings } = split;
  for (let id = firstId; id < count; id++) {
    if (split.kindNumber(id) !== KIND.FUNC) continue;
    const record = offsets[id - firstId]!;
    const name = words[record]!;
    const type = words[record + 2]!;
    const named = name > 0 && name < strings.end && beginsString(split, name);
    if (named && type < count && split.kindNumber(type) === KIND.FUNC_PROTO) continue;
    const problem = named ? `FUNC ${id} refers to ${type}, which is no FUNC_PROTO` : `the name of FUNC ${id} begins inside of another`;
    const message = `was not made over ${base.name} (${problem}): the kernel refuses such a module, "failed to validate module BTF: -22"`;
    throw new FormatError('bad-value', { name: split.name }, message);
  }
}

function beginsString({ strings }: BtfBlob, offset: StringOffset): boolean {
  const { bytes, start } = strings.tableOf(offset);
  return offset === start || bytes[offset - start - 1] === 0;
}
