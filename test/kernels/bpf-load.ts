import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { carve, openBpfObject } from 'kelf/bpf';
import { Btf } from 'kelf/btf';
import { MemorySource } from 'kelf/elf';
import { cli } from '../support/cli.js';
import { ROOT } from '../support/examples.js';
import { hasBtf } from './btf.js';
import type { Check, Outcome } from './check.js';
import { readLoaded, sameCore, sameTags } from './loader.js';
import type { KernelFiles } from './run.js';
import { missingTools, objectsOfTools } from './tools.js';

// What needs objects to be loaded, or embedded by the tools that embed them: libbpf with the right to call bpf(2), bpftool and compilers.
// Loading is asked for by KELF_LOAD_BPF=1, lest it be a surprise.

const RUNNING = '/sys/kernel/btf/vmlinux';

/** CO-RE of every object of libbpf-tools on a kernel, line for line what libbpf logs. */
export async function coreRelocations(kernel: KernelFiles, check: Check): Promise<void> {
  if (!hasBtf(kernel.vmlinux)) return;
  await inFolder(async folder => {
    const load = loader(folder);
    await check('CO-RE of BPF objects: what libbpf logs, line for line', needs(load), async () => {
      const objects = await objectsOfTools(folder);
      return sameCore(readLoaded(run(load!, '-b', kernel.vmlinux, ...objects)), objects, kernel.vmlinux);
    });
    await check("btf min writes bpftool's bytes", ['bpftool', 'objcopy', ...missingTools()], () => sameMinimum(kernel.vmlinux, folder));
  });
}

async function sameMinimum(vmlinux: string, folder: string): Promise<Outcome> {
  const [btf, theirs, ours] = ['kernel.btf', 'theirs.btf', 'ours.btf'].map(name => join(folder, name));
  execFileSync('objcopy', ['-O', 'binary', '--only-section=.BTF', vmlinux, btf!]);
  const objects = await objectsOfTools(folder);
  for (const object of objects) {
    execFileSync('bpftool', ['gen', 'min_core_btf', btf!, theirs!, object], { stdio: 'ignore' });
    await cli('btf', 'min', object, '--kernel', btf!, '--out', ours!);
    if (!readFileSync(theirs!).equals(readFileSync(ours!))) return { ok: false, figures: basename(object) };
  }
  return { ok: objects.length > 0, figures: `${objects.length} objects` };
}

/** Tags on the running kernel, and objects through a skeleton, a compiler and strip. */
export async function loadedAndEmbedded(check: Check): Promise<void> {
  await inFolder(async folder => {
    const load = loader(folder);
    const missing = [...needs(load), ...(existsSync(RUNNING) ? [] : [RUNNING])];
    await check('tags of BPF programs are those that the running kernel shows', missing, async () => {
      const objects = await objectsOfTools(folder);
      return sameTags(readLoaded(run(load!, ...objects)), objects, RUNNING);
    });
    await check('objects are carved as they were embedded by bpftool, gcc and strip', ['bpftool', 'gcc', 'strip'], () => roundTrip(folder));
    await check(
      'light skeletons are carved from source and from programs: data, BTF, instructions, loader',
      // The skeleton includes <bpf/skel_internal.h>.
      ['bpftool', 'gcc', 'strip', ...(existsSync('/usr/include/bpf/skel_internal.h') ? [] : ['libbpf-dev'])],
      () => lightRoundTrip(folder),
    );
  });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-load-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A small program on libbpf, if it can be built here and may call bpf(2). What it loads is attached to nothing, and gone when it ends. */
function loader(folder: string): string | undefined {
  if (process.env['KELF_LOAD_BPF'] !== '1') return undefined;
  const program = join(folder, 'libbpf-load');
  const built = spawnSync('cc', [`${ROOT}test/kernels/libbpf-load.c`, '-o', program, '-lbpf'], { stdio: 'ignore' });
  if (built.status !== 0) return undefined;
  return /^tag with_data [0-9a-f]{16}$/m.test(run(program, `${ROOT}fixtures/bpf/tags.bpfel.o`)) ? program : undefined;
}

function needs(program: string | undefined): string[] {
  return [...(program === undefined ? ['root-and-libbpf-dev-and-KELF_LOAD_BPF=1'] : []), ...missingTools()];
}

function run(program: string, ...args: string[]): string {
  return spawnSync(program, args, { encoding: 'utf8', maxBuffer: 2 ** 28 }).stdout;
}

/** Both byte orders, and what the static linker makes: into a skeleton, into a program, stripped, and out again. */
function roundTrip(folder: string): Outcome {
  const linked = join(folder, 'linked.o');
  execFileSync('bpftool', ['gen', 'object', linked, `${ROOT}fixtures/bpf/kelf.bpfel.o`]);
  const objects = [
    linked,
    ...readdirSync(`${ROOT}fixtures/bpf`)
      .filter(name => name.endsWith('.o'))
      .map(name => `${ROOT}fixtures/bpf/${name}`),
  ];
  let found = 0;
  for (const object of objects) {
    const bytes = readFileSync(object);
    const wanted = sha256(bytes);
    const skeleton = spawnSync('bpftool', ['gen', 'skeleton', object, 'name', 'sample'], { encoding: 'utf8', maxBuffer: 2 ** 28 });
    // bpftool opens only objects of its own byte order.
    const embedded = skeleton.status === 0 ? skeleton.stdout : '';
    const files: Uint8Array[] = embedded === '' ? [] : [Buffer.from(embedded)];
    const literal = `const char *object(void) { return "${[...bytes].map(byte => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"; }\nint main(void) { return object()[1]; }\n`;
    for (const level of ['-O0', '-O2']) {
      const source = join(folder, 'sample.c');
      const program = join(folder, 'sample');
      writeFileSync(source, literal);
      execFileSync('gcc', [level, source, '-o', program]);
      execFileSync('strip', [program]);
      files.push(readFileSync(program));
    }
    for (const file of files) {
      const digests = carve(new MemorySource(file, 'file')).map(find => sha256(find.bytes));
      if (digests.length !== 1 || digests[0] !== wanted)
        return { ok: false, figures: `${basename(object)}: ${digests.length} objects found` };
      found++;
    }
  }
  return { ok: true, figures: `${found} files with ${objects.length} objects` };
}

/** What `bpftool gen skeleton -L` embeds, from its source and from what gcc makes of that. */
function lightRoundTrip(folder: string): Outcome {
  const object = `${ROOT}fixtures/bpf/tags.bpfel.o`;
  const header = execFileSync('bpftool', ['gen', 'skeleton', '-L', object, 'name', 'tags'], { encoding: 'utf8' });
  // Those of an object's programs come with the subprograms that they call.
  const opened = openBpfObject(object);
  const expected = opened.programs.map(program =>
    [program, ...opened.subprogramsOf(program)].reduce((sum, { instructionCount }) => sum + instructionCount * 8, 0),
  );
  const [data, loader] = [...header.matchAll(/= \(void \*\)"([^"]*)"/g)].map(([, text]) =>
    Buffer.from(
      text!.replaceAll('\\\n', '').replace(/\\(?:x(..)|(0))/g, (_, digits = '00') => digits),
      'hex',
    ),
  );
  const files = [Buffer.from(header)];
  const source = `#include <errno.h>\n#include <linux/types.h>\n#include <stdlib.h>\ntypedef __u32 u32;\ntypedef __u64 u64;\n${header}\nint main(void) { return tags__open_and_load() == 0; }\n`;
  for (const level of ['-O0', '-O2']) {
    writeFileSync(join(folder, 'light.c'), source);
    execFileSync('gcc', [level, join(folder, 'light.c'), '-o', join(folder, 'light')], { stdio: 'ignore' });
    execFileSync('strip', [join(folder, 'light')]);
    files.push(readFileSync(join(folder, 'light')));
  }
  for (const file of files) {
    const [find, ...more] = carve(new MemorySource(file, 'file'));
    const { btf } = find ?? {};
    const blob = find?.bytes.subarray(btf!.offset, btf!.offset + btf!.length);
    const same =
      more.length === 0 &&
      Buffer.compare(find!.bytes, data!) === 0 &&
      Buffer.compare(find!.loader!.bytes, loader!) === 0 &&
      find!.programs.map(({ instructions }) => instructions?.length).join() === expected.join() &&
      ['with_data', 'key_of'].every(name => Btf.parse(blob!).find(name, 'FUNC').length === 1);
    if (!same) return { ok: false, figures: 'is another than was embedded' };
  }
  return {
    ok: true,
    figures: `${files.length} files with ${expected.length} programs, and a loader of ${loader!.length / 8} instructions`,
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
