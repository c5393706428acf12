import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { ElfFile } from 'kelf/elf';
import { openSource } from '../../lib/node/source.js';
import { KELF } from '../support/cli.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';

/** Modules that are compared; each needs the base read again. */
const MODULES = 4;

/** `kelf btf dump` against `bpftool btf dump`, byte for byte: the kernel's BTF and that of a few modules. */
export async function btfDumps(kernel: KernelFiles, check: Check): Promise<void> {
  // Debian's kernels for machines that pahole did not serve have none.
  if (!hasBtf(kernel.vmlinux)) return;
  for (const format of ['raw', 'json', 'c']) {
    await check(`btf dump, ${format}, equals bpftool's`, ['bpftool'], () => sameDump(kernel.vmlinux, format));
  }
  const modules = readdirSync(kernel.modules, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ko') && hasBtf(`${kernel.modules}/${name}`))
    .sort();
  const step = Math.max(1, Math.floor(modules.length / MODULES));
  for (const name of modules.filter((_, i) => i % step === 0).slice(0, MODULES)) {
    for (const format of ['raw', 'json', 'c']) {
      await check(`btf dump, ${format}, of ${name.split('/').at(-1)} equals bpftool's`, ['bpftool'], () =>
        sameDump(`${kernel.modules}/${name}`, format, kernel.vmlinux),
      );
    }
  }
}

export function hasBtf(path: string): boolean {
  const source = openSource(path);
  try {
    return ElfFile.open(source).section('.BTF') !== undefined;
  } finally {
    source.close();
  }
}

async function sameDump(path: string, format: string, base?: string): Promise<Outcome> {
  const under = base === undefined ? [] : ['--base', base];
  const bpftoolFormat = format === 'json' ? ['-j'] : [];
  const bpftoolBase = base === undefined ? [] : ['-B', base];
  const ours = await digest(process.execPath, [KELF, 'btf', 'dump', path, '--format', format, ...under]);
  const theirs = await digest('bpftool', [
    ...bpftoolFormat,
    ...bpftoolBase,
    'btf',
    'dump',
    'file',
    path,
    'format',
    format === 'c' ? 'c' : 'raw',
  ]);
  return { ok: ours.hash === theirs.hash && ours.bytes > 0, figures: `${ours.bytes} bytes, the peer has ${theirs.bytes}` };
}

/** SHA-256 and length of what a command prints. */
async function digest(tool: string, args: readonly string[]): Promise<{ hash: string; bytes: number }> {
  const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of child.stdout as AsyncIterable<Buffer>) {
    hash.update(part);
    bytes += part.length;
  }
  return { hash: hash.digest('hex'), bytes };
}
