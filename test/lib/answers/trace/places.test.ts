import { expect } from 'chai';
import { syscallSymbols, type Verdict } from 'kelf';
import { EM } from 'kelf/elf';
import { BtfWriter } from '../../../support/btf-writer.js';
import { type FunctionSpec, kernelOf, TEXT } from '../../../support/kernel-writer.js';

const functions: readonly FunctionSpec[] = [
  { name: 'first', site: 0 },
  { name: 'twice', site: 0 },
  { name: 'twice', site: 0 },
  { name: 'untraced' },
  { name: 'listed', site: 0 },
];

const at = (place: string, machine: number = EM.X86_64): string[] => {
  const kernel = kernelOf({ functions, machine, release: '6.6.0', blacklist: ['listed'] });
  const { kprobe, kretprobe } = kernel.place(place)!;
  return [kprobe, kretprobe].map(({ outcome, code }: Verdict) => `${outcome} ${code}`);
};

describe('A probe at a place in a function', () => {
  it('is decided by decoding the function where instructions vary in length', () => {
    expect(at('first+0x5')).to.deep.equal(['accepted accepted', 'refused not-the-entry']);
    expect(at(`0x${(TEXT + 5n).toString(16)}`)).to.deep.equal(['accepted accepted', 'refused not-the-entry']);
  });

  it('is refused inside an instruction, and on one that kprobes do not support', () => {
    const code = {
      // call; iretq; jmp *0x8(%rax); jmp *%rax; int3; an unfinished opcode
      first: [0xe8, 0, 0, 0, 0, 0x48, 0xcf, 0xff, 0x60, 0x08, 0xff, 0xe0, 0xcc, 0x06],
      // call to the thunk
      untraced: [0xe8, 0x1b, 0, 0, 0, 0x90],
    };
    const said = (place: string, release = '6.6.0', more: readonly FunctionSpec[] = []): string => {
      const traced = functions.map(each => ({ ...each, site: 0 }));
      const { kprobe } = kernelOf({
        functions: [...traced.slice(0, 4), { name: '__x86_indirect_thunk_rax' }, ...more],
        code,
        release,
      }).place(place)!;
      return `${kprobe.errno ?? kprobe.outcome} ${kprobe.code}`;
    };
    expect(said('first+2')).to.equal('EILSEQ not-an-instruction');
    expect(said('first+5')).to.equal('EOPNOTSUPP instruction-refused');
    expect(said('first+6')).to.equal('EILSEQ not-an-instruction');
    expect(said('first+7')).to.equal('EOPNOTSUPP instruction-refused');
    expect(said('first+7', '5.10.0')).to.equal('accepted accepted');
    expect(said('first+10')).to.equal('accepted accepted');
    expect(said('first+12')).to.equal('EINVAL instruction-refused');
    expect(said('first+13')).to.equal('EILSEQ not-an-instruction');
    expect(said('first+14')).to.equal('EILSEQ not-an-instruction');
    expect(said('untraced+2')).to.equal('open instruction-unchecked');
    expect(said('untraced+5')).to.equal('accepted accepted');
  });

  it('is refused on a trap, and on what a check of kCFI is made of, in kernels that look for them', () => {
    const code = {
      // movl $-1, %r10d; addl -4(%rax), %r10d; je; ud2; call *%rax; int $0x80; ud1 %eax, %eax; addl %eax, %eax
      first: [
        0x41, 0xba, 0xff, 0xff, 0xff, 0xff, 0x44, 0x03, 0x50, 0xfc, 0x74, 2, 0x0f, 0x0b, 0xff, 0xd0, 0xcd, 0x80, 0x0f, 0xb9, 0xc0, 0x03,
        0xc0,
      ],
    };
    const said = (place: string, release: string, config?: Readonly<Record<string, string>>): string => {
      const spec = {
        functions: [
          { name: 'first', site: 0 },
          { name: 'second', site: 0 },
        ],
        code,
        release,
        cfiTraps: [{ name: 'first', offset: 12 }],
      };
      const { kprobe } = kernelOf({ ...spec, ...(config && { config }) }).place(place)!;
      return `${kprobe.errno ?? kprobe.outcome} ${kprobe.code}`;
    };
    const cfi = { CONFIG_KPROBES: 'y', CONFIG_CFI_CLANG: 'y' };
    const places = ['first+6', 'first+10', 'first+12', 'first+16', 'first+18', 'first+21'];
    const [accepted, refused] = ['accepted accepted', 'EILSEQ instruction-refused'];
    expect(places.map(place => said(place, '6.12.0', cfi))).to.deep.equal([refused, accepted, refused, refused, refused, accepted]);
    expect(places.map(place => said(place, '6.6.0', cfi))).to.deep.equal([refused, accepted, accepted, accepted, accepted, accepted]);
    expect(places.map(place => said(place, '6.1.0', cfi))).to.deep.equal(places.map(() => accepted));
    // Where the kernel may have put other instructions in the place of the check:
    const open = 'open instruction-unchecked';
    expect(said('first+6', '6.12.0', { ...cfi, CONFIG_FINEIBT: 'y' })).to.equal(open);
    expect(said('first+6', '6.12.0')).to.equal(open);
    expect(said('first+12', 'next', cfi)).to.equal(open);
  });

  it('names the instruction there, not the first one of the function', () => {
    const spec = { functions: [{ name: 'first', site: 0 }], release: '6.6.0', staticCallsAt: [{ name: 'first', offset: 8 }] };
    const says = (place: string): string =>
      kernelOf(spec)
        .place(place)!
        .kprobe.because.map(({ says }) => says)
        .join('; ');
    expect(says('first+8')).to.match(/the instruction there is a static call/);
  });

  it('is refused inside of what the kernel patches', () => {
    const said = (place: string): string => {
      const spec = { functions: [{ name: 'first', site: 0 }], code: { first: [0x90, 0xe8, 0, 0, 0, 0, 0x90] }, release: '6.6.0' };
      const { kprobe } = kernelOf({ ...spec, staticCallsAt: [{ name: 'first', offset: 1 }] }).place(place)!;
      return `${kprobe.errno ?? kprobe.outcome} ${kprobe.code}`;
    };
    expect(said('first+1')).to.equal('EINVAL static-call');
    expect(said('first+3')).to.equal('EINVAL static-call');
    expect(said('first+6')).to.equal('accepted accepted');
  });

  it('is open in an alternative, which the kernel may have replaced', () => {
    const said = (place: string): string => {
      const { kprobe } = kernelOf({ functions, erased: [{ name: 'first', offset: 6 }], release: '6.6.0' }).place(place)!;
      return `${kprobe.errno ?? kprobe.outcome} ${kprobe.code}`;
    };
    expect(said('first+8')).to.equal('open instruction-unchecked');
    expect(said('first+11')).to.equal('accepted accepted');
  });

  it('is refused between instructions where they have one length', () => {
    expect(at('first+0x8', EM.AARCH64)).to.deep.equal(['accepted accepted', 'refused not-the-entry']);
    expect(at('first+6', EM.AARCH64)[0]).to.equal('refused not-an-instruction');
    // 9090: four bytes of s390
    expect(at('first+6', EM.S390)[0]).to.equal('refused not-an-instruction');
    expect(at('first+8', EM.S390)[0]).to.equal('accepted accepted');
    expect(at('first+6', EM.RISCV)[0]).to.equal('accepted accepted');
    expect(at('first+6', EM.ARM)[0]).to.equal('open instruction-unchecked');
    expect(at('first+5', EM.S390)[0]).to.equal('refused not-an-instruction');
  });

  it('is at the entry, for a return probe, also behind the global entry of powerpc', () => {
    expect(['first+0x8', 'first+0xc'].map(place => at(place, EM.PPC64))).to.deep.equal([
      ['accepted accepted', 'accepted accepted'],
      ['accepted accepted', 'refused not-the-entry'],
    ]);
  });

  it('is what a probe at the function is where the distance is 0', () => {
    expect(at('first+0')).to.deep.equal(['accepted accepted', 'accepted accepted']);
  });

  it('is judged by the function that it comes to lie in, and by the name first', () => {
    expect(at('first+0x24')[0]).to.equal('accepted beyond-function');
    expect(at('first+0x68')[0]).to.equal('refused no-ftrace-site');
    expect(at('first+0x88')[0]).to.equal('refused kprobe-blacklisted');
    expect(at('twice+4')[0]).to.equal('refused ambiguous-name');
    expect(at('nowhere+4')[0]).to.equal('refused no-symbol');
    expect(at('0x1000')[0]).to.equal('refused not-text');
  });

  it('is asked for by texts that are a place alone', () => {
    const kernel = kernelOf({ functions });
    expect(['first', 'first+', 'first+x', '+4', 'tracepoint:x'].map(text => kernel.place(text))).to.deep.equal([
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('A name of several functions', () => {
  it('leads each mechanism elsewhere', () => {
    const rows: readonly FunctionSpec[] = [{ name: 'twice' }, { name: 'twice', site: 0 }, { name: 'register_fprobe', site: 0 }];
    const { leads } = kernelOf({ functions: rows, release: '6.6.0' }).traceability('twice');
    expect(leads).to.deep.equal({
      kprobe: { to: 'error', addresses: [] },
      kretprobe: { to: 'error', addresses: [] },
      fentry: { to: 'lowest', addresses: [TEXT] },
      kprobeMulti: { to: 'first-traceable', addresses: [TEXT + 32n] },
      fprobe: { to: 'error', addresses: [] },
      ftrace: { to: 'all-traceable', addresses: [TEXT + 32n] },
    });
    expect(kernelOf({ functions: rows, release: '6.1.0' }).traceability('twice').leads!.kprobe.to).to.equal('lowest');
    expect(kernelOf({ functions }).traceability('first').leads).to.equal(undefined);
  });
});

describe('fmod_ret', () => {
  const writer = new BtfWriter();
  const proto = writer.funcProto(writer.int('int', 4, 1), []);
  const ids = ['security_open', 'marked', 'plain'].map(name => writer.func(name, proto));
  const btf = writer.bytes();
  const rows: readonly FunctionSpec[] = ['security_open', 'marked', 'plain'].map(name => ({ name, site: 0 }));
  const load = (more: readonly FunctionSpec[], errorInjection?: readonly string[]): string[] => {
    const kernel = kernelOf({
      functions: [...rows, ...more, { name: 'register_ftrace_direct', site: 0 }],
      btf,
      ...(errorInjection === undefined ? {} : { errorInjection }),
    });
    return ['security_open', 'marked', 'plain'].map(name => {
      const { outcome, code } = kernel.traceability(name).fmodRet.load;
      return `${outcome} ${code}`;
    });
  };

  it('is for hooks of security modules alone without error injection', () => {
    expect(load([])).to.deep.equal(['accepted accepted', 'refused not-modifiable', 'refused not-modifiable']);
  });

  it('is for functions that allow error injection', () => {
    expect(load([{ name: 'within_error_injection_list' }], ['marked'])).to.deep.equal([
      'accepted accepted',
      'accepted accepted',
      'refused not-modifiable',
    ]);
  });

  it('is for functions of the sets that the kernel registers', () => {
    const of = (modifiable: number[]): string => kernelOf({ functions: rows, btf, modifiable }).traceability('plain').fmodRet.load.code;
    expect(of([ids[0]!, ids[2]!])).to.equal('accepted');
    expect(of([ids[1]!])).to.equal('not-modifiable');
  });

  it('is open where the list is not found', () => {
    expect(load([{ name: 'within_error_injection_list' }])).to.deep.equal([
      'accepted accepted',
      'open error-injection-unknown',
      'open error-injection-unknown',
    ]);
  });
});

describe('A system call', () => {
  it('stands for the functions that it enters by', () => {
    const x86 = kernelOf({ functions: [{ name: '__x64_sys_execve' }, { name: '__ia32_compat_sys_execve' }, { name: 'sys_execve' }] });
    expect(syscallSymbols(x86, 'execve')).to.deep.equal([
      { symbol: '__x64_sys_execve', takesRegisters: true },
      { symbol: '__ia32_compat_sys_execve', takesRegisters: true },
    ]);
    const arm64 = kernelOf({ machine: EM.AARCH64, functions: [{ name: '__arm64_sys_execve' }] });
    expect(syscallSymbols(arm64, 'execve')).to.deep.equal([{ symbol: '__arm64_sys_execve', takesRegisters: true }]);
    const loongarch = kernelOf({ machine: EM.LOONGARCH, functions: [{ name: 'sys_execve' }] });
    expect(syscallSymbols(loongarch, 'execve')).to.deep.equal([{ symbol: 'sys_execve', takesRegisters: false }]);
    expect(syscallSymbols(x86, 'fork')).to.deep.equal([]);
  });
});
