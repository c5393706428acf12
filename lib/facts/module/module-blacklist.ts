import { SHT } from '../../../elf/constants.js';
import type { ElfFile } from '../../../elf/file.js';
import type { KernelSymbols } from '../../../kallsyms/symbols.js';
import { type Area, AreaSet } from '../areas.js';
import type { KprobeBlacklist } from '../kprobe-blacklist.js';
import { isCode } from './module-symbols.js';
import { placeOf, readPointers } from './pointers.js';

/** The sections of a module that are blacklisted whole. */
const UNPROBED: readonly string[] = ['.kprobes.text', '.noinstr.text'];

/**
 * Where the kernel refuses kprobes in a module (add_module_kprobe_blacklist() in kernel/kprobes.c, 5.8 and later): two sections whole, and
 * the functions that `_kprobe_blacklist` points to, each up to the next symbol. Addresses are those of `placeOf`.
 * @throws FormatError
 */
export function moduleBlacklist(file: ElfFile, symbols: KernelSymbols): KprobeBlacklist {
  const ranges: Area[] = [];
  for (const section of file.sections) {
    if (UNPROBED.includes(section.name) && isCode(section)) {
      ranges.push({ name: section.name, from: placeOf(section.index, 0), to: placeOf(section.index, Math.min(section.size, 0xffff_ffff)) });
    }
  }
  const list = file.section('_kprobe_blacklist');
  if (list?.allocated && list.type !== SHT.NOBITS) {
    for (const from of readPointers(file, list).target.big) {
      const to = symbols.endOf(from);
      if (to !== undefined && to >> 32n === from >> 32n) ranges.push({ name: '_kprobe_blacklist', from, to });
    }
  }
  return { source: '_kprobe_blacklist', ranges: new AreaSet(ranges) };
}
