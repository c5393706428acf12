import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openBpfObject, relocateCore } from 'kelf/bpf';
import { Btf, breakOf } from 'kelf/btf';
import { ElfFile, isFormatError, MemorySource } from 'kelf/elf';
import { mutate, random } from '../../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 500);
const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../../../fixtures/${name}`, import.meta.url))));

/** The kernel's BTF and where the parts of the object are that are damaged: code, types and .BTF.ext. */
describe('CO-RE with a damaged object or kernel', function () {
  this.timeout(0);
  const object = fixture('bpf/kelf.bpfel.o');
  const kernel = ElfFile.open(new MemorySource(fixture('kernel/vmlinux-amd64')))
    .section('.BTF')!
    .data();
  const whole = Btf.parse(kernel);
  const parts = ElfFile.open(new MemorySource(object))
    .sections.filter(({ name, flags, size }) => size > 0 && (/^\.BTF/.test(name) || (flags & 4) !== 0 || name === '.symtab'))
    .map(({ offset, size }) => ({ from: Number(offset), to: Number(offset) + size }));

  const relocate = (bytes: Uint8Array, btf: Btf): void => {
    const opened = openBpfObject(bytes);
    for (const { resolution } of relocateCore(opened, btf).outcomes)
      for (const candidate of resolution?.candidates ?? []) if (!candidate.matches) breakOf(opened.btf!, resolution!.local, candidate);
  };
  const run = (one: () => void, i: number): void => {
    try {
      one();
    } catch (error) {
      if (!isFormatError(error)) throw new Error(`case ${i}`, { cause: error });
    }
  };

  it(`${CASES} damaged objects: outcomes, or a FormatError`, () => {
    const next = random(3);
    for (let i = 0; i < CASES; i++) {
      const damaged = object.slice();
      const { from, to } = parts[next(parts.length)]!;
      damaged.set(mutate(damaged.slice(from, to), next), from);
      run(() => relocate(damaged, whole), i);
    }
  });

  it(`${CASES} damaged kernels: outcomes, or a FormatError`, () => {
    const next = random(4);
    for (let i = 0; i < CASES; i++) run(() => relocate(object, Btf.parse(mutate(kernel, next))), i);
  });
});
