import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type CarvedObject, carveFiles } from 'kelf/bpf';
import { ROOT } from '../support/examples.js';
import type { Check, Outcome } from './check.js';

/** The files of Debian's packages that use BPF, which fixtures/fetch-bpf-tools.sh gets. */
const TOOLS = ['programs', 'others']
  .map(folder => join(process.env['KELF_BPF_TOOLS'] ?? `${ROOT}fixtures/bpf-tools`, folder))
  .filter(folder => existsSync(folder));

/** What is missing where they are not there: the peers of a comparison. */
export const missingTools = (): string[] => (TOOLS.length > 0 ? [] : ['libbpf-tools']);

/** The BPF objects in these files, carved into a folder; none where the files are not there. */
export async function objectsOfTools(folder: string): Promise<string[]> {
  if (TOOLS.length === 0) return [];
  const { objects } = await carveFiles(TOOLS, { out: join(folder, 'carved') });
  return objects.map(({ written }) => written!);
}

/** All objects of these files are carved, and the peers read what was carved. */
export async function embeddedObjects(folder: string, check: Check): Promise<void> {
  const out = join(folder, 'carved');
  await check("BPF objects in Debian's packages: carved is what an ELF header of a BPF object begins", missingTools(), async () => {
    const { objects, files } = await carveFiles(TOOLS, { out });
    return sameAsHeaders(objects, files);
  });
  const peers = ['bpftool', 'llvm-readelf', 'llvm-objdump'];
  await check(
    "BPF objects in Debian's packages: bpftool, llvm-readelf and llvm-objdump read them",
    [...missingTools(), ...peers],
    async () => readByPeers((await carveFiles(TOOLS, { out })).objects.map(({ written }) => written!)),
  );
}

/** By another way than carving: every byte of every file is looked at for a header, and clang writes the section headers last. */
function sameAsHeaders(carved: readonly CarvedObject[], files: number): Outcome {
  const found = new Map(carved.map(object => [`${object.path}+${object.offset}`, object]));
  let count = 0;
  for (const path of TOOLS.flatMap(folder => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))) {
    const bytes = readFileSync(path);
    for (let at = bytes.indexOf('\x7fELF', 0, 'latin1'); at >= 0; at = bytes.indexOf('\x7fELF', at + 1, 'latin1')) {
      if (bytes.readUInt16LE(at + 18) !== 247) continue;
      const length = Number(bytes.readBigUInt64LE(at + 40)) + bytes.readUInt16LE(at + 60) * 64;
      const object = found.get(`${path}+${at}`);
      if (object === undefined) return { ok: false, figures: `${path}+${at}: not carved` };
      if (!readFileSync(object.written!).equals(bytes.subarray(at, at + length)))
        return { ok: false, figures: `${path}+${at}: ${object.length} bytes were carved, of ${length}` };
      count++;
    }
  }
  const programs = carved.reduce((sum, object) => sum + object.programs.length, 0);
  const holders = new Set(carved.map(({ path }) => path)).size;
  return {
    ok: count > 0 && count === carved.length,
    figures: `${carved.length} objects with ${programs} programs, in ${holders} of ${files} files; ${count} headers`,
  };
}

function readByPeers(objects: readonly string[]): Outcome {
  for (const object of objects) {
    for (const [peer, ...args] of [
      ['bpftool', 'btf', 'dump', 'file', object],
      ['llvm-readelf', '-a', '-W', object],
      ['llvm-objdump', '-d', '-r', object],
    ] as const) {
      const { status, stdout, stderr } = spawnSync(peer, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
      if (status !== 0 || stderr !== '' || stdout === '')
        return { ok: false, figures: `${basename(object)}: ${peer}: exit ${status}: ${stderr}` };
    }
  }
  return { ok: objects.length > 0, figures: `${objects.length} objects, no complaint` };
}
