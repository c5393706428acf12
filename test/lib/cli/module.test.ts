import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { cli } from '../../support/cli.js';
import { ModuleWriter } from '../../support/module-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/kernel/${name}`, import.meta.url));
const KERNEL = fixture('vmlinux-amd64');
const MODULE = fixture('kelf-mod-amd64.ko');

describe('kelf module, and --modules', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-'));
    copyFileSync(MODULE, join(folder, 'kelf-mod.ko'));
  });
  after(() => rmSync(folder, { recursive: true }));

  it('module prints what a tracing engineer asks of it', async () => {
    const { code, stdout, stderr } = await cli('module', MODULE, '--base', KERNEL);
    expect(code).to.equal(0);
    expect(stderr).to.equal('');
    expect(stdout.replace(MODULE, 'X.ko')).to.equal(
      [
        'file          X.ko',
        'name          kelf_mod',
        'description   A module of the small kernel',
        'license       Dual MIT/GPL',
        'vermagic      6.1.0-kelf-amd64 SMP preempt mod_unload',
        'depends       -',
        'aliases       0',
        'signature     none',
        'functions     7, 1 in init code, 1 in exit code, 2 on the kprobe blacklist',
        'ftrace sites  5, from __mcount_loc',
        'BTF           5 FUNCs, 20 types, split over the given base',
        'exports       0, 0 of them GPL',
        'imports       4',
        '',
      ].join('\n'),
    );
  });

  it('module says that split BTF needs its base', async () => {
    const { stdout } = await cli('module', MODULE);
    expect(stdout).to.match(/^BTF +split: give the kernel's vmlinux as --base$/m);
  });

  it('module lists functions, sites, exports and imports', async () => {
    expect((await cli('module', MODULE, '--base', KERNEL, '--functions')).stdout).to.include(
      '.text+0x40\t28\tT\tsite,btf\tkelf_mod_open\n',
    );
    expect((await cli('module', MODULE, '--functions')).stdout).to.include('.text+0x0\t17\tT\tsite,noprobe\tkelf_mod_notify\n');
    expect((await cli('module', MODULE, '--sites')).stdout).to.equal(
      [
        '.text+0x0\tcore\tkelf_mod_notify',
        '.text+0x20\tcore\ttty_write',
        '.text+0x40\tcore\tkelf_mod_open',
        '.init.text+0x0\tinit\tinit_module',
        '.exit.text+0x0\texit\tcleanup_module',
        '',
      ].join('\n'),
    );
    const exporting = join(folder, 'exporting.bin');
    const writer = new ModuleWriter()
      .info('name=exporting')
      .code('.text', 32)
      .function('offered', '.text', 16)
      .exports('__ksymtab_gpl', [{ name: 'offered', offset: 16, namespace: 'NS\x1b' }], { prel32: true, namespaces: true }, [0xbeef]);
    writeFileSync(exporting, gzipSync(writer.bytes()));
    expect((await cli('module', exporting, '--exports')).stdout).to.equal('__ksymtab_gpl\tGPL\t0x0000beef\t.text+0x10\tNS\\x1b\toffered\n');
    expect((await cli('module', MODULE, '--imports')).stdout).to.include('-\t-\t_printk\n');
  });

  it('module prints JSON, of several files too', async () => {
    const { stdout } = await cli('module', MODULE, fixture('kelf-mod-arm64.ko'), '--json', '--sites');
    const { schema, modules } = JSON.parse(stdout);
    expect(schema).to.equal('kelf/module');
    expect(modules.map(({ siteSection }: { siteSection: string }) => siteSection)).to.deep.equal([
      '__mcount_loc',
      '__patchable_function_entries',
    ]);
    expect(modules[0].counts).to.deep.equal({ functions: 7, sites: 5, blacklisted: 2, exports: 0, imports: 4 });
    expect(modules[1].sites[0]).to.deep.equal({ section: '.text', offset: 4, phase: 'core', function: 'kelf_mod_notify' });
  });

  it('module refuses a usage error, and what is no module', async () => {
    expect((await cli('module', MODULE, '--sites', '--exports')).code).to.equal(2);
    const { code, stderr } = await cli('module', KERNEL);
    expect(code).to.equal(3);
    expect(stderr).to.match(/the ELF file has no \.modinfo: it is not a kernel module\n$/);
  });

  it('trace --modules answers for functions of modules', async () => {
    const { code, stdout } = await cli('trace', KERNEL, 'kelf_mod_open', '--modules', folder);
    expect(code).to.equal(0);
    expect(stdout).to.match(/^kelf_mod_open: 0 functions with this name, 1 in modules$/m);
    expect(stdout).to.match(/^ {2}kelf_mod:\.text\+0x40 {2}T {2}28 bytes$/m);
    expect(stdout).to.match(/^ {4}p:kelf_mod:kelf_mod_open, .* yes$/m);
    expect((await cli('trace', KERNEL, 'nothing_at_all', '--modules', folder)).code).to.equal(4);
  });

  it('duplicates --modules lists names that modules share with the kernel', async () => {
    const { stdout } = await cli('duplicates', KERNEL, 'tty_write', '--modules', folder);
    expect(stdout).to.match(/^tty_write: one function, 1 in modules; the name is in BTF$/m);
    expect(stdout).to.match(/^ {2}kelf_mod:\.text\+0x20 .* ftrace site$/m);
    expect((await cli('duplicates', KERNEL, 'tty_write')).stdout).to.equal('');
    const one = await cli('duplicates', KERNEL, 'kelf_mod_open', '--modules', folder);
    expect([one.code, one.stdout]).to.deep.equal([0, '']);
    expect(one.stderr).to.match(/^kelf: kelf_mod_open: only one function has this name$/m);
  });

  it('why --modules finds the module that has the function', async () => {
    const { stdout } = await cli('why', KERNEL, 'kelf_mod_open', '--modules', folder);
    expect(stdout).to.match(/^kelf_mod_open: in-module \(proven\)/);
  });

  it('--modules says which modules are of another kernel, and which can not be read', async () => {
    writeFileSync(join(folder, 'damaged.ko'), readFileSync(MODULE).subarray(0, 100));
    const { stderr } = await cli('why', fixture('vmlinux-arm64'), 'kelf_mod_open', '--modules', folder);
    expect(stderr).to.match(/damaged\.ko/);
    expect(stderr).to.match(/was built for 6\.1\.0-kelf-amd64, but the kernel is 6\.1\.0-kelf-arm64: answers about modules may be wrong\n/);
    rmSync(join(folder, 'damaged.ko'));
    expect((await cli('why', KERNEL, 'x', '--modules', join(folder, 'nowhere'))).code).to.equal(3);
  });
});
