import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { STB, STT } from 'kelf/elf';
import { bpfObject, CODE, DATA, insns } from '../../support/bpf-writer.js';
import { BtfWriter } from '../../support/btf-writer.js';
import { cli } from '../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const OBJECT = fixture('bpf/kelf.bpfel.o');
const KERNEL = fixture('kernel/vmlinux-amd64');
const ARM64 = fixture('kernel/vmlinux-arm64');

describe('kelf bpf check', () => {
  it('prints a column for each kernel, and fails where a program would', async () => {
    const { code, stdout, stderr } = await cli('bpf', 'check', OBJECT, '--kernel', KERNEL, '--kernel', ARM64);
    expect(code).to.equal(1);
    const [, head, ...rows] = stdout.split('\n');
    expect(head).to.match(/^ {2}program +section +6\.1\.0-kelf-amd64 +6\.1\.0-kelf-arm64$/);
    expect(rows.find(row => row.includes('on_failslab'))).to.match(/fails: not-modifiable +fails: no-trampoline$/);
    expect(rows.find(row => row.includes('on_nothing'))).to.match(/\(fails: no-symbol\)$/);
    expect(stderr.match(/the verifier's verdict/g)).to.have.length(1);
  });

  it('exits with 0 where what fails is not autoloaded, or can not be told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kelf-preflight-'));
    const path = join(folder, 'object.o');
    const check = (section: string): ReturnType<typeof cli> => {
      const code = insns(true, [0xb7], [0x95]);
      const symbols = [{ name: 'prog', type: STT.FUNC, binding: STB.GLOBAL, section: 1, value: 0n, size: 16n }];
      writeFileSync(path, bpfObject({ sections: [{ name: section, ...CODE, data: code }], symbols }));
      return cli('bpf', 'check', path, '--kernel', KERNEL);
    };
    try {
      expect(await check('kprobe/tty_write')).to.include({ code: 0 });
      expect(await check('kprobe/no_such_function')).to.include({ code: 1 });
      const { code, stdout } = await check('?kprobe/no_such_function');
      expect(code).to.equal(0);
      expect(stdout).to.include('(fails: no-symbol)');
      expect((await check('no_such_section')).stdout).to.include('fails: unknown-section');
      expect((await check('fentry')).stdout).to.include('open: no-target');
      expect((await check('kretprobe/tty_write+4')).stdout).to.include('fails: not-the-entry');
      expect((await check('tp/tty_write')).stdout).to.include('fails: bad-target');
      expect((await check('iter/nothing')).stdout).to.include('fails: no-iterator');
      expect((await check('fentry/nothing')).stdout).to.include('fentry for nothing: no (likely) ESRCH  no-btf-func');
      expect((await check('tp_btf/nothing')).stdout).to.include('tracepoint nothing: no (likely) ESRCH  no-tracepoint');
      expect((await check('lsm/nothing')).stdout).to.match(/fails: .*no-lsm-hook/);
      expect((await check('uprobe//bin/sh:main')).stdout).to.include('open: target-elsewhere');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('prints JSON', async () => {
    const { stdout } = await cli('bpf', 'check', OBJECT, '--kernel', KERNEL, '--json');
    const { schema, objects, notTold } = JSON.parse(stdout);
    expect(schema).to.equal('kelf/bpf-check');
    expect(notTold).to.include('verifier');
    expect(objects[0].kernels[0].kernel.release).to.equal('6.1.0-kelf-amd64');
    expect(objects[0].kernels[0].programs[0]).to.include({ program: 'called_by_tail', section: 'socket', autoload: true, outcome: 'open' });
  });

  it('writes JUnit XML that is valid by fixtures/check/junit.xsd', async function () {
    const { stdout } = await cli('bpf', 'check', OBJECT, '--kernel', KERNEL, '--junit', '-');
    expect(stdout).to.include('<failure type="no-trampoline"');
    const run = spawnSync('xmllint', ['--noout', '--schema', fixture('check/junit.xsd'), '-'], { input: stdout, encoding: 'utf8' });
    if (run.error !== undefined) {
      this.test!.title += ': skipped, xmllint is not installed';
      this.skip();
    }
    expect(run.stderr).to.equal('- validates\n');
  });

  it('goes on where an object or a kernel can not be read, says why, and exits with 3', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kelf-preflight-'));
    try {
      const cut = join(folder, 'cut.o');
      const noKernel = join(folder, 'vmlinux');
      writeFileSync(cut, readFileSync(OBJECT).subarray(0, 5000));
      writeFileSync(noKernel, 'no kernel');
      const { code, stdout } = await cli('bpf', 'check', cut, join(folder, 'missing.o'), OBJECT, '-k', noKernel, '-k', KERNEL);
      expect(code).to.equal(3);
      const lines = stdout.split('\n');
      expect(lines.slice(0, 4)).to.deep.equal([
        cut,
        lines[1]!.match(/^ {2}unreadable: .*section headers of 64 bytes do not fit in a file of 5000 bytes$/)![0],
        join(folder, 'missing.o'),
        `  unreadable: ${join(folder, 'missing.o')}: no such file`,
      ]);
      expect(lines.find(line => line.includes('on_failslab'))).to.match(/ unreadable +fails: not-modifiable$/);
      expect(lines[lines.indexOf(`  on ${noKernel}`) + 1]).to.match(/^ {4}unreadable: /);
      const { stdout: json } = await cli('bpf', 'check', cut, OBJECT, '-k', noKernel, '-k', KERNEL, '--json');
      const { objects } = JSON.parse(json);
      expect(objects[0].kernels[1]).to.have.all.keys('kernel', 'unreadable');
      expect(objects[1].kernels[1].programs[0].program).to.equal('called_by_tail');
      const { stdout: junit } = await cli('bpf', 'check', cut, OBJECT, '-k', KERNEL, '--junit', '-');
      expect(junit).to.match(/<error type="unreadable" message="[^"]*5000 bytes"\/>/);
      expect(junit).to.match(/<testsuites name="kelf bpf check" tests="14" failures="\d" errors="1">/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('fails for an object without programs that the kernel refuses', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kelf-preflight-'));
    try {
      const path = join(folder, 'ops.o');
      const btf = new BtfWriter();
      const type = btf.struct('no_such_ops', 4, [['flags', btf.int('int', 4, 1), 0]]);
      btf.datasec('.struct_ops', 4, [[btf.var('ops', type), 0, 4]]);
      const sections = [{ name: '.struct_ops', ...DATA, data: Uint8Array.of(1, 0, 0, 0) }];
      const symbols = [{ name: 'ops', type: STT.OBJECT, binding: STB.GLOBAL, section: 1, size: 4n }];
      writeFileSync(path, bpfObject({ btf, sections, symbols }));
      const { code, stdout } = await cli('bpf', 'check', path, '--kernel', KERNEL);
      expect(code).to.equal(1);
      expect(stdout).to.include('struct_ops ops (no_such_ops): no (likely) ENOENT  no-struct-ops');
      const junit = await cli('bpf', 'check', path, '--kernel', KERNEL, '--junit', '-');
      expect(junit.stdout).to.include('tests="1" failures="1"').and.to.include('name="the object"');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('says what is wrong with the kernel where there is no other', async () => {
    const { code, stdout, stderr } = await cli('bpf', 'check', OBJECT, '-k', fixture('bpf/kelf.bpfel.o'));
    expect({ code, stdout }).to.deep.equal({ code: 3, stdout: '' });
    expect(stderr).to.include('kelf.bpfel.o');
  });

  it('says once of each file that there is no BPF object in it', async () => {
    const list = fixture('check/tools.yaml');
    expect(await cli('bpf', 'check', list, KERNEL, '-k', KERNEL)).to.deep.equal({
      code: 4,
      stdout: '',
      stderr: `kelf: ${list}: contains no BPF object; ${KERNEL}: contains no BPF object\n`,
    });
  });

  it('takes a configuration and modules for each kernel, in their order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kelf-preflight-'));
    try {
      const config = join(folder, 'config');
      writeFileSync(config, 'CONFIG_BPF=y\n');
      const { stdout } = await cli('bpf', 'check', OBJECT, '-k', KERNEL, '-k', ARM64, '--config', config);
      expect(stdout).to.match(/on_load_elf_return .* fails: no-kprobes +open/);
      const more = await cli('bpf', 'check', OBJECT, '-k', KERNEL, '--config', config, '--config', config);
      expect(more).to.include({ code: 2, stderr: 'kelf: --config: more of them than kernels\n' });
      const modules = await cli('bpf', 'check', OBJECT, '-k', KERNEL, '--modules', fixture('modules'), '--modules', folder);
      expect(modules).to.include({ code: 2, stderr: 'kelf: --modules: more of them than kernels\n' });
      // A folder without modules is one kernel's trouble.
      const none = await cli('bpf', 'check', OBJECT, '-k', KERNEL, '-k', ARM64, '--modules', folder);
      expect(none.code).to.equal(3);
      expect(none.stdout)
        .to.match(/unreadable: .*contains no module/)
        .and.to.match(/on_load_elf_return .* unreadable +open/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('wants a kernel', async () => {
    const { code, stderr } = await cli('bpf', 'check', OBJECT);
    expect(code).to.equal(2);
    expect(stderr).to.include('give a kernel');
  });
});
