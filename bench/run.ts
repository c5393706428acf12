/**
 * Measures kelf beside its peers: whole processes, output to /dev/null within one run, on Debian's debug kernels.
 *
 *   npm run bench -- [--save] [--pairs N] [PART…]     PART: a case whose name holds it, as in `npm run bench -- btf`
 *
 * Nothing here fails for being slow: it prints figures, and with --save keeps them in bench/RESULTS.md.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { carveRows } from './carve.js';
import { ALONE, type Alone, type Arch, CASES, KELF } from './cases.js';
import { compressionRows } from './compression.js';
import { installed, peakMemory, strongest, timeAlone, timePair, versionOf } from './measure.js';
import { pairRow, type Row, reportTable } from './report.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { values, positionals: parts } = parseArgs({
  options: { save: { type: 'boolean' }, pairs: { type: 'string', default: '5' } },
  allowPositionals: true,
});
const pairs = Math.max(1, Number.parseInt(values.pairs, 10) || 5);
const wanted = (name: string): boolean => parts.length === 0 || parts.some(part => name.includes(part));
const milliseconds = (value: number): string => `${value.toFixed(0)} ms`;
const mebibytes = (value: number): string => `${value.toFixed(0)} MiB`;

/** Of the minute before. Where other work keeps the cores busy, Node's helper threads wait for them, and ratios come out too high. */
const load = loadavg()[0]!;
const kernels = findKernels();
const rows: Row[] = [];
const peers = new Set<string>();
const missing = new Set<string>();
/** Files that are made for the measurement. */
let scratch: string | undefined;

if (wanted('node -e 0')) {
  const { processor: floor } = timeAlone([process.execPath, '-e', '0'], pairs);
  rows.push({ what: 'node -e 0 (the floor)', kernel: '', kelf: milliseconds(floor), result: floor, show: milliseconds });
}
for (const { name, kelf, names, peers: all, target, on } of CASES.filter(({ name }) => wanted(name))) {
  for (const program of all.flatMap(({ programs }) => programs)) if (!installed(program)) missing.add(program);
  const present = all.filter(({ programs }) => programs.every(program => !missing.has(program)));
  for (const { arch, vmlinux } of kernels.filter(({ arch }) => on.includes(arch))) {
    say(`${name}, ${arch}`);
    // The one that the target is about, and the strongest.
    const compared = new Set([...present.filter(peer => peer === all[0]), ...strongest(present, ({ command }) => command(vmlinux, arch))]);
    for (const peer of compared) {
      peers.add(peer.programs[0]!);
      const pair = timePair([process.execPath, KELF, ...kelf, vmlinux, ...(names?.[arch] ?? [])], peer.command(vmlinux, arch), pairs);
      rows.push(pairRow(name, arch, peer.title, pair, peer === all[0] ? target[arch] : undefined));
    }
  }
}
for (const { name, kelf, names = [], file, memory, exit, target, on } of ALONE.filter(({ name }) => wanted(name))) {
  for (const { arch, vmlinux } of kernels.filter(({ arch }) => on.includes(arch))) {
    const path = fileOf(vmlinux, file);
    if (!existsSync(path)) continue;
    say(`${name}, ${arch}`);
    const took = timeAlone([process.execPath, KELF, ...kelf, path, ...names], pairs, exit);
    const limit = target[arch];
    const common = { kernel: arch };
    rows.push({
      ...common,
      what: `${name}: wall time`,
      kelf: milliseconds(took.clock),
      result: took.clock,
      ...(limit === undefined ? {} : { target: limit.milliseconds }),
      show: milliseconds,
    });
    const { processor } = took;
    rows.push({ ...common, what: `${name}: processor time`, kelf: milliseconds(processor), result: processor, show: milliseconds });
    if (!memory) continue;
    const peak = peakMemory([KELF, ...kelf, path, ...names], exit);
    rows.push({
      ...common,
      what: `${name}: peak memory`,
      kelf: mebibytes(peak),
      result: peak,
      ...(limit?.mebibytes === undefined ? {} : { target: limit.mebibytes }),
      show: mebibytes,
    });
  }
}
if (scratch !== undefined) rmSync(scratch, { recursive: true });
if (wanted('bpf carve')) {
  rows.push(...carveRows(pairs, say));
  if (installed('binwalk')) peers.add('binwalk');
  else missing.add('binwalk');
}

for (const { arch, vmlinux } of kernels) {
  // arm64's vmlinuz is no bzImage, and what is packed is much the same.
  const vmlinuz = join(dirname(vmlinux), 'vmlinuz');
  if (arch === 'amd64' && existsSync(vmlinuz)) rows.push(...compressionRows(vmlinuz, arch, pairs, wanted, say));
}

if (rows.length === 0 && missing.size === 0 && kernels.length > 0) {
  console.error(
    `bench: no case is named ${parts.join(' or ')}; the cases are: node -e 0, ${[...CASES, ...ALONE].map(({ name }) => name).join(', ')}, bpf carve`,
  );
  process.exit(2);
}
const lines = [...circumstances(), '', ...reportTable(rows)];
for (const line of lines) console.log(line);
for (const program of missing) console.log(`missing: ${program} is not installed, so the bench did not compare with it`);
if (values.save) {
  const path = join(ROOT, 'bench/RESULTS.md');
  writeFileSync(path, `${['# What `npm run bench` printed', '', ...lines].join('\n')}\n`);
  say(`saved to ${path}`);
}

/** The file of a case. An Image is packed here: Debian ships it as it is. */
function fileOf(vmlinux: string, file: Alone['file']): string {
  const beside = join(dirname(vmlinux), file);
  const image = join(dirname(vmlinux), 'vmlinuz');
  if (file !== 'Image.gz' || existsSync(beside) || !existsSync(image)) return beside;
  scratch ??= mkdtempSync(join(tmpdir(), 'kelf-bench-'));
  const packed = join(scratch, file);
  writeFileSync(packed, gzipSync(readFileSync(image)));
  return packed;
}

/** Where and with what it was measured. */
function circumstances(): string[] {
  const sentence = pairs === 1 ? 'one run each' : `medians of ${pairs} alternating runs each`;
  return [
    `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model ?? 'unknown processor'} (${cpus().length} cores), Node ${process.version}.`,
    `Whole processes, output to /dev/null, warm cache, ${sentence}; load average before it: ${load.toFixed(1)}.`,
    'Beside a peer stands processor time, of all threads and children: by the clock, idle cores hide a part of it.',
    '',
    ...kernels.map(({ arch, release, bytes }) => `- ${arch}: ${release}, a vmlinux of ${(bytes / 1e6).toFixed(0)} MB`),
    ...[...peers].map(program => `- ${program}: ${versionOf(program) ?? 'unknown version'}`),
  ];
}

interface KernelFile {
  readonly arch: Arch;
  readonly vmlinux: string;
  readonly release: string;
  readonly bytes: number;
}

/** The kernels that fixtures/fetch-kernels.sh has fetched. */
function findKernels(): KernelFile[] {
  const folder = process.env['KELF_KERNELS'] || join(ROOT, 'fixtures/kernels');
  return (['amd64', 'arm64'] as const).flatMap(arch => {
    const vmlinux = join(folder, `${arch}-6.1`, 'vmlinux');
    const complete = join(folder, `${arch}-6.1`, 'complete');
    if (existsSync(complete)) return [{ arch, vmlinux, release: readFileSync(complete, 'utf8').trim(), bytes: statSync(vmlinux).size }];
    console.log(`missing: no ${arch} kernel in ${folder}; fixtures/fetch-kernels.sh ${arch} gets it`);
    return [];
  });
}

/** Progress: medians take a while. */
function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}
