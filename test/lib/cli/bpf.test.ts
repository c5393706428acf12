import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli } from '../../support/cli.js';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const object = (name: string): string => `${ROOT}fixtures/bpf/${name}`;

describe('kelf bpf disasm', () => {
  it('applies CO-RE for a kernel: offsets, answers, and what is poisoned', async () => {
    const kernel = `${ROOT}fixtures/kernel/vmlinux-amd64`;
    const args = ['bpf', 'disasm', object('kelf.bpfel.o'), 'on_switch', '--no-source'];
    const lines = async (...more: string[]): Promise<string[]> => (await cli(...args, ...more)).stdout.split('\n');
    const [plain, applied, llvm] = [await lines(), await lines('--kernel', kernel), await lines('--kernel', kernel, '-n', 'llvm')];
    expect(plain.find(line => line.startsWith('   2: '))).to.match(/r1 = \*\(u32 \*\)\(r8 \+4\) /);
    expect(applied.find(line => line.startsWith('   2: '))).to.match(/r1 = \*\(u32 \*\)\(r8 \+20\) /);
    expect(applied.find(line => line.startsWith('  24: '))).to.match(/r1 = 0 .*CO-RE <field_exists>/);
    expect(applied.find(line => line.startsWith('  26: '))).to.match(/call unknown#195896080 +# poisoned: CO-RE <byte_off>/);
    expect(llvm.find(line => line.startsWith('       2:'))).to.equal('       2:\t61 81 14 00 00 00 00 00\tr1 = *(u32 *)(r8 + 20)');
  });

  for (const name of ['kelf.bpfel.o', 'kelf.bpfeb.o']) {
    it(`is what llvm-objdump prints: ${name}`, async () => {
      const { code, stdout, stderr } = await cli('bpf', 'disasm', object(name), '--notation', 'llvm', '--no-source');
      const expected = readFileSync(`${ROOT}fixtures/expected/bpf/${name}.disassembly.txt`, 'utf8');
      // That has no bytes of the instructions, and the path from the folder of the fixtures.
      const plain = stdout.replace(/^( +\d+:\t)[0-9a-f ]+\t/gm, '$1').replace(`${ROOT}fixtures/`, '');
      expect(plain).to.equal(expected);
      expect(code).to.equal(0);
      expect(stderr).to.equal('');
    });

    it(`names maps, data and callees in the kernel's notation: ${name}`, async () => {
      const { stdout } = await cli('bpf', 'disasm', object(name), 'on_load_elf', 'on_load_elf_return', 'on_nothing');
      const lines = stdout.split('\n');
      expect(lines).to.include('int on_load_elf(struct pt_regs *ctx):  # kprobe/load_elf_binary');
      expect(lines).to.include('; u32 key = bpf_get_current_pid_tgid() >> 32;');
      expect(lines).to.include('   1: (85) call bpf_get_current_pid_tgid#14');
      expect(lines).to.include('  23: (18) r1 = map[name:events]');
      // 35 instructions of the program, then the function it calls.
      expect(lines).to.include('  15: (85) call pc+19#is_wanted');
      expect(stdout).to.match(/27: \(79\) r1 = \*\(u64 \*\)\(r6 \+0\) +# CO-RE <byte_off> \[50\] struct pt_regs\.di \(0:0 @ offset 0\)\n/);
      expect(stdout).to.match(/28: \(18\) r2 = map\[name:kelf\.bss\]\[0\]\+0 +# hits \(\.bss\+0\)\n/);
      expect(stdout).to.match(/1: \(18\) r2 = subprog\[\+6\] +# function count_one\n/);
      expect(stdout).to.match(/9: \(85\) call kelf_kfunc#\? +# kfunc kelf_kfunc \(weak\)\n/);
    });
  }

  it("writes places of source lines as bpftool's linum does", async () => {
    const { stdout } = await cli('bpf', 'disasm', object('kelf.bpfel.o'), 'on_offset', '--linum');
    expect(stdout).to.match(/^; return LINUX_KERNEL_VERSION .* \[file:.*kelf\.bpf\.c line_num:\d+ line_col:\d+\]$/m);
  });

  it('as JSON', async () => {
    const { stdout } = await cli('bpf', 'disasm', object('kelf.bpfel.o'), 'on_tty_write', '--json');
    const { schema, functions } = JSON.parse(stdout);
    expect(schema).to.equal('kelf/bpf-disasm');
    expect(functions).to.have.length(1);
    expect(functions[0].instructions[1]).to.deep.include({
      index: 1,
      bytes: '7911000000000000',
      text: '(79) r1 = *(u64 *)(r1 +0)',
      core: ['<byte_off> [65] struct iov_iter.count (0:0 @ offset 0)'],
    });
    expect(functions[0].instructions[2].relocation).to.deep.equal({ type: 'R_BPF_64_64', symbol: 'hits', meaning: 'hits (.bss+0)' });
  });

  it('says which function is not there', async () => {
    const { code, stderr } = await cli('bpf', 'disasm', object('kelf.bpfel.o'), 'nothing');
    expect(code).to.equal(4);
    expect(stderr).to.match(/has no function called nothing/);
  });

  it('refuses a notation that is none', async () => {
    expect((await cli('bpf', 'disasm', object('kelf.bpfel.o'), '--notation', 'gas')).code).to.equal(2);
  });
});

describe('kelf bpf show', () => {
  it('prints programs, maps, variables, externs and what CO-RE asks for', async () => {
    const { code, stdout, stderr } = await cli('bpf', 'show', object('kelf.bpfel.o'));
    expect(code).to.equal(0);
    expect(stderr).to.equal('');
    expect(stdout).to.match(/: little endian, license GPL, version 6\.1\.0, 13 programs, 3 subprograms, 10 maps, 22 CO-RE relocations\n/);
    expect(stdout).to.match(/^ {2}on_switch +tp_btf\/sched_switch +tracing TRACE_RAW_TP +38 +55 +calls policy_of; 14 CO-RE$/m);
    expect(stdout).to.match(/^ {2}on_nothing +\?kprobe\/no_such_function +kprobe +11 +11 +not autoloaded$/m);
    expect(stdout).to.match(/^ {2}events +hash +u32 4 +struct event 32 +1024 +-$/m);
    expect(stdout).to.match(/^ {2}tails +prog_array .*\[0\] called_by_tail$/m);
    expect(stdout).to.match(/= \{\.level = 3, \.name = "kelf"\}$/m);
    expect(stdout).to.match(/^ {2}kfunc +int kelf_kfunc\(struct task_struct \*\) +weak$/m);
    expect(stdout).to.match(/^ {2}struct task_struct +\.policy \.pid \.parent \.tgid \.comm type_size target_type_id$/m);
  });

  it('names maps by the name that a skeleton gives the object', async () => {
    const { stdout } = await cli('bpf', 'show', object('kelf.bpfel.o'), '--name', 'kprobe_multi_test');
    expect(stdout).to.match(/^ {2}kprobe_m\.rodata /m);
  });

  it("lists CO-RE relocations as libbpf's log does, and relocations", async () => {
    const { stdout } = await cli('bpf', 'show', object('kelf.bpfeb.o'), '--core', '--relocs');
    expect(stdout).to.include("  prog 'on_tty_write': relo #0: <byte_off> [65] struct iov_iter.count (0:0 @ offset 0)\n");
    expect(stdout).to.match(/^ {2}on_load_elf\+15 +R_BPF_64_32 +call is_wanted$/m);
    expect(stdout).to.match(/^ {2}\.maps\+64 +R_BPF_64_ABS64 +map inner_map$/m);
  });

  it('as JSON', async () => {
    const { stdout } = await cli('bpf', 'show', object('kelf.bpfel.o'), '--json');
    const shown = JSON.parse(stdout);
    expect(shown).to.include({ schema: 'kelf/bpf-show', version: 1, endian: 'little', name: 'kelf', license: 'GPL' });
    expect(shown.kernelVersion).to.equal(0x60100);
    expect(shown.programs.find(({ name }: { name: string }) => name === 'on_switch')).to.deep.include({
      type: 'tracing',
      attachType: 'TRACE_RAW_TP',
      target: 'sched_switch',
      subprograms: ['policy_of'],
      totalInstructionCount: 55,
      functionInfo: 2,
      prototype: 'int on_switch(u64 *ctx)',
    });
    expect(shown.problems).to.deep.equal([]);
  });

  it('is for BPF objects only', async () => {
    const { code, stderr } = await cli('bpf', 'show', `${ROOT}fixtures/kernel/vmlinux-amd64`);
    expect(code).to.equal(3);
    expect(stderr).to.match(/is an ELF file for machine 62, not for BPF/);
  });
});
