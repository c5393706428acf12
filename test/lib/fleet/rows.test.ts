import { expect } from 'chai';
import { cellOf } from '../../../lib/fleet/rows/columns.js';
import { enumeratorRows } from '../../../lib/fleet/rows/enumerators.js';
import { functionRows } from '../../../lib/fleet/rows/functions.js';
import { MECHANISMS, type Mechanism } from '../../../lib/fleet/rows/mechanisms.js';
import { memberRows } from '../../../lib/fleet/rows/members.js';
import { hashText } from '../../../lib/fleet/rows/prototypes.js';
import type { Kernel } from '../../../lib/kernel.js';
import { BtfWriter } from '../../support/btf-writer.js';
import { kernelOf } from '../../support/kernel-writer.js';

function sample(): Kernel {
  const btf = new BtfWriter();
  const int = btf.int('int', 4, 1);
  const one = btf.funcProto(int, [['a', int]]);
  const two = btf.funcProto(int, [
    ['a', int],
    ['b', int],
  ]);
  btf.func('schedule', one);
  btf.func('alone', two);
  btf.func('twice', one);
  return kernelOf({
    btf: btf.bytes(),
    functions: [
      { name: 'twice', site: 0, file: 'a.c', binding: 'local' },
      { name: 'schedule', site: 0 },
      { name: 'notrace' },
      { name: 'twice', file: 'b.c', binding: 'local' },
      { name: 'register_ftrace_direct', site: 0 },
      { name: 'register_fprobe', site: 0 },
    ],
  });
}

describe('the functions of a kernel as rows', () => {
  it('stand in the order of their names, those that BTF alone has among them', () => {
    const rows = functionRows(sample());
    expect(rows.name).to.deep.equal([
      ...['__init_begin', '__init_end', '_etext', '_stext'],
      ...['alone', 'notrace', 'register_fprobe', 'register_ftrace_direct', 'schedule', 'twice', 'twice'],
    ]);
    const of = (name: string): object[] =>
      rows.name.flatMap((each, row) =>
        each === name
          ? [{ anchor: rows.anchor[row]!, size: rows.size[row]!, file: cellOf(rows.file, row), text: cellOf(rows.prototype, row)?.text }]
          : [],
      );
    expect(of('alone')).to.deep.equal([{ anchor: Number.NaN, size: Number.NaN, file: undefined, text: 'int(int a, int b)' }]);
    expect(of('notrace')).to.deep.equal([{ anchor: 64, size: 32, file: undefined, text: undefined }]);
    expect(of('twice')).to.deep.equal([
      { anchor: 0, size: 32, file: 'a.c', text: 'int(int a)' },
      { anchor: 96, size: 32, file: 'b.c', text: 'int(int a)' },
    ]);
    expect([...rows.hasBtf].slice(4)).to.deep.equal([1, 0, 0, 0, 1, 1, 1]);
    expect(cellOf(rows.absence, 8)).to.equal(undefined);
    expect(cellOf(rows.absence, 5)).to.have.all.keys('code', 'certainty');
  });

  it('have the verdicts that traceability() gives of the name', () => {
    const kernel = sample();
    const rows = functionRows(kernel);
    for (let row = 0; row < rows.count; row++) {
      const answer = kernel.traceability(rows.name[row]!);
      const told: Record<Mechanism, { readonly code: string; readonly errno?: string; readonly outcome: string }> = {
        kprobe: answer.kprobe.byName,
        kretprobe: answer.kretprobe.byName,
        fentry: answer.fentry.attach,
        fexit: answer.fexit.attach,
        fmodRet: answer.fmodRet.attach,
        kprobeMulti: answer.kprobeMulti.byName,
      };
      for (const mechanism of MECHANISMS) {
        const { code, errno, outcome } = told[mechanism];
        const verdict = cellOf(rows.verdicts[mechanism], row);
        expect([verdict.outcome, verdict.code, verdict.errno], `${mechanism} of ${rows.name[row]}`).to.deep.equal([outcome, code, errno]);
      }
    }
  });

  it('know a prototype by its text', () => {
    expect(hashText('int(int a)')).to.equal(hashText('int(int a)'));
    const ids = new Set(Array.from({ length: 20_000 }, (_, i) => hashText(`int (struct s${i} *a)`)));
    expect(ids.size).to.equal(20_000);
    for (const id of ids) expect(Number.isSafeInteger(id) && id >= 0).to.equal(true);
  });
});

describe('the types of a kernel as rows', () => {
  it('members: through unnamed inner structs, with bit-fields, of typedefs of unnamed structs', () => {
    const btf = new BtfWriter();
    const int = btf.int('int', 4, 1);
    const inner = btf.struct('', 8, [
      ['x', int, 0],
      ['y', int, 32],
    ]);
    const list = btf.array(inner, int, 2);
    btf.struct('outer', 36, [
      ['first', int, 0],
      ['', inner, 32],
      ['named', inner, 96],
      ['many', list, 160],
    ]);
    btf.typedef('pair_t', inner);
    const rows = memberRows(kernelOf({ functions: [{ name: 'f', site: 0 }], btf: btf.bytes() }));
    const lines = rows.path.map(
      (path, row) =>
        `${cellOf(rows.kind, row)} ${cellOf(rows.struct, row)}.${path} ${rows.offset[row]}+${rows.size[row]} ${cellOf(rows.type, row)} of ${rows.structSize[row]}`,
    );
    expect(lines).to.deep.equal([
      'struct outer.first 0+32 int of 36',
      'struct outer.x 32+32 int of 36',
      'struct outer.y 64+32 int of 36',
      'struct outer.named 96+64 struct {...} of 36',
      'struct outer.named.x 96+32 int of 36',
      'struct outer.named.y 128+32 int of 36',
      'struct outer.many 160+128 struct {...}[2] of 36',
      'struct outer.many[0].x 160+32 int of 36',
      'struct outer.many[0].y 192+32 int of 36',
      'typedef pair_t.x 0+32 int of 8',
      'typedef pair_t.y 32+32 int of 8',
    ]);
  });

  it('members: unnamed structs that hold each other many times are damage', () => {
    const btf = new BtfWriter();
    const int = btf.int('int', 4, 1);
    let type = btf.struct('', 4, [['x', int, 0]]);
    for (let i = 0; i < 28; i++) {
      type = btf.struct(
        '',
        4,
        [
          ['', type, 0],
          ['', type, 0],
        ],
        true,
      );
    }
    btf.struct('outer', 4, [['', type, 0]]);
    const kernel = kernelOf({ functions: [{ name: 'f', site: 0 }], btf: btf.bytes() });
    expect(() => memberRows(kernel)).to.throw(/the members of its structs come to more than \d+/);
  });

  it('enumerators: negative and large values', () => {
    const btf = new BtfWriter();
    btf.record('small', 6, 2, 4, [btf.string('MINUS'), 0xffffffff, btf.string('ONE'), 1], true);
    btf.record('', 19, 1, 8, [btf.string('LARGE'), 0, 0x80000000]);
    const rows = enumeratorRows(kernelOf({ functions: [{ name: 'f', site: 0 }], btf: btf.bytes() }));
    expect(rows.name.map((name, row) => `${cellOf(rows.enum, row)} ${name} ${rows.value[row]}`)).to.deep.equal([
      ' LARGE -9223372036854775808',
      'small MINUS -1',
      'small ONE 1',
    ]);
  });

  it('a kernel without BTF has none', () => {
    const kernel = kernelOf({ functions: [{ name: 'f', site: 0 }] });
    expect(memberRows(kernel).count).to.equal(0);
    expect(enumeratorRows(kernel).count).to.equal(0);
    expect([...functionRows(kernel).hasBtf].every(has => has === 0)).to.equal(true);
  });
});
