import { expect } from 'chai';
import type { Kernel, Verdict } from 'kelf';
import { type BpfExtern, type BpfObject, openBpfObject } from 'kelf/bpf';
import { ExternChecks } from '../../../../lib/bpf/preflight/extern-checks.js';
import { PreflightModules } from '../../../../lib/bpf/preflight/modules.js';
import { bpfObject, CODE, insns } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { type KernelSpec, kernelOf } from '../../../support/kernel-writer.js';

/** What an object declares: `name` in .kconfig, or in .ksyms a function `int name(int)`, a variable of a type, or `const void name`. */
type Declared = 'kconfig' | 'kfunc' | 'int' | 'void';

function extern(name: string, declared: Declared, weak = false): { readonly extern: BpfExtern; readonly btf: BpfObject['btf'] } {
  const btf = new BtfWriter();
  const int = btf.int('int', 4, 1);
  const id =
    declared === 'kfunc' ? btf.func(name, btf.funcProto(int, [['n', int]]), 2) : btf.var(name, declared === 'void' ? btf.const(0) : int, 2);
  btf.datasec(declared === 'kconfig' ? '.kconfig' : '.ksyms', 4, [[id, 0, 4]]);
  const object = openBpfObject(
    bpfObject({ btf, sections: [{ name: 'xdp', ...CODE, data: insns(true, [0x95]) }], symbols: [{ name, binding: weak ? 2 : 1 }] }),
  );
  return { extern: object.externs[0]!, btf: object.btf };
}

const kernelBtf = new BtfWriter();
const int = kernelBtf.int('int', 4, 1);
const same = kernelBtf.funcProto(int, [['n', int]]);
const tagged = kernelBtf.func('tagged', same, 1);
kernelBtf.func('untagged', same, 1);
kernelBtf.func('other', kernelBtf.funcProto(int, [['p', kernelBtf.ptr(0)]]), 1);
kernelBtf.var('counter', kernelBtf.const(kernelBtf.typedef('count', int)));
kernelBtf.var('pointer', kernelBtf.ptr(int));
const plain = kernelBtf.bytes();
kernelBtf.declTag('bpf_kfunc', tagged);

function kernel(spec: Partial<KernelSpec> = {}): Kernel {
  return kernelOf({
    functions: [{ name: 'once' }, { name: 'twice', binding: 'local' }, { name: 'twice', binding: 'local' }],
    btf: kernelBtf.bytes(),
    ...spec,
  });
}

function say(name: string, declared: Declared, { weak = false, on = kernel() }: { weak?: boolean; on?: Kernel } = {}): string {
  const made = extern(name, declared, weak);
  return brief(new ExternChecks(on, new PreflightModules(on), made.btf).verdict(made.extern));
}

function brief({ outcome, errno, code, certainty }: Verdict): string {
  return `${outcome === 'open' ? 'open' : outcome === 'accepted' ? 'yes' : `no ${errno}`} ${code}${certainty === 'likely' ? ' (likely)' : ''}`;
}

describe('Externs of a BPF object', () => {
  const config = { CONFIG_BPF: 'y', CONFIG_HZ: '250' };

  it('of .kconfig are options, and what libbpf finds itself', () => {
    const on = kernel({ config });
    expect(say('CONFIG_BPF', 'kconfig', { on })).to.equal('yes accepted');
    expect(say('CONFIG_NOT', 'kconfig', { on })).to.equal('no ESRCH unresolved-extern');
    expect(say('CONFIG_NOT', 'kconfig', { on, weak: true })).to.equal('yes weak-extern');
    expect(say('LINUX_KERNEL_VERSION', 'kconfig')).to.equal('yes accepted');
    expect(say('LINUX_HAS_SYSCALL_WRAPPER', 'kconfig')).to.equal('yes accepted');
    expect(say('HZ', 'kconfig', { on })).to.equal('no EINVAL unresolved-extern');
  });

  it('of .kconfig are open without the configuration, if they may not be missing', () => {
    expect(say('CONFIG_BPF', 'kconfig')).to.equal('open kconfig-unknown');
    expect(say('CONFIG_BPF', 'kconfig', { weak: true })).to.equal('yes accepted');
  });

  it('without a type are addresses, which have to be one', () => {
    expect(say('once', 'void')).to.equal('yes accepted');
    expect(say('twice', 'void')).to.equal('no EINVAL ambiguous-name');
    expect(say('nothing', 'void')).to.equal('no ESRCH unresolved-extern (likely)');
    expect(say('nothing', 'void', { weak: true })).to.equal('yes weak-extern');
  });

  it('with a type are of the same type there, modifiers of variables apart', () => {
    expect(say('counter', 'int')).to.equal('yes accepted');
    expect(say('pointer', 'int')).to.equal('no EINVAL extern-type');
    expect(say('pointer', 'int', { weak: true })).to.equal('yes weak-extern');
    expect(say('nothing', 'int')).to.equal('no EINVAL unresolved-extern (likely)');
    expect(say('tagged', 'kfunc')).to.equal('yes accepted');
    expect(say('tagged___flavour', 'kfunc')).to.equal('yes accepted');
    expect(say('other', 'kfunc')).to.equal('no EINVAL extern-type');
    expect(say('counter', 'int', { on: kernel({ btf: undefined as never }) })).to.equal('no ESRCH no-btf');
  });

  it('of functions are kfuncs, where the BTF marks these', () => {
    expect(say('untagged', 'kfunc')).to.equal('no EINVAL not-a-kfunc (likely)');
    expect(say('untagged', 'kfunc', { on: kernel({ btf: plain }) })).to.equal('yes accepted');
  });

  it('of .kconfig have the values that libbpf gives them', () => {
    const values = { CONFIG_BPF: 'y', CONFIG_MOD: 'm', CONFIG_NO: 'n', CONFIG_HZ: '250', CONFIG_AT: '0x10', CONFIG_TEXT: '"text"' };
    const on = kernel({ config: values, release: '6.1.0-13-amd64 (a banner of some length)' });
    const checks = new ExternChecks(on, new PreflightModules(on), undefined);
    const of = (name: string): bigint | undefined => checks.value(name);
    expect(['BPF', 'MOD', 'NO', 'GONE', 'HZ', 'AT', 'TEXT'].map(name => of(`CONFIG_${name}`))).to.deep.equal([
      1n,
      2n,
      0n,
      0n,
      250n,
      16n,
      undefined,
    ]);
    expect(of('LINUX_KERNEL_VERSION')).to.equal(0x60100n);
    expect(of('LINUX_HAS_BPF_COOKIE')).to.equal(undefined);
    const unknown = kernel();
    expect(new ExternChecks(unknown, new PreflightModules(unknown), undefined).value('CONFIG_BPF')).to.equal(undefined);
  });

  it("reads Debian's version where it stands, behind the release", () => {
    const on = kernel({ release: '6.1.0-13-amd64 (x@y) (gcc) #1 SMP Debian 6.1.300-1' });
    const { banner } = on;
    expect(banner).to.include('Debian 6.1.300-1');
    // KERNEL_VERSION() has eight bits for the last part.
    expect(new ExternChecks(on, new PreflightModules(on), undefined).value('LINUX_KERNEL_VERSION')).to.equal(0x601ffn);
  });
});

describe('The type id of an extern, in an ld_imm64', () => {
  const id = (name: string, declared: Declared, on: Kernel): string => {
    const made = extern(name, declared);
    const verdict = new ExternChecks(on, new PreflightModules(on), made.btf).typeId(made.extern);
    return verdict === undefined ? 'yes' : brief(verdict);
  };

  it('needs the address: data is in kallsyms with CONFIG_KALLSYMS_ALL only', () => {
    expect(id('counter', 'int', kernel())).to.equal('no ENOENT not-in-kallsyms');
    expect(id('counter', 'int', kernel({ data: ['counter'] }))).to.equal('yes');
    expect(id('gone', 'int', kernel()), 'what libbpf does not find has no id').to.equal('yes');
  });

  it('is taken of functions since 6.4', () => {
    const functions = [{ name: 'tagged' }];
    expect(id('tagged', 'kfunc', kernel({ functions, release: '6.1.0' }))).to.equal('no EINVAL extern-type (likely)');
    expect(id('tagged', 'kfunc', kernel({ functions, release: '6.4.0' }))).to.equal('yes');
  });
});
