import { expect } from 'chai';
import { kernelOfLog, placesOf } from '../../../../lib/answers/oops/parse-log.js';

const queries = (line: string): string[] => placesOf(line).map(({ query }) => query);

describe('The places in a line of a kernel log', () => {
  for (const [what, line, found] of [
    ['x86, RIP', '[   12.345678] RIP: 0010:do_exit+0x1c/0xb90', ['do_exit+0x1c/0xb90']],
    ['x86, with an address', '[<ffffffff810a1b2c>] do_exit+0x1c/0xb90', ['do_exit+0x1c/0xb90']],
    ['x86, a clone', ' ? twin.isra.0+0x4/0x10', ['twin.isra.0+0x4/0x10']],
    ['x86, a journal', 'Dec 01 10:00:00 host kernel:  do_syscall_64+0x5c/0x90', ['do_syscall_64+0x5c/0x90']],
    ['arm64, pc', '[    1.000000] pc : el1_abort+0x18/0x60', ['el1_abort+0x18/0x60']],
    ['arm64, a mark of the unwinder', ' dump_backtrace+0x98/0xf8 (P)', ['dump_backtrace+0x98/0xf8']],
    ['riscv', 'epc : do_trap+0x14/0x40 ra : handle+0x20/0x24', ['do_trap+0x14/0x40', 'handle+0x20/0x24']],
    ['riscv, a call', '[<ffffffff80003c8c>] dump_backtrace+0x1c/0x24', ['dump_backtrace+0x1c/0x24']],
    ['s390, PSW', 'Krnl PSW : 0704c00180000000 0000000000123456 (die+0x1c/0x40)', ['die+0x1c/0x40']],
    ['s390, a call', '([<00000000001aa6e8>] __schedule+0x2e8/0x5f0)', ['__schedule+0x2e8/0x5f0']],
    ['powerpc, NIP', 'NIP [c00000000000abcd] bad_page_fault+0x1c/0x140', ['bad_page_fault+0x1c/0x140']],
    ['powerpc, a call', '[c0000000012bfa50] [c000000000009d34] ret+0x8/0x28 (unreliable)', ['ret+0x8/0x28']],
    ['32-bit Arm', '[<c0008d5c>] (show_stack) from [<c0012a38>] (dump_stack+0x8c/0xa0)', ['dump_stack+0x8c/0xa0']],
    ['an address alone', '[    2.000000]  ? 0xffffffffc0123456', ['0xffffffffc0123456']],
    ['RIP without a name', 'RIP: 0010:0xffffffff810a1b2c', ['0xffffffff810a1b2c']],
    ['no symbols in the kernel', ' [<ffffffff810a1b2c>] ', ['0xffffffff810a1b2c']],
    ['RIP of a process', 'RIP: 0033:0x00007f1234567890', []],
    ['a word with no size', 'CR2+0x10 x+0x/0x10 +0x1/0x2 f+0x1/0x', []],
    ['a register', 'RAX: 0000000000000000 RBX: ffff888100000000', []],
  ] as const)
    it(what, () => {
      expect(queries(line)).to.deep.equal(found);
    });

  it('have their module, its build id, and whether they are to be relied on', () => {
    const id = '0123456789abcdef0123456789abcdef01234567';
    expect(placesOf(`? open_it+0x4/0x40 [xfs ${id}]`)).to.deep.equal([
      { query: 'open_it+0x4/0x40', name: 'open_it', offset: 4, size: 64, module: 'xfs', moduleBuildId: id, unreliable: true },
    ]);
    expect(placesOf('open_it+0x4/0x40 [xfs(O)]')[0]!.module).to.equal('xfs');
    expect(placesOf('die+0x4/0x40 [<c0008d5c>] x')[0]!.module).to.equal(undefined);
  });

  it('take a time that grows with the line', () => {
    // With its square, the last would take a minute: longer than a test may.
    const counts = ['+0x1/0x2', 'a', '+0x', 'a+0x1', '[<', ' [', 'a+0x1/0x2 ['].map(part => placesOf(part.repeat(1_000_000)).length);
    expect(counts).to.deep.equal([500_000, 0, 0, 0, 0, 0, 1_000_000]);
  });
});

describe('What a kernel log says of its kernel', () => {
  it('is the distance of KASLR and the build id', () => {
    const id = '0123456789abcdef0123456789abcdef01234567';
    const log = [
      `CPU: 0 PID: 1 Comm: init Not tainted 6.1.0 #1 ${id}`,
      'Kernel Offset: 0x1c000000 from 0xffffffff81000000 (relocation range: 0xffffffff80000000-0xffffffffbfffffff)',
    ];
    expect(kernelOfLog(log)).to.deep.equal({ offsets: [0x1c000000n], buildIds: [id], releases: ['6.1.0'] });
    expect(kernelOfLog(['KERNELOFFSET=1c000000', `BUILD-ID=${id}`])).to.deep.equal({
      offsets: [0x1c000000n],
      buildIds: [id],
      releases: [],
    });
    expect(kernelOfLog(['Kernel Offset: disabled', 'Kernel Offset: 0x200000 from 0x0']).offsets).to.deep.equal([0n, 0x200000n]);
  });
});
