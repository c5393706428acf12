import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type CoreOutcome, openBpfObject, relocateCore } from 'kelf/bpf';
import { Btf } from 'kelf/btf';
import { BtfWriter } from '../../../support/btf-writer.js';
import { cli } from '../../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/${name}`, import.meta.url));
const OBJECT = fixture('bpf/kelf.bpfel.o');
const KERNEL = fixture('kernel/vmlinux-amd64');

/** A kernel that has a task_struct with these members, and nothing else. */
function kernelWith(...members: string[]): Btf {
  const writer = new BtfWriter();
  const int = writer.int('int', 4, 1);
  const long = writer.int('long int', 8, 1);
  writer.struct(
    'task_struct',
    members.length * 8,
    members.map((name, i) => [name, name === 'state' ? long : int, i * 64]),
  );
  return Btf.parse(writer.bytes());
}

const of = (outcomes: readonly CoreOutcome[], text: string): CoreOutcome[] =>
  outcomes.filter(({ relocation }) => relocation.text.includes(text));

describe('relocateCore', () => {
  const object = openBpfObject(OBJECT);

  it('tells a poisoned instruction that a test of CO-RE guards', () => {
    const { outcomes } = relocateCore(object, kernelWith('pid', 'tgid'));
    const [exists, offset] = of(outcomes, 'task_struct___old.state');
    expect(exists!.patch).to.deep.include({ kind: 'patched', field: 'imm', from: 1n, to: 0n });
    expect(offset!.poison).to.deep.equal({ reachedBy: [], guards: ['field_exists of struct task_struct___old.state'], byData: false });
  });

  it('does not call it guarded where the test says that the field is there', () => {
    const { outcomes } = relocateCore(object, kernelWith('pid', 'tgid', 'state'));
    expect(of(outcomes, 'task_struct___old.state').map(({ patch }) => patch!.kind)).to.deep.equal(['patched', 'patched']);
  });

  it('names the programs that come to one that nothing guards', () => {
    const { outcomes } = relocateCore(object, kernelWith('tgid'));
    const [pid] = of(outcomes, 'task_struct.pid');
    expect(pid!.poison!.reachedBy).to.deep.equal(['on_switch']);
    // In a subprogram, which two programs may call.
    const [policy] = of(outcomes, '<byte_off> [76] struct task_struct.policy');
    expect(policy!.poison!.reachedBy).to.deep.equal(['on_switch']);
  });

  it('changes a copy of the code, and nothing but the instructions that are relocated', () => {
    const before = object.instructions(object.programs[0]!.sectionIndex).bytes.slice();
    const { outcomes, code } = relocateCore(object, kernelWith('pid', 'tgid'));
    for (const [section, { bytes }] of code) {
      const original = object.instructions(section).bytes;
      const places = new Set(
        outcomes.filter(({ relocation: { function: fn } }) => fn?.sectionIndex === section).map(({ relocation }) => relocation.offset),
      );
      for (let at = 0; at < bytes.length; at += 8) {
        const same = Buffer.compare(bytes.subarray(at, at + 8), original.subarray(at, at + 8)) === 0;
        if (!same) expect(places.has(at) || places.has(at - 8), `${section}+${at}`).to.equal(true);
      }
    }
    expect(Buffer.compare(before, object.instructions(object.programs[0]!.sectionIndex).bytes)).to.equal(0);
  });

  it('gives both byte orders the same outcomes', () => {
    const big = openBpfObject(fixture('bpf/kelf.bpfeb.o'));
    const kinds = (outcomes: readonly CoreOutcome[]): unknown[] => outcomes.map(({ patch, poison }) => [patch?.kind, poison?.guards]);
    const kernel = kernelWith('pid', 'tgid');
    expect(kinds(relocateCore(big, kernel).outcomes)).to.deep.equal(kinds(relocateCore(object, kernel).outcomes));
  });
});

describe('kelf bpf core', () => {
  for (const arch of ['amd64', 'arm64'])
    it(`prints libbpf's log with --log: ${arch}`, async () => {
      const { code, stdout } = await cli('bpf', 'core', OBJECT, '--kernel', fixture(`kernel/vmlinux-${arch}`), '--log');
      expect(code).to.equal(0);
      expect(stdout).to.equal(readFileSync(fixture(`expected/bpf/kelf.bpfel.o.core-${arch}.log`), 'utf8'));
    });

  it('says what the kernel has instead, and adds up', async () => {
    const { stdout } = await cli('bpf', 'core', OBJECT, '--kernel', KERNEL);
    expect(stdout).to.contain('poisoned, guarded: field_exists of struct task_struct___old.state\n');
    expect(stdout).to.match(/struct task_struct \[\d+\] has no state; retyped: \.state \(enum task_state state\)/);
    expect(stdout).to.match(/\n22 relocations: 17 found, 3 answered 'no', 2 guarded, 0 would fail, 0 refused\n$/);
  });

  it('prints JSON', async () => {
    const { stdout } = await cli('bpf', 'core', OBJECT, '--kernel', KERNEL, '--json');
    const report = JSON.parse(stdout);
    expect(report).to.deep.include({ schema: 'kelf/bpf-core', relocated: 17, guarded: 2, failing: 0 });
    expect(report.relocations[0]).to.deep.include({ function: 'policy_of', kind: 'byte_off', instruction: 3 });
  });

  it('needs a kernel', async () => {
    expect((await cli('bpf', 'core', OBJECT)).code).to.equal(2);
  });
});
