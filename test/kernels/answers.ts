import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { ERRNO_NUMBERS, type Errno, type Kernel, openKernel } from 'kelf';
import { externalOnly } from '../support/external-only.js';
import type { Check, Outcome } from './check.js';
import type { KernelFiles } from './run.js';
import { compareWithTruth } from './truth.js';

/** What the booted kernel said of every function (fixtures/truth), and nm, against kelf's answers. */
export async function answers(files: KernelFiles, check: Check): Promise<void> {
  if (truth(files, 'kallsyms') === undefined) return;
  await using kernel = await openKernel(files.vmlinux, { config: files.config });
  await compareWithTruth(kernel, file => truth(files, file), check);
  await check('source files of duplicates', [], () => sourceFiles(kernel));
  await check('tty_write, left out of BTF', [], () => ttyWrite(kernel, files));
}

function truth({ name }: KernelFiles, file: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../fixtures/truth/${name}/${file}.gz`, import.meta.url));
  return existsSync(path) ? gunzipSync(readFileSync(path)).toString() : undefined;
}

function say({ code, errno }: { code: string; errno?: Errno }): string {
  return errno === undefined ? code : `${ERRNO_NUMBERS[errno]} ${code}`;
}

/** Each static function of a duplicate name has its file; load_elf_binary comes from one source, built twice. */
function sourceFiles(kernel: Kernel): Outcome {
  const groups = kernel.duplicates();
  const locals = groups.flatMap(({ functions }) => functions.filter(({ binding }) => binding === 'local'));
  const without = locals.filter(({ file }) => file === undefined).map(({ name }) => name);
  const files = groups.find(({ name }) => name === 'load_elf_binary')?.functions.map(({ file }) => file);
  const expected = 'binfmt_elf.c, compat_binfmt_elf.c';
  return {
    ok: locals.length > 0 && without.length === 0 && files?.join(', ') === expected,
    figures: `${locals.length - without.length} of ${locals.length} static ones; load_elf_binary is of ${files?.join(' and ')}`,
  };
}

/**
 * The question that a distribution's arm64 kernel raises: its BTF has only external functions, for pahole 1.19 to 1.21 read the zeros that stand for
 * `__mcount_loc` in the file. The BTF is the kernel's own with the FUNCs of static functions taken out.
 */
async function ttyWrite(kernel: Kernel, files: KernelFiles): Promise<Outcome> {
  const { symbols } = kernel;
  const upper = (row: number): boolean => /[TW]/.test(String.fromCharCode(symbols.type[row]!));
  const blob = kernel.image!.section('.BTF')!.data();
  const folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  try {
    const btf = join(folder, 'external-only.btf');
    writeFileSync(
      btf,
      externalOnly(blob, name => symbols.find(name).some(upper)),
    );
    await using other = await openKernel(files.vmlinux, { btf });
    const given = other.missingBtf('tty_write', { paholeVersion: 120 });
    const inferred = other.missingBtf('tty_write');
    const traced = other.traceability('tty_write').kprobe.byName;
    // x86 has the words in the file: 1.20 would have kept tty_write there, so that an external-only BTF is one of 1.16 to 1.18. On arm64 the BTF does
    // not show which of the two eras it was.
    const words = kernel.mcount!.zeroStored === 0;
    const code = words ? 'pahole-unknown' : 'pahole-external-only-fallback';
    const alternatives = inferred.alternatives.map(({ pahole, code }) => `${pahole} ${code}`).join(', ');
    const ok =
      given.code === code &&
      given.certainty === (code === 'pahole-unknown' ? 'open' : 'proven') &&
      say(inferred) === (words ? 'pahole-static' : 'pahole-external-only') &&
      alternatives === (words ? '' : 'pahole 1.16 to 1.18 pahole-static, pahole 1.19 to 1.21 pahole-external-only-fallback') &&
      traced.outcome === 'accepted';
    return {
      ok,
      figures: `1.20: ${given.code} (${given.certainty}); inferred: ${inferred.code}, ${alternatives}; kprobe ${say(traced)}`,
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
