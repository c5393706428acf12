import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Finding, Kernel, type ObjectCheck, openBpfObject, openKernel, Preflight } from 'kelf';
import { Btf } from 'kelf/btf';
import { STB, STT } from 'kelf/elf';
import { KernelFeatures } from '../../../lib/bpf/preflight/features.js';
import { matchesPattern } from '../../../lib/bpf/preflight/targets.js';
import { SECTION_DEFINITIONS } from '../../../lib/bpf/section-names.js';
import { bpfObject, CODE, insns } from '../../support/bpf-writer.js';
import { BtfWriter } from '../../support/btf-writer.js';
import { cli } from '../../support/cli.js';
import { kernelOf } from '../../support/kernel-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const OBJECT = fixture('bpf/kelf.bpfel.o');
const KERNEL = fixture('kernel/vmlinux-amd64');
const ARM64 = fixture('kernel/vmlinux-arm64');

/** BTF with what bpf(2) of a kernel has: helpers and map types up to a number, program types 0 to 3, of which kprobe was compiled. */
function featuresBtf(): Uint8Array {
  const writer = new BtfWriter();
  const pointer = writer.ptr(0);
  writer.enum('bpf_prog_type', 4, [
    ['BPF_PROG_TYPE_UNSPEC', 0],
    ['BPF_PROG_TYPE_SOCKET_FILTER', 1],
    ['BPF_PROG_TYPE_KPROBE', 2],
    ['BPF_PROG_TYPE_SCHED_CLS', 3],
  ]);
  writer.enum('bpf_attach_type', 4, [
    ['BPF_CGROUP_INET_INGRESS', 0],
    ['__MAX_BPF_ATTACH_TYPE', 1],
  ]);
  writer.enum('bpf_map_type', 4, [
    ['BPF_MAP_TYPE_UNSPEC', 0],
    ['BPF_MAP_TYPE_HASH', 1],
    ['BPF_MAP_TYPE_XSKMAP', 17],
  ]);
  writer.enum('bpf_func_id', 4, [
    ['BPF_FUNC_map_lookup_elem', 1],
    ['BPF_FUNC_probe_read', 4],
    ['__BPF_FUNC_MAX_ID', 5],
  ]);
  writer.struct('bpf_ctx_convert', 16, [
    ['BPF_PROG_TYPE_SOCKET_FILTER_prog', pointer, 0],
    ['BPF_PROG_TYPE_SOCKET_FILTER_kern', pointer, 64],
  ]);
  return writer.bytes();
}

const features = (...data: string[]): KernelFeatures =>
  new KernelFeatures(kernelOf({ functions: [{ name: 'f' }], btf: featuresBtf(), data }));

describe('KernelFeatures', () => {
  it('tells program types that the kernel does not know from those it was built without', () => {
    expect(features().programType('socket_filter').ok).to.equal(true);
    expect(features().programType('kprobe')).to.include({ ok: false, code: 'program-type-not-built', errno: 'EINVAL' });
    expect(features().programType('xdp')).to.include({ ok: false, code: 'unknown-program-type' });
  });

  it('takes the end of an enum for no attach type', () => {
    expect(features().attachType(SECTION_DEFINITIONS.get('cgroup_skb/ingress')!)!.ok).to.equal(true);
    expect(features().attachType(SECTION_DEFINITIONS.get('cgroup_skb/egress')!)).to.include({ ok: false, code: 'unknown-attach-type' });
    expect(features().attachType(SECTION_DEFINITIONS.get('kprobe')!)).to.equal(undefined);
  });

  it('leaves open what is asked for only when the program is attached', () => {
    expect(features().attachType(SECTION_DEFINITIONS.get('tcx/ingress')!)).to.include({ ok: undefined, certainty: 'open' });
  });

  it('looks for the operations of a map type where data symbols are listed', () => {
    const [map] = openBpfObject(OBJECT).maps;
    const xsk = { ...map!, type: 17, typeName: 'xskmap' };
    expect(features().mapType({ ...map!, type: 1, typeName: 'hash' }).ok).to.equal(true);
    expect(features().mapType({ ...map!, type: 27, typeName: 'ringbuf' }).code).to.equal('unknown-map-type');
    expect(features().mapType(xsk).ok).to.equal(true);
    expect(features('array_map_ops').mapType(xsk).code).to.equal('map-type-not-built');
    expect(features('array_map_ops', 'xsk_map_ops').mapType(xsk).ok).to.equal(true);
  });

  it('knows which helpers libbpf replaces', () => {
    expect(features().helper(1).ok).to.equal(true);
    expect(features().helper(5)).to.include({ ok: false, code: 'unknown-helper' });
    // bpf_probe_read_kernel; of bpf_probe_read_kernel_str the older one is missing too.
    expect(features().helper(113).ok).to.equal(true);
    expect(features().helper(115).ok).to.equal(false);
  });

  it('answers nothing without the enums', () => {
    const kernel = new KernelFeatures(kernelOf({ functions: [{ name: 'f' }] }));
    expect(kernel.unknown).to.include({ ok: undefined, code: 'features-unknown' });
    expect(kernel.helper(1).ok).to.equal(undefined);
    expect(features().unknown).to.equal(undefined);
  });
});

describe('matchesPattern', () => {
  const cases: [string, string, boolean][] = [
    ['tty_write', 'tty_*', true],
    ['tty_write', '*', true],
    ['tty_write', 'tty_writ?', true],
    ['tty_write', 'tty_write?', false],
    ['tty_write', '*y_*te', true],
    ['tty_write', 'tty', false],
    ['tty_write', '*x*', false],
    ['', '**', true],
  ];
  for (const [name, pattern, matches] of cases)
    it(`${pattern} ${matches ? 'matches' : 'does not match'} '${name}'`, () => expect(matchesPattern(name, pattern)).to.equal(matches));

  it('takes no longer for a pattern of many stars', () => {
    expect(matchesPattern('a'.repeat(2000), `${'*a'.repeat(1000)}*b`)).to.equal(false);
  });
});

describe('Preflight', () => {
  let check: ObjectCheck;

  before(async () => {
    const kernel = await openKernel(KERNEL);
    try {
      check = new Preflight(kernel).check(openBpfObject(OBJECT));
    } finally {
      kernel.close();
    }
  });

  const program = (name: string): ObjectCheck['programs'][number] => check.programs.find(one => one.program === name)!;
  const codes = (findings: readonly Finding[]): string[] => findings.map(({ verdict }) => verdict.code).filter(code => code !== 'accepted');

  it('has the verdicts of kelf trace for what sections name', () => {
    expect(codes(program('on_tty_write').findings)).to.deep.equal(['no-trampoline']);
    expect(codes(program('on_variadic').findings)).to.deep.equal(['variable-arguments']);
    expect(codes(program('on_failslab').findings)).to.deep.equal(['not-modifiable']);
    expect(codes(program('on_offset').findings)).to.deep.equal(['instruction-unchecked']);
    expect(codes(program('on_any_tty').findings)).to.deep.equal(['no-kprobe-multi']);
    expect(codes(program('on_load_elf').findings)).to.deep.equal([]);
  });

  it('tells a program that is not loaded by itself, and what a module may bring', () => {
    const nothing = program('on_nothing');
    expect(nothing).to.include({ autoload: false, outcome: 'fails' });
    const missing = nothing.findings.find(({ verdict }) => verdict.code === 'no-symbol')!;
    expect(missing.verdict).to.include({ ok: false, certainty: 'likely', errno: 'ENOENT' });
  });

  it('names the tests that lead around what CO-RE does not find', () => {
    const guarded = program('on_switch').findings.filter(({ kind }) => kind === 'core');
    expect(guarded.map(({ verdict }) => verdict.code)).to.deep.equal(['core-guarded', 'core-guarded']);
    expect(guarded[0]!.verdict.because[0]!.says).to.include('field_exists of struct task_struct___old.state');
  });

  it('asks for externs: a variable by its type, a weak kfunc that is not there', () => {
    const verdicts = Object.fromEntries(
      check.findings.filter(({ kind }) => kind === 'extern').map(({ subject, verdict }) => [subject, verdict]),
    );
    expect(verdicts['ksym cpu_number']).to.include({ ok: true, code: 'accepted' });
    expect(verdicts['kfunc kelf_kfunc']).to.include({ ok: true, code: 'weak-extern' });
  });

  it('says once that the BTF lists no features, and calls the rest open', () => {
    expect(check.findings.filter(({ verdict }) => verdict.code === 'features-unknown')).to.have.length(1);
    expect(program('on_load_elf').outcome).to.equal('open');
  });

  it('passes what a kernel has, with the features known', async () => {
    const kernel = await openKernel(KERNEL);
    try {
      const whole = new Kernel({ ...kernel.pieces, btf: () => ({ btf: Btf.parse(featuresBtf()), source: 'features' }) });
      const { programs, findings } = new Preflight(whole).check(openBpfObject(OBJECT));
      // Its BTF has neither types to relocate to nor arrays.
      expect(findings.some(({ verdict }) => verdict.code === 'unknown-map-type')).to.equal(true);
      expect(programs.every(({ outcome }) => outcome === 'fails')).to.equal(true);
    } finally {
      kernel.close();
    }
  });
});

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

  it('exits with 0 where what fails is not loaded by itself, or can not be told', async () => {
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
      expect((await check('lsm/nothing')).stdout).to.include('fails: no-lsm-hook');
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

  it('says what is wrong with the kernel where there is no other', async () => {
    const { code, stdout, stderr } = await cli('bpf', 'check', OBJECT, '-k', fixture('bpf/kelf.bpfel.o'));
    expect({ code, stdout }).to.deep.equal({ code: 3, stdout: '' });
    expect(stderr).to.include('kelf.bpfel.o');
  });

  it('wants a kernel', async () => {
    const { code, stderr } = await cli('bpf', 'check', OBJECT);
    expect(code).to.equal(2);
    expect(stderr).to.include('name a kernel');
  });
});
