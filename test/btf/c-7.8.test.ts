import { expect } from 'chai';
import { Btf, printC } from 'kelf/btf';
import { BtfWriter } from '../support/btf-writer.js';
import { textOf } from '../support/text.js';

/** Types whose order, sizes and attributes the newer header shows, and kfuncs. */
function sample(): Uint8Array {
  const w = new BtfWriter();
  const int = w.int('int', 4, 1);
  const byte = w.enum('small', 1, [['SMALL', 1]]);
  const word = w.enum64('word', 8, [['WORD', 1n]]);
  const wide = w.enum64('huge', 8, [['HUGE', 1n << 40n]]);
  w.enum('', 4, [['SECOND', 2]]);
  w.enum('', 4, [['FIRST', 1]]);
  w.enum('', 4, [['THIRD', 3]]);
  const tagged = w.ptr(w.typeTag('address_space(1)', int, true));
  const odd = w.ptr(w.typeTag('x)) evil((', int, true));
  w.struct('zebra', 24, [
    ['tagged', tagged, 0],
    ['odd', odd, 64],
    ['byte', byte, 128],
  ]);
  const ape = w.struct('ape', 16, [
    ['word', word, 0],
    ['wide', wide, 64],
  ]);
  // Two of one name, which what their members are called tells apart.
  w.struct('twin', 4, [['b', int, 0]]);
  w.struct('twin', 4, [['a', int, 0]]);
  w.typedef('alias', ape);
  const none = w.func('bpf_late', w.funcProto(int, []));
  const two = w.func(
    'bpf_early',
    w.funcProto(w.ptr(ape), [
      ['p', w.ptr(ape)],
      ['n', int],
    ]),
  );
  const other = w.func('other', w.funcProto(0, []));
  w.declTag('bpf_kfunc', none);
  w.declTag('bpf_kfunc', two);
  w.declTag('bpf_fastcall', two);
  w.declTag('bpf_kfunc', two, 0);
  w.declTag('bpf_kfuncs', other);
  return w.bytes();
}

/** As bpftool 7.8 prints the sample; but for the attribute that would break out of its parentheses. */
const EXPECTED = `
enum {
	SECOND = 2,
};

enum {
	THIRD = 3,
};

enum huge {
	HUGE = 1099511627776ULL,
};

enum small {
	SMALL = 1,
} __attribute__((mode(byte)));

enum word {
	WORD = 1ULL,
} __attribute__((mode(word)));

struct ape {
	enum word word;
	enum huge wide;
};

typedef struct ape alias;

struct twin {
	int a;
};

struct twin___2 {
	int b;
};

struct zebra {
	int __attribute__((address_space(1))) *tagged;
	int __attribute__((x_29__29_ evil_28__28_)) *odd;
	enum small byte;
};


/* BPF kfuncs */
#ifndef BPF_NO_KFUNC_PROTOTYPES
extern __bpf_fastcall struct ape *bpf_early(struct ape *p, int n) __weak __ksym;
extern int bpf_late(void) __weak __ksym;
#endif

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
`;

describe('printC as bpftool 7.8', () => {
  const print = (bytes: Uint8Array): string => textOf(sink => printC(Btf.parse(bytes), sink, '7.8'));

  it('sorts types, gives enums their modes, type tags their attributes, and ends with the kfuncs', () => {
    const text = print(sample());
    expect(text).to.include(EXPECTED);
    expect(text).to.match(/#define __ksym __attribute__\(\(section\("\.ksyms"\)\)\)\n/);
  });

  // Its loop over the sorted types begins with the second: what is sorted first is written where something refers to it alone.
  it('leaves out the type that is sorted first, as it does', () => {
    expect(print(sample())).to.include('SECOND').and.not.include('FIRST');
  });
});
