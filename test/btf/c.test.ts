import { expect } from 'chai';
import { Btf, printC } from 'kelf/btf';
import { FormatError } from 'kelf/elf';
import { LAST_KIND } from '../../btf/kinds.js';
import { BtfWriter, everyKind } from '../support/btf-writer.js';
import { textOf } from '../support/text.js';

/** The header without what stands before and behind the types. */
function header(build: (writer: BtfWriter) => unknown): string {
  const writer = new BtfWriter();
  build(writer);
  const text = textOf(sink => printC(Btf.parse(writer.bytes()), sink));
  expect(text).to.match(/^#ifndef __VMLINUX_H__\n#define __VMLINUX_H__\n/);
  expect(text).to.match(/#pragma clang attribute pop\n#endif\n\n#endif \/\* __VMLINUX_H__ \*\/\n$/);
  return text.slice(text.indexOf('record)\n#endif\n\n') + 16, text.lastIndexOf('#ifndef BPF'));
}

describe('printC', () => {
  // As bpftool 7.1 printed these bytes.
  it('prints every kind that C has a form for', () =>
    expect(header(everyKind)).to.equal(
      [
        'enum colour {',
        '\tRED = -1,',
        '\tBLUE = 2147483647,',
        '};',
        '',
        'enum wide {',
        '\tHUGE = 4294967297ULL,',
        '};',
        '',
        'struct point {',
        '\tint x;',
        '\tint flags: 3;',
        '\tconst char *name;',
        '\tint cells[3];',
        '\tenum colour colour;',
        '\tenum wide wide;',
        '};',
        '',
        'union either {',
        '\tlong unsigned int number;',
        '\tstruct point *point;',
        '};',
        '',
        'struct opaque;',
        '',
        'union choice;',
        '',
        'typedef struct point point_t;',
        '',
        '',
      ].join('\n'),
    ));

  it('defines what is embedded first, and declares forward what is pointed to', () => {
    expect(
      header(w => {
        w.struct('outer', 16, [
          ['inner', 2, 0],
          ['later', 3, 64],
        ]);
        w.struct('inner', 8, [['self', 4, 0]]);
        w.ptr(5);
        w.ptr(2);
        w.struct('later', 8, [['outer', 6, 0]]);
        w.ptr(1);
      }),
    ).to.equal(
      [
        'struct inner {\n\tstruct inner *self;\n};\n',
        'struct later;\n',
        'struct outer {\n\tstruct inner inner;\n\tstruct later *later;\n};\n',
        'struct later {\n\tstruct outer *outer;\n};\n\n',
      ].join('\n'),
    );
  });

  it('numbers types and identifiers of one name', () => {
    expect(
      header(w => {
        const int = w.int('int', 4);
        w.struct('s', 4, [['a', int, 0]]);
        w.struct('s', 4, [['b', int, 0]]);
        w.typedef('t', int);
        w.typedef('t', w.ptr(3));
        w.enum('', 4, [['t', 1]]);
      }),
    ).to.equal(
      [
        'struct s {\n\tint a;\n};\n',
        'struct s___2 {\n\tint b;\n};\n',
        'typedef int t;\n',
        'typedef struct s___2 *t___2;\n',
        'enum {\n\tt___3 = 1,\n};\n\n',
      ].join('\n'),
    );
  });

  it('fills gaps that alignment does not make, and marks packed structs', () => {
    const text = header(w => {
      const int = w.int('int', 4);
      const char = w.int('char', 1);
      const long = w.int('long', 8);
      w.struct('gap', 24, [
        ['a', char, 0],
        ['b', long, 128],
      ]);
      w.struct('packed', 5, [
        ['a', char, 0],
        ['b', int, 8],
      ]);
      w.struct('bits', 8, [
        ['a', int, 0, 3],
        ['b', int, 5, 2],
        ['c', int, 32, 1],
      ]);
    });
    expect(text).to.equal(
      [
        'struct gap {\n\tchar a;\n\tlong: 64;\n\tlong b;\n};\n',
        'struct packed {\n\tchar a;\n\tint b;\n} __attribute__((packed));\n',
        'struct bits {\n\tint a: 3;\n\tchar: 2;\n\tint b: 2;\n\tint: 25;\n\tint c: 1;\n};\n\n',
      ].join('\n'),
    );
  });

  it('prints the types of a split blob and of its base', () => {
    const base = new BtfWriter();
    base.struct('base', 4, [['a', base.int('int', 4), 0]]);
    const split = new BtfWriter({ base });
    split.struct('base', 4, [['mine', 1, 0]]);
    const text = textOf(sink => printC(Btf.parse(split.bytes(), { base: Btf.parse(base.bytes()) }), sink));
    expect(text).to.include('struct base {\n\tint a;\n};\n\nstruct base___2 {\n\tint mine;\n};\n');
  });

  it('leaves out what compilers define, and defines what they do not', () => {
    expect(
      header(w => {
        const record = w.struct('__va_list_tag', 0, []);
        w.typedef('__builtin_va_list', w.array(record, 0, 1));
        w.typedef('__gnuc_va_list', 0);
        w.struct('poly', 1, [['p', w.int('__Poly8_t', 1), 0]]);
      }),
    ).to.equal(
      [
        'struct __va_list_tag {};\n',
        'typedef __builtin_va_list __gnuc_va_list;\n',
        'typedef unsigned char __Poly8_t;\n',
        'struct poly {\n\t__Poly8_t p;\n};\n\n',
      ].join('\n'),
    );
  });

  it('prints what goes through many types, longer than a piece of output', () => {
    const text = header(w => {
      let id = w.int('int', 4);
      for (let i = 0; i < 400; i++) id = w.const(id);
      w.typedef('t', id);
      w.typedef(
        'p',
        Array.from({ length: 90 }).reduce<number>(of => w.array(of, 1, 0xffffffff), w.ptr(1)),
      );
    });
    expect(text).to.include(`typedef ${'const '.repeat(400)}int t;`);
    expect(text).to.include(`typedef int *p${'[4294967295]'.repeat(90)};`);
  });

  describe('of a damaged blob', () => {
    const damaged: [string, (w: BtfWriter) => void, RegExp][] = [
      ['a struct in itself', w => w.struct('s', 4, [['s', 1, 0]]), /type 1 contains itself/],
      ['a typedef of itself', w => w.typedef('t', 1), /nested too deeply, or in a cycle/],
      ['an array of itself', w => w.array(1, 0, 1), /nested too deeply, or in a cycle/],
      ['a pointer to itself', w => w.ptr(1), /nested too deeply, or in a cycle/],
      ['a size of 4 GiB without members', w => w.struct('s', 0xffffffff, []), /no reasonable length/],
      [
        '2^60 structs in each other',
        w => {
          for (let i = 1; i <= 60; i++)
            w.struct('', 0, [
              ['a', i + 1, 0],
              ['b', i + 1, 0],
            ]);
          w.struct('end', 0, [['a', 1, 0]]);
          w.struct('top', 0, [['a', 1, 0]]);
        },
        /contains itself|nested|no reasonable length|more than 32/,
      ],
      [
        'an unknown kind',
        w => {
          w.record('later', LAST_KIND + 1, 0, 0);
          w.layout(Array.from({ length: LAST_KIND + 2 }, () => [0, 0] as const));
        },
        new RegExp(`type 1 is of kind ${LAST_KIND + 1}, which C has no form for`),
      ],
    ];
    for (const [what, build, message] of damaged) {
      it(`refuses ${what}`, () => expect(() => header(build)).to.throw(FormatError, message));
    }
  });
});
