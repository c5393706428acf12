import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { expectAnswer } from '../../support/answer-schemas.js';
import { cli } from '../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const KERNELS = [fixture('kernel/vmlinux-amd64'), fixture('kernel/vmlinux-arm64')] as const;
const BOTH = KERNELS.flatMap(path => ['-k', path]);

describe('--kernel, of a command that asks each', () => {
  for (const [command, ...names] of [
    ['trace', 'tty_write'],
    ['why', 'tty_write'],
    ['attach', 'tty_write'],
    ['duplicates'],
    ['audit'],
    ['info'],
    ['tracepoints'],
    ['features', '--only', 'helpers'],
  ])
    it(`answers as it does for each alone: ${command}`, async () => {
      const alone = await Promise.all(KERNELS.map(path => cli(command!, path, ...names)));
      const { stdout, stderr, code } = await cli(command!, ...names, ...BOTH);
      expect(stdout).to.equal(KERNELS.map((path, i) => `==> ${path} <==\n${alone[i]!.stdout}`).join('\n'));
      expect(stderr).to.equal(alone.map(each => each.stderr).join(''));
      expect(code).to.equal(Math.max(...alone.map(each => each.code)));
    });

  it('has a document a line with --json, and with --ndjson a line for each thing of each kernel', async () => {
    const { stdout } = await cli('trace', ...BOTH, 'tty_write', 'schedule', '--json');
    const documents = stdout.trim().split('\n');
    expect(documents.map(line => (JSON.parse(line) as { kernel: { name: string } }).kernel.name)).to.deep.equal(KERNELS);
    documents.forEach(expectAnswer);
    const lines = (await cli('trace', ...BOTH, 'tty_write', 'schedule', '--ndjson')).stdout.trim().split('\n');
    expect(
      lines.map(line => JSON.parse(line) as { kernel: { name: string }; name: string }).map(({ kernel, name }) => [kernel.name, name]),
    ).to.deep.equal(
      KERNELS.flatMap(path => [
        [path, 'tty_write'],
        [path, 'schedule'],
      ]),
    );
  });

  it('reports a kernel that it cannot read, and asks the others', async () => {
    const { stdout, stderr, code } = await cli('info', '-k', 'nowhere', '-k', KERNELS[0], '-k', fixture('elf/x86_64.so'));
    expect(code).to.equal(3);
    expect(stdout).to.contain('6.1.0-kelf-amd64');
    expect(stderr).to.match(/^kelf: nowhere: no such file\n/);
    const [first, second] = (await cli('info', '-k', 'nowhere', '-k', KERNELS[0], '--json')).stdout.trim().split('\n');
    expect(JSON.parse(first!)).to.deep.include({
      schema: 'kelf/error',
      error: { code: 'input', message: 'nowhere: no such file', errno: 'ENOENT', path: 'nowhere' },
    });
    expect(JSON.parse(second!)).to.include({ schema: 'kelf/info' });
  });

  it('ends with the worst code', async () => {
    expect((await cli('trace', ...BOTH, 'no_such_function')).code).to.equal(4);
    expect((await cli('trace', ...BOTH, '-k', 'nowhere', 'no_such_function')).code).to.equal(3);
  });

  it('refuses what goes with one kernel', async () => {
    for (const option of [
      ['--btf', 'x'],
      ['--config', 'x'],
      ['--modules', 'x'],
    ]) {
      const { code, stderr } = await cli('trace', ...BOTH, 'schedule', ...option);
      expect([code, stderr]).to.deep.equal([2, `kelf: ${option[0]} is for one kernel, and there are 2\n`]);
    }
    for (const kernels of [BOTH, BOTH.slice(0, 2)]) {
      const { code, stdout, stderr } = await cli('trace', ...kernels, 'schedule', '--live');
      expect([code, stdout, stderr]).to.deep.equal([
        2,
        '',
        'kelf: --live asks the running kernel, and --kernel another: give one of them\n',
      ]);
    }
    expect((await cli('features', ...BOTH, '--csv')).code).to.equal(2);
    expect((await cli('features', ...BOTH.slice(0, 2), '--csv')).stdout).to.not.contain('==>');
    const quiet = await cli('info', '-q', '-k', 'nowhere', '-k', KERNELS[0]);
    expect(quiet.stderr).to.equal('kelf: nowhere: no such file\n');
    const { code } = await cli('trace', '-k', KERNELS[0], 'schedule', '--config', fixture('kernel/config-amd64'));
    expect(code).to.equal(0);
  });
});
