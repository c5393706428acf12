import type { ElfFile } from '../../elf/file.js';
import type { ConstantCall } from '../arch/constant-calls.js';
import type { KernelFacts } from './kernel-facts.js';
import { oncePerKernel } from './once-per-kernel.js';
import { addressesOf } from './prefixed-symbols.js';

/** The program types that a set of kfuncs is registered for. */
export interface KfuncRegistration {
  /** Numbers of `enum bpf_prog_type`; 0 of a set that programs of all types may call. */
  readonly types: readonly number[];
  /** Whether a function of the kernel decides too (struct btf_kfunc_id_set), by the program. */
  readonly filtered: boolean;
}

const REGISTER = 'register_btf_kfunc_id_set';
/** Behind the last function of an image there is no next one. */
const LONGEST_FUNCTION = 1 << 16;

/**
 * What the kernel itself registers, by the name of the set: the calls of register_btf_kfunc_id_set() in its code. Undefined where they are not found, or where one of them does not show what it registers.
 */
export const kfuncRegistrations: (kernel: KernelFacts) => { readonly sets: ReadonlyMap<string, KfuncRegistration> | undefined } =
  oncePerKernel(kernel => ({ sets: registrations(kernel) }));

function registrations(kernel: KernelFacts): ReadonlyMap<string, KfuncRegistration> | undefined {
  const { image } = kernel;
  const calls = image === undefined ? undefined : callsIn(image, kernel);
  if (image === undefined || calls === undefined || calls.length === 0) return undefined;
  const names = new Map(
    [...['set8', 'set'].flatMap(kind => [...addressesOf(kernel, `__BTF_ID__${kind}__`)])].map(([name, at]) => [at, name]),
  );
  const hasFilter = kernel.typeHolds('btf_kfunc_id_set', 'filter') === true;
  const found = new Map<string, { types: number[]; filtered: boolean }>();
  for (const { first, second } of calls) {
    const set = first === undefined || second === undefined ? undefined : readSet(image, second, hasFilter);
    const name = set === undefined ? undefined : names.get(set.at);
    if (set === undefined || name === undefined) return undefined;
    const entry = found.get(name) ?? { types: [], filtered: false };
    entry.types.push(Number(first));
    entry.filtered ||= set.filtered;
    found.set(name, entry);
  }
  return found;
}

/** struct btf_kfunc_id_set (include/linux/btf.h): the module, the set, and since 6.4 a filter. */
function readSet({ memory }: ElfFile, at: bigint, hasFilter: boolean): { readonly at: bigint; readonly filtered: boolean } | undefined {
  const { wordSize } = memory;
  if (!memory.has(at, wordSize * 3)) return undefined;
  const [set, filter] = [1n, 2n].map(i => memory.word(at + BigInt(wordSize) * i));
  return { at: set!, filtered: hasFilter && filter !== 0n };
}

/** Its calls in all that is loaded: most are in code that is freed after boot. */
function callsIn({ memory }: ElfFile, { arch, symbols }: KernelFacts): ConstantCall[] | undefined {
  const target = symbols.addressOf(REGISTER);
  const calls = memory.littleEndian && memory.wordSize === 8 ? arch.instructions.calls : undefined;
  if (calls === undefined || target === undefined) return undefined;
  return memory.regions.flatMap(({ address: from, fileSize, read }) => {
    const code = read(0, fileSize);
    const functions = new Set<bigint>();
    for (const place of calls.places(code, from, target)) {
      const row = symbols.containing(from + BigInt(place));
      if (row !== undefined && symbols.isText(row)) functions.add(symbols.address.big[row]!);
    }
    return [...functions].flatMap(address => {
      const start = Number(address - from);
      const size = Number((symbols.endOf(address) ?? address) - address);
      return start < 0 || size > LONGEST_FUNCTION ? [] : calls.constants(code.subarray(start, start + size), address, target);
    });
  });
}
