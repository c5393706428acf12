import { expect } from 'chai';
import { diffKernels } from '../../../../lib/fleet/diff/diff-kernels.js';
import type { Difference, DifferenceKind } from '../../../../lib/fleet/diff/difference.js';
import type { Kernel } from '../../../../lib/kernel.js';
import { openKernel } from '../../../../lib/open/open-kernel.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { type FunctionSpec, type KernelSpec, kernelOf } from '../../../support/kernel-writer.js';

type Prototype = readonly (readonly [name: string, type: 'int' | 'long' | 'page'])[];

/** BTF of functions by their parameters, all of which return an int, and of what else is written. */
function btfOf(
  functions: Readonly<Record<string, Prototype>>,
  more: (btf: BtfWriter, int: number, long: number) => void = () => {},
): Uint8Array {
  const btf = new BtfWriter();
  const int = btf.int('int', 4, 1);
  const long = btf.int('long int', 8, 1);
  const types = { int, long, page: btf.ptr(btf.struct('page', 4, [['flags', int, 0]])) };
  for (const [name, parameters] of Object.entries(functions))
    btf.func(
      name,
      btf.funcProto(
        int,
        parameters.map(([parameter, type]) => [parameter, types[type]]),
      ),
    );
  more(btf, int, long);
  return btf.bytes();
}

const traced = (...names: string[]): FunctionSpec[] => names.map(name => ({ name, site: 0 }));
const SUPPORT = traced('register_ftrace_direct', 'register_fprobe');

const kernel = (spec: KernelSpec): Kernel => kernelOf({ release: '6.12.0', ...spec, functions: [...SUPPORT, ...spec.functions] });

/** The changes of some kinds, without what every change has. */
async function changes(old: Kernel, now: Kernel, ...kinds: DifferenceKind[]): Promise<Omit<Difference, 'kind'>[]> {
  const found = await diffKernels(old, now, { kinds: new Set(kinds) });
  return found.changes.map(({ kind: _, ...change }) => change);
}

describe('what changed between two kernels', () => {
  it('functions: gone, new, renamed with their place, and turned into clones', async () => {
    const old = kernel({
      functions: traced('start', 'alloc_pages', 'stop', 'removed', 'whole', 'beside', 'was.isra.0', 'hot'),
      btf: btfOf({ removed: [['a', 'int']], alloc_pages: [['order', 'int']] }),
    });
    const now = kernel({
      functions: traced(
        'start',
        'alloc_pages_noprof',
        'stop',
        'whole.constprop.7',
        'beside',
        'beside.part.0',
        'was',
        'hot',
        'hot.cold',
        'brand_new',
      ),
      btf: btfOf({ alloc_pages_noprof: [['order', 'int']] }),
    });
    const found = await changes(old, now, 'functions');
    expect(found.map(({ change, effect, name, old, new: is }) => [effect, change, name, old, is])).to.deep.equal([
      ['breaks', 'renamed', 'alloc_pages', 'alloc_pages', 'alloc_pages_noprof'],
      ['breaks', 'gone', 'removed', 'int(int a)', undefined],
      ['breaks', 'cloned', 'whole', 'whole', 'whole.constprop.7'],
      ['changes', 'cloned', 'beside', 'beside', 'beside, beside.part.0'],
      ['adds', 'new', 'brand_new', undefined, undefined],
      ['adds', 'new', 'was', 'was.isra.0', 'was'],
    ]);
    expect(found[0]!.says).to.equal('likely: the same prototype, behind start, before stop');
  });

  it('no function is renamed where its name is another', async () => {
    const old = kernel({ functions: traced('start', 'read_it', 'stop'), btf: btfOf({ read_it: [] }) });
    const now = kernel({ functions: traced('start', 'zap', 'stop'), btf: btfOf({ zap: [] }) });
    expect((await changes(old, now, 'functions')).map(({ change, name }) => [change, name])).to.deep.equal([
      ['gone', 'read_it'],
      ['new', 'zap'],
    ]);
  });

  it('the entries of a system call on another architecture', async () => {
    const old = kernel({ functions: traced('__x64_sys_read') });
    const now = kernel({ machine: 183, functions: traced('__arm64_sys_read') });
    const [change] = await changes(old, now, 'functions');
    expect(change).to.include({ change: 'renamed', old: '__x64_sys_read', new: '__arm64_sys_read' });
  });

  it('prototypes: which parameter, from what to what', async () => {
    const before: Readonly<Record<string, Prototype>> = {
      retyped: [['page', 'page']],
      longer: [
        ['a', 'int'],
        ['c', 'int'],
      ],
      shorter: [
        ['a', 'int'],
        ['b', 'long'],
        ['c', 'page'],
      ],
      called: [['a', 'int']],
      same: [['a', 'int']],
    };
    const after: Readonly<Record<string, Prototype>> = {
      retyped: [['page', 'long']],
      longer: [
        ['a', 'int'],
        ['b', 'long'],
        ['c', 'int'],
      ],
      shorter: [
        ['a', 'int'],
        ['c', 'page'],
      ],
      called: [['z', 'int']],
      same: [['a', 'int']],
    };
    const functions = traced(...Object.keys(before));
    const found = await changes(kernel({ functions, btf: btfOf(before) }), kernel({ functions, btf: btfOf(after) }), 'prototypes');
    expect(found.map(({ effect, name, says }) => [effect, name, says])).to.deep.equal([
      ['breaks', 'longer', 'parameter 2 is new: long int b'],
      ['breaks', 'retyped', 'parameter 1 page is long int, not struct page *'],
      ['breaks', 'shorter', 'parameter 2 is gone: long int b'],
      ['changes', 'called', 'parameter 1 a is called z'],
    ]);
    expect(found[1]).to.include({ old: 'int(struct page *page)', new: 'int(long int page)' });
  });

  it('a prototype of a name that several functions share may be that of another: nothing is said to break', async () => {
    const twice = [...traced('shared'), { name: 'shared', file: 'b.c', binding: 'local' } as const];
    const [change] = await changes(
      kernel({ functions: twice, btf: btfOf({ shared: [['a', 'int']] }) }),
      kernel({ functions: twice, btf: btfOf({ shared: [['page', 'page']] }) }),
      'prototypes',
    );
    expect(change).to.include({ effect: 'changes', name: 'shared' });
    expect(change!.says).to.match(/^several functions share the name/);
  });

  it('verdicts: each mechanism with both reasons, what holds for the whole kernel once', async () => {
    const names = { shared: [], plain: [] } as const;
    const old = kernel({ functions: traced('shared', 'plain'), btf: btfOf(names) });
    const twice = [...traced('shared', 'plain'), { name: 'shared', file: 'b.c', binding: 'local' } as const];
    expect(await changes(old, kernel({ functions: twice, btf: btfOf(names) }), 'verdicts')).to.deep.equal([
      {
        change: 'refused',
        effect: 'breaks',
        name: 'shared',
        field: 'kprobe, kretprobe',
        old: 'accepted',
        new: 'EADDRNOTAVAIL ambiguous-name',
        says: 'new: several symbols share this name',
      },
    ]);
    const without = kernelOf({
      release: '6.12.0',
      functions: [...traced('register_ftrace_direct'), ...traced('shared', 'plain')],
      btf: btfOf(names),
    });
    const found = await changes(old, without, 'verdicts');
    expect(found.map(({ name, change, field }) => [name, change, field])).to.deep.equal([
      ['every function', 'refused', 'kprobe.multi'],
      ['every function', 'reason', 'kprobe.multi'],
    ]);
    expect(found[0]).to.include({ effect: 'breaks', old: 'accepted', new: 'EOPNOTSUPP no-kprobe-multi' });
  });

  it('BTF: a function of both kernels that one alone has a FUNC of, with the reason', async () => {
    const functions = traced('kept', 'lost');
    const found = await changes(
      kernel({ functions, btf: btfOf({ kept: [], lost: [] }) }),
      kernel({ functions, btf: btfOf({ kept: [] }) }),
      'btf',
    );
    expect(found).to.have.length(1);
    expect(found[0]).to.include({ change: 'gone', effect: 'breaks', name: 'lost' });
    expect(found[0]!.says).to.match(/^pahole-/);
  });

  it('types: members gone, new, moved, retyped, resized, renamed, and moved into an inner struct', async () => {
    const types = (write: (btf: BtfWriter, int: number, long: number) => void): Kernel => kernel({ functions: [], btf: btfOf({}, write) });
    const old = types((btf, int, long) => {
      btf.struct('task', 24, [
        ['first', int, 0],
        ['state', long, 64],
        ['prio', int, 128],
        ['inner', int, 160],
      ]);
      btf.struct('gone', 4, [['a', int, 0]]);
      btf.struct('empty', 0, []);
      btf.struct('twice', 4, [['x', int, 0]]);
      btf.struct('twice', 8, [['y', long, 0]]);
    });
    const now = types((btf, int, long) => {
      const group = btf.struct('', 8, [
        ['added', int, 0],
        ['inner', int, 32],
      ]);
      btf.struct('task', 32, [
        ['first', long, 0],
        ['__state', int, 64],
        ['prio', int, 96],
        ['group', group, 128],
      ]);
      btf.struct('fresh', 0, []);
      btf.struct('empty', 0, []);
      btf.struct('twice', 8, [['y', long, 0]]);
      btf.struct('twice', 4, [['x', int, 0]]);
    });
    const found = await changes(old, now, 'types');
    expect(found.map(({ change, name, old, new: is }) => [change, name, old, is])).to.deep.equal([
      ['gone', 'struct gone', '4 bytes', undefined],
      ['retyped', 'struct task.first', 'int', 'long int'],
      ['renamed', 'struct task.inner', 'inner', 'group.inner'],
      ['renamed', 'struct task.state', 'state: long int', '__state: int'],
      ['resized', 'struct task', '24 bytes', '32 bytes'],
      ['moved', 'struct task.prio', '+16', '+12'],
      ['new', 'struct fresh', undefined, '0 bytes'],
      ['new', 'struct task.group', undefined, 'struct {…}'],
      ['new', 'struct task.group.added', undefined, 'int'],
    ]);
  });

  it('enumerators: values, and those of enums without a name', async () => {
    const of = (...values: [string, number][]): Kernel => {
      const write = (btf: BtfWriter): void => {
        btf.enum('pid_type', 4, values);
        btf.enum('', 4, [['ALONE', values.length]]);
      };
      return kernel({ functions: [], btf: btfOf({}, write) });
    };
    const found = await changes(of(['PID', 0], ['TGID', 1]), of(['PID', 0], ['SID', 1], ['TGID', 2]), 'enumerators');
    expect(found).to.deep.equal([
      { change: 'changed', effect: 'changes', name: 'ALONE', field: 'value', old: '2', new: '3' },
      { change: 'changed', effect: 'changes', name: 'enum pid_type.TGID', field: 'value', old: '1', new: '2' },
      { change: 'new', effect: 'adds', name: 'enum pid_type.SID', new: '1' },
    ]);
  });

  it('an enumerator that several enums have: a value that none of the others has', async () => {
    const of = (...enums: number[]): Kernel =>
      kernel({
        functions: [],
        btf: btfOf({}, btf => {
          for (const value of enums) btf.enum('', 4, [['Opt_err', value]]);
        }),
      });
    expect(await changes(of(0, 36), of(36, 0), 'enumerators')).to.deep.equal([]);
    expect(await changes(of(0, 36), of(0), 'enumerators')).to.deep.equal([]);
    expect((await changes(of(0, 36), of(0, 37), 'enumerators')).map(({ old, new: is }) => [old, is])).to.deep.equal([['36', '37']]);
  });

  it('a type whose name is a megabyte, and that thousands of members have, costs what its bytes cost', async () => {
    const of = (prefix: string): Kernel => {
      const write = (btf: BtfWriter): void => {
        const wide = btf.struct('w'.repeat(1 << 20), 4, []);
        btf.struct(
          'owner',
          4,
          Array.from({ length: 4000 }, (_, i) => [`${prefix}${i}`, wide, 0] as const),
        );
      };
      return kernel({ functions: [], btf: btfOf({}, write) });
    };
    const found = await changes(of('a'), of('b'), 'types');
    expect(found).to.have.length.above(7000);
    expect(found[0]!.old).to.have.length.below(1000);
  });

  it('structs of one name are those that are most alike, in whatever order', async () => {
    const of = (...lists: string[][]): Kernel =>
      kernel({
        functions: [],
        btf: btfOf({}, (btf, int) => {
          for (const list of lists)
            btf.struct(
              'twice',
              8,
              list.map((name, i) => [name, int, i * 32] as const),
            );
        }),
      });
    expect(await changes(of(['a'], ['a', 'b']), of(['a', 'b'], ['a']), 'types')).to.deep.equal([]);
  });

  it('settings', async () => {
    const old = kernel({ functions: [], config: { CONFIG_A: 'y', CONFIG_B: 'y' } });
    const now = kernel({ functions: [], config: { CONFIG_A: 'm', CONFIG_C: 'y' } });
    expect((await changes(old, now, 'config')).map(({ change, name, effect }) => [change, name, effect])).to.deep.equal([
      ['changed', 'CONFIG_A', 'changes'],
      ['gone', 'CONFIG_B', 'changes'],
      ['new', 'CONFIG_C', 'changes'],
    ]);
  });

  it('of BTF alone: what it tells, and a note of what it does not', async () => {
    const old = await openKernel(btfOf({ kept: [], lost: [] }));
    const now = await openKernel(btfOf({ kept: [['a', 'int']] }));
    const { changes: found, notes } = await diffKernels(old, now);
    expect(found.map(({ kind, change, name }) => [kind, change, name])).to.deep.equal([
      ['prototypes', 'changed', 'kept'],
      ['btf', 'gone', 'lost'],
    ]);
    expect(notes.join('\n')).to.match(/^not compared: functions, verdicts: .*--symbols FILE/);
  });

  it('nothing differs between a kernel and itself', async () => {
    const spec = { functions: traced('a', 'b.isra.0', 'c'), btf: btfOf({ a: [], c: [] }) };
    expect((await diffKernels(kernel(spec), kernel(spec))).changes).to.deep.equal([]);
  });

  it('prototypes of thousands of parameters are not compared one by one', async () => {
    const many = (type: 'int' | 'long'): Prototype => Array.from({ length: 5000 }, (_, i) => [`p${i}`, type] as const);
    const functions = traced('wide');
    const found = await changes(
      kernel({ functions, btf: btfOf({ wide: many('int') }) }),
      kernel({ functions, btf: btfOf({ wide: many('long').slice(1) }) }),
      'prototypes',
    );
    expect(found[0]!.says).to.equal('4999 parameters, not 5000: too many to compare');
  });
});
