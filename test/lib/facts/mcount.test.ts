import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Kernel, openKernel } from 'kelf';
import { EM } from 'kelf/elf';
import { kernelOf, SIZE, TEXT } from '../../support/kernel-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/kernel/${name}`, import.meta.url));

describe('__mcount_loc', () => {
  let amd64: Kernel;
  let arm64: Kernel;
  before(async () => {
    amd64 = await openKernel(fixture('vmlinux-amd64'));
    arm64 = await openKernel(fixture('vmlinux-arm64'));
  });
  after(() => {
    amd64.close();
    arm64.close();
  });

  it('of amd64 is final in the file: the relocations that the linker left are not applied again', () => {
    const table = amd64.mcount!;
    expect([table.count, table.wordSize, table.zeroStored, table.zeroRelocated]).to.deep.equal([94, 8, 0, 0]);
    expect([...table.relocated.big]).to.deep.equal([...table.stored.big]);
    expect([...table.stored.big]).to.deep.equal([...table.stored.big].sort());
    expect([table.fills.size, table.relocationSections]).to.deep.equal([0, []]);
    // .rela.init.data writes to the same places, and other words.
    const tables = amd64.image!.relocationTables().filter(({ section }) => section.name === '.rela.init.data');
    expect(tables).to.have.length(1);
    expect(tables[0]!.section.allocated).to.equal(false);
  });

  it('of arm64 is zero in the file, and filled by relocations', () => {
    const table = arm64.mcount!;
    expect([table.count, table.zeroStored, table.zeroRelocated]).to.deep.equal([93, 93, 0]);
    expect([...table.fills]).to.deep.equal([['R_AARCH64_RELATIVE', 93]]);
    expect(table.relocationSections).to.deep.equal(['.rela.dyn']);
    const { symbols } = arm64;
    expect([...table.relocated.big]).to.include(symbols.addressOf('tty_write'));
  });

  it('shows how words stand to functions, and what overridden weak functions left', () => {
    expect(amd64.functions.sites!.mode).to.deep.equal({
      offsets: new Map([
        [0, 91],
        [4, 2],
      ]),
      elsewhere: 1,
      adjust: 0,
    });
    expect(arm64.functions.sites!.mode).to.deep.equal({
      offsets: new Map([
        [0, 90],
        [4, 2],
      ]),
      elsewhere: 1,
      adjust: 4,
    });
  });

  it('gives the sites of functions: at the entry, behind ENDBR64 or BTI, and on arm64 at the second NOP', () => {
    const offset = (kernel: Kernel, name: string): bigint | undefined => {
      const [row] = kernel.traceability(name).functions;
      return row!.function.site === undefined ? undefined : row!.function.site - row!.function.address;
    };
    const names = ['tty_write', 'ibt_enter', 'ibt_static_helper', 'ibt_notrace', 'before_weak', 'stack_hash'];
    expect(names.map(name => offset(amd64, name))).to.deep.equal([0n, 4n, 0n, undefined, 0n, undefined]);
    expect(names.map(name => offset(arm64, name))).to.deep.equal([4n, 8n, 4n, undefined, 4n, undefined]);
  });

  it('of zeros that nothing fills gives no sites', () => {
    const kernel = kernelOf({
      functions: [
        { name: 'f', site: 0 },
        { name: 'g', site: 0 },
      ],
      zeroTable: true,
    });
    expect([kernel.mcount!.count, kernel.mcount!.zeroRelocated]).to.deep.equal([2, 2]);
    expect(kernel.functions.sites!.ip.length).to.equal(0);
    expect(kernel.traceability('f').ftrace.byName.code).to.equal('no-ftrace-site');
  });

  it('is missing from a kernel without dynamic ftrace', () => {
    const kernel = kernelOf({ functions: [{ name: 'f' }], noTable: true });
    expect([kernel.mcount, kernel.functions.ftrace, kernel.functions.sites]).to.deep.equal([undefined, 'none', undefined]);
  });

  it('is adjusted by what stands in the code', () => {
    const build = (machine: number, site: number, code: readonly number[], release = '6.12.0'): bigint => {
      const functions = [{ name: 'first' }, { name: 'f', site }, { name: 'last' }];
      return (
        kernelOf({
          machine,
          functions,
          release,
          // Bytes behind the banner.
          blacklist: ['first', 'last'],
          code: { f: code.flatMap(word => [word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24]) },
        }).functions.sites!.ip.big[0]! -
        TEXT -
        SIZE
      );
    };
    expect(build(EM.AARCH64, -8, [0xd503245f, 0xd503201f, 0xd503201f])).to.equal(8n);
    expect(build(EM.AARCH64, -8, [0xd503201f, 0xd503201f])).to.equal(4n);
    expect(build(EM.PPC64, 8, [1, 2, 0x60000000, 0x60000000])).to.equal(12n);
    expect(build(EM.PPC64, 8, [1, 2, 0x60000000, 3])).to.equal(8n);
    expect(build(EM.RISCV, 0, [], '7.2.13')).to.equal(4n);
  });

  // ftrace_call_adjust() of each architecture: where the instruction that is patched stands.
  for (const [what, machine, offset, adjusted] of [
    ['x86-64 at the entry', EM.X86_64, 0, 0n],
    ['x86-64 behind ENDBR64', EM.X86_64, 4, 4n],
    ['arm64 with two NOPs', EM.AARCH64, 0, 4n],
    ['arm64 with CALL_OPS', EM.AARCH64, -8, 4n],
    ['arm64 with -pg', EM.AARCH64, 12, 12n],
    ['riscv', EM.RISCV, 0, 0n],
    ['riscv with CALL_OPS', EM.RISCV, -8, 4n],
    ['s390', EM.S390, 0, 0n],
  ] as const) {
    it(`is adjusted as ${what} does it`, () => {
      const kernel = kernelOf({ machine, functions: [{ name: 'first' }, { name: 'f', site: offset }, { name: 'last' }] });
      expect([...kernel.functions.sites!.mode!.offsets]).to.deep.equal([[offset, 1]]);
      expect(kernel.functions.sites!.ip.big[0]).to.equal(TEXT + SIZE + adjusted);
      expect(['first', 'f', 'last'].map(name => kernel.traceability(name).ftrace.byName.outcome)).to.deep.equal([
        'refused',
        'accepted',
        'refused',
      ]);
    });
  }
});
