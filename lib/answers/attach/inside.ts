import { isPlainName } from '../../../elf/escape.js';
import type { CallingConvention } from '../../arch/calling-convention.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { namesakesOf } from '../../rules/module-functions.js';
import { instancesNamed, type ModulePlace, placeInInstance } from '../trace/in-modules.js';
import { type AskedPlace, type PlaceAnswer, traceabilityOf } from '../trace/traceability.js';
import type { Names } from './event-names.js';
import { insteadOf } from './instead.js';
import { type ProbePlace, placeInModule, placeOfAddress } from './place.js';
import type { Recipe } from './recipe.js';

const NO_ARGUMENTS = 'behind its first instructions, registers have other values than the arguments: the forms read none';

/** What has no arguments to read, and no other mechanism: a place inside a function. */
const NOTHING_ELSE = { name: undefined, ftrace: false, kprobeMulti: false, fentry: false };

/** Recipes for a place, `NAME+0x12`, `MODULE:NAME+0x12` or an address: one for each function that has the name. */
export function recipesInside(
  kernel: KernelFacts,
  text: string,
  asked: AskedPlace,
  names: Names,
  abi: CallingConvention | undefined,
): Recipe[] {
  const more = abi === undefined ? {} : { abi };
  const own = placesOf(kernel, text, asked).flatMap(({ answer, place }) => {
    const { function: row, beyond, kprobe, kretprobe } = answer;
    if (row === undefined) return [];
    const notes = [
      ...(beyond === undefined ? [] : [`${beyond.name} is 0x${beyond.extent.toString(16)} bytes long: the place is in ${row.name}`]),
      ...(place.everyBoot ? [] : ['no symbol to count from: the address is valid only without KASLR (nokaslr)']),
      ...(answer.offset === 0 ? [] : [NO_ARGUMENTS]),
    ];
    return [{ name: text, event: names.take(text), function: row, place, entry: kprobe, return: kretprobe, ...more, notes }];
  });
  const others = asked.name === undefined ? [] : placesInModules(kernel, asked.name, asked.distance);
  return [
    ...own,
    ...others.map(({ found, place }) => ({
      name: text,
      event: names.take(text),
      function: found.function,
      place,
      entry: found.kprobe,
      return: found.kretprobe,
      ...more,
      notes: [`kprobe_events accepts it before ${found.function.module} is loaded, and sets it then`, NO_ARGUMENTS],
    })),
  ].map(facts => ({ ...facts, instead: facts.entry.outcome === 'accepted' ? [] : insteadOf(facts.entry.code, NOTHING_ELSE) }));
}

interface OwnPlace {
  readonly answer: PlaceAnswer;
  readonly place: ProbePlace;
}

/** In the kernel: by the name where it stands for one symbol, else by the distance from another. */
function placesOf(kernel: KernelFacts, text: string, { name, distance }: AskedPlace): OwnPlace[] {
  const traceability = traceabilityOf(kernel);
  const { symbols } = kernel;
  if (name === undefined) return [{ answer: traceability.place(text)!, place: placeOfAddress(kernel, distance) }];
  const rows = symbols.find(name);
  if (rows.length === 1 && isPlainName(name)) {
    const shown = `${name}+0x${distance.toString(16)}`;
    return [{ answer: traceability.place(text)!, place: { symbol: name, offset: distance, text: shown, everyBoot: true, listed: false } }];
  }
  return rows.map(row => {
    const address = BigInt.asUintN(64, symbols.address.big[row]! + distance);
    return { answer: traceability.place(`0x${address.toString(16)}`)!, place: placeOfAddress(kernel, address) };
  });
}

/** In modules, by the module's name: of a name that several functions of a module have, by the distance from another. */
function placesInModules(kernel: KernelFacts, name: string, distance: bigint): { found: ModulePlace; place: ProbePlace }[] {
  const instances = instancesNamed(kernel, name);
  return instances.map(instance => {
    const namesakes = namesakesOf(instance, instances);
    const anchor = namesakes.length > 1 ? kernel.modules!.anchorOf(instance.row) : undefined;
    const from = anchor ?? { symbol: instance.name, offset: 0 };
    const place = placeInModule(instance, { ...from, offset: from.offset + Number(distance) }, { bare: false, alone: true });
    return { found: placeInInstance(kernel, instance, anchor === undefined ? namesakes : [instance], distance), place };
  });
}
