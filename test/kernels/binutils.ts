import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { findModules, type Kernel, kernelExports, openKernel, openModule } from 'kelf';
import { EM } from 'kelf/elf';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';
import { lines, sameList } from './truth.js';

/** What binutils alone read of a debug vmlinux, on any machine: names and addresses, duplicates, ftrace's table and the kprobe blacklist. */
export async function againstBinutils(files: KernelFiles, check: Check): Promise<void> {
  await using kernel = await openKernel(files.vmlinux, { config: files.config });
  const symbols = nmSymbols(files.vmlinux);
  await check('the release is that of the package', [], () => ({
    ok: kernel.release === readFileSync(`${dirname(files.vmlinux)}/complete`, 'utf8').trim(),
    figures: `${kernel.release}, ${kernel.banner}`,
  }));
  await check('every symbol of kallsyms is one of nm', ['nm'], () => kallsymsInNm(kernel, symbols));
  await check('duplicate names equal those of nm', ['nm'], () =>
    sameList(
      kernel.duplicates().map(({ name }) => name),
      duplicatesByNm(symbols, files.config, name => kernel.symbols.lookup(name) !== undefined),
    ),
  );
  await check('ftrace sites: the words of __mcount_loc', ['nm', 'objdump', 'readelf'], () => sameMcount(kernel, files, symbols));
  await check('the kprobe blacklist: its words, and the sections around them', ['nm', 'objdump', 'readelf'], () =>
    sameBlacklist(kernel, files, symbols),
  );
  await check('exports are the entries that nm lists, by name and address', ['nm'], () => sameExports(kernel, symbols));
  if (existsSync(files.modules) && readdirSync(files.modules).length > 0)
    await check('what modules import, the kernel and other modules export', [], () => importsResolve(kernel, files));
}

interface NmSymbol {
  readonly address: bigint;
  readonly letter: string;
  readonly name: string;
}

function run(tool: string, ...args: string[]): string {
  return execFileSync(tool, args, { encoding: 'utf8', maxBuffer: 2 ** 30, stdio: ['ignore', 'pipe', 'ignore'] });
}

function nmSymbols(vmlinux: string): NmSymbol[] {
  return lines(run('nm', vmlinux)).flatMap(line => {
    const found = /^([0-9a-f]+) (\S) (\S+)$/.exec(line);
    return found === null ? [] : [{ address: BigInt(`0x${found[1]}`), letter: found[2]!, name: found[3]! }];
  });
}

function label(symbols: readonly NmSymbol[], name: string): bigint {
  const found = symbols.find(symbol => symbol.name === name);
  if (found === undefined) throw new Error(`nm has no ${name}`);
  return found.address;
}

/** The letters too, but for per-CPU symbols of x86, which kallsyms lists as absolute. */
function kallsymsInNm(kernel: Kernel, symbols: readonly NmSymbol[]): Outcome {
  const known = new Set(symbols.map(({ address, letter, name }) => `${address} ${letter} ${name}`));
  const places = new Set(symbols.map(({ address, name }) => `${address} ${name}`));
  let first: string | undefined;
  let strange = 0;
  for (const { address, type, name } of kernel.symbols) {
    if (known.has(`${address} ${type} ${name}`) || (type === 'A' && places.has(`${address} ${name}`))) continue;
    strange++;
    first ??= `${address.toString(16)} ${type} ${name}`;
  }
  const figures = `${kernel.symbols.count} rows of kallsyms, ${symbols.length} of nm`;
  return {
    ok: strange === 0 && kernel.symbols.count > 0,
    figures: first === undefined ? figures : `${figures}; ${strange} of ours alone: ${first}`,
  };
}

/**
 * Names that nm has twice or more as `t` or `T`. Where kallsyms lists text only (no CONFIG_KALLSYMS_ALL), the rows that scripts/kallsyms.c takes: those of
 * its two ranges of text. Mapping symbols, the EFI stub and what stands in front of functions (`__pfx_`, `__cfi_`) are none.
 */
function duplicatesByNm(symbols: readonly NmSymbol[], config: string, listed: (name: string) => boolean): string[] {
  const ranges = [
    [label(symbols, '_stext'), label(symbols, '_etext')],
    [label(symbols, '_sinittext'), label(symbols, '_einittext')],
  ];
  const data = [label(symbols, '_sdata'), label(symbols, '_edata')];
  const all = /^CONFIG_KALLSYMS_ALL=y$/m.test(readFileSync(config, 'utf8'));
  const counts = new Map<string, number>();
  for (const { address, letter, name } of symbols) {
    if (letter !== 't' && letter !== 'T') continue;
    if (/^__efistub_|^__(pfx|cfi)_|^(__kvm_nvhe_)?(\$|\.L)|^L0$/.test(name)) continue;
    // 6.1 lists the mapping symbols of position-independent code, later releases for arm64 do not (scripts/mksysmap).
    if (name.startsWith('__pi_$') && !listed(name)) continue;
    if (!all && !ranges.some(([from, to]) => address >= from! && address <= to!)) continue;
    // Where .data is executable (x86-64 of 7.3), nm has these letters for data.
    if (address >= data[0]! && address < data[1]!) continue;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].flatMap(([name, count]) => (count > 1 ? [name] : [])).sort();
}

/** The words from one label to another, as objdump prints them; what readelf says that relocations write there is put in. */
function wordsBetween({ vmlinux }: KernelFiles, symbols: readonly NmSymbol[], name: string): bigint[] {
  const [start, stop] = [label(symbols, `__start_${name}`), label(symbols, `__stop_${name}`)];
  const header = run('readelf', '-h', vmlinux);
  const size = /Class: +ELF64/.test(header) ? 8 : 4;
  const bytes = lines(run('objdump', '-s', '-j', '.init.data', `--start-address=${start}`, `--stop-address=${stop}`, vmlinux)).flatMap(
    line => {
      const found = /^ [0-9a-f]+ ((?:[0-9a-f]{1,8} ){1,4})/.exec(line);
      return found === null ? [] : [found[1]!.replaceAll(' ', '')];
    },
  );
  const hex = bytes.join('');
  const words = Array.from({ length: hex.length / (size * 2) }, (_, i) => {
    const word = hex.slice(i * size * 2, (i + 1) * size * 2);
    return BigInt(`0x${/big endian/.test(header) ? word : word.match(/../g)!.toReversed().join('')}`);
  });
  // Those of allocated tables: the others (--emit-relocs) are not applied.
  if (!/ \.rela\.dyn +RELA /.test(run('readelf', '-SW', vmlinux))) return words;
  // RELATIVE has an addend alone, the others a symbol's value before it.
  const rows = run('readelf', '-rW', vmlinux).matchAll(
    /^([0-9a-f]{16}) {2}[0-9a-f]{16} R_\w+ +(?:([0-9a-f]{16}) \S+ \+ )?(-?)([0-9a-f]+)$/gm,
  );
  for (const [, place, value = '0', minus, addend] of rows) {
    const index = Number(BigInt(`0x${place}`) - start) / size;
    if (index >= 0 && index < words.length)
      words[index] = BigInt.asUintN(64, BigInt(`0x${value}`) + BigInt(`0x${addend}`) * (minus === '-' ? -1n : 1n));
  }
  return words;
}

/** How far from the start of a function its word may point, where it is not as on x86 and arm64: behind the prologue, behind the TOC's setup. */
const DISTANCES: Readonly<Record<number, readonly bigint[]>> = { [EM.ARM]: [4n, 8n, 12n, 16n, 20n], [EM.PPC64]: [4n, 8n, 12n, 16n] };

/** Each word, as relocated; and that each is of a function, in front of it or behind its start as the machine's compiler puts them. */
function sameMcount(kernel: Kernel, files: KernelFiles, symbols: readonly NmSymbol[]): Outcome {
  const words = wordsBetween(files, symbols, 'mcount_loc');
  const ours = [...kernel.mcount!.relocated.big];
  const different = words.findIndex((word, i) => word !== ours[i]);
  const functions = new Set(symbols.flatMap(({ letter, address }) => (/[tTwW]/.test(letter) ? [address] : [])));
  const distances = DISTANCES[kernel.machine] ?? [0n, 4n, -8n];
  const used = words.filter(word => word !== 0n);
  const ofFunctions = used.filter(word => distances.some(distance => functions.has(word - distance))).length;
  const sites = kernel.functions.sites!.ip.length;
  // Overridden weak functions leave words behind that point into other functions: 576 of 37,697 in amd64-6.1, less in the others. Which words are
  // live is compared with booted kernels, elsewhere; this holds that the words are read as such.
  const ok = different < 0 && ours.length === words.length && ofFunctions * 100 >= used.length * 98 && sites > 0;
  return { ok, figures: `${words.length} words, ${used.length} not zero, ${ofFunctions} at functions of nm; ${sites} sites` };
}

/** The words of the table, and the areas that labels of nm bound. */
function sameBlacklist(kernel: Kernel, files: KernelFiles, symbols: readonly NmSymbol[]): Outcome {
  const areas = kernel.tracing.kprobes.blacklist!.ranges.areas;
  const theirs = new Set(wordsBetween(files, symbols, 'kprobe_blacklist').filter(word => word !== 0n));
  const ours = new Set(areas.flatMap(({ name, from }) => (name === '_kprobe_blacklist' ? [from] : [])));
  const missing = [...theirs].filter(word => !ours.has(word));
  const others = areas.filter(({ name }) => name !== '_kprobe_blacklist');
  const bounds = new Set(symbols.map(({ address }) => address));
  const named = others.filter(({ from, to }) => bounds.has(from) && bounds.has(to)).length;
  return {
    ok: missing.length === 0 && ours.size === theirs.size && ours.size > 0 && named === others.length,
    figures: `${ours.size} functions, ${others.map(({ name }) => name).join(' ')}${missing.length === 0 ? '' : `; not ours: ${missing[0]!.toString(16)}`}`,
  };
}

/** The names of `__ksymtab_X` entries, and for each an address that nm has for X. */
const HYPERVISOR = /^__kvm_nvhe_/;

function sameExports(kernel: Kernel, symbols: readonly NmSymbol[]): Outcome {
  const exports = kernelExports(kernel) ?? [];
  // arm64's code for the hypervisor is linked with a prefix before all its symbols, and exports of it keep the names that they have without.
  const places = new Set(symbols.map(({ address, name }) => `${address} ${name.replace(HYPERVISOR, '')}`));
  const entries = symbols.flatMap(({ name }) => /^(?:__kvm_nvhe_)?__ksymtab_(?!strings)(.+)$/.exec(name)?.[1] ?? []);
  const wrong = exports.filter(({ name, address }) => !places.has(`${address} ${name}`));
  const names = sameList(exports.map(({ name }) => name).sort(), entries.sort());
  return {
    ok: names.ok && wrong.length === 0,
    figures: wrong.length === 0 ? names.figures : `${names.figures}; at no such address: ${wrong[0]!.name}`,
  };
}

function importsResolve(kernel: Kernel, files: KernelFiles): Outcome {
  const offered = new Set(kernelExports(kernel)!.map(({ name }) => name));
  const wanted = new Map<string, string>();
  const paths = findModules(files.modules);
  for (const path of paths) {
    using module = openModule(path);
    for (const { name } of module.exports) offered.add(name);
    for (const { name } of module.imports) if (!wanted.has(name)) wanted.set(name, module.name);
  }
  const open = [...wanted].filter(([name]) => !offered.has(name));
  const [first] = open;
  return {
    ok: open.length === 0 && wanted.size > 0,
    figures: `${wanted.size} names of ${paths.length} modules${first === undefined ? '' : `; ${open.length} not offered: ${first.join(' of ')}`}`,
  };
}
