import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli, KELF } from '../../support/cli.js';

const VMLINUX = fileURLToPath(new URL('../../../../fixtures/kernel/vmlinux-amd64', import.meta.url));

describe('kelf, asked the wrong way', () => {
  it('names the command or option that was meant', async () => {
    for (const [args, meant] of [
      [['tarce', 'x'], 'did you mean trace?'],
      [['help', 'atach'], 'did you mean attach?'],
      [['btf', 'dmup', 'x'], 'did you mean btf dump?'],
      [['disasm', 'x'], 'did you mean bpf disasm?'],
      [['trace', '--jsn', 'x', 'y'], 'did you mean --json?'],
      [['trace', VMLINUX, 'sort', '--moduls', 'x'], 'did you mean --modules?'],
      [['explain', 'no-ftrace-sight'], 'did you mean no-ftrace-site?'],
    ] as const) {
      const { code, stderr } = await cli(...args);
      expect([code, stderr.includes(meant)], stderr).to.deep.equal([2, true]);
      expect(stderr).to.match(/^kelf: [^\n]+\n$/);
    }
  });

  it('prints the help of a command, and the version, however it is asked', async () => {
    const { stdout } = await cli('trace', '--help');
    for (const args of [
      ['help', 'trace'],
      ['--help', 'trace'],
      ['-h', 'trace'],
    ])
      expect((await cli(...args)).stdout).to.equal(stdout);
    expect((await cli('help', 'btf')).stdout).to.equal((await cli('btf')).stdout);
    const version = await cli('--version');
    for (const word of ['version', '-V']) expect(await cli(word)).to.deep.equal(version);
  });

  it('takes options before and behind the command, and their values for no command', async () => {
    const behind = await cli('trace', VMLINUX, '_printk', '--json');
    expect(behind.code).to.equal(0);
    for (const args of [
      ['--json', 'trace', VMLINUX, '_printk'],
      ['trace', '--json', VMLINUX, '_printk'],
    ])
      expect(await cli(...args)).to.deep.equal(behind);
    // A file that is called as a command is.
    expect((await cli('--symbols', 'trace', 'info', VMLINUX)).stderr).to.equal('kelf: trace: no such file\n');
  });

  it('says that the file comes first', async () => {
    const { code, stderr } = await cli('trace', '_printk', VMLINUX);
    expect([code, stderr]).to.deep.equal([3, `kelf: _printk: no such file; ${VMLINUX} is a file: the file comes first, names behind it\n`]);
  });

  it('says how many arguments are taken', async () => {
    expect((await cli('btf', 'find', VMLINUX)).stderr).to.match(/^kelf: btf find takes at least 2 arguments, and 1 is given; usage: /);
    expect((await cli('bpf', 'core', 'a', 'b')).stderr).to.match(/^kelf: bpf core takes at most 1 argument, and 2 are given; usage: /);
  });

  it('names a kernel that can not be read on stderr too', async () => {
    const object = fileURLToPath(new URL('../../../../fixtures/bpf', import.meta.url));
    const { code, stderr } = await cli('bpf', 'check', object, '--kernel', '/nowhere', '--kernel', VMLINUX);
    expect([code, stderr.includes('kelf: /nowhere: no such file\n')]).to.deep.equal([3, true]);
  });
});

describe('kelf explain, of what tools print', () => {
  const codesOf = async (text: string): Promise<string[]> =>
    JSON.parse((await cli('explain', text, '--json')).stdout).reasons.map(({ code }: { code: string }) => code);

  it('takes a code in any case', async () => {
    const page = await cli('explain', 'no-ftrace-site');
    for (const text of ['NO-FTRACE-SITE', 'no_ftrace_site']) expect(await cli('explain', text)).to.deep.equal(page);
  });

  it('lists the codes of an errno, by name, number and text', async () => {
    const busy = await codesOf('EBUSY');
    expect(busy).to.include('no-ftrace-site').and.not.include('ambiguous-name');
    for (const text of ['16', 'ebusy', 'Device or resource busy', "prog 'x': failed to attach: -16"])
      expect(await codesOf(text)).to.deep.equal(busy);
    expect(await codesOf('Cannot assign requested address')).to.include('ambiguous-name');
    expect(await codesOf('524')).to.include('no-ftrace-site');
  });

  it('lists the codes of a message', async () => {
    for (const [text, code] of [
      ['libbpf: failed to find kernel BTF type ID of tcp_foo: -3', 'no-btf-func'],
      ['relo #3: substituting insn #7 w/ invalid insn', 'core-poisoned'],
      ['invalid func unknown#195896080', 'core-poisoned'],
      ['unknown func bpf_no_such#999', 'unknown-helper'],
      ['cannot call GPL-restricted function from non-GPL compatible program', 'gpl-only'],
      ['The function foo has 14 arguments. Too many.', 'too-many-arguments'],
      ['trace_kprobe: Could not probe notrace function _text', 'no-ftrace-site'],
    ] as const)
      expect((await codesOf(text))[0], text).to.equal(code);
  });

  it('ends with 4 for what no page is known to fit', async () => {
    expect((await cli('explain', 'the printer is on fire')).code).to.equal(4);
  });

  it('reads a log from stdin', () => {
    const input = 'libbpf: loading x\n; return foo();\n12: (85) call unknown#195896080\ninvalid func unknown#195896080\n-- END --\n';
    const { status, stdout } = spawnSync(process.execPath, [KELF, 'explain', '-'], { input, encoding: 'utf8' });
    expect([status, stdout.split('\n').map(line => line.split(' ')[0])]).to.deep.equal([0, ['core-poisoned', 'core-guarded', '']]);
  });
});

describe('kelf, of what is no file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-streams-'));
  after(() => rmSync(folder, { recursive: true }));
  const expected = async (...args: string[]): Promise<string> => (await cli(...args)).stdout;
  const run = (input: Buffer, ...args: string[]): string =>
    spawnSync(process.execPath, [KELF, ...args], { input, encoding: 'utf8', maxBuffer: 1 << 26 }).stdout;

  it('reads a kernel from stdin, of a pipe and of a file', async () => {
    const symbols = await expected('symbols', VMLINUX);
    expect(run(readFileSync(VMLINUX), 'symbols', '-')).to.equal(symbols);
    const fd = openSync(VMLINUX, 'r');
    expect(spawnSync(process.execPath, [KELF, 'symbols', '-'], { stdio: [fd, 'pipe', 'pipe'], encoding: 'utf8' }).stdout).to.equal(symbols);
    closeSync(fd);
    expect(run(readFileSync(VMLINUX), 'btf', 'dump', '-')).to.equal(await expected('btf', 'dump', VMLINUX));
  });

  it('reads a FIFO, as `<(…)` of a shell is one', async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const writer = spawn('cp', [VMLINUX, fifo], { stdio: 'ignore' });
    const read = spawnSync(process.execPath, [KELF, 'symbols', fifo], { encoding: 'utf8' });
    writer.kill();
    expect(read.stdout).to.equal(await expected('symbols', VMLINUX));
  });

  it('reads names from stdin, as many as there are', () => {
    const names = Array.from({ length: 1001 }, (_, i) => `nothing${i}`);
    const { answers } = JSON.parse(run(Buffer.from([...names, '_printk'].join('\n')), 'trace', VMLINUX, '-', '--json'));
    expect(answers.map(({ name }: { name: string }) => name)).to.deep.equal([...names, '_printk']);
  });
});
