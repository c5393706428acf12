import { expect } from 'chai';
import { Kernel } from 'kelf';
import { ElfFile, EM } from 'kelf/elf';
import { piecesOfImage } from '../../../lib/facts/pieces-of-image.js';
import { elfAround } from '../../../lib/image/elf-around.js';
import { type PackedSymbol, packKallsyms } from '../../support/kallsyms-writer.js';

const BASE = 0xffff_ffff_8100_0000n;
const TABLES = 0x8000;
/** Where a table of pointers at functions stands. */
const POINTERS = 0x4000;
const CALLS = 0x6000;

/** A kernel without .symtab, of 600 functions, some of these names, and a table of pointers at 400 of them. */
function kernel(...names: string[]): Kernel {
  return kernelOf(names);
}

interface Spec {
  readonly machine?: number;
  /** How far behind its function the i-th pointer leads, and how many there are. */
  readonly distance?: (i: number) => number;
  readonly pointers?: number;
  /** A second table, of pointers at so many functions. */
  readonly systemCalls?: number;
}

function kernelOf(
  names: readonly string[],
  { machine = EM.X86_64, distance = () => 0, pointers = 400, systemCalls = 0 }: Spec = {},
): Kernel {
  const functions = Array.from({ length: 600 }, (_, i): PackedSymbol => ['T', names[i] ?? `sys_${i}`, BASE + BigInt(i * 16)]);
  const packed = packKallsyms(functions, { relativeBase: BASE }, BASE + BigInt(TABLES));
  const bytes = new Uint8Array(TABLES + packed.bytes.length);
  bytes.set(packed.bytes, TABLES);
  bytes.set(new TextEncoder().encode('Linux version 6.1.0 (kelf@test)'), 0x7000);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < pointers; i++) view.setBigUint64(POINTERS + i * 8, BASE + BigInt((599 - i) * 16 + distance(i)), true);
  for (let i = 0; i < systemCalls; i++) view.setBigUint64(CALLS + i * 8, BASE + BigInt(i * 16), true);
  const image = { bytes, machine, is64: true, littleEndian: true, base: BASE, memorySize: bytes.length, parts: [] };
  return new Kernel(piecesOfImage(ElfFile.open(elfAround(image, 'vmlinux'))));
}

describe('an image without labels', () => {
  it('of a kernel with ftrace: the longest table of pointers at functions is that of its sites', () => {
    const found = kernel('ftrace_init', 'register_kprobe');
    expect(found.mcount!.count).to.equal(400);
    expect(found.traceability('sys_300').ftrace.byName).to.deep.include({ outcome: 'accepted', certainty: 'proven' });
  });

  it('of a kernel without ftrace: the table of system calls is not taken for it', () => {
    const found = kernel('register_kprobe');
    expect(found.mcount).to.equal(undefined);
    const { ftrace, kprobe } = found.traceability('sys_300');
    expect(ftrace.byName).to.deep.include({ outcome: 'refused', code: 'no-ftrace', certainty: 'proven' });
    expect(kprobe.byName.outcome).to.equal('accepted');
  });

  for (const [name, machine] of [
    ['MIPS', EM.MIPS],
    ['ARM', EM.ARM],
    ['arm64 before -fpatchable-function-entry', EM.AARCH64],
  ] as const)
    it(`${name}: the call stands behind the prologue, at no one distance from its function`, () => {
      const found = kernelOf(['ftrace_init'], { machine, distance: i => 4 + (i % 3) * 4, systemCalls: 200 });
      expect(found.mcount!.count).to.equal(400);
      expect(found.functions.sites).to.deep.include({ source: '__mcount_loc' });
      expect(found.traceability('sys_598').ftrace.byName).to.deep.include({ outcome: 'accepted', certainty: 'proven' });
    });

  it('where no table has a word for one function in eight, none is that of ftrace: sys_call_table is another', () => {
    const found = kernelOf(['ftrace_init'], { pointers: 0, systemCalls: 70 });
    expect(found.mcount).to.equal(undefined);
    expect(found.traceability('sys_3').ftrace.byName.outcome).to.equal('open');
  });

  it('of a kernel without kprobes: what it lacks is a fact, without a .config', () => {
    const { kprobe } = kernel('ftrace_init').traceability('sys_300');
    expect(kprobe.byName).to.deep.include({ outcome: 'refused', code: 'no-kprobes', certainty: 'proven' });
    expect(kprobe.byName.because[0]!.says).to.equal('the kernel has no register_kprobe: CONFIG_KPROBES is not set');
  });
});
