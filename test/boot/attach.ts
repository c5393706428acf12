import { type Kernel, recipeLine } from 'kelf';
import { Names } from '../../lib/answers/attach/event-names.js';
import { probedAt } from '../../lib/facts/function-row.js';
import type { Check } from '../kernels/check.js';
import { lines, oneIn } from '../kernels/truth.js';

/** A line that `kelf attach --as kprobe_events` prints. */
export interface AttachLine {
  readonly text: string;
  /** Where the probe has to be. */
  readonly address: bigint;
  /** Of a function whose name others bear. */
  readonly duplicate: boolean;
}

/** Refused lines that are listed before the rest is only counted. */
const LISTED = 20;
/** The length of ENDBR64: arch_adjust_kprobe_addr() of x86 puts a probe behind it. */
const ENDBR = 4n;

/** The lines for every function of the kernel that kelf takes for one that accepts a probe: at its first instruction, and where it returns. */
export function attachLines(kernel: Kernel): AttachLine[] {
  const { attaching, functions } = kernel;
  const events = Names.ofEvents();
  const names = new Set(Array.from({ length: functions.count }, (_, row) => functions.name(row)));
  return [...names].flatMap(name => {
    const recipes = attaching.answer(name, events).functions;
    return recipes.flatMap(recipe => {
      const { function: of } = recipe;
      if (!('address' in of)) return [];
      return (['entry', 'return'] as const).flatMap(kind => {
        const text = recipeLine(recipe, 'kprobe_events', kind);
        // powerpc: a name leads to the local entry.
        const address = probedAt(kernel, of.address, of.site);
        return text === undefined ? [] : [{ text, address, duplicate: recipes.length > 1 }];
      });
    });
  });
}

/** One line in so many, and all those of names that several functions have. */
export function sampleOfLines(all: readonly AttachLine[], sample: number): AttachLine[] {
  return all.filter(({ duplicate }, at) => duplicate || at % sample === 0);
}

/**
 * @param asked the lines, one in `sample`
 * @param said lines.tsv, [line, errno, the kernel's words]
 * @param list what kprobes/list showed while the probes were there
 * @param moved how far the kernel ran from the image's addresses
 */
export async function compareAttachLines(
  asked: readonly AttachLine[],
  sample: number,
  said: string,
  list: string,
  moved: bigint,
  check: Check,
): Promise<void> {
  await check(`lines for kprobe_events are accepted${oneIn(sample)}`, [], () => {
    const refused = lines(said)
      .slice(1)
      .map(line => line.split('\t'))
      .filter(([, errno]) => errno !== '0');
    const fetching = asked.filter(({ text }) => text.split(' ').length > 2).length;
    const shown = refused.slice(0, LISTED).map(([line, errno, words]) => `'${line}': ${errno} ${words}`);
    const rest = refused.length > LISTED ? `, and ${refused.length - LISTED} more` : '';
    return {
      ok: refused.length === 0 && asked.length > 0,
      figures: `${asked.length - refused.length} of ${asked.length}, ${fetching} of them with arguments or a result${shown.length > 0 ? `: ${shown.join('; ')}${rest}` : ''}`,
    };
  });
  await check('kprobes/list shows the intended addresses', [], () => {
    const probed = new Set(lines(list).map(line => BigInt(`0x${line.split(' ', 1)[0]}`) - moved));
    const isProbed = ({ address }: AttachLine): boolean => probed.has(address) || probed.has(address + ENDBR);
    const intended = new Set(asked.flatMap(({ address }) => [address, address + ENDBR]));
    const elsewhere = [...probed].filter(address => !intended.has(address)).length;
    const absent = asked.filter(line => !isProbed(line));
    const duplicates = asked.filter(({ duplicate }) => duplicate);
    const shown = absent.slice(0, LISTED).map(({ text }) => `; not '${text}'`);
    return {
      ok: absent.length === 0 && elsewhere === 0 && duplicates.length > 0,
      figures: `of ${asked.length - absent.length} of ${asked.length} lines, ${duplicates.filter(isProbed).length} of ${duplicates.length} for duplicate names; probes elsewhere: ${elsewhere}${shown.join('')}`,
    };
  });
}
