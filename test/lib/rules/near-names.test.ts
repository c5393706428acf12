import { expect } from 'chai';
import { EM } from 'kelf/elf';
import { similarNames } from '../../../lib/similar-names.js';
import { type KernelSpec, kernelOf } from '../../support/kernel-writer.js';

const near = (name: string, names: readonly string[], more: Partial<KernelSpec> = {}): string[] =>
  kernelOf({ ...more, functions: names.map(each => ({ name: each, site: 0 })) })
    .traceability(name)
    .kprobe.byName.because.slice(1)
    .map(({ says }) => says);

describe('Names near one that nothing has', () => {
  it('are what the compiler left of the function', () => {
    expect(near('finish_task_switch', ['finish_task_switch.isra.0', 'finish_task_switches'])).to.deep.equal([
      'the compiler left finish_task_switch.isra.0: ask for that full name',
      'a kprobe on finish_task_switch.isra.0 is accepted',
    ]);
    const refused = near('do_trap', ['do_trap.isra.0'], { blacklist: ['do_trap.isra.0'] });
    expect(refused).to.deep.equal(['the compiler left do_trap.isra.0: ask for that full name']);
    expect(near('foo', ['foo.constprop.0', 'foo.constprop.1'])[0]).to.match(/^the compiler left foo\.constprop\.0, foo\.constprop\.1: /);
    expect(near('kernfs_put', ['kernfs_put.llvm.123456'], { release: '6.12.0' })[1]).to.match(
      /^the compiler left kernfs_put\.llvm\.123456: /,
    );
  });

  it('are the functions of the system call on this machine', () => {
    const names = ['__x64_sys_execve', '__arm64_sys_execve', '__s390x_sys_execve'];
    for (const asked of ['sys_execve', 'SyS_execve', '__riscv_sys_execve', 'compat_sys_execve', '__se_sys_execve']) {
      expect(near(asked, names), asked).to.deep.equal(['the system call is __x64_sys_execve here; SEC("ksyscall/execve") finds it']);
      expect(near(asked, names, { machine: EM.AARCH64 })[0], asked).to.match(/__arm64_sys_execve here/);
    }
  });

  it('are misspellings: letters swapped, dropped, added or changed; underscores in front', () => {
    const names = ['inet_csk_accept', 'inet_csk_listen_stop', 'tty_write', '__blk_account_io_start', 'vfs_read'];
    expect(similarNames('tnet_csk_accept', names)).to.deep.equal(['inet_csk_accept']);
    expect(similarNames('inet_csk_accep', names)).to.deep.equal(['inet_csk_accept']);
    expect(similarNames('tty_wirte', names)).to.deep.equal(['tty_write']);
    expect(similarNames('blk_account_io_start', names)).to.deep.equal(['__blk_account_io_start']);
    expect(similarNames('vfs_raed', names)).to.deep.equal(['vfs_read']);
    expect(similarNames('something_else', names)).to.deep.equal([]);
    expect(similarNames('x', ['y'])).to.deep.equal([]);
  });

  it('are functions of the same words, which may be its name in another release', () => {
    const names = ['filename_unlinkat', 'io_unlink_prep', 'vfs_read', '__x64_sys_unlinkat', 'filename_rmdir'];
    expect(near('do_unlinkat', names)[0]).to.equal('it may have another name in this release; of the same words: filename_unlinkat');
    expect(near('filename_unlinkat', ['do_unlinkat', 'vfs_read'])[0]).to.match(/of the same words: do_unlinkat$/);
    expect(near('__alloc_pages', ['__alloc_pages_noprof', 'vfs_read'])[0]).to.match(/of the same words: __alloc_pages_noprof$/);
    // A slip of a key is likelier.
    expect(near('do_unlinkta', ['do_unlinkat', 'filename_unlinkat'])).to.deep.equal(['similar names: do_unlinkat']);
  });

  it('are not claimed to be proven absent: a module may have it', () => {
    const { byName } = kernelOf({ functions: [{ name: 'vfs_read', site: 0 }] }).traceability('vfs_raed').kprobe;
    expect([byName.code, byName.certainty]).to.deep.equal(['no-symbol', 'likely']);
  });

  it('say where else to look where none is near', () => {
    expect(near('nothing_like_it', ['vfs_read'])).to.deep.equal(['the modules were not read: --modules DIR also looks there']);
  });
});
