import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli, spawnCli } from '../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const AMD64 = fixture('kernel/vmlinux-amd64');
const ARM64 = fixture('kernel/vmlinux-arm64');

/** What the commands print with --json, as far as the tests look. */
interface Printed {
  readonly kernel: object;
  readonly mcount: object;
  readonly duplicates: readonly {
    readonly name: string;
    readonly functions: readonly { readonly address: string; readonly file: string }[];
  }[];
  readonly answers: readonly {
    readonly kprobe: { readonly byName: { readonly outcome: string; readonly because: readonly { readonly address: string }[] } };
  }[];
  readonly slots: readonly object[];
  readonly error: { readonly code: string };
}

/** The object that a command prints with --json, its exit code beside it. */
async function json(...args: string[]): Promise<{ code: number; value: Printed }> {
  const { code, stdout } = await cli(...args, '--json');
  expect(stdout.trim().split('\n')).to.have.length(1);
  return { code, value: JSON.parse(stdout) as Printed };
}

describe('kelf audit, duplicates, trace, why, mcount', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  describe('audit', () => {
    it('prints what stands out, under the banner', async () => {
      const { code, stdout, stderr } = await cli('audit', AMD64, '--config', fixture('kernel/config-amd64'));
      expect(code).to.equal(0);
      expect(stdout).to.match(/^Linux version 6\.1\.0-kelf-amd64 /);
      expect(stdout).to.match(/^build id 6b656c66[0-9a-f]+$/m);
      expect(stdout).to.match(/^__mcount_loc words +94 +final in the file$/m);
      expect(stdout).to.match(/^duplicate names +10 +shared by 20 functions/m);
      expect(stdout).to.match(/^shared with data +2 +set_root, watchdog$/m);
      expect(stdout).to.match(/^ +8 +init-text +the code is freed after boot: do_initcalls/m);
      expect(stderr).to.contain('no packed kallsyms');
    });

    it('says how the words of arm64 are filled', async () => {
      expect((await cli('audit', ARM64)).stdout).to.match(/93 zero in the file, filled at boot by 93 R_AARCH64_RELATIVE/);
    });

    it('prints the same as JSON', async () => {
      const { code, value } = await json('audit', ARM64);
      expect(code).to.equal(0);
      expect(value).to.deep.include({ schema: 'kelf/audit', version: 1 });
      expect(value.kernel).to.deep.equal({
        name: ARM64,
        release: '6.1.0-kelf-arm64',
        buildId: '6b656c6600000000000000000000000061726d36',
      });
      expect(value.mcount).to.deep.equal({ words: 93, zeroStored: 93, fills: { R_AARCH64_RELATIVE: 93 }, elsewhere: 1 });
    });
  });

  describe('duplicates', () => {
    it('says with --sources that there is no debug information, and goes on with the files of .symtab', async () => {
      const { code, stdout, stderr } = await cli('duplicates', AMD64, 'load_elf_binary', '--sources');
      expect(code).to.equal(0);
      expect(stdout).to.contain('  compat_binfmt_elf.c  ');
      expect(stderr).to.contain('no .debug_info: source files come from .symtab');
    });

    it('prints each function of a name, and what tools do with it', async () => {
      const { code, stdout } = await cli('duplicates', AMD64, 'load_elf_binary');
      expect(code).to.equal(0);
      const lines = stdout.split('\n');
      expect(lines[0]).to.equal('load_elf_binary: 2 functions with different code; the name is in BTF');
      expect(lines[1]).to.match(/^ {2}0xffffffff81[0-9a-f]{6} {2}binfmt_elf\.c +t {2}\d+ bytes {2}_stext\+0x[0-9a-f]+ {2}ftrace site$/);
      expect(lines[2]).to.match(/^ {2}0xffffffff81[0-9a-f]{6} {2}compat_binfmt_elf\.c +t /);
      expect(lines[3]).to.match(/^ {2}by name: kprobe .*; fentry .*; kprobe\.multi .*; ftrace matches both with an ftrace site$/);
    });

    it('prints names alone', async () => {
      const { stdout } = await cli('duplicates', ARM64, '--names');
      expect(stdout).to.equal(
        'elf_core_dump\nelf_read.constprop.0\nflush_work\nget_order\nload_elf_binary\nparse_options\nread_cpu_leaf\nset_brk\nshow_state\n',
      );
    });

    it('says of a name whether it is that of one function or of none', async () => {
      const one = await cli('duplicates', AMD64, 'tty_write');
      expect(one).to.deep.include({ code: 0, stdout: '' });
      expect(one.stderr).to.contain('kelf: tty_write: only one function has this name\n');
      const none = await cli('duplicates', AMD64, 'nothing_of_that_name');
      expect(none).to.deep.include({ code: 4, stdout: '' });
      expect(none.stderr).to.contain('kelf: nothing_of_that_name: no function of that name');
    });

    it('prints JSON with addresses as text', async () => {
      const { value } = await json('duplicates', AMD64, 'get_order');
      const [group] = value.duplicates;
      expect(group).to.deep.include({ name: 'get_order', equalBytes: false });
      expect(group!.functions.map(({ file }) => file)).to.deep.equal(['homonyms_a.c', 'homonyms_b.c']);
      expect(group!.functions[0]!.address).to.match(/^0xffffffff81[0-9a-f]{6}$/);
    });
  });

  describe('trace', () => {
    it('prints a verdict for each mechanism, and what it rests on', async () => {
      const { code, stdout } = await cli('trace', AMD64, 'notify_die', 'panic');
      expect(code).to.equal(0);
      expect(stdout).to.match(/^notify_die: one function with this name$/m);
      expect(stdout).to.match(/^ {4}kprobe, kretprobe +no +EINVAL +kprobe-blacklisted: the kprobe blacklist covers it$/m);
      expect(stdout).to.match(/^ {4}_kprobe_blacklist 0xffffffff81[0-9a-f]{6}: the kprobe blacklist covers it$/m);
      expect(stdout).to.match(/^ {4}fentry load, .* no +EINVAL +variable-arguments: /m);
    });

    it('exits with 4 where no name is a function, with 0 where one is', async () => {
      expect((await cli('trace', AMD64, 'no_such_function')).code).to.equal(4);
      expect((await cli('trace', AMD64, 'no_such_function', 'schedule')).code).to.equal(0);
    });

    it('prints JSON', async () => {
      const { value } = await json('trace', ARM64, 'schedule');
      expect(value).to.deep.include({ schema: 'kelf/trace', version: 2 });
      const [answer] = value.answers;
      expect(answer!.kprobe.byName.outcome).to.equal('accepted');
      expect(answer!.kprobe.byName.because[0]!.address).to.match(/^0xffff8000/);
    });
  });

  describe('why', () => {
    it('prints the reason, what shows it, and what can be traced instead', async () => {
      const btf = fixture('kernel/vmlinux-arm64.external-only.btf');
      const { code, stdout } = await cli('why', ARM64, 'tty_write', '--btf', btf, '--pahole-version', '1.20');
      expect(code).to.equal(0);
      expect(stdout).to.match(/^tty_write: pahole-external-only-fallback \(proven\): /);
      expect(stdout).to.match(/^ {2}option: pahole 1\.20 was given$/m);
      expect(stdout).to.match(
        /^ {4}ssize_t redirected_tty_write\(struct kiocb \*iocb, struct iov_iter \*iter\); {2}\(its name contains tty_write/m,
      );
    });

    it('takes the release of pahole in either form, and no other', async () => {
      for (const given of ['1.24', 'v1.24', '124']) {
        const { stdout } = await cli('why', AMD64, 'wb_dirty_limit', '--pahole-version', given);
        expect(stdout).to.match(/^wb_dirty_limit: pahole-suffix \(proven\)/);
      }
      for (const given of ['', '24', '1.2.3', 'new', '1.200']) {
        const { code, stderr } = await cli('why', AMD64, 'wb_dirty_limit', '--pahole-version', given);
        expect([code, stderr]).to.deep.equal([2, `kelf: --pahole-version: '${given}' is not of the form 1.20 or 120\n`]);
      }
    });

    it('sums up every function that BTF lacks, and refuses names beside it', async () => {
      const { code, stdout } = await cli('why', AMD64, '--all', '--pahole-version', '1.24');
      expect(code).to.equal(0);
      expect(stdout).to.match(/^\d+ function names: \d+ with a FUNC, \d+ without; without debug information$/m);
      expect(stdout).to.match(/^ +\d+ {2}pahole-suffix +proven {2}\w/m);
      const { value } = await json('why', AMD64, '--all');
      expect(value).to.deep.include({ schema: 'kelf/why-all', version: 1, units: 0 });
      expect((await cli('why', AMD64, '--all', 'tty_write')).code).to.equal(2);
      expect((await cli('why', AMD64)).code).to.equal(2);
    });

    it('prints the reason under each release where that decides', async () => {
      // In place of the .config that the image carries, which names the release.
      const config = join(folder, 'config-without-pahole');
      writeFileSync(config, 'CONFIG_KPROBES=y\n');
      const { stdout } = await cli('why', AMD64, 'wb_dirty_limit', '--config', config);
      expect(stdout).to.match(/^ {4}pahole 1\.22 to 1\.24 +pahole-suffix /m);
      expect(stdout).to.match(/^ {4}pahole 1\.31 +pahole-unknown /m);
    });

    it('prints JSON', async () => {
      const { value } = await json('why', AMD64, 'cpu_max_leaf');
      expect(value.answers).to.have.length(1);
      expect(value.answers[0]).to.deep.include({
        name: 'cpu_max_leaf',
        code: 'pahole-no-symbol',
        certainty: 'open',
        alternatives: [],
      });
    });
  });

  describe('mcount', () => {
    it('summarises the table', async () => {
      const { stdout } = await cli('mcount', ARM64);
      expect(stdout).to.match(/^zero in the file +93 +93 R_AARCH64_RELATIVE in \.rela\.dyn$/m);
      expect(stdout).to.match(/^elsewhere +1 /m);
      expect(stdout).to.match(/^ftrace patches at word\+4$/m);
      expect((await cli('mcount', AMD64)).stdout).to.match(/^at function\+4 +2$/m);
    });

    it('lists the words as stored and as relocated, with their functions', async () => {
      const { stdout } = await cli('mcount', ARM64, '--list');
      const lines = stdout.trimEnd().split('\n');
      expect(lines).to.have.length(93);
      expect(lines[0]).to.match(/^0xffff8000080[0-9a-f]{5} {2}0{16} {2}ffff8000080[0-9a-f]{5} {2}register_binfmt\+0x0$/);
      expect(lines.filter(line => line.endsWith(' before_weak+0x20'))).to.have.length(1);
    });

    it('lists them as JSON', async () => {
      const { value } = await json('mcount', AMD64, '--list');
      expect(value).to.deep.include({ schema: 'kelf/mcount', count: 94, zeroStored: 0, offsets: { 0: 91, 4: 2 } });
      expect(value.slots).to.have.length(94);
      expect(Object.keys(value.slots[0]!)).to.deep.equal(['place', 'stored', 'relocated', 'at']);
    });

    it('exits with 4 where there is no table', async () => {
      const { code, stdout, stderr } = await cli('mcount', fixture('elf/x86_64.so'));
      expect([code, stdout]).to.deep.equal([4, '']);
      expect(stderr).to.contain('has no __start_mcount_loc');
      const { code: again, value } = await json('mcount', fixture('elf/x86_64.so'));
      expect([again, value.error.code]).to.deep.equal([4, 'missing']);
    });
  });

  describe('what is no kernel', () => {
    for (const command of ['audit', 'duplicates', 'trace', 'why', 'mcount']) {
      const names = command === 'trace' || command === 'why' ? ['schedule'] : [];

      it(`exits with 3, and says it in JSON too: ${command}`, async () => {
        const missing = await cli(command, join(folder, 'nothing'), ...names);
        expect([missing.code, missing.stdout]).to.deep.equal([3, '']);
        expect(missing.stderr).to.match(/nothing: no such file\n$/);
        const text = join(folder, 'text');
        writeFileSync(text, 'no ELF file\n');
        const { code, value } = await json(command, text, ...names);
        expect([code, Object.keys(value)]).to.deep.equal([3, ['$schema', 'schema', 'version', 'error']]);
        expect(value.error.code).to.equal('bad-magic');
        const object = await cli(command, fixture('kernel/kelf-mod-amd64.ko'), ...names);
        expect([object.code, object.stdout]).to.deep.equal([3, '']);
        expect(object.stderr).to.match(/kelf-mod-amd64\.ko: .*not a kernel/);
        const stripped = await cli(command, fixture('elf/no-sections.so'), ...names);
        expect([stripped.code, stripped.stdout]).to.deep.equal([4, '']);
        expect(stripped.stderr).to.match(/neither \.symtab nor packed kallsyms/);
      });
    }

    it('exits with 3 for a --btf or --config that is none', async () => {
      const text = join(folder, 'text');
      writeFileSync(text, 'no BTF\n');
      expect((await cli('why', AMD64, 'schedule', '--btf', text)).code).to.equal(3);
      expect((await cli('why', AMD64, 'schedule', '--btf', fixture('elf/x86_64.so'))).stderr).to.contain('has no .BTF section');
      expect((await cli('audit', AMD64, '--config', join(folder, 'none'))).code).to.equal(3);
    });
  });

  describe('a usage error', () => {
    for (const args of [
      ['trace', AMD64],
      ['why', AMD64],
      ['mcount'],
      ['audit', AMD64, AMD64],
      ['audit', '--live', AMD64],
      ['info', '--live', AMD64],
      ['check', '--live', AMD64, '--require', fixture('check/tools.yaml')],
      ['trace', AMD64, 'f', '--no-such-option'],
      ['audits'],
    ]) {
      it(`exits with 2: ${args.map(arg => arg.split('/').at(-1)).join(' ')}`, async () => {
        const { code, stdout, stderr } = await cli(...args);
        expect([code, stdout]).to.deep.equal([2, '']);
        expect(stderr).to.match(/^kelf: /);
        expect((await json(...args)).code).to.equal(2);
      });
    }
  });

  it('trace says that an address of a process, or behind the kernel, is no text', async () => {
    for (const address of ['0xfffffffff', '0xfffffffff0000000'])
      expect((await cli('trace', AMD64, address)).stdout).to.contain('kprobe, kretprobe  no  EINVAL  not-text');
  });

  it('work as a program', () => {
    expect(spawnCli('duplicates', AMD64, 'get_order', '--names')).to.deep.include({ code: 0, stdout: 'get_order\n' });
    expect(spawnCli('trace', AMD64, 'no_such_function').code).to.equal(4);
  });
});
