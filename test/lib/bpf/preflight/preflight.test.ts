import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Kernel, openKernel } from 'kelf';
import { type Finding, type ObjectCheck, openBpfObject, Preflight } from 'kelf/bpf';
import { Btf } from 'kelf/btf';
import { featuresBtf } from '../../../support/features.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/${name}`, import.meta.url));
const OBJECT = fixture('bpf/kelf.bpfel.o');
const KERNEL = fixture('kernel/vmlinux-amd64');

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
    expect(codes(program('on_offset').findings)).to.deep.equal(['not-an-instruction']);
    expect(codes(program('on_any_tty').findings)).to.deep.equal(['no-kprobe-multi']);
    expect(codes(program('on_load_elf').findings)).to.deep.equal([]);
  });

  it('tells a program that is not autoloaded, and what a module may bring', () => {
    const nothing = program('on_nothing');
    expect(nothing).to.include({ autoload: false, outcome: 'fails' });
    const missing = nothing.findings.find(({ verdict }) => verdict.code === 'no-symbol')!;
    expect(missing.verdict).to.include({ outcome: 'refused', certainty: 'likely', errno: 'ENOENT' });
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
    expect(verdicts['ksym cpu_number']).to.include({ outcome: 'accepted', code: 'accepted' });
    expect(verdicts['kfunc kelf_kfunc']).to.include({ outcome: 'accepted', code: 'weak-extern' });
  });

  it('says once that the BTF lists no features, and calls the rest open', () => {
    expect(check.findings.filter(({ verdict }) => verdict.code === 'features-unknown')).to.have.length(1);
    expect(program('on_load_elf').outcome).to.equal('open');
  });

  it('fails every program where the BTF of the kernel has neither the types nor the kinds of maps', async () => {
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
