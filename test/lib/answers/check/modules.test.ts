import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type CheckItem, checkKernel, openKernel, readModules, readRequirements } from 'kelf';
import { cli } from '../../../support/cli.js';

const KERNEL = 'fixtures/kernel/vmlinux-amd64';

describe('kelf check of functions in modules', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-check-modules-'));
    copyFileSync('fixtures/kernel/kelf-mod-amd64.ko', join(folder, 'kelf-mod.ko'));
    writeFileSync(join(folder, 'list.yaml'), '- {name: kelf_mod:kelf_mod_open, needs: [kprobe]}\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  async function check(list: string, withModules = true): Promise<readonly CheckItem[]> {
    await using kernel = await openKernel(KERNEL);
    if (withModules) kernel.modules = await readModules(folder, { base: kernel.btf, threads: 0 });
    return checkKernel(kernel, await readRequirements(list, 'list.yaml')).items;
  }

  async function outcomes(list: string, withModules = true): Promise<string[]> {
    const items = await check(list, withModules);
    return items.map(({ name, needs, outcome, code }) => [name, needs, outcome, code].filter(Boolean).join(' '));
  }

  it('has the verdicts of kelf trace --modules, by MODULE:NAME, dashes or not', async () => {
    expect(
      await outcomes('- {name: kelf-mod:kelf_mod_open, needs: [symbol, unique, kprobe, kretprobe, btf, ftrace, fentry]}'),
    ).to.deep.equal([
      'kelf_mod:kelf_mod_open symbol passed',
      'kelf_mod:kelf_mod_open unique passed',
      'kelf_mod:kelf_mod_open kprobe passed',
      'kelf_mod:kelf_mod_open kretprobe passed',
      'kelf_mod:kelf_mod_open btf passed',
      'kelf_mod:kelf_mod_open ftrace passed',
      'kelf_mod:kelf_mod_open fentry failed no-trampoline',
    ]);
    expect(await outcomes('- {name: kelf_mod:kelf_mod_notify, needs: [kprobe, kprobe by address]}')).to.deep.equal([
      'kelf_mod:kelf_mod_notify kprobe failed kprobe-blacklisted',
      'kelf_mod:kelf_mod_notify kprobe-address failed kprobe-blacklisted',
    ]);
    expect(await outcomes('- {name: kelf_mod:init_module, needs: [symbol, kprobe, ftrace]}')).to.deep.equal([
      'kelf_mod:init_module symbol passed',
      'kelf_mod:init_module kprobe failed init-text',
      'kelf_mod:init_module ftrace failed init-text',
    ]);
  });

  it('finds a bare name that modules alone have', async () => {
    expect(await outcomes('- {name: kelf_mod_open, needs: [kprobe, btf, kprobe.multi, fprobe, fmod_ret]}')).to.deep.equal([
      'kelf_mod_open kprobe passed',
      'kelf_mod_open btf passed',
      'kelf_mod_open kprobe.multi failed no-kprobe-multi',
      'kelf_mod_open fprobe failed no-fprobe-events',
      'kelf_mod_open fmod_ret open',
    ]);
    expect(await outcomes('- {name: kelf_mod_open, needs: [kprobe]}', false)).to.deep.equal(['kelf_mod_open kprobe failed no-symbol']);
  });

  it('is open where a name that the kernel has becomes ambiguous with a module', async () => {
    const [kprobe, unique] = await check('- {name: tty_write, needs: [kprobe, unique]}');
    // 6.1 does not count the symbols of modules: the kernel's own comes first.
    expect(kprobe?.outcome).to.equal('passed');
    expect(unique).to.include({ outcome: 'open', code: 'ambiguous-name' });
    expect(unique?.because[0]?.says).to.equal('it depends on which of these modules are loaded: kelf_mod');
    expect(unique?.fix).to.match(/^probe one of them by its address: p:_stext\+0x360 /);
  });

  it("compares prototypes by the module's own BTF", async () => {
    const [, same] = await check('- {name: kelf_mod:kelf_mod_open, prototype: "int kelf_mod_open(struct inode *, struct file *)"}');
    expect(same).to.include({ needs: 'prototype', outcome: 'passed' });
    const [, other] = await check('- {name: kelf_mod_notify, prototype: "void kelf_mod_notify(…)"}');
    expect(other).to.include({
      outcome: 'failed',
      says: "returns 'int', not 'void'",
      fix: 'the module has int kelf_mod_notify(struct pt_regs *regs)',
    });
    const [, unknown] = await check('- {name: kelf_mod:tty_write, prototype: "tty_write(…)"}');
    expect(unknown).to.include({ outcome: 'open', code: 'no-btf-func' });
  });

  it('tells a module that is not there, or that was not looked for', async () => {
    const [gone, absent] = await check('[kelf_mod:gone, other:kelf_mod_open]');
    expect(gone).to.include({ outcome: 'failed', code: 'no-symbol' });
    expect(gone?.because[0]?.says).to.equal('no function is named gone');
    expect(absent?.because[0]?.says).to.equal('none of the 1 modules that were read is named other');
    const [unread] = await check('[kelf_mod:kelf_mod_open]', false);
    expect(unread).to.include({ outcome: 'open', fix: 'pass --modules DIR' });
  });

  it('reads the modules on the command line', async () => {
    const list = join(folder, 'list.yaml');
    expect((await cli('check', KERNEL, '--require', list)).code).to.equal(1);
    const { code, stdout } = await cli('check', KERNEL, '--require', list, '--modules', folder);
    expect([code, stdout]).to.deep.equal([0, `${KERNEL}: 1 of 1 requirements met, 0 failed, 0 open\n`]);
  });
});
