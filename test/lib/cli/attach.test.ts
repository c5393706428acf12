import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli, KELF } from '../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/kernel/${name}`, import.meta.url));
const AMD64 = fixture('vmlinux-amd64');
const ARM64 = fixture('vmlinux-arm64');

describe('kelf attach', () => {
  it('prints what attaches to each function of a name', async () => {
    const { code, stdout } = await cli('attach', AMD64, 'load_elf_binary');
    expect(code).to.equal(0);
    expect(stdout).to.match(/^load_elf_binary: 2 functions with this name\n {2}0x[0-9a-f]+ {2}binfmt_elf\.c {2}t /);
    expect(stdout).to.match(/^ {6}p:load_elf_binary_2 _stext\+0x[0-9a-f]+ bprm=%di:x64$/m);
    expect(stdout).to.match(/^ {6}r:load_elf_binary_2_ret _stext\+0x[0-9a-f]+ ret=\$retval:s32$/m);
  });

  it('prints nothing but the lines of a form', async () => {
    const { stdout } = await cli('attach', ARM64, 'tty_write', 'load_elf_binary', '--as', 'kprobe_events');
    const lines = stdout.trimEnd().split('\n');
    expect(lines).to.have.length(3);
    expect(lines[0]).to.match(/^p:tty_write tty_write [a-z]+=%x0:x64/);
    const returned = await cli('attach', ARM64, 'tty_write', '--as', 'kprobe_events', '--return');
    expect(returned.stdout).to.match(/^r:tty_write_ret tty_write ret=\$retval:s\d+\n$/);
  });

  it('covers every function, each event once', async () => {
    const { stdout, code } = await cli('attach', AMD64, '--all', '--as', 'kprobe_events');
    const lines = stdout.trimEnd().split('\n');
    expect(code).to.equal(0);
    expect(lines.length).to.be.greaterThan(50);
    for (const line of lines)
      expect(line).to.match(/^p:[A-Za-z_][A-Za-z0-9_]{0,62} [A-Za-z_][\w.]*(\+0x[0-9a-f]+)?( \w+=[^ ]+:\w+(\[\d+\])?)*$/);
    expect(new Set(lines.map(line => line.split(' ')[0])).size).to.equal(lines.length);
  });

  it('takes names from stdin', () => {
    const { stdout } = spawnSync(process.execPath, [KELF, 'attach', AMD64, '-', '--as', 'libbpf'], {
      encoding: 'utf8',
      input: 'tty_write\n',
      env: { ...process.env, KELF_NO_MAIN: undefined },
    });
    expect(stdout).to.equal('SEC("kprobe/tty_write")\n');
  });

  it('prints one program for all functions', async () => {
    const { stdout } = await cli('attach', AMD64, 'load_elf_binary', '--as', 'bpf-c');
    expect(stdout.match(/#include "vmlinux.h"/g)).to.have.length(1);
    expect(stdout.match(/int BPF_KPROBE\(on_load_elf_binary_[12],/g)).to.have.length(2);
  });

  it('says why a function is refused, and what to do', async () => {
    const { code, stdout, stderr } = await cli('attach', AMD64, 'do_initcalls', '--as', 'kprobe_events');
    expect([code, stdout]).to.deep.equal([1, '']);
    expect(stderr).to.match(/^kelf: do_initcalls \(do_initcalls\): init-text: the code is freed after boot; instead: kprobe_event=/m);
  });

  it('says what a name is that is no function', async () => {
    const said = async (name: string): Promise<string> => (await cli('attach', AMD64, name)).stdout.trimEnd();
    expect(await said('none+0x4')).to.match(/^none\+0x4: no such place: no function of that name/);
    expect(await said('0x1000')).to.equal('0x1000: not in a function');
    expect(await said('tracepoint:sched_switch')).to.match(/: a tracepoint, not a function/);
    expect(await said('syscall:none')).to.match(/: no system call of that name$/);
    expect(await said('xfs:xfs_trans_alloc')).to.match(/: no function of that name: pass --modules DIR for functions of modules$/);
    expect((await cli('attach', AMD64, 'none', '--as', 'perf')).stderr).to.match(
      /^kelf: none: no function of that name; the modules were not read/m,
    );
    expect((await cli('attach', AMD64, '')).code).to.equal(2);
  });

  it('says that the BTF is of another kernel', async () => {
    const foreign = await cli('attach', AMD64, 'tty_write', '--as', 'perf', '--btf', fixture('vmlinux-arm64.external-only.btf'));
    expect(foreign.stderr).to.match(
      /external-only\.btf looks like the BTF of another kernel: \d+ of its \d+ functions have no symbol here/,
    );
    const build = await cli('attach', AMD64, 'tty_write', '--as', 'perf', '--btf', ARM64);
    expect(build.stderr).to.match(/vmlinux-arm64 (looks like the BTF of another kernel|is from a different build)/);
    expect((await cli('attach', AMD64, 'tty_write', '--as', 'perf', '--btf', AMD64)).stderr).not.to.match(/another/);
  });

  it('ends with 4 where no function has the name, and with 2 for a form that is none', async () => {
    expect((await cli('attach', AMD64, 'no_such_function')).code).to.equal(4);
    expect((await cli('attach', AMD64, 'tty_write', '--as', 'dtrace')).code).to.equal(2);
    expect((await cli('attach', AMD64, 'tty_write', '--return')).code).to.equal(2);
    expect((await cli('attach', AMD64)).code).to.equal(2);
  });

  it('prints JSON with the lines of each form', async () => {
    const { stdout } = await cli('attach', AMD64, 'load_elf_binary', '--json');
    const { schema, answers } = JSON.parse(stdout) as {
      schema: string;
      answers: { functions: { event: string; place: { text: string }; lines: { kprobe_events: { entry: string } } }[] }[];
    };
    expect(schema).to.equal('kelf/attach');
    const [, second] = answers[0]!.functions;
    expect(second!.lines.kprobe_events.entry).to.equal(`p:${second!.event} ${second!.place.text} bprm=%di:x64`);
  });
});

describe('kelf tracepoints', () => {
  it('says why it lists none', async () => {
    const none = await cli('tracepoints', AMD64, 'none', 'sched:*');
    expect([none.code, none.stdout]).to.deep.equal([4, '']);
    expect(none.stderr).to.match(/^kelf: (no tracepoint or event matches none or sched:\*|neither symbols nor tables show tracepoints)/m);
    expect((await cli('tracepoints')).code).to.equal(2);
  });
});
