import { expect } from 'chai';
import { type AttachForm, type Kernel, type ProbeKind, recipeLine } from 'kelf';
import { EM } from 'kelf/elf';
import { Names, returnEvent } from '../../../../lib/answers/attach/event-names.js';
import { bpfProgram } from '../../../../lib/answers/attach/forms/bpf-c.js';
import { bpftraceFentryLine } from '../../../../lib/answers/attach/forms/bpftrace.js';
import { I386 } from '../../../../lib/arch/i386.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { type FunctionSpec, type KernelSpec, kernelOf } from '../../../support/kernel-writer.js';

const writer = new BtfWriter();
const int = writer.int('int', 4, 1);
const uint = writer.int('unsigned int', 4);
const long = writer.int('long', 8, 1);
const bool = writer.int('_Bool', 1, 4);
const char = writer.int('char', 1, 1);
const path = writer.ptr(writer.const(char));
const userPath = writer.ptr(writer.typeTag('user', writer.const(char)));
const how = writer.ptr(writer.struct('open_how', 24, [['flags', long, 0]]));
const callback = writer.ptr(writer.funcProto(0, []));
const uid = writer.typedef('kuid_t', writer.struct('', 4, [['val', uint, 0]]));
const pair = writer.struct('pair', 16, [
  ['first', long, 0],
  ['second', long, 64],
]);
const big = writer.struct('big', 40, [['words', writer.array(long, int, 5), 0]]);
const signed = writer.enum('sign', 4, [['NEGATIVE', -1]], true);
const gfp = writer.typedef('gfp_t', uint);
const double = writer.float('double', 8);
const regs = writer.ptr(writer.const(writer.struct('pt_regs', 168, [])));
const proto = (returns: number, ...types: number[]): number =>
  writer.funcProto(
    returns,
    types.map((type, i): [string, number] => [`p${i}`, type]),
  );
writer.func(
  'do_sys_openat2',
  writer.funcProto(long, [
    ['dfd', int],
    ['filename', path],
    ['how', how],
  ]),
);
writer.func('tagged', proto(path, userPath));
writer.func('mixed', proto(bool, bool, signed, gfp, callback, uid, how));
writer.func('structs', proto(pair, int, pair, big, int));
writer.func('floats', proto(0, double, int));
writer.func('twice', proto(0, int));
writer.func('base', proto(0, int));
writer.func('differs', proto(0, int));
writer.func('differs', proto(0, long));
writer.func(
  '__do_sys_openat',
  writer.funcProto(long, [
    ['dfd', int],
    ['filename', path],
    ['buf', writer.ptr(char)],
  ]),
);
writer.func('__x64_sys_openat', writer.funcProto(long, [['regs', regs]]));
writer.func('__arm64_sys_openat', writer.funcProto(long, [['regs', regs]]));
writer.func(
  'unnamed',
  writer.funcProto(int, [
    ['', int],
    ['common_pid', int],
    ['a_name_of_more_than_thirty_one_characters', int],
  ]),
);
const BTF = writer.bytes();

const NAMES = [
  'do_sys_openat2',
  'tagged',
  'mixed',
  'structs',
  'floats',
  'base',
  'differs',
  '__x64_sys_openat',
  '__arm64_sys_openat',
  'unnamed',
];

function kernel(spec: Partial<KernelSpec> = {}): Kernel {
  const functions: FunctionSpec[] = NAMES.map(name => ({ name, site: 0 }));
  return kernelOf({ functions, btf: BTF, release: '6.6.0', ...spec });
}

function line(of: Kernel, name: string, form: AttachForm = 'kprobe_events', kind: ProbeKind = 'entry', at = 0): string | undefined {
  return recipeLine(of.attach(name).functions[at]!, form, kind);
}

describe('A recipe for kprobe_events', () => {
  it('reads arguments by name and type', () => {
    expect(line(kernel(), 'do_sys_openat2')).to.equal('p:do_sys_openat2 do_sys_openat2 dfd=%di:s32 filename=+0(%si):string how=%dx:x64');
    expect(line(kernel({ machine: EM.AARCH64 }), 'do_sys_openat2')).to.equal(
      'p:do_sys_openat2 do_sys_openat2 dfd=%x0:s32 filename=+0(%x1):string how=%x2:x64',
    );
    expect(line(kernel(), 'mixed')).to.equal('p:mixed mixed p0=%di:u8 p1=%si:s32 p2=%dx:x32 p3=%cx:symbol p4=%r8:u32 p5=%r9:x64');
  });

  it('reads the result', () => {
    const returned = (name: string): string | undefined => line(kernel(), name, 'kprobe_events', 'return');
    expect(returned('do_sys_openat2')).to.equal('r:do_sys_openat2_ret do_sys_openat2 ret=$retval:s64');
    expect(returned('tagged')).to.equal('r:tagged_ret tagged ret=+0($retval):string');
    expect(returned('structs')).to.equal('r:structs_ret structs ret_0=$retval:x64 ret_8=%dx:x64');
    expect(returned('floats')).to.equal('r:floats_ret floats');
  });

  it('takes strings that are marked __user from user memory', () => {
    expect(line(kernel(), 'tagged')).to.equal('p:tagged tagged p0=+0(%di):ustring');
  });

  it('reads structs that are passed by value', () => {
    expect(line(kernel(), 'structs')).to.equal('p:structs structs p0=%di:s32 p1_0=%si:x64 p1_8=%dx:x64 p2=+8($stack):x64[5] p3=%cx:s32');
    expect(line(kernel({ machine: EM.AARCH64 }), 'structs')).to.equal(
      'p:structs structs p0=%x0:s32 p1_0=%x1:x64 p1_8=%x2:x64 p2=+0(%x3):x64[5] p3=%x4:s32',
    );
  });

  it('leaves out what no general register holds, and says so', () => {
    const [recipe] = kernel().attach('floats').functions;
    expect(recipeLine(recipe!, 'kprobe_events')).to.equal('p:floats floats p1=%di:s32');
    expect(recipe!.signature!.notes).to.deep.equal(['p0 is passed in a floating-point register, which probes cannot read']);
  });

  it('reads the arguments of a system call through the registers of the caller', () => {
    expect(line(kernel(), '__x64_sys_openat')).to.equal(
      'p:__x64_sys_openat __x64_sys_openat dfd=+0x70(%di):s32 filename=+0(+0x68(%di)):ustring buf=+0x60(%di):x64',
    );
    expect(line(kernel({ machine: EM.AARCH64 }), '__arm64_sys_openat')).to.equal(
      'p:__arm64_sys_openat __arm64_sys_openat dfd=+0x0(%x0):s32 filename=+0(+0x8(%x0)):ustring buf=+0x10(%x0):x64',
    );
    const { signature } = kernel().attach('__x64_sys_openat').functions[0]!;
    expect(signature!.source).to.equal('.BTF: FUNC __do_sys_openat');
    expect(signature!.syscall!.name).to.equal('openat');
  });

  it('gives arguments names that the kernel takes', () => {
    expect(line(kernel(), 'unnamed')).to.equal(
      'p:unnamed unnamed arg1=%di:s32 common_pid_2=%si:s32 a_name_of_more_than_thirty_one_=%dx:s32',
    );
  });

  it('names each of several functions by its place, and its event by its number', () => {
    const functions = [
      { name: 'twice', site: 0, binding: 'local', file: 'a.c' },
      { name: 'twice', site: 0, binding: 'local', file: 'b.c' },
    ] as const;
    const both = kernel({ functions });
    expect([0, 1].map(at => line(both, 'twice', 'kprobe_events', 'entry', at))).to.deep.equal([
      'p:twice_1 _stext p0=%di:s32',
      'p:twice_2 _stext+0x20 p0=%di:s32',
    ]);
    expect(line(both, 'twice', 'kprobe_events', 'return', 1)).to.equal('r:twice_2_ret _stext+0x20');
    expect(both.attach('twice').functions[1]!.notes[0]).to.match(/one prototype for 2 functions/);
  });

  it('at a place in a function goes there, in each function of the name, and reads no arguments', () => {
    const functions = [
      { name: 'base', site: 0 },
      { name: 'twice', site: 0, binding: 'local', file: 'a.c' },
      { name: 'twice', site: 0, binding: 'local', file: 'b.c' },
    ] as const;
    // call; nop; mov %rax, %rax
    const code = { base: [0xe8, 0, 0, 0, 0, 0x90, 0x48, 0x89, 0xc0], twice: [0xe8, 0, 0, 0, 0, 0x90] };
    const inside = kernel({ functions, code });
    expect(line(inside, 'base+6')).to.equal('p:base_6 base+0x6');
    expect(line(inside, 'base+6', 'perf')).to.match(/^echo 'p:base_6 base\+0x6' >> /);
    expect(line(inside, 'base+6', 'libbpf')).to.equal('SEC("kprobe/base+0x6")');
    expect(line(inside, 'base+6', 'kprobe_events', 'return')).to.equal(undefined);
    expect(line(inside, '0xffffffff81000006')).to.equal('p:_0xffffffff81000006 _stext+0x6');
    expect([0, 1].map(at => line(inside, 'twice+0x5', 'kprobe_events', 'entry', at))).to.deep.equal([
      'p:twice_0x5 _stext+0x25',
      'p:twice_0x5_2 _stext+0x45',
    ]);
    const [refused] = inside.attach('base+7').functions;
    expect([refused!.entry.code, refused!.entry.errno, refused!.return.code]).to.deep.equal([
      'not-an-instruction',
      'EILSEQ',
      'not-an-instruction',
    ]);
    const [beyond] = inside.attach('base+0x25').functions;
    expect([beyond!.entry.code, beyond!.notes[0]]).to.deep.equal(['beyond-function', 'base is 0x20 bytes long: the place is in twice']);
    expect(line(inside, 'base+0')).to.equal(line(inside, 'base'));
  });

  it('goes to the local entry of a powerpc function, which calls inside of the kernel go to', () => {
    const functions: FunctionSpec[] = [
      { name: 'twice', site: 12 },
      { name: 'twice', site: 4 },
    ];
    const both = kernel({ functions, machine: EM.PPC64 });
    expect(line(both, 'twice')).to.match(/^p:twice_1 _stext\+0x8( |$)/);
    expect(line(both, 'twice', 'kprobe_events', 'entry', 1)).to.match(/^p:twice_2 _stext\+0x20( |$)/);
    expect(both.traceability('twice').functions.map(({ function: { anchor } }) => anchor)).to.deep.equal(['_stext+0x8', '_stext+0x20']);
  });

  it('goes to the local entry too where ftrace patches its first instruction', () => {
    const functions: FunctionSpec[] = [
      { name: 'twice', site: 8 },
      { name: 'base', site: 0 },
      { name: 'twice', site: 0 },
    ];
    const both = kernel({ functions, machine: EM.PPC64 });
    expect([0, 1].map(at => line(both, 'twice', 'kprobe_events', 'entry', at)?.split(' ')[1])).to.deep.equal(['_stext+0x8', '_stext+0x40']);
  });

  it('on powerpc goes by the distance where a second site is as near to the name', () => {
    // A weak function that the linker dropped has left a site; that of the next function is out of reach.
    const functions: FunctionSpec[] = [
      { name: 'base', site: 0 },
      { name: 'base', site: 16, alias: true },
      { name: 'twice', site: 0 },
    ];
    const of = (machine: number): Kernel =>
      kernel({ functions: functions.map((one, i) => (i === 1 ? { ...one, name: 'left' } : one)), machine });
    const powerpc = of(EM.PPC64);
    expect(line(powerpc, 'base')).to.match(/^p:base _stext( |$)/);
    expect(line(powerpc, 'twice')).to.match(/^p:twice twice( |$)/);
    const said = (kernel: Kernel, name: string): string => kernel.traceability(name).kretprobe.byName.code;
    expect([said(powerpc, 'base'), said(powerpc, 'twice'), said(of(EM.S390), 'base')]).to.deep.equal([
      'sites-unknown',
      'accepted',
      'accepted',
    ]);
    expect(powerpc.traceability('base').kprobe.byName.code).to.equal('accepted');
  });

  it('counts from another function where _stext is not the only one of its name', () => {
    const functions = [
      { name: 'anchor', site: 0 },
      { name: 'twice', site: 0 },
      { name: 'twice', site: 0 },
    ];
    const places = kernel({ functions, data: ['_stext'] })
      .attach('twice')
      .functions.map(({ place }) => place.text);
    expect(places).to.deep.equal(['anchor+0x20', 'anchor+0x40']);
  });

  it('does not read the arguments of what a compiler made of a function, and says what it is', () => {
    const functions = ['base.isra.0', 'base.constprop.0', 'base.part.0', 'base.cold', 'base.llvm.123'].map(name => ({ name, site: 0 }));
    const answers = functions.map(({ name }) => kernel({ functions }).attach(name).functions[0]!);
    expect(answers.map(recipe => recipeLine(recipe, 'kprobe_events'))).to.deep.equal([
      'p:base_isra_0 base.isra.0',
      'p:base_constprop_0 base.constprop.0',
      'p:base_part_0 base.part.0',
      'p:base_cold base.cold',
      'p:base_llvm_123 _stext+0x80 p0=%di:s32',
    ]);
    expect(answers.map(({ clone }) => clone!.suffix)).to.deep.equal(['isra', 'constprop', 'part', 'cold', 'llvm']);
    expect(answers[3]!.notes[0]).to.match(/^the unlikely part of base/);
    expect(answers.map(answer => recipeLine(answer, 'kprobe_events', 'return') !== undefined)).to.deep.equal([
      true,
      true,
      true,
      false,
      true,
    ]);
    expect(answers[3]!.return).to.include({ outcome: 'refused', code: 'not-called', certainty: 'proven' });
    expect(recipeLine(answers[3]!, 'libbpf')).to.equal('SEC("kprobe/base.cold")');
  });

  it('does not choose between prototypes', () => {
    const [recipe] = kernel().attach('differs').functions;
    expect(recipeLine(recipe!, 'kprobe_events')).to.equal('p:differs differs');
    expect(recipe!.notes[0]).to.match(/^BTF has 2 prototypes for the name/);
  });

  it('takes the prototype of another name for the same code', () => {
    const functions = [
      { name: 'base', site: 0 },
      { name: 'other', alias: true },
    ];
    const [recipe] = kernel({ functions }).attach('other').functions;
    expect(recipeLine(recipe!, 'kprobe_events')).to.equal('p:other other p0=%di:s32');
    expect(recipe!.notes).to.deep.equal(['BTF has it under another name, base']);
  });

  it('is none where the kernel refuses, and says what can be done', () => {
    const listed = kernel({ functions: [{ name: 'base', site: 0 }], blacklist: ['base'] });
    const [recipe] = listed.attach('base').functions;
    expect(recipeLine(recipe!, 'kprobe_events')).to.equal(undefined);
    expect(recipe!.entry.code).to.equal('kprobe-blacklisted');
    expect(recipe!.instead.join('\n')).to.contain('echo base > /sys/kernel/tracing/set_ftrace_filter');
    const init = kernel({ functions: [{ name: 'base', site: 0, init: true }] }).attach('base').functions[0]!;
    expect(init.instead.join('\n')).to.contain('kprobe_event=');
  });

  it('has no arguments without BTF, or without a table for the architecture', () => {
    expect(line(kernelOf({ functions: [{ name: 'base', site: 0 }] }), 'base')).to.equal('p:base base');
    const other = kernel({ machine: EM.BPF }).attach('base').functions[0]!;
    expect(other.signature).to.equal(undefined);
    expect(other.notes[0]).to.match(/^kelf does not know the calling convention of this architecture/);
  });
});

describe('A recipe', () => {
  const twice = kernel({
    functions: [
      { name: 'twice', site: 0 },
      { name: 'twice', site: 0 },
    ],
  });

  it('for perf is a probe by name, or an event of tracefs', () => {
    expect(line(kernel(), 'do_sys_openat2', 'perf')).to.equal(
      `perf probe --add 'do_sys_openat2 dfd=%di:s32 filename=+0(%si):string how=%dx:x64'`,
    );
    expect(line(kernel(), 'do_sys_openat2', 'perf', 'return')).to.equal(`perf probe --add 'do_sys_openat2%return ret=$retval:s64'`);
    const long = 'x'.repeat(70);
    const ofLong = (kind: ProbeKind): string | undefined => line(kernel({ functions: [{ name: long, site: 0 }] }), long, 'perf', kind);
    // perf adds __return, and the kernel takes 63 characters.
    expect([ofLong('entry'), ofLong('return')]).to.deep.equal([
      `perf probe --add '${'x'.repeat(59)}=${long}'`,
      `perf probe --add '${'x'.repeat(55)}=${long}%return'`,
    ]);
    expect(line(twice, 'twice', 'perf', 'entry', 1)).to.equal(
      `echo 'p:twice_2 _stext+0x20 p0=%di:s32' >> /sys/kernel/tracing/kprobe_events && perf record -a -e kprobes:twice_2`,
    );
  });

  it('for bpftrace prints the arguments', () => {
    expect(line(kernel(), 'do_sys_openat2', 'bpftrace')).to.equal(
      `bpftrace -e 'kprobe:do_sys_openat2 { printf("%s dfd=%ld filename=%s how=0x%lx\\n", comm, (int32)arg0, str(arg1), arg2); }'`,
    );
    expect(line(kernel(), 'do_sys_openat2', 'bpftrace', 'return')).to.equal(
      `bpftrace -e 'kretprobe:do_sys_openat2 { printf("%s ret=%ld\\n", comm, (int64)retval); }'`,
    );
    expect(line(kernel(), '__x64_sys_openat', 'bpftrace')).to.contain('str(uptr(((struct pt_regs *)arg0)->si))');
    expect(line(twice, 'twice', 'bpftrace', 'entry', 1)).to.match(
      /^bpftrace --unsafe -e 'kprobe:'\$\(printf 0x%x .*_stext.*\+0x20\)\)\)' \{/,
    );
  });

  it('for bpftrace through a trampoline reads what every verifier lets it', () => {
    const { signature } = kernel().attach('do_sys_openat2').functions[0]!;
    const [, , how] = signature!.arguments;
    const numbers = { ...how!, name: 'numbers', type: 'unsigned long *' };
    expect(bpftraceFentryLine('open', 'mod', [...signature!.arguments, numbers])).to.equal(
      `bpftrace -e 'fentry:mod:open { printf("%s dfd=%ld filename=%s how=0x%lx\\n", comm, (int32)args.dfd, str(args.filename), args.how); }'`,
    );
  });

  it('for libbpf is the section, or the call', () => {
    expect(line(kernel(), 'do_sys_openat2', 'libbpf')).to.equal('SEC("kprobe/do_sys_openat2")');
    expect(line(twice, 'twice', 'libbpf', 'entry', 1)).to.equal('SEC("kprobe/_stext+0x20")');
    expect(line(twice, 'twice', 'libbpf', 'return', 1)).to.equal(
      'LIBBPF_OPTS(bpf_kprobe_opts, opts, .offset = 0x20, .retprobe = true); bpf_program__attach_kprobe_opts(prog, "_stext", &opts);',
    );
  });

  it('for C is a whole program', () => {
    const program = line(kernel(), 'do_sys_openat2', 'bpf-c')!;
    expect(program).to.contain(
      'SEC("kprobe/do_sys_openat2")\nint BPF_KPROBE(on_do_sys_openat2, int dfd, const char *filename, struct open_how *how)',
    );
    expect(program).to.contain('bpf_probe_read_kernel_str(kelf_text, sizeof(kelf_text), (const void *)filename);');
    expect(line(kernel(), '__x64_sys_openat', 'bpf-c')).to.contain('bpf_probe_read_kernel(&kelf_word, sizeof(kelf_word), &regs->si);');
    expect(line(kernel(), 'structs', 'bpf-c')).to.contain('int BPF_KPROBE(on_structs, int p0)');
    expect(line(kernel(), 'structs', 'bpf-c')).to.contain('kelf_word = ctx->cx;');
    expect(line(kernel(), 'base', 'bpf-c', 'return')).to.contain('int BPF_KRETPROBE(on_base_ret)');
  });

  it('for C on i386 reads registers itself: with vmlinux.h the macro takes those of x86-64; and a word has four bytes', () => {
    const facts = { ...kernel().attach('do_sys_openat2').functions[0]!, abi: I386.conventions[0]! };
    const program = bpfProgram([facts], ['entry']);
    expect(program).to.contain('int BPF_KPROBE(on_do_sys_openat2)\n{\n\tchar kelf_text[128];\n\tunsigned int kelf_word;\n');
    for (const field of ['ax', 'dx', 'cx']) expect(program).to.contain(`kelf_word = ctx->${field};`);
    expect(program).to.contain('(const void *)(unsigned long)kelf_word);');
  });
});

describe('Names of events', () => {
  it('are what the kernel takes, each once', () => {
    const names = Names.ofEvents();
    expect(['a.b', 'a_b', '9x', 'filter', '', 'x'.repeat(80), 'x'.repeat(80)].map(name => names.take(name))).to.deep.equal([
      'a_b',
      'a_b_2',
      '_9x',
      'filter_2',
      '_',
      'x'.repeat(59),
      `${'x'.repeat(57)}_2`,
    ]);
  });

  it('leave the events of return probes free, which are as long as the kernel takes', () => {
    const names = Names.ofEvents();
    const given = ['noop_ret', 'noop', 'close', 'close_ret', 'x'.repeat(80)].map(name => names.take(name));
    expect(given).to.deep.equal(['noop_ret', 'noop_2', 'close', 'close_ret_2', 'x'.repeat(59)]);
    const all = given.flatMap(name => [name, returnEvent(name)]);
    expect(new Set(all).size).to.equal(all.length);
    expect(returnEvent(given.at(-1)!)).to.have.length(63);
  });
});
