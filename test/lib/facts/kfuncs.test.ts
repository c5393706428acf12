import { expect } from 'chai';
import type { Kernel } from 'kelf';
import { ElfFile, MemorySource } from 'kelf/elf';
import { kfuncFlagNames, kfuncRows } from '../../../lib/facts/kfuncs.js';
import { Module } from '../../../lib/facts/module/module.js';
import { ModuleTable } from '../../../lib/facts/module-table/module-table.js';
import { readPart } from '../../../lib/facts/module-table/part.js';
import { BtfWriter } from '../../support/btf-writer.js';
import { kernelOf } from '../../support/kernel-writer.js';
import { type ModuleMachine, ModuleWriter, S390, X86 } from '../../support/module-writer.js';

const OF_KFUNCS = 1;

/** `struct task *acquire(struct task *p)`, `void release(struct task *p)`, and a function that is no kfunc. */
function btfOf(tagged: readonly string[] = [], littleEndian = true): { btf: BtfWriter; acquire: number; release: number; other: number } {
  const btf = new BtfWriter({ littleEndian });
  const task = btf.ptr(btf.struct('task', 8, [['pid', btf.int('int', 4, 1), 0]]));
  const ids = {
    acquire: btf.func('acquire', btf.funcProto(task, [['p', task]])),
    release: btf.func('release', btf.funcProto(0, [['p', task]])),
    other: btf.func('other', btf.funcProto(0, [])),
  };
  for (const name of tagged) btf.declTag('bpf_kfunc', ids[name as 'acquire']);
  return { btf, ...ids };
}

function kernelWith(btf: BtfWriter, idSets: Readonly<Record<string, readonly number[]>>): Kernel {
  return kernelOf({ functions: [{ name: 'start_kernel' }], btf: btf.bytes(), idSets });
}

describe('the kfuncs of a kernel', () => {
  const { btf, acquire, release, other } = btfOf(['acquire', 'release', 'other']);

  it('stand in sets with their flags, a row for each set; with the declaration tag alone neither is known', () => {
    const kernel = kernelWith(btf, {
      __BTF_ID__set8__one_ids: [2, OF_KFUNCS, acquire, 1 | 4 | 16, release, 2],
      __BTF_ID__set8__two_ids: [1, OF_KFUNCS, release, 2 | 32],
    });
    expect(kfuncRows(kernel)).to.deep.equal([
      { name: 'acquire', prototype: 'struct task *acquire(struct task *p)', flags: 21, set: 'one_ids' },
      { name: 'other', prototype: 'void other(void)' },
      { name: 'release', prototype: 'void release(struct task *p)', flags: 2, set: 'one_ids' },
      { name: 'release', prototype: 'void release(struct task *p)', flags: 34, set: 'two_ids' },
    ]);
    expect(kfuncFlagNames(21 + 2 ** 20)).to.deep.equal(['KF_ACQUIRE', 'KF_RET_NULL', 'KF_TRUSTED_ARGS', '1 << 20']);
  });

  it('are in all flagged sets but those of fmod_ret, before sets say what they are of', () => {
    const kernel = kernelWith(btfOf().btf, {
      __BTF_ID__set8__one_ids: [1, 0, acquire, 1],
      __BTF_ID__set8__bpf_mptcp_fmodret_ids: [1, 0, other, 0],
    });
    expect(kfuncRows(kernel).map(({ name }) => name)).to.deep.equal(['acquire']);
    const marked = kernelWith(btfOf().btf, {
      __BTF_ID__set8__one_ids: [1, OF_KFUNCS, acquire, 1],
      __BTF_ID__set8__another_ids: [1, 0, other, 0],
    });
    expect(kfuncRows(marked).map(({ name }) => name)).to.deep.equal(['acquire']);
  });

  it('had sets of what they do before 6.0', () => {
    const kernel = kernelWith(btfOf().btf, {
      __BTF_ID__set__one_check_kfunc_ids: [2, acquire, release],
      __BTF_ID__set__one_acquire_kfunc_ids: [1, acquire],
      __BTF_ID__set__one_ret_null_kfunc_ids: [1, acquire],
      __BTF_ID__set__one_release_kfunc_ids: [1, release],
      __BTF_ID__set__special_kfunc_set: [1, other],
    });
    expect(kfuncRows(kernel).map(({ name, flags, set }) => ({ name, flags, set }))).to.deep.equal([
      { name: 'acquire', flags: 5, set: 'one_check_kfunc_ids' },
      { name: 'release', flags: 2, set: 'one_check_kfunc_ids' },
    ]);
  });

  it('are none of ids that BTF has no function for, and of sets that damage made', () => {
    const kernel = kernelWith(btfOf().btf, {
      __BTF_ID__set8__one_ids: [3, OF_KFUNCS, 0, 0, 1, 0, 99_999, 0],
      __BTF_ID__set8__cut_ids: [0xffff_ffff, OF_KFUNCS],
    });
    expect(kfuncRows(kernel)).to.deep.equal([]);
    expect(kfuncRows(kernelOf({ functions: [{ name: 'start_kernel' }] }))).to.deep.equal([]);
  });
});

describe('the kfuncs of modules', () => {
  /** A module with one kfunc, whose set has a given id for it. */
  function moduleWith(split: BtfWriter, id: number, target: ModuleMachine, base?: BtfWriter): Uint8Array {
    const writer = new ModuleWriter(target).info('license=GPL', 'name=alpha');
    writer.section({ name: '.BTF_ids', type: 1, flags: 2, data: writer.elf.u32(7, 1, OF_KFUNCS, id, 32) });
    writer.function('__BTF_ID__set8__alpha_ids', '.BTF_ids', 4);
    if (base !== undefined) writer.section({ name: '.BTF.base', type: 1, data: base.bytes() });
    return writer.section({ name: '.BTF', type: 1, data: split.bytes() }).bytes();
  }

  function rowsWith(kernel: Kernel, bytes: Uint8Array): ReturnType<typeof kfuncRows> {
    const open = (path: string): Module =>
      new Module(ElfFile.open(new MemorySource(bytes, path)), kernel.btf === undefined ? {} : { base: kernel.btf });
    kernel.modules = new ModuleTable([readPart(['alpha.ko'], open)], open);
    return kfuncRows(kernel);
  }

  const expected = [{ name: 'alpha_do', prototype: 'void alpha_do(void)', flags: 32, set: 'alpha_ids', module: 'alpha' }];

  for (const littleEndian of [true, false]) {
    it(`go on from the kernel's ids, ${littleEndian ? 'little' : 'big'} endian`, () => {
      const { btf } = btfOf([], littleEndian);
      const split = new BtfWriter({ base: btf, littleEndian });
      const id = split.func('alpha_do', split.funcProto(0, []));
      expect(rowsWith(kernelWith(btf, {}), moduleWith(split, id, littleEndian ? X86 : S390))).to.deep.equal(expected);
    });
  }

  it('of a module built outside of its tree go on from its distilled base', () => {
    const { btf } = btfOf();
    const distilled = new BtfWriter();
    distilled.struct('task', 8, []);
    const split = new BtfWriter({ base: distilled });
    split.ptr(1);
    const id = split.func('alpha_do', split.funcProto(0, []));
    expect(rowsWith(kernelWith(btf, {}), moduleWith(split, id, X86, distilled))).to.deep.equal(expected);
  });
});
