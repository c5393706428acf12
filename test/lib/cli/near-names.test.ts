import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli } from '../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const VMLINUX = fixture('kernel/vmlinux-amd64');

describe('names that nothing has', () => {
  it('end every command with 4, and with what is near', async () => {
    for (const [args, near] of [
      [['trace', VMLINUX, '_raw_spin_lokc'], '_raw_spin_lock'],
      [['attach', VMLINUX, '_raw_spin_lokc'], '_raw_spin_lock'],
      [['duplicates', VMLINUX, '_raw_spin_lokc'], '_raw_spin_lock'],
      [['why', VMLINUX, '_raw_spin_lokc'], '_raw_spin_lock'],
      [['tracepoints', VMLINUX, 'sched_swich'], 'sched_switch'],
      [['trace', VMLINUX, 'tracepoint:sched_swich'], 'sched_switch'],
      [['btf', 'find', fixture('btf/sample.o'), 'struct local'], 'give the name alone: local'],
      [['btf', 'show', fixture('btf/sample.o'), 'lokal'], 'local'],
      [['btf', 'list', fixture('btf/sample.o'), 'lokal'], 'local'],
    ] as const) {
      const { code, stdout, stderr } = await cli(...args);
      expect([code, `${stdout}${stderr}`.includes(near)], args.join(' ')).to.deep.equal([4, true]);
      expect(stdout, args.join(' ')).to.not.match(/proven/);
    }
  });
});

describe('patterns', () => {
  const names = async (...args: string[]): Promise<string[]> =>
    JSON.parse((await cli(...args, '--json')).stdout).answers.map(({ name }: { name: string }) => name);

  it('stand for all functions that they match', async () => {
    expect(await names('trace', VMLINUX, '_raw_spin_*')).to.deep.equal(['_raw_spin_lock']);
    expect(await names('why', VMLINUX, '__se_sys_[gs]et*')).to.have.members(['__se_sys_getcwd', '__se_sys_setpriority']);
    expect(await names('attach', VMLINUX, '_raw_spin_l?ck', '_raw_spin_lock')).to.deep.equal(['_raw_spin_lock']);
    const { stdout } = await cli('trace', VMLINUX, 'tracepoint:sched_*', '--json');
    expect(JSON.parse(stdout).tracepoints.map(({ name }: { name: string }) => name)).to.include('sched_switch');
  });

  it('that match nothing end with 4, and those of what has none with 2', async () => {
    expect(await cli('trace', VMLINUX, 'zzz*')).to.deep.equal({ code: 4, stdout: '', stderr: "kelf: no function matches 'zzz*'\n" });
    expect((await cli('trace', VMLINUX, 'syscall:get*')).code).to.equal(2);
    expect((await cli('trace', VMLINUX, 'nf_nat:*')).stderr).to.match(/--modules DIR/);
  });
});

describe('places', () => {
  it('are asked about by their function where a place makes no difference', async () => {
    expect((await cli('why', VMLINUX, '_raw_spin_lock+0x8')).stdout).to.equal((await cli('why', VMLINUX, '_raw_spin_lock')).stdout);
    expect(await cli('duplicates', VMLINUX, '_raw_spin_lock+0x8')).to.deep.equal(await cli('duplicates', VMLINUX, '_raw_spin_lock'));
  });
});
