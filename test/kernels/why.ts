import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectInThreads, type Kernel, type MissingBtfOfAll, missingBtfOfAll, openKernel } from 'kelf';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/**
 * Why BTF lacks each function that it lacks, against others: whether the reason's class holds, by what readelf and llvm-symbolizer say of the symbol;
 * and pahole itself, run on the same file. More paholes than the installed one may be named in KELF_PAHOLES, paths with colons between: those since
 * 1.25 say why they skip a function.
 */
export async function reasonsOfPahole(files: KernelFiles, check: Check): Promise<void> {
  if (!/^CONFIG_DEBUG_INFO_BTF=y$/m.test(readFileSync(files.config, 'utf8'))) return;
  await check('every function that BTF lacks has a reason that holds', ['readelf', 'llvm-symbolizer', 'objdump'], async () => {
    await using kernel = await openKernel(files.vmlinux, { config: files.config });
    return reasonsHold(kernel, await missingBtfOfAll(kernel, { collect: collectInThreads(files.vmlinux) }), files.vmlinux);
  });
  // A minute for one kernel: the others are made with the same release.
  if (files.name !== 'amd64-6.1') return;
  await check('the functions that pahole itself leaves out', ['pahole'], () => againstPahole('pahole', files));
  for (const path of (process.env['KELF_PAHOLES'] ?? '').split(':').filter(existsSync)) {
    await check(`the functions that ${path} leaves out`, [], () => againstPahole(path, files));
  }
}

/** What readelf says of a name: the addresses of its functions, and whether one is not local. */
interface FunctionSymbols {
  readonly addresses: string[];
  external: boolean;
}

/** Function symbols by readelf. */
function functionSymbols(vmlinux: string): Map<string, FunctionSymbols> {
  const found = new Map<string, FunctionSymbols>();
  const text = execFileSync('readelf', ['-sW', vmlinux], { encoding: 'utf8', maxBuffer: 1 << 28 });
  for (const line of text.split('\n')) {
    const [, value, , type, binding, , section, name] = line.trim().split(/\s+/);
    if (type !== 'FUNC' || section === 'UND' || name === undefined) continue;
    const known = found.get(name) ?? { addresses: [], external: false };
    known.addresses.push(value!);
    known.external ||= binding !== 'LOCAL';
    found.set(name, known);
  }
  return found;
}

/** The words of __mcount_loc as objdump prints them: what pahole 1.19 to 1.21 went by. */
function storedSites(vmlinux: string): ReadonlySet<string> {
  const labels = execFileSync('sh', ['-c', 'nm "$0" | grep -E " __(start|stop)_mcount_loc$" | sort | cut -d " " -f 1', vmlinux], {
    encoding: 'utf8',
  });
  const [start, stop] = labels.trim().split('\n');
  if (stop === undefined) return new Set();
  const text = execFileSync('objdump', ['-s', `--start-address=0x${start}`, `--stop-address=0x${stop}`, vmlinux], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  // ` ffffffff82a0b0c8 40100081 ffffffff 90100081 ffffffff  @...`
  const bytes = [...text.matchAll(/^ [0-9a-f]+ ((?:[0-9a-f]{2,8} ){1,4})/gm)].map(([, hex]) => hex!.replaceAll(' ', '')).join('');
  return new Set((bytes.match(/.{16}/g) ?? []).map(word => word.match(/../g)!.reverse().join('')));
}

/** The name that DWARF has for the code at each address; `??` for none. */
function namesByDwarf(vmlinux: string, addresses: readonly string[]): Map<string, string> {
  const { stdout } = spawnSync('llvm-symbolizer', [`--obj=${vmlinux}`, '--no-inlines', '--functions=short'], {
    input: addresses.map(address => `0x${address}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const blocks = stdout.split('\n\n');
  return new Map(addresses.map((address, i) => [address, blocks[i]?.split('\n')[0] ?? '']));
}

const OF_PAHOLE: ReadonlySet<string> = new Set([
  'pahole-inconsistent-prototypes',
  'pahole-unexpected-register',
  'pahole-ambiguous-address',
  'pahole-packed-struct',
  'pahole-reordered-parameters',
]);

/** What each class says of a symbol, put to readelf and llvm-symbolizer. */
function reasonsHold(kernel: Kernel, { names, functions }: MissingBtfOfAll, vmlinux: string): Outcome {
  const symbols = functionSymbols(vmlinux);
  const hasFunc = (name: string): boolean => kernel.btf!.find(name, 'FUNC').length > 0;
  const undescribed = new Set(['pahole-alias', 'pahole-renamed', 'pahole-assembly', 'pahole-no-debug-info']);
  const addresses = (name: string): readonly string[] => symbols.get(name)?.addresses ?? [];
  const asked = functions.flatMap(({ name, code }) => (undescribed.has(code) ? addresses(name) : []));
  const sites = functions.some(({ code }) => code === 'pahole-no-ftrace-site') ? storedSites(vmlinux) : new Set<string>();
  const byDwarf = namesByDwarf(vmlinux, asked);
  const holds = ({ name, code }: MissingBtfOfAll['functions'][number]): boolean => {
    const dot = name.indexOf('.');
    const source = dot > 0 ? name.slice(0, dot) : name;
    if (code === 'pahole-clone') return dot > 0 && hasFunc(source);
    if (code === 'pahole-suffix') return !hasFunc(source) && !symbols.has(source);
    if (code === 'pahole-external-only') return symbols.get(name)?.external === false;
    // The mangling of Rust, what its compiler's runtime is renamed to, and what Rust exports to C by name.
    if (code === 'pahole-rust') return /^(_R|__rust_|rust_)/.test(name);
    if (code === 'pahole-no-ftrace-site')
      return sites.size > 0 && symbols.has(name) && addresses(name).every(address => !sites.has(address));
    if (!undescribed.has(code)) return false;
    // None of its symbols stands at code that DWARF has under the name.
    return addresses(name).every(address => byDwarf.get(address) !== name) && symbols.has(name);
  };
  // What pahole decides by comparing prototypes and registers, it alone tells: againstPahole() asks it.
  const byPahole = functions.filter(({ code }) => OF_PAHOLE.has(code)).length;
  const wrong = functions.filter(one => !OF_PAHOLE.has(one.code) && !holds(one));
  const lacking = [...symbols.keys()].filter(name => !/^__(pfx|cfi)_/.test(name) && !hasFunc(name)).length;
  return {
    ok: wrong.length === 0 && lacking === functions.length,
    figures:
      wrong.length === 0
        ? `${functions.length} of ${names} names lack a FUNC, by readelf ${lacking}; each reason holds${byPahole === 0 ? '' : ` of all but ${byPahole}, which pahole alone tells`}`
        : `${wrong.length} of ${functions.length}: ${wrong
            .slice(0, 8)
            .map(({ name, code }) => `${name} ${code}`)
            .join(', ')}`,
  };
}

/** What kernels since 6.11 ask for; no more matters for functions. */
const FEATURES = 'encode_force,var,float,enum64,decl_tag,type_tag,optimized_func,consistent_func,decl_tag_kfuncs';

/** The classes of what pahole prints since 1.25, by their words. */
const SAID: readonly (readonly [words: RegExp, codes: readonly string[]])[] = [
  [/unexpected register/, ['pahole-unexpected-register']],
  // Several addresses drop the name as well, and are looked at first.
  [/multiple inconsistent|mismatch/, ['pahole-inconsistent-prototypes', 'pahole-ambiguous-address']],
  [/uncertain parameter/, ['pahole-packed-struct']],
];

async function againstPahole(pahole: string, { vmlinux }: KernelFiles): Promise<Outcome> {
  const version = Number(execFileSync(pahole, ['--version'], { encoding: 'utf8' }).trim().replace(/^v/, '').replace('.', ''));
  const folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  try {
    const btf = join(folder, 'pahole.btf');
    const log = join(folder, 'log');
    const flags = version < 125 ? '' : `-V --btf_features=${FEATURES}`;
    // What it prints of every type is hundreds of megabytes.
    const script = `"$0" -F dwarf -J ${flags} --btf_encode_detached="$1" "$2" | grep -aE 'skipping (addition|BTF encoding)' >"$3"; test -s "$1"`;
    execFileSync('sh', ['-c', script, pahole, btf, vmlinux, log], { stdio: ['ignore', 'ignore', 'ignore'] });
    await using kernel = await openKernel(vmlinux, { btf });
    const { functions, withFunc } = await missingBtfOfAll(kernel, { paholeVersion: version, collect: collectInThreads(vmlinux) });
    const open = functions.filter(({ certainty }) => certainty === 'open').map(({ name }) => name);
    const codes = new Map(functions.map(({ name, code }) => [name.split('.', 1)[0]!, code]));
    const said = readFileSync(log, 'latin1').split('\n').flatMap(skipped);
    const wrong = said.filter(({ name, expected }) => !expected.includes(codes.get(name) ?? 'is not missing'));
    const first = wrong[0];
    return {
      ok: open.length === 0 && wrong.length === 0,
      figures:
        `${withFunc} names with a FUNC, ${functions.length} without: ${open.length === 0 ? 'each has its reason' : `${open.length} open, such as ${open[0]}`}` +
        (said.length === 0 ? '' : `; ${said.length - wrong.length} of the ${said.length} that it says it skipped for the reason it gives`) +
        (first === undefined ? '' : `, not ${first.name}: ${codes.get(first.name)}`),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** `skipping addition of 'f'(f.isra.0) due to …` until 1.27, `f (f.isra.0): skipping BTF encoding of function due to …` since. */
function skipped(line: string): { name: string; expected: readonly string[] }[] {
  const match =
    /^skipping addition of '([^']+)'.* due to (.*)$/.exec(line) ?? /^(\S+) .*skipping BTF encoding of function due to (.*)$/.exec(line);
  const expected = match === null ? undefined : SAID.find(([words]) => words.test(match[2]!));
  return expected === undefined ? [] : [{ name: match![1]!, expected: expected[1] }];
}
