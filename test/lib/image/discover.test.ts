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

/** A kernel without .symtab, of 600 functions, some of these names, and a table of pointers at 400 of them. */
function kernel(...names: string[]): Kernel {
  const functions = Array.from({ length: 600 }, (_, i): PackedSymbol => ['T', names[i] ?? `sys_${i}`, BASE + BigInt(i * 16)]);
  const packed = packKallsyms(functions, { relativeBase: BASE }, BASE + BigInt(TABLES));
  const bytes = new Uint8Array(TABLES + packed.bytes.length);
  bytes.set(packed.bytes, TABLES);
  bytes.set(new TextEncoder().encode('Linux version 6.1.0 (kelf@test)'), 0x7000);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < 400; i++) view.setBigUint64(POINTERS + i * 8, BASE + BigInt((599 - i) * 16), true);
  const image = { bytes, machine: EM.X86_64, is64: true, littleEndian: true, base: BASE, memorySize: bytes.length, parts: [] };
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

  it('of a kernel without kprobes: what it lacks is a fact, without a .config', () => {
    const { kprobe } = kernel('ftrace_init').traceability('sys_300');
    expect(kprobe.byName).to.deep.include({ outcome: 'refused', code: 'no-kprobes', certainty: 'proven' });
    expect(kprobe.byName.because[0]!.says).to.equal('the kernel has no register_kprobe: CONFIG_KPROBES is not set');
  });
});
