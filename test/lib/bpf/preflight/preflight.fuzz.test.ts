import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Kernel, openBpfObject, openKernel, Preflight } from 'kelf';
import { ElfFile, isFormatError, MemorySource } from 'kelf/elf';
import { mutate, random } from '../../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 150);
const fixture = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/${name}`, import.meta.url));

/** Any part of the object may be damaged: names of sections lead to questions about the kernel, types to externs, code to helpers. */
describe('Preflight with a damaged object', function () {
  this.timeout(0);
  let kernel: Kernel;

  before(async () => {
    kernel = await openKernel(fixture('kernel/vmlinux-amd64'));
  });
  after(() => kernel.close());

  it(`${CASES} cases: findings, or a FormatError`, () => {
    const object = new Uint8Array(readFileSync(fixture('bpf/kelf.bpfel.o')));
    const parts = ElfFile.open(new MemorySource(object))
      .sections.filter(({ name, flags, size }) => size > 0 && (/^\.(BTF|maps|symtab|strtab|shstrtab)/.test(name) || (flags & 4) !== 0))
      .map(({ offset, size }) => ({ from: Number(offset), to: Number(offset) + size }));
    const preflight = new Preflight(kernel);
    const next = random(7);
    for (let i = 0; i < CASES; i++) {
      const damaged = object.slice();
      const { from, to } = parts[next(parts.length)]!;
      damaged.set(mutate(damaged.slice(from, to), next).subarray(0, to - from), from);
      try {
        preflight.check(openBpfObject(damaged));
      } catch (error) {
        if (!isFormatError(error)) throw new Error(`case ${i}`, { cause: error });
      }
    }
  });
});
