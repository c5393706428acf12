import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ATTACH_FORMS, auditKernel, Kernel, MissingError, parseConfig, recipeLine } from 'kelf';
import { ElfFile, FormatError, MemorySource } from 'kelf/elf';
import { duplicates } from '../../lib/answers/duplicates.js';
import { piecesOfImage } from '../../lib/facts/pieces-of-image.js';
import { BtfWriter } from '../support/btf-writer.js';
import { type FunctionSpec, kernelOf } from '../support/kernel-writer.js';
import { mutate, random } from '../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 800);
const NAMES = [
  'load_elf_binary',
  '__x64_sys_getcwd',
  'tty_write',
  'set_root',
  'sys_sync',
  'no_such_function',
  'wb_dirty_limit',
  'schedule',
  '__memcpy',
];
/** Distances from where a label is: those that make ranges empty, upside down, longer than the file or than a number can count. */
const DISTANCES = [
  1n,
  2n,
  4n,
  -4n,
  8n,
  -8n,
  1n << 16n,
  1n << 26n,
  1n << 31n,
  1n << 32n,
  1n << 40n,
  1n << 53n,
  1n << 62n,
  1n << 63n,
  -(1n << 40n),
];
const LABELS =
  /^(_?_?start_|__stop_|_stext|_etext|_s?_?init|_end|__init_(begin|end)|__kprobes_text|__noinstr|__entry|__irqentry|linux_banner|btf_id_deny|kallsyms_)/;

function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../fixtures/kernel/${name}`, import.meta.url))));
}

/** Damage, or a piece that damage has taken away. */
function expected(error: unknown): boolean {
  return error instanceof FormatError || error instanceof MissingError;
}

/** Asks a kernel everything. Each question may end in a FormatError or a MissingError, and in nothing else. */
function askAll(bytes: Uint8Array, config: string): void {
  let kernel: Kernel;
  try {
    kernel = new Kernel(piecesOfImage(ElfFile.open(new MemorySource(bytes, 'vmlinux')), { config: parseConfig(config, 'config') }));
  } catch (error) {
    if (expected(error)) return;
    throw error;
  }
  const questions: (() => unknown)[] = [
    () => auditKernel(kernel),
    () => duplicates(kernel),
    () => kernel.mcount,
    () => kernel.banner,
    () => kernel.buildId,
    () => kernel.diagnostics,
    // A name of several functions, and one whose parameters stand in other tables.
    ...['load_elf_binary', '__x64_sys_getcwd'].map(
      name => () => kernel.attach(name).functions.map(recipe => ATTACH_FORMS.map(form => recipeLine(recipe, form))),
    ),
    ...NAMES.flatMap(name => [
      () => kernel.traceability(name),
      () => kernel.missingBtf(name),
      () => kernel.missingBtf(name, { paholeVersion: 120 }),
    ]),
  ];
  for (const question of questions) {
    try {
      question();
    } catch (error) {
      if (!expected(error)) throw error;
    }
  }
}

/** Where the file keeps what the questions read: tables get most of the damage, code and debug strings little. */
function targets(bytes: Uint8Array): { from: number; to: number }[] {
  const file = ElfFile.open(new MemorySource(bytes, 'vmlinux'));
  const wanted =
    /^\.(symtab|strtab|BTF|BTF_ids|init\.data|rela\.dyn|rodata|data|note.*)$|__bug_table|__jump_table|__ex_table|kprobe_blacklist/;
  const sections = file.sections.filter(({ name, size }) => wanted.test(name) && size > 0);
  return [
    { from: 0, to: 64 + 56 * file.segments.length },
    { from: Number(file.header.shoff), to: Number(file.header.shoff) + 64 * file.sections.length },
    ...sections.map(({ offset, size }) => ({ from: Number(offset), to: Number(offset) + size })),
  ].filter(({ to }) => to <= bytes.length);
}

/** Places of st_value in the file, of labels that ranges are made of. */
function labelPlaces(bytes: Uint8Array): number[] {
  const file = ElfFile.open(new MemorySource(bytes, 'vmlinux'));
  const { section } = file.symbols!;
  return [...file.symbols!].filter(({ name }) => LABELS.test(name)).map(({ index }) => Number(section.offset) + index * 24 + 8);
}

describe('damaged kernels', function () {
  this.timeout(0);
  for (const arch of ['amd64', 'arm64']) {
    it(`give answers or a FormatError, in time: ${arch}`, () => {
      const bytes = fixture(`vmlinux-${arch}`);
      const config = new TextDecoder().decode(fixture(`config-${arch}`));
      const parts = targets(bytes);
      const labels = labelPlaces(bytes);
      const next = random(bytes.length);
      for (let i = 0; i < CASES / 2; i++) {
        const damaged = bytes.slice();
        if (next(3) === 0) {
          for (let count = 1 + next(3); count > 0; count--) {
            const view = new DataView(damaged.buffer);
            const at = labels[next(labels.length)]!;
            const value = next(4) === 0 ? view.getBigUint64(labels[next(labels.length)]!, true) : view.getBigUint64(at, true);
            view.setBigUint64(at, BigInt.asUintN(64, value + DISTANCES[next(DISTANCES.length)]!), true);
          }
        } else {
          for (let count = 1 + next(3); count > 0; count--) {
            const { from, to } = parts[next(parts.length)]!;
            const part = mutate(damaged.slice(from, to), next);
            damaged.set(part, from);
          }
        }
        try {
          askAll(next(32) === 0 ? damaged.slice(0, next(damaged.length)) : damaged, config);
        } catch (error) {
          const changes = [...damaged.keys()].filter(at => damaged[at] !== bytes[at]).map(at => `${at}: ${damaged[at]}`);
          throw new Error(`case ${i}: ${changes.slice(0, 64).join(', ')}`, { cause: error });
        }
      }
    });
  }
});

describe('kernels made to take long', () => {
  const COUNT = 40_000;
  const writer = new BtfWriter();
  writer.func('other', writer.funcProto(0, []));
  const btf = writer.bytes();
  const shapes: [string, (i: number) => FunctionSpec][] = [
    ['every function at one address', i => ({ name: `f${i}`, alias: i > 0, site: 0 })],
    ['every function of one name', () => ({ name: 'f', site: 0 })],
    ['every function of one name at one address', i => ({ name: 'f', alias: i > 0, site: 0 })],
    ['every function a clone of one', i => ({ name: `f.isra.${i}`, site: 0 })],
    ['every function a label at one address', i => ({ name: `f${i}`, alias: i > 0, label: true })],
    ['every function split in two, at one address', i => ({ name: i % 2 === 0 ? 'f' : 'f.cold', alias: i > 0 })],
  ];
  for (const [what, shape] of shapes) {
    // Nothing is timed: work that grew with the square of the number would run into mocha's own limit.
    it(`are audited all the same: ${what}`, () => {
      const kernel = kernelOf({ functions: Array.from({ length: COUNT }, (_, i) => shape(i)), btf });
      const { kprobeByAddress } = auditKernel(kernel);
      expect(kprobeByAddress.reduce((sum, { count }) => sum + count, 0)).to.equal(
        new Set(Array.from({ length: kernel.functions.count }, (_, row) => kernel.functions.address(row))).size,
      );
      kernel.duplicates();
    });
  }
});
