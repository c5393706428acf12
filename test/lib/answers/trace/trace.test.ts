import { expect } from 'chai';
import { type Kernel, REASONS, type Verdict } from 'kelf';
import { EM } from 'kelf/elf';
import { BtfWriter } from '../../../support/btf-writer.js';
import { type KernelSpec, kernelOf, SIZE, TEXT } from '../../../support/kernel-writer.js';

/** Functions that make a kernel one with trampolines and multi kprobes. */
const MODERN = [
  { name: 'register_ftrace_direct', site: 0 },
  { name: 'register_fprobe', site: 0 },
];

function modern(spec: KernelSpec): Kernel {
  return kernelOf({ ...spec, functions: [...spec.functions, ...MODERN] });
}

/** `EINVAL no-ftrace-site`, `accepted`. */
function say({ errno, code, outcome, because }: Verdict): string {
  expect(because).to.not.have.length(0);
  for (const { says, source } of because)
    expect(says && source)
      .to.be.a('string')
      .that.is.not.equal('');
  expect(outcome).to.equal(errno === undefined ? (code === 'accepted' ? 'accepted' : 'open') : 'refused');
  expect(REASONS).to.have.property(code);
  return errno === undefined ? code : `${errno} ${code}`;
}

describe('traceability of a name', () => {
  it('is accepted where the function has a site', () => {
    const answer = modern({ functions: [{ name: 'schedule', site: 0 }] }).traceability('schedule');
    expect(say(answer.kprobe.byName)).to.equal('accepted');
    expect(say(answer.kretprobe.byName)).to.equal('accepted');
    expect(say(answer.kprobeMulti.byName)).to.equal('accepted');
    expect(say(answer.ftrace.byName)).to.equal('accepted');
    expect(answer.functions.map(({ kprobe, kretprobe, ftrace }) => [kprobe, kretprobe, ftrace].map(say))).to.deep.equal([
      ['accepted', 'accepted', 'accepted'],
    ]);
    expect(answer.functions[0]!.function).to.deep.include({
      name: 'schedule',
      address: TEXT,
      site: TEXT,
      anchor: '_stext+0x0',
      letter: 'T',
    });
  });

  it('is refused where no symbol has the name', () => {
    const { kprobe, kretprobe, kprobeMulti, ftrace, functions } = modern({ functions: [] }).traceability('nothing');
    expect([kprobe, kretprobe, kprobeMulti, ftrace].map(({ byName }) => say(byName))).to.deep.equal([
      'ENOENT no-symbol',
      'ENOENT no-symbol',
      'ESRCH no-symbol',
      'EINVAL no-symbol',
    ]);
    expect(functions).to.deep.equal([]);
  });

  it('is refused where the function has no site', () => {
    const kernel = modern({ functions: [{ name: 'notrace' }, { name: 'other', site: 0 }] });
    const { kprobe, kretprobe, kprobeMulti, ftrace, functions } = kernel.traceability('notrace');
    expect([kprobe, kretprobe, kprobeMulti, ftrace].map(({ byName }) => say(byName))).to.deep.equal([
      'EINVAL no-ftrace-site',
      'EINVAL no-ftrace-site',
      'ESRCH no-ftrace-site',
      'EINVAL no-ftrace-site',
    ]);
    expect(say(functions[0]!.kprobe)).to.equal('EINVAL no-ftrace-site');
  });

  describe('that several symbols bear', () => {
    const twice = [
      { name: 'show_state', site: 0, binding: 'local', file: 'a.c' },
      { name: 'show_state', binding: 'local', file: 'b.c' },
    ] as const;

    it('is refused since 6.6', () => {
      const { kprobe, kretprobe, functions } = modern({ release: '6.6.0', functions: twice }).traceability('show_state');
      expect(say(kprobe.byName)).to.equal('EADDRNOTAVAIL ambiguous-name');
      expect(kprobe.byName.certainty).to.equal('likely');
      expect(say(kretprobe.byName)).to.equal('EADDRNOTAVAIL ambiguous-name');
      expect(functions.map(({ kprobe, function: { file } }) => [file, say(kprobe)])).to.deep.equal([
        ['a.c', 'accepted'],
        ['b.c', 'EINVAL no-ftrace-site'],
      ]);
    });

    it('is refused where the kernel has what counts them, which proves it', () => {
      const kernel = modern({ release: '6.1.60', functions: [...twice, { name: 'count_symbols' }] });
      expect(say(kernel.traceability('show_state').kprobe.byName)).to.equal('EADDRNOTAVAIL ambiguous-name');
      expect(kernel.traceability('show_state').kprobe.byName.certainty).to.equal('proven');
    });

    it('stands for the first of them in 6.1', () => {
      expect(say(modern({ functions: twice }).traceability('show_state').kprobe.byName)).to.equal('accepted');
      expect(say(modern({ functions: [...twice].reverse() }).traceability('show_state').kprobe.byName)).to.equal('EINVAL no-ftrace-site');
    });

    it('counts data too', () => {
      const kernel = modern({ release: '6.12.0', functions: [{ name: 'set_root', site: 0 }], data: ['set_root'] });
      expect(say(kernel.traceability('set_root').kprobe.byName)).to.equal('EADDRNOTAVAIL ambiguous-name');
      expect(say(kernel.traceability('set_root').kprobeMulti.byName)).to.equal('accepted');
    });

    it('leads multi kprobes and filters to those that have a site', () => {
      const { kprobeMulti, ftrace } = modern({ functions: [...twice].reverse() }).traceability('show_state');
      expect([kprobeMulti, ftrace].map(({ byName }) => say(byName))).to.deep.equal(['accepted', 'accepted']);
    });
  });

  it('is refused in code freed after boot', () => {
    const { kprobe, kprobeMulti, ftrace } = modern({ functions: [{ name: 'start_kernel', site: 0, init: true }] }).traceability(
      'start_kernel',
    );
    expect([kprobe, kprobeMulti, ftrace].map(({ byName }) => say(byName))).to.deep.equal([
      'EINVAL init-text',
      'ESRCH init-text',
      'EINVAL init-text',
    ]);
  });

  it('is refused on the blacklist, which ftrace does not know of', () => {
    const kernel = modern({ functions: [{ name: 'notify_die', site: 0 }], blacklist: ['notify_die'] });
    const { kprobe, ftrace } = kernel.traceability('notify_die');
    expect([kprobe, ftrace].map(({ byName }) => say(byName))).to.deep.equal(['EINVAL kprobe-blacklisted', 'accepted']);
  });

  it('is refused in an area that the kernel blacklists whole', () => {
    const kernel = modern({
      functions: [
        { name: 'enter', site: 0 },
        { name: 'ordinary', site: 0 },
      ],
      labels: { __noinstr_text_start: 'enter', __noinstr_text_end: 'ordinary' },
    });
    const byName = (name: string) => say(kernel.traceability(name).kprobe.byName);
    expect(['enter', 'ordinary'].map(byName)).to.deep.equal(['EINVAL kprobe-blacklisted', 'accepted']);
  });

  it('goes by the name without its suffix, for the site and for the blacklist', () => {
    const functions = [
      { name: 'traced', site: 0 },
      { name: 'traced.cold' },
      { name: 'untraced' },
      { name: 'untraced.cold' },
      { name: 'listed', site: 0 },
      { name: 'listed.cold' },
      { name: 'gone.cold' },
    ];
    const kernel = modern({ functions, blacklist: ['listed'] });
    const said = functions.map(({ name }) => say(kernel.traceability(name).kprobe.byName));
    expect(said).to.deep.equal([
      'accepted',
      'accepted',
      'EINVAL no-ftrace-site',
      'EINVAL no-ftrace-site',
      'EINVAL kprobe-blacklisted',
      'EINVAL kprobe-blacklisted',
      'EINVAL no-ftrace-site',
    ]);
  });

  it('is refused where the kernel patches the first instruction itself', () => {
    const kernel = modern({
      functions: [
        { name: 'jumps', site: 4 },
        { name: 'calls', site: 4 },
      ],
      jumpLabels: ['jumps'],
      staticCalls: ['calls'],
    });
    expect(say(kernel.traceability('jumps').kprobe.byName)).to.equal('EINVAL jump-label');
    expect(say(kernel.traceability('calls').kprobe.byName)).to.equal('EINVAL static-call');
  });

  it('is accepted without sites where the configuration says so, or there is no ftrace', () => {
    const functions = [{ name: 'notrace' }, { name: 'other', site: 0 }];
    const allowed = kernelOf({ functions, config: { CONFIG_KPROBES: 'y', CONFIG_KPROBE_EVENTS_ON_NOTRACE: 'y' } });
    expect(say(allowed.traceability('notrace').kprobe.byName)).to.equal('accepted');
    const none = kernelOf({ functions, noTable: true }).traceability('other');
    expect([none.kprobe, none.ftrace].map(({ byName }) => say(byName))).to.deep.equal(['accepted', 'EINVAL no-ftrace']);
  });

  it('is told of by perf and BPF, and since 6.12 by kprobe_events with EINVAL alone', () => {
    const functions = ['twice', 'count_symbols', 'twice'].map(name => ({ name, site: 0 }));
    const errnos = (release: string): (string | undefined)[] => {
      const { tracing } = kernelOf({ functions, release });
      return ['twice', 'nowhere', 'count_symbols'].flatMap(name => [
        tracing.kprobes.byName(name).errno,
        tracing.kprobes.inEvents(tracing.kprobes.byName(name)).errno,
      ]);
    };
    expect(errnos('6.6.1')).to.deep.equal(['EADDRNOTAVAIL', 'EADDRNOTAVAIL', 'ENOENT', 'ENOENT', undefined, undefined]);
    expect(errnos('6.12.1')).to.deep.equal(['EADDRNOTAVAIL', 'EINVAL', 'ENOENT', 'EINVAL', undefined, undefined]);
  });

  it('is refused where the configuration has no kprobes', () => {
    const { kprobe, ftrace } = kernelOf({ functions: [{ name: 'f', site: 0 }], config: { CONFIG_KALLSYMS: 'y' } }).traceability('f');
    expect([kprobe, ftrace].map(({ byName }) => say(byName))).to.deep.equal(['ENOENT no-kprobes', 'accepted']);
  });

  it('is refused for return probes where the architecture says so', () => {
    const functions = [{ name: '__switch_to', site: 0 }];
    const x86 = modern({ functions }).traceability('__switch_to');
    expect([x86.kprobe, x86.kretprobe].map(({ byName }) => say(byName))).to.deep.equal(['accepted', 'EINVAL kretprobe-blacklisted']);
    expect(say(modern({ machine: EM.AARCH64, functions }).traceability('__switch_to').kretprobe.byName)).to.equal('accepted');
  });

  it('is refused for multi kprobes where the kernel has none', () => {
    const { kprobeMulti } = kernelOf({ functions: [{ name: 'f', site: 0 }] }).traceability('f');
    expect(say(kprobeMulti.byName)).to.equal('EOPNOTSUPP no-kprobe-multi');
  });

  it('is asked by address only where a symbol begins', () => {
    const { tracing } = modern({ functions: [{ name: 'f', site: 0 }] });
    expect(tracing.kprobes.at(TEXT).code).to.equal('accepted');
    expect(tracing.kprobes.at(TEXT + 1n)).to.include({ outcome: 'open', code: 'not-a-function-entry' });
    expect(tracing.kprobes.returnAt(TEXT - 1n)).to.include({ outcome: 'open', code: 'not-a-function-entry' });
  });
});

describe('fentry', () => {
  const writer = new BtfWriter();
  const int = writer.int('int', 4, 1);
  const long = writer.int('long', 8, 1);
  const wide = writer.int('__int128', 16, 1);
  const small = writer.struct('pair', 16, [
    ['a', long, 0],
    ['b', long, 64],
  ]);
  const big = writer.struct('big', 24, [
    ['a', small, 0],
    ['b', long, 128],
  ]);
  const union = writer.struct(
    'either',
    8,
    [
      ['a', long, 0],
      ['b', int, 0],
    ],
    true,
  );
  const float = writer.float('double', 8);
  const id = writer.typedef('id_t', writer.const(int));
  const args = (count: number, type: number): [string, number][] => Array.from({ length: count }, (_, i) => [`a${i}`, type]);
  const prototypes: [string, number, [string, number][], string, string][] = [
    ['plain', int, args(2, int), 'accepted', 'accepted'],
    ['nothing', 0, [], 'accepted', 'accepted'],
    [
      'pointers',
      writer.ptr(0),
      [
        ['p', writer.ptr(big)],
        ['t', id],
      ],
      'accepted',
      'accepted',
    ],
    [
      'variadic',
      int,
      [
        ['format', writer.ptr(0)],
        ['', 0],
      ],
      'EINVAL variable-arguments',
      'EINVAL variable-arguments',
    ],
    ['returns_struct', small, [], 'EINVAL unsupported-return', 'EINVAL unsupported-return'],
    ['returns_double', float, [], 'EINVAL unsupported-return', 'EINVAL unsupported-return'],
    ['takes_pair', int, [['pair', small]], 'accepted', 'accepted'],
    ['takes_big', int, [['big', big]], 'EINVAL unsupported-argument', 'EINVAL unsupported-argument'],
    ['takes_union', int, [['either', union]], 'EINVAL unsupported-argument', 'EINVAL unsupported-argument'],
    ['takes_double', int, [['double', float]], 'EINVAL unsupported-argument', 'EINVAL unsupported-argument'],
    ['takes_int128', int, [['wide', wide]], 'accepted', 'accepted'],
    ['six', int, args(6, int), 'accepted', 'accepted'],
    ['seven', int, args(7, int), 'accepted', 'ENOTSUPP too-many-arguments'],
    ['four_pairs', int, args(4, small), 'accepted', 'ENOTSUPP too-many-arguments'],
    ['twelve', int, args(12, int), 'accepted', 'ENOTSUPP too-many-arguments'],
    ['thirteen', int, args(13, int), 'EINVAL too-many-arguments', 'EINVAL too-many-arguments'],
  ];
  for (const [name, returns, parameters] of prototypes) writer.func(name, writer.funcProto(returns, parameters));
  const simple = writer.funcProto(int, []);
  const others = ['untraced', 'freed', 'gone', 'late', 'denied'].map(name => [name, writer.func(name, simple)] as const);
  const functions = [
    ...prototypes.map(([name]) => ({ name, site: 0 })),
    { name: 'untraced' },
    { name: 'freed', site: 0, init: true },
    { name: 'late', binding: 'local', file: 'a.c' } as const,
    { name: 'late', binding: 'local', file: 'b.c', site: 0 } as const,
    { name: 'denied', site: 0 },
    { name: 'no_func', site: 0 },
  ];
  const denied = [others[4]![1]];
  const kernel = modern({ functions, btf: writer.bytes(), denied });
  const said = (of: Kernel, name: string): string[] => {
    const { fentry } = of.traceability(name);
    return [say(fentry.load), say(fentry.attach)];
  };

  for (const [name, , , load, attach] of prototypes) {
    it(`of a prototype: ${name}`, () => {
      expect(said(kernel, name)).to.deep.equal([load, attach]);
    });
  }

  it('passes 8 registers on arm64, and 12 arguments on x86-64 since 6.6', () => {
    const attach = (spec: Partial<KernelSpec>, name: string): string => said(modern({ functions, btf: writer.bytes(), ...spec }), name)[1]!;
    expect(attach({ machine: EM.AARCH64 }, 'seven')).to.equal('accepted');
    expect(attach({ machine: EM.AARCH64 }, 'twelve')).to.equal('ENOTSUPP too-many-arguments');
    expect(attach({ release: '6.6.1' }, 'twelve')).to.equal('accepted');
    expect(attach({ release: '6.5.9' }, 'seven')).to.equal('ENOTSUPP too-many-arguments');
  });

  it('needs a FUNC, a symbol and a site', () => {
    expect(said(kernel, 'no_func')).to.deep.equal(['ESRCH no-btf-func', 'ESRCH no-btf-func']);
    expect(said(kernel, 'gone')).to.deep.equal(['ENOENT no-symbol', 'ENOENT no-symbol']);
    expect(said(kernel, 'untraced')).to.deep.equal(['accepted', 'EBUSY no-ftrace-site']);
    expect(said(kernel, 'freed')).to.deep.equal(['accepted', 'EINVAL init-text']);
    const arm = modern({ machine: EM.AARCH64, functions, btf: writer.bytes() });
    expect(said(arm, 'untraced')[1]).to.equal('ENOTSUPP no-ftrace-site');
    expect(said(arm, 'freed')[1]).to.equal('ENOTSUPP init-text');
  });

  it('takes the first of a name, even where only a later one can be traced', () => {
    expect(said(kernel, 'late')).to.deep.equal(['accepted', 'EBUSY first-match-untraceable']);
  });

  it('finds a NOP that is not of ftrace, or may find one, on x86-64', () => {
    const [nop, endbr, jump, call] = [
      [0x0f, 0x1f, 0x44, 0, 0],
      [0xf3, 0x0f, 0x1e, 0xfa],
      [0xe9, 1, 0, 0, 0],
      [0xe8, 1, 0, 0, 0],
    ];
    const attach = (first: number[], spec: Partial<KernelSpec> = {}): string =>
      said(modern({ functions, btf: writer.bytes(), code: { untraced: first }, ...spec }), 'untraced')[1]!;
    expect(attach(jump)).to.equal('EBUSY no-ftrace-site');
    expect(attach(nop)).to.equal('accepted');
    expect(attach([...endbr, ...nop])).to.equal('accepted');
    expect(attach(nop, { machine: EM.AARCH64 })).to.equal('ENOTSUPP no-ftrace-site');
    expect(attach(jump, { erased: [{ name: 'untraced', offset: 0 }] })).to.equal('entry-patched');
    expect(attach([...endbr, ...jump], { erased: [{ name: 'untraced', offset: 4 }] })).to.equal('entry-patched');
    expect(attach(jump, { erased: [{ name: 'untraced', offset: 8 }] })).to.equal('EBUSY no-ftrace-site');
    expect(attach(jump, { jumpLabels: ['untraced'] })).to.equal('entry-patched');
    expect(attach(nop, { jumpLabels: ['untraced'] })).to.equal('entry-patched');
    expect(attach([0x66, 0x90], { jumpLabels: ['untraced'] })).to.equal('EBUSY no-ftrace-site');
    expect(attach(call, { staticCalls: ['untraced'] })).to.equal('entry-patched');
    const { attach: open } = modern({ functions, btf: writer.bytes(), code: { untraced: nop }, jumpLabels: ['untraced'] }).traceability(
      'untraced',
    ).fentry;
    expect(open).to.deep.include({ outcome: 'open', certainty: 'open' });
    expect(open.because.map(({ says }) => says).join()).to.match(/if that leaves a NOP of five bytes, BPF attaches/);
    expect(open.because.find(({ source }) => source === '/proc/kcore')!.says).to.match(/0f 1f 44 00 00 is that NOP$/);
  });

  it('is denied by the set of the verifier', () => {
    expect(said(kernel, 'denied')).to.deep.equal(['EINVAL btf-denied', 'EINVAL btf-denied']);
    expect(kernel.tracing.trampolines.denied()).to.deep.equal(new Set(denied));
    expect(said(modern({ functions, btf: writer.bytes() }), 'denied')).to.deep.equal(['accepted', 'accepted']);
  });

  it('needs BTF, and trampolines', () => {
    expect(said(modern({ functions }), 'plain')).to.deep.equal(['EINVAL no-btf', 'EINVAL no-btf']);
    expect(said(kernelOf({ functions, btf: writer.bytes() }), 'plain')).to.deep.equal(['accepted', 'ENOTSUPP no-trampoline']);
  });

  it('gives fexit the same answers', () => {
    for (const [name] of prototypes) {
      const { fentry, fexit } = kernel.traceability(name);
      expect(fexit).to.deep.equal(fentry);
    }
  });

  it('says the prototype, and what of it is refused', () => {
    const [first] = kernel.traceability('takes_big').fentry.load.because;
    expect(first).to.deep.include({ source: '.BTF' });
    expect(first!.says).to.match(/int takes_big\(struct big big\): argument 1 is a STRUCT of 24 bytes/);
  });
});

describe('a function by its address', () => {
  it('has its extent up to the next symbol, and its place on every boot', () => {
    const kernel = modern({
      functions: [
        { name: 'a', site: 0 },
        { name: 'b', site: 4, binding: 'weak' },
      ],
    });
    const [found] = kernel.traceability('b').functions;
    expect(found!.function).to.deep.include({
      address: TEXT + SIZE,
      extent: 32,
      size: 32,
      binding: 'weak',
      letter: 'W',
      site: TEXT + SIZE + 4n,
      anchor: '_stext+0x20',
    });
  });
});
