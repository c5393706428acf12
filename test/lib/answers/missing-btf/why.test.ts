import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Kernel, type MissingBtf, openKernel } from 'kelf';
import { Btf } from 'kelf/btf';
import { BtfAbsence } from '../../../../lib/answers/missing-btf/missing-btf.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { externalOnly } from '../../../support/external-only.js';
import { type FunctionSpec, type KernelSpec, kernelOf } from '../../../support/kernel-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/kernel/${name}`, import.meta.url));

/** BTF with a FUNC for each name. */
function btfOf(names: readonly string[], more: (writer: BtfWriter) => void = () => {}): Uint8Array {
  const writer = new BtfWriter();
  const proto = writer.funcProto(writer.int('int', 4, 1), []);
  for (const name of names) writer.func(name, proto);
  more(writer);
  return writer.bytes();
}

const say = ({ code, certainty }: MissingBtf): string => `${code} ${certainty}`;

describe('why BTF has no FUNC', () => {
  let amd64: Kernel;
  let arm64: Kernel;
  before(async () => {
    amd64 = await openKernel(fixture('vmlinux-amd64'));
    arm64 = await openKernel(fixture('vmlinux-arm64'));
  });
  after(() => {
    amd64.close();
    arm64.close();
  });
  const why = (kernel: Kernel, name: string, paholeVersion?: number): string =>
    say(kernel.missingBtf(name, paholeVersion === undefined ? {} : { paholeVersion }));

  describe('whatever pahole made it', () => {
    for (const [name, expected] of [
      ['tty_write', 'btf-present proven'],
      ['cpu_max_leaf', 'pahole-no-symbol open'],
      ['__initcall__init_elf_binfmt', 'pahole-not-a-function proven'],
      ['copy_user_short_string', 'pahole-assembly proven'],
      ['wb_dirty_limit.isra.0', 'pahole-clone proven'],
      ['_RNvCs1_4core', 'pahole-no-symbol open'],
    ]) {
      it(`${name}: ${expected}`, () => {
        for (const kernel of [amd64, arm64])
          for (const version of [undefined, 116, 120, 124, 130, 131, 132]) expect(why(kernel, name!, version)).to.equal(expected);
      });
    }

    it('there is no BTF, or none with functions', () => {
      expect(why(kernelOf({ functions: [{ name: 'f' }] }), 'f')).to.equal('no-btf proven');
      expect(why(kernelOf({ functions: [{ name: 'f' }], btf: btfOf([]) }), 'f')).to.equal('btf-without-functions proven');
    });

    it('says of a clone whether the function itself has a FUNC', () => {
      const kernel = kernelOf({ functions: [{ name: 'f' }, { name: 'f.isra.0' }, { name: 'g.cold' }], btf: btfOf(['f']) });
      expect(kernel.missingBtf('f.isra.0').because[0]!.says).to.contain('f has one');
      expect(kernel.missingBtf('g.cold').because[0]!.says).to.contain('g has none');
    });
  });

  // Reasons under each era, of the function that each row describes.
  const local = (name: string, file: string, more: Partial<FunctionSpec> = {}): FunctionSpec => ({ name, binding: 'local', file, ...more });
  const FUNCTIONS: FunctionSpec[] = [
    { name: 'present', site: 0 },
    { name: 'present_too', site: 0 },
    local('static_traced', 'a.c', { site: 0 }),
    local('static_notrace', 'a.c'),
    { name: 'global_notrace' },
    { name: 'alias', alias: false, site: 0 },
    { name: 'alias_target', alias: true },
    { name: 'cloned.isra.0', site: 0 },
    { name: 'parted.part.0', site: 0 },
    { name: 'twins.constprop.0', site: 0 },
    { name: 'twins.constprop.1', site: 0 },
    local('homonym', 'a.c', { site: 0 }),
    local('homonym', 'b.c', { site: 0 }),
  ];
  const SPEC: KernelSpec = { functions: FUNCTIONS, btf: btfOf(['present', 'present_too', 'alias_target']) };
  const ERAS = [118, 120, 124, 130, 131, 132];
  const TABLE: [string, ...string[]][] = [
    [
      'static_traced',
      'pahole-static proven',
      'pahole-unknown open',
      'pahole-unknown open',
      'pahole-unknown open',
      'pahole-unknown open',
      'pahole-unknown open',
    ],
    [
      'static_notrace',
      'pahole-static proven',
      'pahole-no-ftrace-site proven',
      'pahole-unknown open',
      'pahole-unknown open',
      'pahole-unknown open',
      'pahole-unknown open',
    ],
    [
      'global_notrace',
      'pahole-unknown open',
      'pahole-no-ftrace-site proven',
      'pahole-unknown open',
      'pahole-unknown open',
      'pahole-unknown open',
      'pahole-unknown open',
    ],
    ['alias', ...ERAS.map(() => 'pahole-alias proven')],
    [
      'cloned',
      'pahole-unknown open',
      'pahole-suffix proven',
      'pahole-suffix proven',
      'pahole-suffix likely',
      'pahole-unknown open',
      'pahole-optimized-parameters likely',
    ],
    [
      'parted',
      'pahole-unknown open',
      'pahole-suffix proven',
      'pahole-suffix proven',
      'pahole-suffix likely',
      'pahole-suffix proven',
      'pahole-suffix proven',
    ],
    [
      'twins',
      'pahole-unknown open',
      'pahole-suffix proven',
      'pahole-suffix proven',
      'pahole-suffix likely',
      'pahole-ambiguous-address proven',
      'pahole-ambiguous-address proven',
    ],
    [
      'homonym',
      'pahole-static proven',
      'pahole-unknown open',
      'pahole-unknown open',
      'pahole-inconsistent-prototypes likely',
      'pahole-ambiguous-address proven',
      'pahole-ambiguous-address proven',
    ],
  ];
  const synthetic = kernelOf(SPEC);
  for (const [name, ...expected] of TABLE) {
    it(`under each pahole: ${name}`, () => {
      expect(ERAS.map(version => why(synthetic, name, version))).to.deep.equal(expected);
    });
  }

  it('is likely with clones before 1.31, and proven where the kernel is older than the option for them', () => {
    expect(why(kernelOf({ ...SPEC, release: '5.15.1' }), 'cloned', 130)).to.equal('pahole-suffix proven');
  });

  describe('with an ftrace table that is of no use in the file', () => {
    for (const [what, spec] of [
      ['all zero', { zeroTable: true }],
      ['absent', { noTable: true }],
    ] as const) {
      it(`${what}: pahole 1.19 to 1.21 fell back to external functions`, () => {
        const kernel = kernelOf({ ...SPEC, ...spec });
        expect(why(kernel, 'static_traced', 120)).to.equal('pahole-external-only-fallback proven');
        expect(why(kernel, 'homonym', 121)).to.equal('pahole-external-only-fallback proven');
        expect(why(kernel, 'global_notrace', 120)).to.equal('pahole-unknown open');
        expect(why(kernel, 'static_traced', 122)).to.equal('pahole-unknown open');
      });
    }
  });

  describe('of the arm64 kernel with only external functions', () => {
    it('is the fallback, proven where the release is given, and says that ftrace can trace it', async () => {
      await using kernel = await openKernel(fixture('vmlinux-arm64'), { btf: fixture('vmlinux-arm64.external-only.btf') });
      const answer = kernel.missingBtf('tty_write', { paholeVersion: 120 });
      expect(say(answer)).to.equal('pahole-external-only-fallback proven');
      const said = answer.because.map(({ says }) => says).join('\n');
      expect(said).to.match(/tty_write is a static function of tty_io\.c/);
      expect(said).to.match(/all 93 words of the table are zero in the file/);
      expect(said).to.match(/93 R_AARCH64_RELATIVE fill the words of __mcount_loc at boot/);
      expect(said).to.match(/it has an ftrace site, at tty_write\+0x4/);
      expect(answer.instead[0]).to.deep.include({
        name: 'redirected_tty_write',
        prototype: 'ssize_t redirected_tty_write(struct kiocb *iocb, struct iov_iter *iter)',
      });
      expect(say(kernel.missingBtf('redirected_tty_write'))).to.equal('btf-present proven');
    });

    it('is told from the BTF alone, as far as that goes', () => {
      const own = arm64.image!.section('.BTF')!.data();
      const upper = (name: string): boolean =>
        arm64.symbols.find(name).some(row => /[TW]/.test(String.fromCharCode(arm64.symbols.type[row]!)));
      const btf = Btf.parse(externalOnly(own, upper), { name: 'external.btf' });
      const { eras } = new BtfAbsence(withBtf(arm64, btf)).pahole;
      expect(eras.map(({ id }) => id)).to.deep.equal(['external', 'ftrace']);
      const answer = withBtf(arm64, btf).missingBtf('tty_write');
      expect(say(answer)).to.equal('pahole-external-only proven');
      expect(answer.alternatives).to.deep.equal([
        { pahole: 'pahole 1.16 to 1.18', code: 'pahole-static' },
        { pahole: 'pahole 1.19 to 1.21', code: 'pahole-external-only-fallback' },
      ]);
      // The table is in the file on amd64: 1.19 to 1.21 had no reason to fall back, which leaves the releases before them.
      expect(say(withBtf(amd64, btf).missingBtf('tty_write'))).to.equal('pahole-static proven');
    });
  });

  describe('the release of pahole', () => {
    const many = (count: number, more: (i: number) => Partial<FunctionSpec>): FunctionSpec[] =>
      Array.from({ length: count }, (_, i) => ({ name: `${'gl'[i % 2]}${i}`, binding: i % 2 === 0 ? 'global' : 'local', ...more(i) }));
    const eras = (spec: KernelSpec, given?: number): string[] =>
      new BtfAbsence(kernelOf(spec), given === undefined ? {} : { paholeVersion: given }).pahole.eras.map(({ id }) => id);
    const functions = many(40, i => (i < 30 ? { site: 0 } : {}));
    const siteless = many(40, () => ({}));
    const names = (wanted: (i: number) => boolean): string[] => functions.flatMap(({ name }, i) => (wanted(i) ? [name] : []));

    it('is believed where it is given', () => {
      const btf = btfOf(names(() => true));
      expect([116, 118, 119, 121, 122, 125, 131, 132, 140].map(version => eras({ functions, btf }, version).join())).to.deep.equal([
        'external',
        'external',
        'ftrace',
        'ftrace',
        'symbols',
        'prototypes',
        'addresses',
        'signatures',
        'signatures',
      ]);
    });

    it('is taken from the configuration', () => {
      expect(eras({ functions, btf: btfOf(names(() => true)), config: { CONFIG_PAHOLE_VERSION: '125' } })).to.deep.equal(['prototypes']);
    });

    it('shows in which functions there are', () => {
      expect(eras({ functions: siteless, btf: btfOf(names(i => i % 2 === 0)) })).to.deep.equal(['external', 'ftrace']);
      expect(eras({ functions, btf: btfOf(names(i => i % 2 === 0)) })).to.deep.equal(['external']);
      expect(eras({ functions, btf: btfOf(names(i => i < 30)) })).to.deep.equal(['ftrace']);
      expect(eras({ functions, btf: btfOf(names(() => true)) })).to.deep.equal(['symbols', 'prototypes', 'addresses', 'signatures']);
    });

    it('is likely that of the distribution whose compiler built the kernel', () => {
      const spec = { functions: siteless, btf: btfOf(names(i => i % 2 === 0)) };
      const likely = (compiler: string, more: Partial<KernelSpec> = {}): string | undefined =>
        new BtfAbsence(kernelOf({ ...spec, compiler, ...more })).pahole.likely?.id;
      expect(likely('gcc-10 (Debian 10.2.1-6) 10.2.1', { release: '5.10.0' })).to.equal('ftrace');
      expect(likely('gcc', { release: '5.10.0' })).to.equal(undefined);
      expect(likely('gcc', { release: '5.11.0' })).to.equal('ftrace');
      // Another pahole than the distribution's: 1.24 does not write external functions only.
      expect(likely('gcc-12 (Debian 12.2.0-14) 12.2.0', { release: '5.10.0' })).to.equal(undefined);
    });

    it('shows in the kinds of types that only later releases write', () => {
      const external = names(i => i % 2 === 0);
      expect(eras({ functions: siteless, btf: btfOf(external, writer => writer.float('double', 8)) })).to.deep.equal(['ftrace']);
      const all = names(() => true);
      expect(eras({ functions, btf: btfOf(all, writer => writer.enum64('e', 8, [['A', 1n]])) })).to.deep.equal([
        'symbols',
        'prototypes',
        'addresses',
        'signatures',
      ]);
    });

    it('shows in names of several functions, which 1.32 drops', () => {
      const twice: FunctionSpec[] = [...functions, { name: 'twice', binding: 'local' }, { name: 'twice', binding: 'local' }];
      expect(eras({ functions: twice, btf: btfOf([...names(() => true), 'twice']) })).to.deep.equal(['symbols', 'prototypes', 'addresses']);
    });

    it('gives the reason under each where it decides', () => {
      const twice: FunctionSpec[] = [...functions, local('twice', 'a.c'), local('twice', 'b.c')];
      const answer = kernelOf({ functions: twice, btf: btfOf(names(() => true)) }).missingBtf('twice');
      expect(say(answer)).to.equal('pahole-unknown open');
      expect(answer.alternatives).to.deep.equal([
        { pahole: 'pahole 1.22 to 1.24', code: 'pahole-unknown' },
        { pahole: 'pahole 1.25 to 1.30', code: 'pahole-inconsistent-prototypes' },
        { pahole: 'pahole 1.31', code: 'pahole-ambiguous-address' },
        { pahole: 'pahole 1.32 and later', code: 'pahole-ambiguous-address' },
      ]);
      expect(synthetic.missingBtf('homonym', { paholeVersion: 132 }).alternatives).to.deep.equal([]);
    });
  });

  it('offers functions with BTF that can be traced, those whose name contains it first', () => {
    const functions: FunctionSpec[] = [
      local('tty_write', 'tty_io.c', { site: 0 }),
      local('hung_up_tty_write', 'tty_io.c', { site: 0 }),
      local('tty_read', 'tty_io.c', { site: 0 }),
      local('tty_untraceable', 'tty_io.c'),
      local('tty_without_func', 'tty_io.c', { site: 0 }),
      local('elsewhere_tty', 'other.c', { site: 0 }),
      local('unrelated', 'other.c', { site: 0 }),
    ];
    const kernel = kernelOf({ functions, btf: btfOf(['hung_up_tty_write', 'tty_read', 'tty_untraceable', 'elsewhere_tty', 'unrelated']) });
    const { instead } = kernel.missingBtf('tty_write');
    expect(instead.map(({ name }) => name)).to.deep.equal(['hung_up_tty_write', 'tty_read']);
    expect(instead[0]!.says).to.contain('its name contains tty_write').and.contain('tty_io.c');
    expect(kernel.missingBtf('tty_read').instead).to.deep.equal([]);
  });
});

/** The same kernel with other BTF. */
function withBtf(kernel: Kernel, btf: Btf): Kernel {
  const { pieces } = kernel;
  return new (kernel.constructor as typeof Kernel)({ ...pieces, btf: () => ({ btf, source: 'external.btf' }) });
}
