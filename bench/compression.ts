import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpack } from 'kelf/elf';
import { type Argv, installed, peakMemory, timePair } from './measure.js';
import { pairRow, type Row } from './report.js';

/** How an image is packed for the measurement, much as the kernel's build does it, and the program that unpacks it. */
const PACKINGS: readonly { readonly name: string; readonly pack: Argv; readonly peer: Argv }[] = [
  { name: 'gzip', pack: ['gzip', '-9c'], peer: ['gzip', '-dc'] },
  { name: 'xz', pack: ['xz', '-c', '--check=crc32', '--x86', '--lzma2=preset=1,dict=32MiB'], peer: ['xz', '-dc'] },
  { name: 'lzma', pack: ['xz', '-c', '--format=lzma', '-1'], peer: ['xz', '--format=lzma', '-dc'] },
  { name: 'zstd', pack: ['zstd', '-qc', '-12', '--long=27'], peer: ['zstd', '-qdc', '--long=27'] },
  { name: 'lz4', pack: ['lz4', '-qc', '-9'], peer: ['lz4', '-qdc'] },
  { name: 'lz4-legacy', pack: ['lz4', '-qlc', '-9'], peer: ['lz4', '-qdc'] },
];
/** Peak memory over the size of what comes out: not more than this. */
const MEMORY_TARGET = 3;

const LIBRARY = new URL('../elf/index.js', import.meta.url).href;
const UNPACK = `import { readFileSync } from 'node:fs'; import { unpack } from '${LIBRARY}'; unpack(readFileSync(process.argv[2]), { name: 'image' });`;

/**
 * Measures the decompressors beside the system's programs: the image inside of a bzImage, packed again in each format; whole processes in
 * turns, and the peak of resident memory over the unpacked size.
 *
 * @param vmlinuz path of a bzImage
 * @param pairs how many runs of each
 * @param wanted which cases to measure, by their names `unpack gzip`, `unpack xz` …
 * @param say told what is being measured
 */
export function compressionRows(
  vmlinuz: string,
  kernel: string,
  pairs: number,
  wanted: (name: string) => boolean,
  say: (line: string) => void,
): Row[] {
  const cases = PACKINGS.filter(({ name, peer }) => wanted(`unpack ${name}`) && installed(peer[0]!));
  if (cases.length === 0) return [];
  const folder = mkdtempSync(join(tmpdir(), 'kelf-bench-'));
  try {
    const script = join(folder, 'unpack.mjs');
    writeFileSync(script, UNPACK);
    const image = join(folder, 'image');
    writeFileSync(image, imageOf(vmlinuz));
    return cases.flatMap(({ name, pack, peer }) => {
      say(`unpack ${name}, ${kernel}`);
      const packed = join(folder, name);
      writeFileSync(packed, run([...pack, image]));
      const pair = timePair([process.execPath, script, packed], [...peer, packed], pairs);
      const size = statSync(image).size;
      const peak = (peakMemory([script, packed]) * 2 ** 20) / size;
      const what = `unpack ${name}`;
      const ratio = (value: number): string => value.toFixed(2);
      return [
        pairRow(what, kernel, peer.join(' '), pair),
        { what: `${what}: peak memory ÷ image`, kernel, kelf: ratio(peak), result: peak, target: MEMORY_TARGET, show: ratio },
      ];
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What a bzImage has packed (Documentation/arch/x86/boot.rst): payload_offset at 0x248, payload_length at 0x24c, its last word a size. */
function imageOf(vmlinuz: string): Uint8Array {
  const bytes = readFileSync(vmlinuz);
  const setupSectors = bytes[0x1f1] || 4;
  const start = (setupSectors + 1) * 512 + bytes.readUInt32LE(0x248);
  return unpack(bytes.subarray(start, start + bytes.readUInt32LE(0x24c) - 4), { name: vmlinuz }).bytes;
}

function run([program, ...args]: Argv): Uint8Array {
  const { stdout, status } = spawnSync(program!, args, { maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${status}`);
  return stdout;
}
