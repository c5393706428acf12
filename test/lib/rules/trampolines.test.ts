import { expect } from 'chai';
import type { Verdict } from 'kelf';
import { EM } from 'kelf/elf';
import { BtfWriter } from '../../support/btf-writer.js';
import { type KernelSpec, kernelOf } from '../../support/kernel-writer.js';

const X86 = EM.X86_64;
const ARM64 = EM.AARCH64;

/** A function of each prototype, in a kernel that ftrace calls trampolines from directly. */
const btf = (change?: (writer: BtfWriter) => void): Uint8Array => {
  const writer = new BtfWriter();
  const int = writer.int('int', 4, 1);
  const long = writer.int('long', 8, 1);
  const pair = writer.struct('pair', 16, [['a', long, 0]]);
  const small = writer.struct('small', 8, [['a', long, 0]]);
  const either = writer.struct('either', 8, [['a', long, 0]], true);
  const huge = writer.struct('huge', 24, [['a', long, 0]], true);
  const args = (count: number, ...more: readonly number[]): [string, number][] =>
    [...Array.from({ length: count }, () => int), ...more].map((type, i) => [`a${i}`, type]);
  const prototypes: Readonly<Record<string, [string, number][]>> = {
    six: args(6),
    seven: args(7),
    nine: args(9),
    twelve: args(12),
    takes_struct: args(1, small),
    takes_union: args(1, either),
    takes_huge: args(1, huge),
    struct_on_stack: args(8, small),
    struct_in_registers: [...args(1, pair), ...args(9)],
    pairs: args(0, pair, pair, pair, pair, pair, pair, pair),
  };
  for (const [name, parameters] of Object.entries(prototypes)) writer.func(name, writer.funcProto(int, parameters));
  writer.func('untraced', writer.funcProto(int, []));
  writer.func('migrate_disable', writer.funcProto(int, []));
  change?.(writer);
  return writer.bytes();
};

const NAMES = [
  'six',
  'seven',
  'nine',
  'twelve',
  'takes_struct',
  'takes_union',
  'takes_huge',
  'struct_on_stack',
  'struct_in_registers',
  'pairs',
];

function fentry(spec: Partial<KernelSpec>, name: string): { load: Verdict; attach: Verdict } {
  const functions = [
    ...[...NAMES, 'migrate_disable', 'register_ftrace_direct'].map(each => ({ name: each, site: 0 })),
    { name: 'untraced' },
    ...(spec.functions ?? []),
  ];
  return kernelOf({ btf: btf(), ...spec, functions }).traceability(name).fentry;
}

function say({ outcome, code, errno }: Verdict): string {
  return outcome === 'accepted' ? 'accepted' : `${errno} ${code}`;
}

const TOO_MANY = 'ENOTSUPP too-many-arguments';
const NO_STRUCT = 'EINVAL unsupported-argument';

describe('BPF trampolines by release and architecture', () => {
  const rows: readonly [name: string, machine: number, release: string, load: string, attach: string][] = [
    // 720e6a435194
    ['takes_struct', X86, '5.10.223', NO_STRUCT, NO_STRUCT],
    ['takes_struct', X86, '6.0.9', NO_STRUCT, NO_STRUCT],
    ['takes_struct', X86, '6.1.0', 'accepted', 'accepted'],
    // ccb4f5d91ec4
    ['takes_union', X86, '6.17.13', NO_STRUCT, NO_STRUCT],
    ['takes_union', X86, '6.18.0', 'accepted', 'accepted'],
    ['takes_union', ARM64, '7.3.4', 'accepted', 'accepted'],
    ['takes_huge', X86, '7.3.4', NO_STRUCT, NO_STRUCT],
    // c29a4920dfca
    ['twelve', X86, '5.17.0', 'EINVAL too-many-arguments', 'EINVAL too-many-arguments'],
    ['twelve', X86, '5.18.0', 'accepted', TOO_MANY],
    // 473e3150e30a
    ['seven', X86, '6.5.9', 'accepted', TOO_MANY],
    ['twelve', X86, '6.6.1', 'accepted', 'accepted'],
    ['pairs', X86, '7.3.4', 'accepted', TOO_MANY],
    // 90564f1e3dd6, 9014cf56f13d, dc704d0cfa43
    ['takes_struct', ARM64, '6.4.0', 'accepted', 'ENOTSUPP unsupported-argument'],
    ['takes_struct', ARM64, '6.5.0', 'accepted', 'accepted'],
    ['nine', ARM64, '6.15.0', 'accepted', TOO_MANY],
    ['nine', ARM64, '6.16.0', 'accepted', 'accepted'],
    ['struct_on_stack', ARM64, '6.16.3', 'accepted', 'ENOTSUPP unsupported-argument'],
    ['struct_in_registers', ARM64, '6.16.3', 'accepted', 'accepted'],
    ['struct_on_stack', ARM64, '6.17.0', 'accepted', 'accepted'],
    ['pairs', ARM64, '7.3.4', 'accepted', 'accepted'],
    // 528eb2cb87bc: s390 calls trampolines directly since before it has BPF's
    ['six', EM.S390, '6.1.0', 'accepted', 'ENOTSUPP no-trampoline'],
    ['pairs', EM.S390, '6.12.0', 'accepted', 'accepted'],
    // 6801b0aef79d
    ['nine', EM.RISCV, '6.10.0', 'accepted', TOO_MANY],
    ['nine', EM.RISCV, '6.11.0', 'accepted', 'accepted'],
    // d243b62b7bd3
    ['pairs', EM.PPC64, '6.13.0', 'accepted', 'EOPNOTSUPP too-many-arguments'],
    ['nine', EM.LOONGARCH, '6.17.0', 'accepted', TOO_MANY],
    ['nine', EM.LOONGARCH, '6.16.0', 'accepted', 'ENOTSUPP no-trampoline'],
  ];
  for (const [name, machine, release, load, attach] of rows) {
    it(`${name} on ${release} of machine ${machine}: ${attach}`, () => {
      const verdict = fentry({ machine, release }, name);
      expect([say(verdict.load), say(verdict.attach)]).to.deep.equal([load, attach]);
    });
  }

  it('prove by the BTF what a release only suggests', () => {
    const model = (...members: string[]): Uint8Array =>
      btf(writer => {
        const byte = writer.int('unsigned char', 1);
        writer.struct(
          'btf_func_model',
          32,
          members.map((member, i) => [member, byte, i * 8]),
        );
      });
    const byRelease = fentry({ release: '6.0.0' }, 'takes_struct').load;
    expect([say(byRelease), byRelease.certainty]).to.deep.equal([NO_STRUCT, 'likely']);
    const without = fentry({ release: '6.0.0', btf: model('ret_size', 'nr_args') }, 'takes_struct').load;
    expect([say(without), without.certainty]).to.deep.equal([NO_STRUCT, 'proven']);
    const backported = fentry({ release: '6.0.0', btf: model('ret_size', 'arg_flags') }, 'takes_struct').load;
    expect([say(backported), backported.certainty]).to.deep.equal(['accepted', 'proven']);
  });

  it('prove by a function what a release only suggests', () => {
    const likely = fentry({ release: '6.5.0' }, 'seven').attach;
    expect([say(likely), likely.certainty]).to.deep.equal([TOO_MANY, 'likely']);
    const backported = fentry({ release: '6.5.0', functions: [{ name: 'get_nr_used_regs' }] }, 'seven').attach;
    expect([say(backported), backported.certainty]).to.deep.equal(['accepted', 'proven']);
    expect(fentry({ release: '6.5.0' }, 'six').attach.certainty).to.equal('proven');
  });

  it('deny functions by name since 5.13', () => {
    expect(say(fentry({ release: '5.10.223' }, 'migrate_disable').load)).to.equal('accepted');
    expect(say(fentry({ release: '5.13.0' }, 'migrate_disable').load)).to.equal('EINVAL btf-denied');
  });

  it('refuse fexit, not fentry, for a result of more than eight bytes', () => {
    const wide = btf(writer => {
      const int128 = writer.int('__int128', 16, 1);
      writer.func('get_signed_val', writer.funcProto(int128, []));
    });
    const load = (release: string): string[] => {
      const kernel = kernelOf({ release, btf: wide, functions: [{ name: 'get_signed_val', site: 0 }] });
      const { fentry, fexit } = kernel.traceability('get_signed_val');
      return [say(fentry.load), say(fexit.load)];
    };
    expect(load('6.1.0')).to.deep.equal(['accepted', 'accepted']);
    expect(load('7.3.4')).to.deep.equal(['accepted', 'EOPNOTSUPP unsupported-return']);
    expect(load('6.12.116')).to.deep.equal(['accepted', 'accepted']);
    expect(load('6.12.117')).to.deep.equal(['accepted', 'EOPNOTSUPP unsupported-return']);
  });

  it('patch the text of a function without a site as the architecture does', () => {
    const attach = (machine: number, release = '7.3.4'): string => say(fentry({ machine, release }, 'untraced').attach);
    expect(attach(X86)).to.equal('EBUSY no-ftrace-site');
    expect(attach(ARM64)).to.equal('ENOTSUPP no-ftrace-site');
    expect(attach(EM.S390)).to.equal('EINVAL no-ftrace-site');
    expect(attach(EM.RISCV)).to.equal('EFAULT no-ftrace-site');
    expect(attach(EM.PPC64)).to.equal('EOPNOTSUPP no-ftrace-site');
  });

  it('are not there without CONFIG_BPF_JIT: the verifier finds none', () => {
    const load = (...names: string[]): string => {
      const functions = ['six', ...names].map(name => ({ name, site: 0 }));
      return say(kernelOf({ release: '7.2.0', machine: EM.S390, btf: btf(), functions }).traceability('six').fentry.load);
    };
    expect(load('bpf_check_attach_target')).to.equal('ENOMEM no-trampoline');
    expect(load('bpf_check_attach_target', 'bpf_trampoline_get')).to.equal('accepted');
    expect(load()).to.equal('accepted');
  });

  it('find no NOP on x86 without a function tracer', () => {
    const kernel = kernelOf({ release: '6.12.0', btf: btf(), functions: [{ name: 'six' }], noTable: true });
    const { load, attach } = kernel.traceability('six').fentry;
    expect([say(load), say(attach)]).to.deep.equal(['accepted', 'EBUSY no-ftrace']);
  });
});

describe('fmod_ret without error injection', () => {
  const writer = new BtfWriter();
  const proto = writer.funcProto(writer.int('int', 4, 1), []);
  const names = ['__x64_sys_close', '__arm64_sys_close', 'security_file_open', 'vfs_read'];
  for (const name of names) writer.func(name, proto);
  const functions = [...names, 'register_ftrace_direct'].map(name => ({ name, site: 0 }));
  const load = (spec: Partial<KernelSpec>, name: string): string =>
    say(kernelOf({ btf: writer.bytes(), ...spec, functions }).traceability(name).fmodRet.load);

  it('is for system calls since 7.1, by the prefix of the architecture', () => {
    expect(load({ release: '7.0.9' }, '__x64_sys_close')).to.equal('EINVAL not-modifiable');
    expect(load({ release: '7.1.0' }, '__x64_sys_close')).to.equal('accepted');
    expect(load({ release: '7.1.0' }, '__arm64_sys_close')).to.equal('EINVAL not-modifiable');
    expect(load({ release: '7.1.0', machine: ARM64 }, '__arm64_sys_close')).to.equal('accepted');
    expect(load({ release: '7.1.0' }, 'vfs_read')).to.equal('EINVAL not-modifiable');
    expect(load({ release: '5.10.0' }, 'security_file_open')).to.equal('accepted');
  });

  it('is refused as not modifiable before it is denied, and denied where nothing tells whether it is modifiable', () => {
    const denied = kernelOf({ btf: writer.bytes(), functions: [] }).btf!.find('vfs_read', 'FUNC');
    expect(load({ release: '6.12.0', denied }, 'vfs_read')).to.equal('EINVAL not-modifiable');
    expect(load({ release: '6.12.0', denied, errorInjection: ['vfs_read'] }, 'vfs_read')).to.equal('EINVAL btf-denied');
    const unknown = [...functions, { name: 'within_error_injection_list', site: 0 }];
    const said = (spec: Partial<KernelSpec>): string =>
      kernelOf({ btf: writer.bytes(), release: '6.12.0', ...spec, functions: unknown }).traceability('vfs_read').fmodRet.load.code;
    expect(said({})).to.equal('error-injection-unknown');
    expect(said({ denied })).to.equal('btf-denied');
  });

  it('goes by the list where there is one', () => {
    expect(load({ release: '7.1.0', errorInjection: ['vfs_read'] }, '__x64_sys_close')).to.equal('EINVAL not-modifiable');
    expect(load({ release: '7.1.0', errorInjection: ['vfs_read'] }, 'vfs_read')).to.equal('accepted');
  });
});

describe('kprobe.multi', () => {
  const multi = (release: string, more: readonly { name: string }[] = [], enumerators?: readonly string[]): string => {
    const writer = new BtfWriter();
    if (enumerators !== undefined)
      writer.enum(
        'bpf_attach_type',
        4,
        enumerators.map((name, i) => [name, i]),
      );
    const functions = [{ name: 'vfs_read', site: 0 }, ...more];
    const { errno, code, certainty } = kernelOf({
      release,
      functions,
      ...(enumerators === undefined ? {} : { btf: writer.bytes() }),
    }).traceability('vfs_read').kprobeMulti.byName;
    return `${errno ?? ''} ${code} ${certainty}`.trim();
  };

  it('is no attach type before 5.18', () => {
    expect(multi('5.17.0')).to.equal('EINVAL no-kprobe-multi likely');
    expect(multi('5.18.0')).to.equal('EOPNOTSUPP no-kprobe-multi proven');
    expect(multi('5.18.0', [{ name: 'register_fprobe' }])).to.equal('accepted proven');
  });

  it('is shown by the enumerator', () => {
    expect(multi('5.14.0-427.el9', [], ['BPF_TRACE_KPROBE_MULTI'])).to.equal('EOPNOTSUPP no-kprobe-multi proven');
    expect(multi('5.18.0', [], ['BPF_CGROUP_INET_INGRESS'])).to.equal('EINVAL no-kprobe-multi proven');
  });
});

describe('kprobes and ftrace sites', () => {
  const probe = (machine: number, address: 'entry' | 'site', ...names: string[]): string => {
    const kernel = kernelOf({ machine, functions: [{ name: 'vfs_read', site: 0 }, ...names.map(name => ({ name }))] });
    const kprobe = address === 'entry' ? kernel.traceability('vfs_read').kprobe.byName : kernel.place('vfs_read+4')!.kprobe;
    return `${kprobe.errno ?? ''} ${kprobe.code}`.trim();
  };

  it('are apart on arm64: the instruction that ftrace patches is refused', () => {
    expect(probe(ARM64, 'site')).to.equal('EINVAL on-ftrace-site');
    expect(probe(ARM64, 'site', 'kprobe_ftrace_handler')).to.equal('accepted');
    expect(probe(ARM64, 'entry')).to.equal('accepted');
    expect(probe(X86, 'entry', 'kprobe_ftrace_handler')).to.equal('accepted');
  });
});
