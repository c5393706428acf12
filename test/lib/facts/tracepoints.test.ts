import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Kernel, openKernel, tracepointAnswer } from 'kelf';
import { ElfFile, MemorySource, SHF, STB, STT } from 'kelf/elf';
import { piecesOfImage } from '../../../lib/facts/pieces-of-image.js';
import { BtfWriter } from '../../support/btf-writer.js';
import { cli } from '../../support/cli.js';
import { ElfWriter, join, type SymbolSpec } from '../../support/elf-writer.js';
import { kernelOf } from '../../support/kernel-writer.js';

const AMD64 = fileURLToPath(new URL('../../../../fixtures/kernel/vmlinux-amd64', import.meta.url));
const BASE = 0xffffffff82000000n;

/** An image with one tracepoint that has an event, one that has none, and the event of a system call. */
function kernel(): Kernel {
  const writer = new ElfWriter();
  const btf = new BtfWriter();
  const int = btf.int('int', 4, 1);
  const probe = btf.funcProto(0, [
    ['', btf.ptr(0)],
    ['', int],
  ]);
  btf.typedef('btf_trace_sched_wakeup', btf.ptr(probe));
  const text = (value: string): Uint8Array => join(new TextEncoder().encode(value), new Uint8Array(16 - value.length));
  const at = (offset: number): bigint => BASE + BigInt(offset);
  // 0: names; 0x40: tracepoints; 0x80: classes; 0x100: calls (list head, class, tracepoint or name); 0x180: the table
  const data = join(
    text('sched'),
    text('syscalls'),
    text('sys_enter_read'),
    text('sched_wakeup'),
    writer.u64(at(0x30), 0n, at(0x30), 0n, 0n, 0n, 0n, 0n),
    writer.u64(at(0), 0n, at(0x10), 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n, 0n),
    writer.u64(0n, 0n, at(0x80), at(0x40), 0n, 0n, at(0x90), at(0x20)),
    writer.u64(at(0x100), at(0x120), 0n, 0n),
  );
  // The data begins with names of 16 bytes: 4 of them are 0x40 bytes.
  const symbols: SymbolSpec[] = (
    [
      ['__tracepoint_sched_wakeup', 0x40],
      ['__tracepoint_bare_tp', 0x50],
      ['__bpf_trace_tp_map_sched_wakeup', 0x60],
      ['__start_ftrace_events', 0x140],
      ['__stop_ftrace_events', 0x158],
    ] as const
  ).map(([name, offset]) => ({ name, value: at(offset), size: 8n, type: STT.OBJECT, binding: STB.GLOBAL, section: 1 }));
  const schedule: SymbolSpec = { name: 'schedule', value: BASE + 0x1000n, size: 8n, type: STT.FUNC, binding: STB.GLOBAL, section: 2 };
  const bytes = writer.file({
    type: 2,
    machine: 62,
    sections: [
      { name: '.data', type: 1, flags: SHF.ALLOC | SHF.WRITE, address: BASE, data },
      { name: '.text', type: 1, flags: SHF.ALLOC | SHF.EXECINSTR, address: BASE + 0x1000n, data: new Uint8Array(8) },
      ...writer.symbols([...symbols, schedule]),
      { name: '.BTF', type: 1, data: btf.bytes() },
    ],
  });
  return new Kernel(piecesOfImage(ElfFile.open(new MemorySource(bytes, 'vmlinux')), {}));
}

describe('The tracepoints of an image', () => {
  it('are listed with system, event, raw tracepoint and type', () => {
    const rows = kernel().tracepoints.all();
    expect(rows.map(({ name, system, tracepoint, raw, event }) => [name, system, tracepoint, raw, event])).to.deep.equal([
      ['bare_tp', undefined, true, false, false],
      ['sched_wakeup', 'sched', true, true, true],
      ['sys_enter_read', 'syscalls', false, false, true],
    ]);
    expect(rows[1]!.prototype).to.equal('sched_wakeup(int)');
  });

  it('are answered for, each mechanism by itself', () => {
    const of = (name: string): string[] => {
      const { rawTracepoint, tpBtf, event } = tracepointAnswer(kernel(), name);
      return [rawTracepoint, tpBtf, event].map(({ code }) => code);
    };
    expect(of('sched_wakeup')).to.deep.equal(['accepted', 'accepted', 'accepted']);
    expect(of('bare_tp')).to.deep.equal(['no-raw-tracepoint', 'no-tracepoint-btf', 'no-trace-event']);
    expect(of('sys_enter_read')).to.deep.equal(['no-tracepoint', 'no-tracepoint', 'accepted']);
    expect(of('nothing')).to.deep.equal(['no-tracepoint', 'no-tracepoint', 'no-tracepoint']);
  });

  it('leave out events of system calls that the table does not lead to', () => {
    const names = (called: readonly number[]): string[] => {
      const writer = new ElfWriter();
      const text = (value: string): Uint8Array => join(new TextEncoder().encode(value), new Uint8Array(32 - value.length));
      const at = (offset: number): bigint => BASE + BigInt(offset);
      // 0: names of 32 bytes; 0x80: the class; 0x90: calls of 32 bytes; 0xf0: the table of events; 0x108: that of system calls
      const data = join(
        text('syscalls'),
        text('sys_enter_read'),
        text('sys_exit_newstat'),
        text('sys_enter_ni_syscall'),
        writer.u64(at(0), 0n, ...[0x20, 0x40, 0x60].flatMap(name => [0n, 0n, at(0x80), at(name)])),
        writer.u64(at(0x90), at(0xb0), at(0xd0), ...called.map(at), 0n),
      );
      const symbols: SymbolSpec[] = (
        [
          ['__start_ftrace_events', 0xf0],
          ['__stop_ftrace_events', 0x108],
          ['sys_call_table', 0x108],
          ['__x64_sys_read', 0x1000],
          ['__x64_sys_newstat', 0x1010],
          ['__x64_sys_ni_syscall', 0x1020],
        ] as const
      ).map(([name, offset]) => ({ name, value: at(offset), size: 8n, type: STT.OBJECT, binding: STB.GLOBAL, section: 1 }));
      const schedule: SymbolSpec = { name: 'schedule', value: BASE + 0x8000n, size: 8n, type: STT.FUNC, binding: STB.GLOBAL, section: 2 };
      const bytes = writer.file({
        type: 2,
        machine: 62,
        sections: [
          { name: '.data', type: 1, flags: SHF.ALLOC | SHF.WRITE, address: BASE, data: join(data, new Uint8Array(0x1000)) },
          { name: '.text', type: 1, flags: SHF.ALLOC | SHF.EXECINSTR, address: BASE + 0x8000n, data: new Uint8Array(8) },
          ...writer.symbols([...symbols, schedule]),
        ],
      });
      const table = new Kernel(piecesOfImage(ElfFile.open(new MemorySource(bytes, 'vmlinux')), {})).tracepoints;
      return table.all().map(({ name }) => name);
    };
    expect(names([0x1020, 0x1000, 0x1020])).to.deep.equal(['sys_enter_read']);
    expect(names([0x1020, 0x1010])).to.deep.equal(['sys_exit_newstat']);
    // Where the table leads to nothing that is known, nothing is left out.
    expect(names([])).to.have.length(3);
  });

  it('are open where the image does not list its data', () => {
    const other = kernelOf({ functions: [{ name: '__traceiter_sched_wakeup', site: 0 }] });
    const { rawTracepoint, tpBtf, event } = tracepointAnswer(other, 'sched_wakeup');
    expect([rawTracepoint, tpBtf, event].map(({ outcome, code }) => `${outcome} ${code}`)).to.deep.equal([
      'open tracepoint-unknown',
      'refused no-tracepoint-btf',
      'open tracepoint-unknown',
    ]);
  });

  it('are those of a kernel that a compiler made', async () => {
    await using built = await openKernel(AMD64);
    const found = built.tracepoints.find('sched_switch')!;
    expect([found.raw, found.event]).to.deep.equal([true, undefined]);
    expect(found.prototype).to.equal('sched_switch(bool preempt, struct task_struct *prev, struct task_struct *next)');
  });
});

describe('kelf tracepoints, and kelf trace of one', () => {
  it('print what there is', async () => {
    const listed = await cli('tracepoints', AMD64, 'sched_*');
    expect(listed.code).to.equal(0);
    expect(listed.stdout).to.match(/^sched_switch +raw_tp +tp_btf +\? +\(bool preempt,/);
    expect((await cli('tracepoints', AMD64, 'nothing*')).code).to.equal(4);
    const traced = await cli('trace', AMD64, 'tracepoint:sched_switch', 'setpriority', 'tty_write+0x4');
    expect(traced.stdout).to.match(/^sched_switch: tracepoint\n/);
    expect(traced.stdout).to.match(/^ {2}attach: SEC\("raw_tp\/sched_switch"\), SEC\("tp_btf\/sched_switch"\)$/m);
    expect(traced.stdout).to.match(/^system call setpriority: __x64_sys_setpriority takes one argument: the caller's registers/m);
    expect(traced.stdout).to.match(/^tty_write\+0x4 \(0x[0-9a-f]+\): tty_write\+0x4 of 0x[0-9a-f]+ bytes$/m);
    const json = JSON.parse((await cli('trace', AMD64, 'tracepoint:sched_switch', '--json')).stdout) as { tracepoints: { name: string }[] };
    expect(json.tracepoints[0]!.name).to.equal('sched_switch');
    expect((await cli('trace', AMD64, 'tracepoint:nothing')).code).to.equal(4);
  });
});
