import type { KernelFacts } from '../../facts/kernel-facts.js';
import { nearFunctions } from '../../rules/near-names.js';

/** An address that is asked about, and a remark about it, if any. */
export interface AddressQuery {
  /** As it was asked. */
  readonly query: string;
  readonly address: bigint;
  readonly remark?: string;
}

/** A query that leads to no address, and why. */
export interface AddressProblem {
  readonly query: string;
  readonly problem: string;
}

/** `NAME`, `NAME+0x1c`, and `NAME+0x1c/0x20` as kernels print it. */
const NAME_AND_OFFSET = /^([^+/]+)(?:\+(0x[0-9a-f]+|\d+))?(?:\/(0x[0-9a-f]+|\d+))?$/i;

/** Names that are shown instead of one that no symbol has. */
const MOST_OTHERS = 3;

/**
 * The addresses that a query means: one, or that of each symbol of the name.
 * @param moved how far from the image's addresses those of the query are (KASLR)
 */
export function addressesOf(kernel: KernelFacts, query: string, moved: bigint): (AddressQuery | AddressProblem)[] {
  const { symbols } = kernel;
  const text = query.trim();
  if (/^0x/i.test(text)) return [absolute(kernel, query, text, moved)];
  // Without 0x, as oopses print them: a symbol of that name would be taken before.
  if (/^[0-9a-f]{8}([0-9a-f]{8})?$/i.test(text) && symbols.find(text).length === 0) return [absolute(kernel, query, `0x${text}`, moved)];
  const match = NAME_AND_OFFSET.exec(text);
  if (match === null)
    return [{ query, problem: 'is neither an address, such as 0xffffffff81000000, nor a name with an offset, such as NAME+0x1c' }];
  const [, name, offset = '0', size] = match;
  const rows = symbols.find(name!);
  const starts = new Set(rows.map(row => symbols.address.big[row]!));
  const label = starts.size === 0 ? kernel.pieces.labels(name!) : undefined;
  if (label !== undefined) starts.add(label);
  if (starts.size === 0) return [{ query, problem: nameless(kernel, name!) }];
  const wanted = [...starts].filter(start => size === undefined || extentAt(kernel, start) === Number(size));
  if (wanted.length === 0) {
    const sizes = [...new Set([...starts].map(start => hex(extentAt(kernel, start))))].join(' or ');
    return [{ query, problem: `no ${name} is ${size} bytes long, but ${sizes}: the size is from another build of the kernel` }];
  }
  return wanted.map(start => {
    const address = BigInt.asUintN(64, start + BigInt(offset));
    const remark = beyond(name!, BigInt(offset), extentAt(kernel, start));
    return { query, address, ...(remark === undefined ? {} : { remark }) };
  });
}

/** Bytes from the start of a symbol up to the next one, as the kernel counts. */
export function extentAt(kernel: KernelFacts, start: bigint): number {
  const end = kernel.symbols.endOf(start);
  return end === undefined ? 0 : Number(end - start);
}

/** Where the kernel is linked, where its labels tell: from `_text` up to `_end`. */
export function imageRange(kernel: KernelFacts): { readonly start: bigint; readonly end: bigint } | undefined {
  const start = labelOf(kernel, '_text');
  const end = labelOf(kernel, '_end');
  return start === undefined || end === undefined || start >= end ? undefined : { start, end };
}

function labelOf({ symbols, pieces }: KernelFacts, name: string): bigint | undefined {
  return symbols.addressOf(name) ?? pieces.labels(name);
}

function absolute(kernel: KernelFacts, query: string, text: string, moved: bigint): AddressQuery | AddressProblem {
  if (!/^0x[0-9a-f]+$/i.test(text)) return { query, problem: 'is not an address: 0x and hexadecimal digits' };
  const asked = BigInt(text);
  if (asked >= 2n ** 64n) return { query, problem: `has more than 64 bits: ${text.length - 2} digits, but an address has at most 16` };
  const address = BigInt.asUintN(64, asked - moved);
  const image = imageRange(kernel);
  if (image === undefined || (address >= image.start && address < image.end)) return { query, address };
  const perCpu = labelOf(kernel, '__per_cpu_start');
  const perCpuEnd = labelOf(kernel, '__per_cpu_end');
  if (perCpu !== undefined && perCpuEnd !== undefined && address >= perCpu && address < perCpuEnd) {
    const remark =
      'per-CPU data: an offset into the area of each CPU; in an oops it is more likely a NULL pointer plus the offset of a member';
    return { query, address, remark };
  }
  // The vectors of ARM are linked at an address of their own.
  if (kernel.image?.memory.has(address, 1) === true) return { query, address };
  return {
    query,
    problem: `is not in the kernel, which is linked at ${hex(image.start)} to ${hex(image.end)}; ${whatElse(address, image)}`,
  };
}

/** What an address that is not of the image may be of. */
function whatElse(address: bigint, image: { readonly start: bigint }): string {
  if (address < 0x1_0000n) return 'such a small address is a NULL pointer plus the offset of a member';
  if (address < image.start >> 1n) return 'such a low address belongs to a user process, or is invalid';
  return 'KASLR moves the addresses of a running kernel, and modules and data are elsewhere: NAME+OFFSET, as in a stack trace, is the same on every boot, and --stext says where the kernel ran';
}

function nameless(kernel: KernelFacts, name: string): string {
  const { symbols } = kernel;
  const rows = symbols.rowsWith(name).filter(row => symbols.isText(row));
  const others = new Set(rows.map(row => symbols.name(row)));
  const shown = [...others]
    .sort((a, b) => Number(b.endsWith(`_${name}`)) - Number(a.endsWith(`_${name}`)) || a.length - b.length)
    .slice(0, MOST_OTHERS);
  if (shown.length > 0) return `no symbol is named ${name}; what contains it: ${shown.join(', ')}`;
  if (/^[0-9a-f]{1,16}$/i.test(name)) return `no symbol is named ${name}; to pass an address, write 0x${name}`;
  const near = nearFunctions(kernel, name).map(({ says }) => says);
  return [`no symbol is named ${name}`, ...near].join('; ');
}

/** An offset that is not inside its function. */
function beyond(name: string, offset: bigint, size: number): string | undefined {
  if (size === 0 || offset < BigInt(size)) return undefined;
  if (offset === BigInt(size)) {
    return `${name} ends here: as a return address it belongs to the call before it, at ${name}+${hex(offset - 1n)}, which does not return`;
  }
  return `${name} ends at +${hex(size)}: the address is past its end`;
}

function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}
