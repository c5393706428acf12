import { expect } from 'chai';
import { Btf, relocateBtf } from 'kelf/btf';
import { FormatError } from 'kelf/elf';
import { BtfWriter } from '../support/btf-writer.js';

/** A kernel's BTF: `int`, `struct task` of 64 bytes, `struct page` of 16, `enum mode`, `union u`, and types in front of them. */
function kernel(change: (writer: BtfWriter) => void = () => {}): Btf {
  const writer = new BtfWriter();
  writer.typedef('filler', 0);
  const int = writer.int('int', 4, 1);
  writer.struct('task', 64, [['pid', int, 0]]);
  writer.struct('page', 16, [['flags', int, 0]]);
  writer.enum('mode', 4, [['READ', 1]]);
  writer.struct('u', 8, [['x', int, 0]], true);
  change(writer);
  return Btf.parse(writer.bytes(), { name: 'vmlinux' });
}

interface Distilled {
  readonly base: BtfWriter;
  readonly task: number;
  readonly int: number;
}

function distilled(taskSize = 64): Distilled {
  const base = new BtfWriter();
  const task = base.struct('task', taskSize, []);
  const int = base.int('int', 4, 1);
  return { base, task, int };
}

/** Split BTF over a distilled base, relocated onto a kernel's. */
function relocate(base: BtfWriter, split: BtfWriter, onto: Btf): Btf {
  const parsed = Btf.parse(split.bytes(), { base: Btf.parse(base.bytes(), { name: '.BTF.base' }), name: '.BTF' });
  return Btf.parse(relocateBtf(parsed, onto), { base: onto, name: '.BTF' });
}

describe('relocateBtf', () => {
  it('finds the types of the base by name, and moves ids and names', () => {
    const { base, task, int } = distilled();
    const split = new BtfWriter({ base });
    const pointer = split.ptr(task);
    const proto = split.funcProto(int, [['t', pointer]]);
    split.func('my_func', proto);
    // A name that stands in the strings of the distilled base.
    split.struct('mine', 72, [
      ['next', pointer, 0],
      ['own', split.array(task, int, 1), 64],
    ]);
    const btf = relocate(base, split, kernel());
    const [id] = btf.find('my_func', 'FUNC');
    expect(btf.firstId).to.equal(kernel().count);
    expect(id).to.equal(btf.firstId + 2);
    expect(btf.prototype(id!)).to.equal('int my_func(struct task *t)');
    const [mine] = btf.find('mine', 'STRUCT');
    expect(btf.declaration(mine!)).to.equal('struct mine');
    expect(btf.sizeof(btf.firstId + 3)).to.equal(64);
    expect([...btf.types()].map(({ kind }) => kind)).to.deep.equal(['PTR', 'FUNC_PROTO', 'FUNC', 'ARRAY', 'STRUCT']);
  });

  it('moves every kind of reference', () => {
    const { base, int } = distilled();
    const split = new BtfWriter({ base });
    const modified = split.const(split.volatile(split.restrict(split.typeTag('user', int))));
    const variable = split.var('counter', split.typedef('counter_t', modified));
    split.datasec('.data', 4, [[variable, 0, 4]]);
    split.declTag('tag', variable);
    split.enum('own', 4, [['A', 1]]);
    split.enum64('wide', 8, [['B', 1n]]);
    split.float('double', 8);
    split.fwd('opaque');
    const onto = kernel();
    const btf = relocate(base, split, onto);
    const section = btf.type(btf.find('.data', 'DATASEC')[0]!);
    expect(section.kind).to.equal('DATASEC');
    expect([...btf.types()].map(({ kind }) => kind)).to.include.members(['DECL_TAG', 'ENUM64', 'FLOAT', 'FWD', 'VAR']);
    expect(btf.resolve(btf.find('counter_t', 'TYPEDEF')[0]!)).to.equal(onto.find('int', 'INT')[0]);
    expect(btf.find('own', 'ENUM')).to.have.length(1);
  });

  const refusals: readonly (readonly [string, () => Btf, RegExp])[] = [
    [
      'a type that is not there',
      () => {
        const { base } = distilled();
        base.struct('gone', 4, []);
        return relocate(base, new BtfWriter({ base }), kernel());
      },
      /^\.BTF\.base\+0x\w+: STRUCT 'gone' has no counterpart in vmlinux$/,
    ],
    [
      'a struct of another size that the module embeds, behind typedefs and arrays',
      () => {
        const { base, task, int } = distilled(56);
        const split = new BtfWriter({ base });
        split.struct('mine', 112, [['tasks', split.array(split.typedef('task_t', split.const(task)), int, 2), 0]]);
        return relocate(base, split, kernel());
      },
      /STRUCT 'task' of size 56, which the module embeds, has no counterpart/,
    ],
    [
      'an int of another encoding',
      () => {
        const base = new BtfWriter();
        base.int('int', 4, 0);
        return relocate(base, new BtfWriter({ base }), kernel());
      },
      /INT 'int' has no counterpart/,
    ],
    [
      'two structs of one name and size',
      () => {
        const { base } = distilled();
        return relocate(
          base,
          new BtfWriter({ base }),
          kernel(writer => writer.struct('task', 64, [])),
        );
      },
      /STRUCT 'task' of size 64 could be type 3 or 7 of vmlinux/,
    ],
    [
      'an anonymous type in the distilled base',
      () => {
        const base = new BtfWriter();
        base.struct('', 4, []);
        return relocate(base, new BtfWriter({ base }), kernel());
      },
      /type 1 of the distilled base has no name/,
    ],
    [
      'a pointer in the distilled base',
      () => {
        const base = new BtfWriter();
        base.ptr(0);
        return relocate(base, new BtfWriter({ base }), kernel());
      },
      /type 1 is PTR, which no distilled base has/,
    ],
    [
      'a name of the distilled base that belongs to none of its types',
      () => {
        const { base } = distilled();
        const stray = base.string('stray');
        const split = new BtfWriter({ base });
        split.record(stray, 7, 0, 0);
        return relocate(base, split, kernel());
      },
      /the name 'stray' has no counterpart in vmlinux/,
    ],
  ];
  for (const [what, attempt, message] of refusals) {
    it(`refuses ${what}`, () => {
      expect(attempt).to.throw(FormatError, message);
    });
  }

  it('takes a struct of another size that is only pointed to', () => {
    const { base, task } = distilled(56);
    const split = new BtfWriter({ base });
    split.ptr(task);
    const btf = relocate(base, split, kernel());
    expect(btf.declaration(btf.firstId)).to.equal('struct task *');
  });

  it('tells two structs of one name apart by size', () => {
    const { base, task } = distilled();
    const split = new BtfWriter({ base });
    split.ptr(task);
    const onto = kernel(writer => writer.struct('task', 8, []));
    const btf = relocate(base, split, onto);
    const type = btf.type(btf.firstId);
    expect(type).to.deep.include({ kind: 'PTR', typeId: 3 });
  });

  it('takes an ENUM64 for a distilled enum, and a struct for a forward declaration', () => {
    const base = new BtfWriter();
    base.enum('wide', 8, []);
    base.fwd('page');
    const split = new BtfWriter({ base });
    split.ptr(2);
    const onto = kernel(writer => writer.enum64('wide', 8, [['HUGE', 1n]]));
    const btf = relocate(base, split, onto);
    expect(btf.declaration(btf.firstId)).to.equal('struct page *');
  });
});
