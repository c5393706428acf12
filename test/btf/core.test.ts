import { expect } from 'chai';
import {
  Btf,
  breakOf,
  CORE_KINDS,
  type CoreError,
  type CoreKind,
  CoreRelocator,
  type CoreResolution,
  type CoreSpec,
  CoreTypes,
  essentialName,
  formatCoreSpec,
  minimalSplitBtf,
} from 'kelf/btf';
import { FormatError } from 'kelf/elf';
import { BtfWriter } from '../support/btf-writer.js';

const SIGNED = 1;

/** A BTF, and the ids that `make` gave names to. */
function blob<T>(make: (writer: BtfWriter) => T, options: ConstructorParameters<typeof BtfWriter>[0] = {}): { btf: Btf; ids: T } {
  const writer = new BtfWriter(options);
  const ids = make(writer);
  return { btf: Btf.parse(writer.bytes()), ids };
}

const kindNumber = (kind: CoreKind): number => CORE_KINDS.indexOf(kind);

/** The object's side that most tests take: a flavour of a struct with a member of each sort. */
const local = blob(w => {
  const int = w.int('int', 4, SIGNED);
  const u64 = w.int('unsigned long', 8);
  const pointer = w.ptr(int);
  const numbers = w.array(int, int, 4);
  const inner = w.struct('', 8, [
    ['deep', int, 0],
    ['deeper', int, 32],
  ]);
  const state = w.enum('state', 4, [
    ['DEAD', 7],
    ['GONE', 8],
  ]);
  const task = w.struct('task___mine', 64, [
    ['pid', int, 0],
    ['name', numbers, 32],
    ['', inner, 160],
    ['parent', pointer, 256],
    ['flags', u64, 320],
    ['bits', int, 384, 5],
  ]);
  return { int, task, state, missing: w.struct('nowhere', 4, [['x', int, 0]]), anonymous: w.struct('', 4, [['x', int, 0]]) };
});

const kernel = blob(w => {
  const int = w.int('int', 4, SIGNED);
  const u32 = w.int('unsigned int', 4);
  const pointer = w.ptr(int);
  const numbers = w.array(int, int, 2);
  const inner = w.struct('', 12, [
    ['other', int, 0],
    ['deep', int, 32],
    ['deeper', pointer, 64],
  ]);
  w.enum64('state', 8, [
    ['BORN', 1n],
    ['DEAD', 1n << 40n],
  ]);
  return w.struct('task', 80, [
    ['usage', int, 0],
    ['', inner, 64],
    ['pid', int, 256],
    ['name', numbers, 288],
    ['parent', pointer, 384],
    ['flags', u32, 448],
    ['bits', u32, 486, 5],
  ]);
});

const at = (access: string, kind: CoreKind = 'byte_off', id = local.ids.task, target: readonly Btf[] = [kernel.btf]): CoreResolution =>
  new CoreRelocator(local.btf, target).relocate(id, access, kindNumber(kind));

describe('essentialName', () => {
  for (const [name, essential] of [
    ['task_struct', 'task_struct'],
    ['task_struct___old', 'task_struct'],
    ['a___b___c', 'a___b'],
    ['___old', '___old'],
    ['task____old', 'task____old'],
    ['task___', 'task___'],
    ['', ''],
  ] as const)
    it(`of '${name}' is '${essential}'`, () => expect(essentialName(name)).to.equal(essential));
});

describe('CoreRelocator', () => {
  it('finds a member by its name, wherever it is, and through anonymous structs', () => {
    const pid = at('0:0');
    expect(pid).to.deep.include({ value: 32n, poison: false, sizeUnsafe: false });
    expect(pid.original.value).to.equal(0n);
    expect(formatCoreSpec(kernel.btf, pid.target!)).to.equal(`<byte_off> [${kernel.ids}] struct task.pid (0:2 @ offset 32)`);
    expect(at('0:2:0').value).to.equal(12n);
  });

  it('keeps an index that the array of the kernel has, and poisons one that it has not', () => {
    expect(at('0:1:1').value).to.equal(40n);
    expect(at('0:1:2').poison).to.equal(true);
    expect(at('0:1:2', 'field_exists')).to.deep.include({ value: 0n, poison: false });
  });

  it('takes a member of the name only where its type fits', () => {
    // `deeper` is a pointer now.
    expect(at('0:2:1').poison).to.equal(true);
  });

  it('gives the size to load where it differs, if that can be adapted', () => {
    expect(at('0:4')).to.deep.include({ value: 56n, size: 4, sizeUnsafe: false });
    const narrow = blob(w => w.struct('task', 8, [['pid', w.int('short int', 2, SIGNED), 0]]));
    expect(at('0:0', 'byte_off', local.ids.task, [narrow.btf])).to.deep.include({ size: 2, sizeUnsafe: true });
  });

  it('tells sizes, signs and shifts of fields and bit-fields', () => {
    expect(at('0:1', 'byte_sz').value).to.equal(8n);
    expect(at('0:0', 'signed').value).to.equal(1n);
    expect(at('0:4', 'signed').value).to.equal(0n);
    // Five bits at bit 486: the four bytes at 60, of which they are bits 6 to 10.
    expect(at('0:5')).to.deep.include({ value: 60n });
    expect(at('0:5', 'byte_sz').value).to.equal(4n);
    expect(at('0:5', 'lshift_u64').value).to.equal(53n);
    expect(at('0:5', 'rshift_u64').value).to.equal(59n);
    expect(at('0:5').original.validate).to.equal(false);
  });

  it('counts shifts of big-endian kernels from the other end', () => {
    const big = blob(w => w.struct('task', 8, [['bits', w.int('int', 4, SIGNED), 6, 5]]), { littleEndian: false });
    expect(at('0:5', 'lshift_u64', local.ids.task, [big.btf]).value).to.equal(38n);
  });

  it('answers about types and enumerators, and poisons the value of an enumerator that is gone', () => {
    expect(at('0', 'type_exists').value).to.equal(1n);
    expect(at('0', 'type_size').value).to.equal(80n);
    expect(at('0', 'target_type_id').value).to.equal(BigInt(kernel.ids));
    expect(at('0', 'local_type_id').value).to.equal(BigInt(local.ids.task));
    expect(at('0', 'type_exists', local.ids.missing).value).to.equal(0n);
    expect(at('0', 'enumval_value', local.ids.state).value).to.equal(1n << 40n);
    expect(at('1', 'enumval_exists', local.ids.state)).to.deep.include({ value: 0n, poison: false });
    expect(at('1', 'enumval_value', local.ids.state).poison).to.equal(true);
  });

  it('asks modules for what the kernel does not have', () => {
    const module = blob(w =>
      w.struct('nowhere', 8, [
        ['y', w.int('int', 4), 0],
        ['x', w.int('int', 4, SIGNED), 32],
      ]),
    );
    expect(at('0:0', 'byte_off', local.ids.missing, [kernel.btf, module.btf]).value).to.equal(4n);
  });

  it('refuses types of one name that disagree, unless an earlier relocation ruled one out', () => {
    const two = blob(w => {
      const int = w.int('int', 4, SIGNED);
      w.struct('task', 8, [['pid', int, 0]]);
      w.struct('task', 8, [
        ['pid', int, 32],
        ['usage', int, 0],
      ]);
    });
    const relocate = (relocator: CoreRelocator, access: string): CoreResolution => relocator.relocate(local.ids.task, access, 0);
    expect(() => relocate(new CoreRelocator(local.btf, [two.btf]), '0:0')).to.throw(/field offset ambiguity/);
    const other = blob(w => {
      const int = w.int('int', 4, SIGNED);
      w.struct('task', 8, [
        ['pid', int, 0],
        ['flags', w.int('unsigned long', 8), 64],
      ]);
      w.struct('task', 8, [['pid', int, 32]]);
    });
    const relocator = new CoreRelocator(local.btf, [other.btf]);
    expect(relocate(relocator, '0:4').value).to.equal(8n);
    expect(relocate(relocator, '0:0').value).to.equal(0n);
  });

  it('refuses accesses to what has no name', () => {
    expect(() => at('0:0', 'byte_off', local.ids.anonymous)).to.throw(/no name/);
  });

  it('refuses a bit-field of a type that takes no bytes', () => {
    const odd = blob(w => w.struct('task', 8, [['bits', w.struct('empty', 0, []), 0, 5]]));
    const relocate = (): CoreResolution => new CoreRelocator(odd.btf, [kernel.btf]).relocate(odd.ids, '0:0', kindNumber('byte_sz'));
    expect(relocate).to.throw(FormatError, /takes no bytes/);
  });

  it('takes a type of the kernel that has a flavour itself', () => {
    const flavored = blob(w => w.struct('task___v2', 8, [['pid', w.int('int', 4, SIGNED), 32]]));
    expect(at('0:0', 'byte_off', local.ids.task, [flavored.btf]).value).to.equal(4n);
  });
});

describe('CoreTypes', () => {
  const types = (a: (w: BtfWriter) => number, b: (w: BtfWriter) => number): { loose: boolean; strict: boolean } => {
    const [x, y] = [blob(a), blob(b)];
    const both = new CoreTypes(x.btf, y.btf);
    return { loose: both.typesAreCompatible(x.ids, y.ids), strict: both.typesMatch(x.ids, y.ids) };
  };
  const struct =
    (name: string, ...members: [string, number][]) =>
    (w: BtfWriter): number =>
      w.struct(
        name,
        8,
        members.map(([member, size], i) => [member, w.int(`i${size}`, size), i * 32]),
      );

  it('asks only the kind of structs, or all their members', () => {
    expect(types(struct('s', ['a', 4]), struct('s', ['a', 4], ['b', 4]))).to.deep.equal({ loose: true, strict: true });
    expect(types(struct('s', ['a', 4], ['b', 4]), struct('s', ['a', 4]))).to.deep.equal({ loose: true, strict: false });
    expect(types(struct('s', ['a', 4]), struct('s', ['a', 8]))).to.deep.equal({ loose: true, strict: false });
  });

  it('compares prototypes by every parameter', () => {
    const proto =
      (signed: number) =>
      (w: BtfWriter): number => {
        const int = w.int('int', 4, signed);
        return w.funcProto(int, [
          ['a', w.ptr(w.struct('s', 4, [['x', int, 0]]))],
          ['b', int],
        ]);
      };
    expect(types(proto(SIGNED), proto(SIGNED))).to.deep.equal({ loose: true, strict: true });
    expect(types(proto(SIGNED), proto(0))).to.deep.equal({ loose: true, strict: false });
    expect(types(proto(SIGNED), w => w.funcProto(0, []))).to.deep.equal({ loose: false, strict: false });
  });

  it('takes a forward declaration behind a pointer for the struct', () => {
    expect(
      types(
        w => w.ptr(w.fwd('s')),
        w => w.ptr(struct('s', ['a', 4])(w)),
      ).strict,
    ).to.equal(true);
    expect(types(w => w.fwd('s'), struct('s', ['a', 4])).strict).to.equal(false);
  });
});

describe('CoreRelocator', () => {
  it('looks candidates up once, and says which ones an earlier relocation ruled out', () => {
    const own = blob(w =>
      w.struct('s', 8, [
        ['a', w.int('int', 4, SIGNED), 0],
        ['b', w.int('int', 4, SIGNED), 32],
      ]),
    );
    const two = blob(w => {
      const int = w.int('int', 4, SIGNED);
      return [w.struct('s', 4, [['a', int, 0]]), w.struct('s', 4, [['b', int, 0]])] as const;
    });
    const relocator = new CoreRelocator(own.btf, [two.btf]);
    expect(relocator.lookUp(own.ids as never)?.map(({ typeId }) => typeId)).to.deep.equal([...two.ids]);
    expect(relocator.lookUp(own.ids as never)).to.equal(undefined);
    const first = relocator.relocate(own.ids as never, '0:0', kindNumber('byte_off'));
    expect([first.ruledOut.length, first.target?.rootTypeId]).to.deep.equal([0, two.ids[0]]);
    const second = relocator.relocate(own.ids as never, '0:1', kindNumber('byte_off'));
    expect([second.poison, second.ruledOut.map(({ typeId }) => typeId)]).to.deep.equal([true, [two.ids[1]]]);
  });
});

describe('Candidates that do not agree', () => {
  const base = new BtfWriter();
  const int = base.int('int', 4, SIGNED);
  const kernel = Btf.parse(base.bytes(), { name: 'vmlinux' });
  const asked = blob(w => w.struct('conn', 4, [['mark', w.int('int', 4, SIGNED), 0]]));
  const module = (name: string, offset: number): Btf => {
    const split = new BtfWriter({ base });
    split.struct('conn', 16, [['mark', int, offset]]);
    return Btf.parse(split.bytes(), { base: kernel, name });
  };
  const ambiguity = (...targets: Btf[]): unknown => {
    try {
      new CoreRelocator(asked.btf, targets).relocate(asked.ids as never, '0:0', kindNumber('byte_off'));
    } catch (error) {
      const { log, modules, candidates } = (error as CoreError).ambiguity!;
      return [log, modules?.map(({ name }) => name), candidates.length];
    }
    return undefined;
  };

  it('are of two modules: libbpf refuses the object only where both are loaded', () => {
    expect(ambiguity(kernel, module('a.ko', 0), module('b.ko', 64))).to.deep.equal([
      'field offset ambiguity: 64 != 0',
      ['a.ko', 'b.ko'],
      2,
    ]);
    expect(ambiguity(kernel, module('a.ko', 0), module('b.ko', 0))).to.equal(undefined);
  });

  it('are of one BTF: libbpf refuses the object', () => {
    const two = blob(w => {
      const number = w.int('int', 4, SIGNED);
      w.struct('conn', 8, [['mark', number, 0]]);
      return w.struct('conn', 8, [['mark', number, 32]]);
    });
    expect(ambiguity(two.btf)).to.deep.equal(['field offset ambiguity: 32 != 0', undefined, 2]);
  });
});

describe('minimalSplitBtf', () => {
  it('has the types of a module in a blob of their own, over the least of the kernel', () => {
    const base = new BtfWriter();
    const int = base.int('int', 4, SIGNED);
    base.struct('unused', 4, [['x', int, 0]]);
    base.struct('kernel_type', 8, [
      ['a', int, 0],
      ['b', int, 32],
    ]);
    const kernel = Btf.parse(base.bytes());
    const split = new BtfWriter({ base });
    split.struct('other', 4, [['y', int, 0]]);
    split.struct('module_type', 8, [
      ['c', int, 0],
      ['d', int, 32],
    ]);
    const module = Btf.parse(split.bytes(), { base: kernel });
    const asked = blob(w => {
      const own = w.int('int', 4, SIGNED);
      return [w.struct('kernel_type', 4, [['b', own, 0]]), w.struct('module_type', 4, [['d', own, 0]])] as const;
    });
    const relocator = new CoreRelocator(asked.btf, [kernel, module]);
    const target = (id: number): CoreSpec => relocator.relocate(id as never, '0:0', kindNumber('byte_off')).target!;
    const made = minimalSplitBtf(kernel, [target(asked.ids[0])], [{ btf: module, specs: [target(asked.ids[1])] }]);
    const least = Btf.parse(made.kernel);
    const over = Btf.parse(made.modules[0]!, { base: least });
    const names = (btf: Btf, from: number): string[] => Array.from({ length: btf.count - from }, (_, i) => btf.nameOf((from + i) as never));
    expect(names(least, 1)).to.deep.equal(['int', 'kernel_type']);
    expect(names(over, over.firstId)).to.deep.equal(['module_type']);
    const [id] = over.find('module_type', 'STRUCT');
    expect(over.type(id!)).to.deep.include({ size: 8 });
    expect((over.type(id!) as { members: readonly { name: string; bitOffset: number; typeId: number }[] }).members).to.deep.equal([
      { name: 'd', bitOffset: 32, bitfieldSize: 0, typeId: least.find('int')[0] },
    ]);
  });
});

describe('breakOf', () => {
  const broken = (access: string, target: Btf): unknown => {
    const { local: spec, candidates } = at(access, 'byte_off', local.ids.task, [target]);
    return breakOf(local.btf, spec, candidates[0]!);
  };

  it('says what a member is called now, where it went, and that its type is another', () => {
    const renamed = blob(w =>
      w.struct('task', 8, [
        ['__pid', w.int('int', 4, SIGNED), 0],
        ['other', w.int('int', 4), 32],
      ]),
    );
    expect(broken('0:0', renamed.btf)).to.deep.equal({
      type: 'struct task',
      missing: 'pid',
      near: [{ how: 'renamed', path: '.__pid', declaration: 'int __pid' }],
    });
    const moved = blob(w => w.struct('task', 8, [['ids', w.struct('ids', 4, [['pid', w.int('int', 4, SIGNED), 0]]), 0]]));
    expect(broken('0:0', moved.btf)).to.deep.include({ near: [{ how: 'moved', path: '.ids.pid', declaration: 'int pid' }] });
    const retyped = blob(w => w.struct('task', 8, [['pid', w.ptr(0), 0]]));
    expect(broken('0:0', retyped.btf)).to.deep.include({ near: [{ how: 'retyped', path: '.pid', declaration: 'void *pid' }] });
  });

  it('says what a struct dissolved into, what became a struct, and what moved to the struct around', () => {
    const time = (w: BtfWriter): number =>
      w.struct('timespec', 16, [
        ['tv_sec', w.int('long', 8, SIGNED), 0],
        ['tv_nsec', w.int('long', 8, SIGNED), 64],
      ]);
    const nested = blob(w => w.struct('inode', 24, [['i_atime', time(w), 0]]));
    const flat = blob(w =>
      w.struct('inode', 16, [
        ['i_atime_sec', w.int('long', 8, SIGNED), 0],
        ['i_atime_nsec', w.int('int', 4, SIGNED), 64],
        ['i_mtime_sec', w.int('long', 8, SIGNED), 96],
      ]),
    );
    const near = (from: { btf: Btf; ids: number }, to: { btf: Btf }, access: string): unknown => {
      const { local: spec, candidates } = new CoreRelocator(from.btf, [to.btf]).relocate(from.ids, access, kindNumber('byte_off'));
      return breakOf(from.btf, spec, candidates[0]!)?.near[0];
    };
    expect(near(nested, flat, '0:0:0')).to.deep.equal({ how: 'dissolved', path: '.i_atime_sec', declaration: 'long i_atime_sec' });
    expect(near(nested, flat, '0:0:1')).to.deep.include({ path: '.i_atime_nsec' });
    expect(near(flat, nested, '0:0')).to.deep.equal({ how: 'renamed', path: '.i_atime.tv_sec', declaration: 'long tv_sec' });
    const inner = (w: BtfWriter, ...names: string[]): number =>
      w.struct(
        'common',
        8,
        names.map((name, i) => [name, w.int('int', 4, SIGNED), i * 32]),
      );
    const within = blob(w => w.struct('sock', 8, [['common', inner(w, 'family', 'priority'), 0]]));
    const around = blob(w =>
      w.struct('sock', 8, [
        ['common', inner(w, 'family'), 0],
        ['priority', w.int('int', 4, SIGNED), 32],
      ]),
    );
    expect(near(within, around, '0:0:1')).to.deep.equal({ how: 'moved', path: 'sock.priority', declaration: 'int priority' });
  });

  it('has nothing to say where nothing is like it', () => {
    const none = blob(w => w.struct('task', 8, [['quux', w.int('int', 4, SIGNED), 0]]));
    expect(broken('0:0', none.btf)).to.deep.include({ near: [] });
    // That both are numbers is no likeness.
    const number = blob(w => w.struct('task', 8, [['grid', w.int('int', 4, SIGNED), 0]]));
    expect(broken('0:0', number.btf)).to.deep.include({ near: [] });
  });

  it('compares enumerators without what all of them begin with', () => {
    const op = (...names: string[]): Btf => {
      const values = names.map((name, i): [string, number] => [name, i]);
      return blob(w => w.enum('op', 4, values)).btf;
    };
    const own = op('OP_KIND_READ___x');
    const near = (...names: string[]): unknown => {
      const relocator = new CoreRelocator(own, [op(...names, '__OP_KIND_MAX')]);
      const { local: spec, candidates } = relocator.relocate(1, '0', kindNumber('enumval_value'));
      return breakOf(own, spec, candidates[0]!);
    };
    expect(near('OP_KIND_WAIT', 'OP_KIND_POLL')).to.deep.equal({ type: 'enum op', missing: 'OP_KIND_READ', near: [] });
    expect(near('OP_KIND_WAIT', 'OP_KIND_READS')).to.deep.include({
      near: [{ how: 'renamed', path: '::OP_KIND_READS', declaration: 'OP_KIND_READS = 1' }],
    });
  });
});
