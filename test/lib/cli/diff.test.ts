import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { BtfWriter } from '../../support/btf-writer.js';
import { cli } from '../../support/cli.js';
import { imageOf } from '../../support/kernel-writer.js';

const OBJECT = fileURLToPath(new URL('../../../../fixtures/bpf/kelf.bpfel.o', import.meta.url));

/** A kernel with a struct task_struct whose members follow each other. */
function image(functions: readonly string[], ...members: string[]): Uint8Array {
  const btf = new BtfWriter();
  const int = btf.int('int', 4, 1);
  btf.struct(
    'task_struct',
    members.length * 4,
    members.map((name, i) => [name, int, i * 32] as const),
  );
  btf.struct('other', 4 * functions.length, [['a', int, 0]]);
  for (const name of functions) btf.func(name, btf.funcProto(int, []));
  return imageOf({ functions: functions.map(name => ({ name, site: 0 })), btf: btf.bytes(), release: '6.1.0' });
}

describe('kelf diff', () => {
  let folder = '';
  const at = (name: string): string => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-diff-'));
    writeFileSync(at('old'), image(['tty_write', 'do_exit', 'unlisted'], 'pid', 'comm'));
    writeFileSync(at('new'), image(['do_exit', 'another'], 'flags', 'pid'));
    writeFileSync(at('list.yaml'), 'functions:\n  - unlisted\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('puts what breaks programs first, and counts', async () => {
    const { code, stdout } = await cli('diff', at('old'), at('new'));
    expect(code).to.equal(0);
    const heads = stdout.split('\n').filter(line => /^\w+: .* \(\d+\)$/.test(line));
    expect(heads).to.deep.equal([
      'functions: breaks programs (2)',
      'types: breaks programs (1)',
      'types: to be looked at (2)',
      'functions: new (1)',
      'types: new (1)',
    ]);
    expect(stdout).to.match(/^functions +2 +0 +1$/m);
    expect(stdout).to.match(/^ {2}struct task_struct\.pid +moved +\+0 -> \+4$/m);
  });

  it('compares some kinds, and what is called so', async () => {
    const { stdout } = await cli('diff', at('old'), at('new'), '--only', 'types', '--name', 'task_struct', '--json');
    const { schema, counts, changes } = JSON.parse(stdout);
    expect(schema).to.equal('kelf/diff');
    expect(counts).to.deep.equal({ types: { breaks: 1, changes: 1, adds: 1 } });
    expect(changes[0]).to.deep.equal({ kind: 'types', change: 'gone', effect: 'breaks', name: 'struct task_struct.comm', old: 'int' });
    expect(await cli('diff', at('old'), at('new'), '--only', 'nothing')).to.include({ code: 2 });
  });

  it('tells what an object attaches to and reads, or what a list names', async () => {
    const names = async (file: string): Promise<string[]> => {
      const { stdout } = await cli('diff', at('old'), at('new'), '--for', file, '--json');
      return (JSON.parse(stdout).changes as { name: string }[]).map(({ name }) => name);
    };
    expect(await names(OBJECT)).to.deep.equal(['tty_write', 'struct task_struct.comm', 'struct task_struct.pid']);
    expect(await names(at('list.yaml'))).to.deep.equal(['unlisted']);
    expect(await cli('diff', at('old'), at('new'), '--for', at('old'))).to.include({ code: 4 });
  });

  it('fails where a kind has what breaks programs, not where it has new things alone', async () => {
    expect(await cli('diff', at('old'), at('new'), '--fail-on', 'functions')).to.include({ code: 1 });
    expect(await cli('diff', at('old'), at('new'), '--fail-on', 'any')).to.include({ code: 1 });
    expect(await cli('diff', at('old'), at('new'), '--fail-on', 'prototypes,enumerators')).to.include({ code: 0 });
    expect(await cli('diff', at('old'), at('old'), '--fail-on', 'any')).to.deep.include({ code: 0 });
  });

  it('compares the modules of both', async () => {
    const kernels = fileURLToPath(new URL('../../../../fixtures/kernel/', import.meta.url));
    const vmlinux = join(kernels, 'vmlinux-amd64');
    const same = await cli('diff', vmlinux, vmlinux, '--modules', kernels, '--modules', kernels, '--fail-on', 'any');
    expect(same).to.include({ code: 0 });
    expect(same.stdout).to.match(/^no difference$/m);
    // A folder without modules is no answer about modules.
    expect(await cli('diff', vmlinux, vmlinux, '--modules', kernels, '--modules', folder)).to.include({ code: 3 });
  });

  it('writes tables in Markdown', async () => {
    const { stdout } = await cli('diff', at('old'), at('new'), '--only', 'functions', '--markdown');
    expect(stdout).to.include('| name | change | what | old | new | why |\n| --- |');
    expect(stdout).to.include('| tty\\_write | gone |  | int(void) |  |  |');
  });

  it('takes one file for OLD and one for NEW of each option', async () => {
    const three = ['--config', at('old'), '--config', at('old'), '--config', at('old')];
    expect(await cli('diff', at('old'), at('new'), ...three)).to.include({ code: 2 });
    expect(await cli('diff', at('old'))).to.include({ code: 2 });
    expect(await cli('diff', at('old'), at('list.yaml'))).to.include({ code: 3 });
  });
});
