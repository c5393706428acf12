import { halves, Words } from '../../elf/words.js';
import type { Architecture, LabelledArea } from '../arch/architecture.js';

/** Looks up a label of the image, such as `_stext`. */
export type Labels = (name: string) => bigint | undefined;

/** A range of addresses between two labels of the linker script; `to` is after the last byte. */
export interface Area {
  /** Its name in the linker script: `.noinstr.text`. */
  readonly name: string;
  readonly from: bigint;
  readonly to: bigint;
}

/** What core_kernel_text() takes for text once init memory is freed (kernel/extable.c). */
const TEXT: readonly LabelledArea[] = [['text', '_stext', '_etext']];

/** What is freed after boot (free_initmem()); ftrace forgets its sites there (ftrace_free_init_mem()). */
const INIT: readonly LabelledArea[] = [['init', '__init_begin', '__init_end']];
/** Its text alone: a kernel without CONFIG_KALLSYMS_ALL does not list the end of its data. */
const INIT_TEXT: readonly LabelledArea[] = [['init', '_sinittext', '_einittext']];

/** Data. A linker that makes `.data` executable gives its symbols the letter of text (7.3 on x86-64): they are none the less no functions. */
const DATA: readonly LabelledArea[] = [
  ['.data', '_sdata', '_edata'],
  ['.bss', '__bss_start', '__bss_stop'],
];

/** Text that no kprobe is set in, on every architecture: populate_kprobe_blacklist() in kernel/kprobes.c. */
const UNPROBED: readonly LabelledArea[] = [
  ['.kprobes.text', '__kprobes_text_start', '__kprobes_text_end'],
  ['.noinstr.text', '__noinstr_text_start', '__noinstr_text_end'],
];

/** Areas in ascending order, asked by address or by a row of a column of addresses; they may overlap. */
export class AreaSet {
  readonly areas: readonly Area[];
  /** For each area, which of it and those before it ends last. */
  readonly #farthest: readonly number[];
  readonly #spans: readonly { readonly low: number; readonly high: number; readonly size: number }[];

  constructor(areas: readonly Area[]) {
    this.areas = areas.toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
    this.#spans = this.areas.map(({ from, to }) => ({ ...halves(from), size: Number(to - from) }));
    let farthest = 0;
    this.#farthest = this.areas.map(({ to }, i) => {
      if (to > this.areas[farthest]!.to) farthest = i;
      return farthest;
    });
  }

  /** Whether there is no area at all. */
  get isEmpty(): boolean {
    return this.areas.length === 0;
  }

  /** The area that the address at a row lies in. */
  at(addresses: Words, row: number): Area | undefined {
    const spans = this.#spans;
    let from = 0;
    let to = spans.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const { low, high } = spans[middle]!;
      if (addresses.minus(row, low, high) >= 0) from = middle + 1;
      else to = middle;
    }
    if (from === 0) return undefined;
    // Areas overlap (a blacklisted function inside a section): of those that begin before the address, the one that reaches farthest.
    const farthest = this.#farthest[from - 1]!;
    const { low, high, size } = spans[farthest]!;
    return addresses.minus(row, low, high) < size ? this.areas[farthest] : undefined;
  }

  /** The area that holds an address; undefined if none does. */
  of(address: bigint): Area | undefined {
    return this.at(Words.of(address), 0);
  }
}

export function textAreas(labels: Labels): AreaSet {
  return new AreaSet(areasOf(TEXT, labels));
}

/**
 * The areas of data whose own labels have the letter of text: of no other kernel does a symbol have to be looked at. The label at the end
 * lies in it.
 */
export function dataCalledText(labels: Labels, isText: (label: string) => boolean): AreaSet {
  const areas = areasOf(
    DATA.filter(([, start]) => isText(start)),
    labels,
  );
  return new AreaSet(areas.map(area => ({ ...area, to: area.to + 1n })));
}

/**
 * Where the text of init code begins. Of symbols at the address of `_etext`, kallsyms without CONFIG_KALLSYMS_ALL lists that alone (symbol_valid()
 * of scripts/kallsyms.c): where init code is next to the text, `_sinittext` is not in the table.
 */
export function initTextStart(labels: Labels): bigint | undefined {
  return labels('_sinittext') ?? (labels('_einittext') === undefined ? undefined : labels('_etext'));
}

export function initAreas(given: Labels): AreaSet {
  const labels: Labels = name => (name === '_sinittext' ? initTextStart(given) : given(name));
  const whole = areasOf(INIT, labels);
  // The label at the end of the text lies in what is freed too.
  return new AreaSet(whole.length > 0 ? whole : areasOf(INIT_TEXT, labels).map(area => ({ ...area, to: area.to + 1n })));
}

/** The areas that the kernel blacklists whole. */
export function unprobedAreas(labels: Labels, { kprobes }: Architecture): Area[] {
  return areasOf([...UNPROBED, ...kprobes.blacklist], labels);
}

function areasOf(pairs: readonly LabelledArea[], labels: Labels): Area[] {
  return pairs.flatMap(([name, start, end]) => {
    const from = labels(start);
    const to = labels(end);
    return from === undefined || to === undefined || to <= from ? [] : [{ name, from, to }];
  });
}
