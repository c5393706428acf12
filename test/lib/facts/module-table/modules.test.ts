import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { findModules, InputError, Kernel, type ModuleTable, readModules, recipeLine, type Verdict } from 'kelf';
import { bpfProgram } from '../../../../lib/answers/attach/forms/bpf-c.js';
import { bpftraceLine } from '../../../../lib/answers/attach/forms/bpftrace.js';
import { perfLine } from '../../../../lib/answers/attach/forms/perf.js';
import { traceQuestion } from '../../../../lib/answers/trace/question.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { type FunctionSpec, kernelOf } from '../../../support/kernel-writer.js';
import { ModuleWriter } from '../../../support/module-writer.js';

/** The BTF of the kernel: `int`, `struct task`, and a FUNC `shared`. */
const kernelBtf = new BtfWriter();
const int = kernelBtf.int('int', 4, 1);
const task = kernelBtf.struct('task', 64, [['pid', int, 0]]);
kernelBtf.func('shared', kernelBtf.funcProto(int, [['n', int]]));

/** A module with functions in .text, 32 bytes each, all with sites but those named `quiet…`; and an init function of its own name. */
function moduleOf(name: string, functions: readonly string[], withBtf: readonly string[] = []): Uint8Array {
  const split = new BtfWriter({ base: kernelBtf });
  const proto = split.funcProto(int, [['t', split.ptr(task)]]);
  for (const func of withBtf) split.func(func, func === 'variadic' ? split.funcProto(int, [['', 0]]) : proto);
  const writer = new ModuleWriter()
    .info('license=GPL', `name=${name}`, 'vermagic=6.1.0-test SMP', 'depends=')
    .code('.text', functions.length * 32)
    .code('.init.text', 16)
    .code('.noinstr.text', 16)
    .function('init_module', '.init.text', 0, 16, 1)
    .function(`${name}_noinstr`, '.noinstr.text', 0);
  functions.forEach((func, i) => {
    writer.function(func, '.text', i * 32, 32);
  });
  const sites = functions.flatMap((func, i) => (func.startsWith('quiet') ? [] : [['.text', i * 32] as const]));
  writer.addresses('__mcount_loc', [...sites, ['.init.text', 0]]);
  return writer.section({ name: '.BTF', type: 1, data: split.bytes() }).bytes();
}

const MODERN: readonly FunctionSpec[] = [
  { name: 'register_ftrace_direct', site: 0 },
  { name: 'register_fprobe', site: 0 },
];
const COUNTING: readonly FunctionSpec[] = [{ name: 'count_symbols' }, { name: 'count_mod_symbols' }];

describe('names across the kernel and its modules', () => {
  let folder = '';
  let table: ModuleTable;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-modules-'));
    mkdirSync(join(folder, 'kernel/fs'), { recursive: true });
    const put = (path: string, bytes: Uint8Array): void => writeFileSync(join(folder, 'kernel', path), bytes);
    put('fs/alpha.ko', moduleOf('alpha', ['shared', 'only_alpha', 'both', 'quiet_alpha', 'variadic'], ['only_alpha', 'both', 'variadic']));
    put('beta.ko.gz', gzipSync(moduleOf('beta', ['both', 'twice', 'between', 'twice'], ['both'])));
    put('broken.ko', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 9));
    put('modules.dep', new Uint8Array(4));
    symlinkSync(folder, join(folder, 'build'));
    table = await readModules(folder, { base: kernel([]).btf });
  });
  after(() => rmSync(folder, { recursive: true }));

  /** A kernel with some functions, and the modules. */
  function kernel(functions: readonly FunctionSpec[], release = '6.1.0-test'): Kernel {
    const made = kernelOf({ functions: [...functions, ...MODERN], release, btf: kernelBtf.bytes() });
    made.modules = table;
    return made;
  }
  const say = ({ errno, code }: Verdict): string => (errno === undefined ? code : `${errno} ${code}`);

  it('finds packed and plain modules, and follows no links to folders', () => {
    expect(findModules(folder).map(path => path.slice(folder.length + 1))).to.deep.equal([
      'kernel/beta.ko.gz',
      'kernel/broken.ko',
      'kernel/fs/alpha.ko',
    ]);
  });

  it('probes places in functions of modules, by the name or with the module', () => {
    const own = kernel([{ name: 'own', site: 0 }]);
    const place = (text: string): string[] => {
      const { kprobe, kretprobe, modules } = own.place(text)!;
      return [...(modules ?? []).map(each => `${each.function.module} ${say(each.kprobe)}`), say(kprobe), say(kretprobe)];
    };
    // The code of the modules is zeros: add %al,(%rax), of two bytes.
    expect(place('only_alpha+4')).to.deep.equal(['alpha accepted', 'accepted', 'EINVAL not-the-entry']);
    expect(place('only_alpha+5')).to.deep.equal([
      'alpha EILSEQ not-an-instruction',
      'EILSEQ not-an-instruction',
      'EILSEQ not-an-instruction',
    ]);
    expect(place('alpha:only_alpha+4')).to.deep.equal(['alpha accepted', 'accepted', 'EINVAL not-the-entry']);
    expect(place('beta:both+4')).to.deep.equal(['beta accepted', 'accepted', 'EINVAL not-the-entry']);
    expect(place('both+4').slice(0, 2)).to.deep.equal(['beta accepted', 'alpha accepted']);
    expect(place('quiet_alpha+4')[0]).to.equal('alpha EINVAL no-ftrace-site');
    expect(place('only_alpha+0x400')[0]).to.equal('alpha instruction-unchecked');
    expect(place('alpha_noinstr+2')[0]).to.match(/^alpha EINVAL /);
    expect(place('gamma:only_alpha+4')).to.deep.equal(['ENOENT no-symbol', 'ENOENT no-symbol']);
  });

  it('answers for one module where that is named', () => {
    const own = kernel([{ name: 'both', site: 0 }]);
    expect(traceQuestion(own, 'beta:both').inModule!.functions.map(each => [each.probe, say(each.kprobe)])).to.deep.equal([
      ['beta:both', 'accepted'],
    ]);
    expect(traceQuestion(own, 'gamma:both').inModule).to.equal(undefined);
    expect(own.attach('alpha:both').functions.map(recipe => recipeLine(recipe, 'kprobe_events', 'entry'))[0]).to.match(
      /^p:both alpha:both/,
    );
    expect(own.attach('alpha:both').functions).to.have.length(1);
    const why = own.missingBtf('alpha:both');
    expect([why.code, why.certainty, why.because.length]).to.deep.equal(['in-module', 'proven', 1]);
    expect(kernelOf({ functions: MODERN, btf: kernelBtf.bytes() }).missingBtf('alpha:both')).to.include({
      code: 'pahole-no-symbol',
      certainty: 'open',
    });
  });

  it('reads what can be read, and says what cannot', () => {
    expect(table.modules.map(({ name, functions, sites }) => [name, functions, sites])).to.deep.equal([
      ['beta', 6, 5],
      ['alpha', 7, 5],
    ]);
    expect(table.problems).to.have.length(1);
    expect(table.problems[0]).to.match(/broken\.ko/);
    expect(table.find('only_alpha')).to.deep.equal([
      {
        row: table.find('only_alpha')[0]!.row,
        name: 'only_alpha',
        module: 'alpha',
        path: join(folder, 'kernel/fs/alpha.ko'),
        section: '.text',
        offset: 32,
        size: 32,
        letter: 't',
        phase: 'core',
        file: 'module.c',
        site: true,
        blacklisted: false,
        btf: true,
      },
    ]);
    expect(table.find('alpha_noinstr')[0]).to.deep.include({ blacklisted: true, site: false, section: '.noinstr.text' });
    expect(table.find('init_module').map(({ phase, letter }) => phase + letter)).to.deep.equal(['initT', 'initT']);
  });

  it('says that a folder is none, or has no modules', async () => {
    const attempt = async (path: string): Promise<unknown> => readModules(path).catch((error: unknown) => error);
    expect(await attempt(join(folder, 'nowhere')))
      .to.be.instanceOf(InputError)
      .with.property('message')
      .that.matches(/no such folder$/);
    mkdirSync(join(folder, 'empty'));
    expect(await attempt(join(folder, 'empty')))
      .to.be.instanceOf(InputError)
      .with.property('code', 'no-modules');
  });

  it('finds modules by their names, packed in any way that is known', () => {
    const packed = join(folder, 'packed');
    mkdirSync(packed);
    const names = ['a.ko', 'b.ko.gz', 'c.ko.lzma', 'd.ko.xz', 'e.ko.zst'];
    for (const name of [...names, 'f.ko.txt', 'g.gz', 'hko']) writeFileSync(join(packed, name), '');
    expect(findModules(packed)).to.deep.equal(names.map(name => join(packed, name)));
    rmSync(packed, { recursive: true });
  });

  it('reads the same on threads', async () => {
    const many = join(folder, 'many');
    mkdirSync(many);
    for (let i = 0; i < 40; i++)
      writeFileSync(join(many, `m${String(i).padStart(2, '0')}.ko`), moduleOf(`m${i}`, [`f${i}`, 'common'], [`f${i}`]));
    const progress: number[] = [];
    const read = (threads: number): Promise<ModuleTable> =>
      readModules(many, { base: kernel([]).btf, threads, onProgress: (done, total) => progress.push(done, total) });
    const [alone, threaded] = [await read(0), await read(2)];
    const rows = (of: ModuleTable): object[] => Array.from({ length: of.count }, (_, row) => of.at(row));
    expect(rows(threaded)).to.deep.equal(rows(alone));
    expect(threaded.modules).to.deep.equal(alone.modules);
    expect(threaded.find('common')).to.have.length(40);
    expect(threaded.find('f39')[0]).to.deep.include({ module: 'm39', btf: true });
    expect(progress.slice(-2)).to.deep.equal([40, 40]);
    rmSync(many, { recursive: true });
  });

  it('traces a function of a module by MOD:SYM, and by its BTF', () => {
    const { functions, loaded } = kernel([]).traceability('only_alpha').modules!;
    expect(functions).to.have.length(1);
    const [found] = functions;
    expect(found).to.deep.include({ probe: 'alpha:only_alpha' });
    expect([found!.kprobe, found!.kretprobe, found!.fentry.load, found!.fentry.attach, found!.ftrace].map(say)).to.deep.equal(
      Array.from({ length: 5 }, () => 'accepted'),
    );
    expect(found!.fentry.load.because[0]!.says).to.match(/^FUNC int only_alpha\(struct task \*t\): 1 argument/);
    expect(say(loaded!.one)).to.equal('accepted');
    expect(loaded).to.not.have.property('several');
  });

  it('refuses what has no site, what is blacklisted, and init code', () => {
    const asked = kernel([]);
    const of = (name: string): string[] => {
      const { kprobe, fentry, ftrace } = asked.traceability(name).modules!.functions[0]!;
      return [kprobe, fentry.attach, ftrace].map(say);
    };
    expect(of('quiet_alpha')).to.deep.equal(['EINVAL no-ftrace-site', 'ESRCH no-btf-func', 'EINVAL no-ftrace-site']);
    expect(of('alpha_noinstr')[0]).to.equal('EINVAL no-ftrace-site');
    expect(of('init_module')).to.deep.equal(['ENOENT init-text', 'ESRCH no-btf-func', 'EINVAL init-text']);
    expect(of('variadic')[1]).to.equal('EINVAL variable-arguments');
    expect(asked.traceability('init_module').modules).to.not.have.property('loaded');
  });

  it('leaves a bare name open where the kernel has a function of it and its ftrace sites are unknown', () => {
    const asked = new Kernel({ ...kernel([{ name: 'both' }]).pieces, ftrace: () => 'unknown' });
    asked.modules = table;
    const { kprobe, modules } = asked.traceability('both');
    expect(kprobe.byName.outcome).to.equal('open');
    for (const verdict of [modules!.loaded!.one, modules!.loaded!.several!]) {
      expect(verdict).to.deep.include({ outcome: 'open', code: kprobe.byName.code, certainty: 'open' });
      expect(verdict.because).to.deep.include.members([...kprobe.byName.because]);
    }
  });

  it('says what a bare name means once modules are loaded, on each kernel', () => {
    const shared = { name: 'shared', site: 0 };
    const of = (asked: Kernel, name: string): (string | undefined)[] => {
      const { one, several } = asked.traceability(name).modules!.loaded!;
      return [say(one), several && say(several)];
    };
    // Before names were counted, the kernel's own come first.
    expect(of(kernel([shared], '6.1.0'), 'shared')).to.deep.equal(['accepted', undefined]);
    // 6.7, 6.1.71: symbols of loaded modules count.
    expect(of(kernel([shared, ...COUNTING]), 'shared')).to.deep.equal(['EADDRNOTAVAIL ambiguous-name', undefined]);
    expect(of(kernel([shared], '6.12.1'), 'shared')).to.deep.equal(['EADDRNOTAVAIL ambiguous-name', undefined]);
    expect(of(kernel(COUNTING), 'both')).to.deep.equal(['accepted', 'EADDRNOTAVAIL ambiguous-name']);
    // 6.1.60: the kernel's own are counted alone, and a name that it does not have is none.
    expect(of(kernel([{ name: 'count_symbols' }], '6.1.66'), 'both')).to.deep.equal(['ENOENT no-symbol', 'ENOENT no-symbol']);
    // 7.1: a name that the kernel has is not counted in modules.
    expect(of(kernel([shared, ...COUNTING], '7.1.0'), 'shared')).to.deep.equal(['accepted', undefined]);
    expect(of(kernel(COUNTING, '7.1.0'), 'both')).to.deep.equal(['accepted', 'EADDRNOTAVAIL ambiguous-name']);
    // Two of a name in one module.
    expect(of(kernel(COUNTING), 'twice')).to.deep.equal(['EADDRNOTAVAIL ambiguous-name', undefined]);
  });

  it('names each of two functions of one module by its place', () => {
    const { functions } = kernel(COUNTING).traceability('twice').modules!;
    expect(functions.map(({ probe }) => probe)).to.deep.equal(['beta:both+0x20', 'beta:between+0x20']);
  });

  it('takes a FUNC that the kernel has for that of the kernel alone', () => {
    const { fentry } = kernel([{ name: 'shared', site: 0 }]).traceability('shared').modules!.functions[0]!;
    expect(say(fentry.load)).to.equal('ESRCH no-btf-func');
    expect(fentry.load.because[0]!.says).to.match(/the kernel's BTF has one/);
  });

  it('lists names that modules share with the kernel and with each other', () => {
    const groups = kernel([
      { name: 'shared', site: 0 },
      { name: 'alone', site: 0 },
    ]).duplicates();
    const found = groups.map(({ name, functions, modules }) => [name, functions.length, modules!.map(({ module }) => module).join(' ')]);
    expect(found).to.deep.equal([
      ['both', 0, 'beta alpha'],
      ['init_module', 0, 'beta alpha'],
      ['shared', 1, 'alpha'],
      ['twice', 0, 'beta beta'],
    ]);
    const without = kernel([{ name: 'shared', site: 0 }]);
    without.modules = undefined;
    expect(without.duplicates()).to.deep.equal([]);
  });

  it('attaches to a function of a module by the name of that', () => {
    const [recipe] = kernel(COUNTING).attach('only_alpha').functions;
    expect(recipeLine(recipe!, 'kprobe_events')).to.equal('p:only_alpha alpha:only_alpha t=%di:x64');
    expect(recipeLine(recipe!, 'kprobe_events', 'return')).to.equal('r:only_alpha_ret alpha:only_alpha ret=$retval:s32');
    expect(recipeLine(recipe!, 'perf')).to.equal(`perf probe -m alpha --add 'only_alpha t=%di:x64'`);
    expect(recipeLine(recipe!, 'bpftrace')).to.equal(`bpftrace -e 'kprobe:alpha:only_alpha { printf("%s t=0x%lx\\n", comm, arg0); }'`);
    expect(recipeLine(recipe!, 'libbpf')).to.equal('SEC("kprobe/only_alpha")');
    expect(recipeLine(recipe!, 'bpf-c')).to.contain('vmlinux.h: kelf btf dump alpha.ko --base KERNEL --format c');
    expect(recipeLine(recipe!, 'bpf-c')).to.contain('int BPF_KPROBE(on_only_alpha, struct task *t)');
    expect(recipe!.fentry).to.deep.equal([
      'SEC("fentry/only_alpha")',
      `bpftrace -e 'fentry:alpha:only_alpha { printf("%s t=0x%lx\\n", comm, args.t); }'`,
    ]);
    expect(recipe!.signature!.source).to.equal('alpha: .BTF');
    expect(recipe!.notes).to.have.length(1);
    expect(recipe!.notes[0]).to.match(/^kprobe_events accepts it before alpha is loaded, and sets it then;/);
  });

  it('attaches to one of several modules, and beside a function of the kernel', () => {
    const recipes = kernel(COUNTING).attach('both').functions;
    expect(recipes.map(recipe => recipeLine(recipe, 'kprobe_events'))).to.deep.equal([
      'p:both_1 beta:both t=%di:x64',
      'p:both_2 alpha:both t=%di:x64',
    ]);
    expect(recipeLine(recipes[1]!, 'libbpf', 'return')).to.equal(
      'LIBBPF_OPTS(bpf_kprobe_opts, opts, .retprobe = true, .attach_mode = PROBE_ATTACH_MODE_LEGACY); bpf_program__attach_kprobe_opts(prog, "alpha:both", &opts);',
    );
    expect(recipes[1]!.fentry![0]).to.equal('SEC("fentry/alpha:both")');
    const twins = kernel([{ name: 'shared', site: 0 }, ...COUNTING]).attach('shared').functions;
    expect(twins.map(recipe => recipeLine(recipe, 'kprobe_events'))).to.deep.equal([
      'p:shared_1 shared n=%di:s32',
      'p:shared_2 alpha:shared n=%di:s32',
    ]);
    expect(recipeLine(twins[1]!, 'libbpf')).to.contain('bpf_program__attach_kprobe_opts(prog, "alpha:shared", &opts)');
    expect(twins[1]!.notes.join('\n')).to.match(/FUNC is in the kernel's BTF/);
    const [first] = kernel([{ name: 'shared', site: 0 }]).attach('shared').functions;
    expect(recipeLine(first!, 'kprobe_events')).to.equal('p:shared_1 shared n=%di:s32');
  });

  it('attaches to each of two functions of one module by its place', () => {
    const recipes = kernel(COUNTING).attach('twice').functions;
    expect(recipes.map(recipe => recipeLine(recipe, 'kprobe_events'))).to.deep.equal([
      'p:twice_1 beta:both+0x20',
      'p:twice_2 beta:between+0x20',
    ]);
    expect(recipeLine(recipes[0]!, 'perf')).to.equal(
      `echo 'p:twice_1 beta:both+0x20' >> /sys/kernel/tracing/kprobe_events && perf record -a -e kprobes:twice_1`,
    );
    expect(recipeLine(recipes[0]!, 'bpftrace')).to.contain(`awk '$3=="both"&&$4=="[beta]"{print $1;exit}' /proc/kallsyms)+0x20`);
    expect(recipeLine(recipes[0]!, 'libbpf')).to.contain('.offset = 0x20, .attach_mode = PROBE_ATTACH_MODE_LEGACY');
  });

  it('goes by an event or an address where perf and bpftrace do not find the name in the module', () => {
    const [recipe] = kernel(COUNTING).attach('only_alpha').functions;
    const cold = { ...recipe!, place: { ...recipe!.place, section: '.text.unlikely', listed: false } };
    expect(perfLine(cold, 'entry')).to.equal(
      `echo 'p:only_alpha alpha:only_alpha t=%di:x64' >> /sys/kernel/tracing/kprobe_events && perf record -a -e kprobes:only_alpha`,
    );
    expect(bpftraceLine(cold, 'entry')).to.equal(
      `bpftrace --unsafe -e 'kprobe:'$(awk '$3=="only_alpha"&&$4=="[alpha]"{print "0x"$1;exit}' /proc/kallsyms)' { printf("%s t=0x%lx\\n", comm, arg0); }'`,
    );
  });

  it('has a line for init code that is written before its module is loaded', () => {
    const recipes = kernel([]).attach('init_module').functions;
    expect(recipes.map(recipe => recipeLine(recipe, 'kprobe_events'))).to.deep.equal([undefined, undefined]);
    expect(recipes[0]!.instead).to.deep.equal([
      "written before the module is loaded, it is set while the module initializes: echo 'p:init_module_1 beta:init_module' >> /sys/kernel/tracing/kprobe_events",
    ]);
    const [quiet] = kernel([]).attach('quiet_alpha').functions;
    expect(quiet!.entry.code).to.equal('no-ftrace-site');
    expect(recipeLine(quiet!, 'libbpf')).to.equal(undefined);
  });

  it('writes one program for functions of several modules without the types of any', () => {
    const program = bpfProgram(
      ['only_alpha', 'both'].flatMap(name => [...kernel(COUNTING).attach(name).functions]),
      ['entry'],
    );
    expect(program).to.contain('vmlinux.h: kelf btf dump KERNEL --format c');
    expect(program).to.contain('int BPF_KPROBE(on_only_alpha, void *t)');
  });

  it('explains by the module that BTF lacks its function', () => {
    const asked = kernel([{ name: 'shared', site: 0 }]);
    const answer = asked.missingBtf('only_alpha');
    expect(answer).to.deep.include({ code: 'in-module', certainty: 'proven', instead: [] });
    expect(answer.because.map(({ says }) => says)).to.deep.equal([
      'the kernel itself has no symbol only_alpha',
      'only_alpha is a function of module alpha, at .text+0x20; its BTF has a FUNC for it',
    ]);
    expect(asked.missingBtf('quiet_alpha').because.at(-1)!.says).to.match(/its BTF has no FUNC for it$/);
    expect(asked.missingBtf('nowhere').code).to.equal('pahole-no-symbol');
    expect(asked.missingBtf('shared').code).to.equal('btf-present');
  });
});
