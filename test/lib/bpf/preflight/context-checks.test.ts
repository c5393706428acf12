import { expect } from 'chai';
import { openBpfObject, Preflight } from 'kelf/bpf';
import { bpfObject, CODE, DATA, type InsnSpec, insns } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { kernelOf } from '../../../support/kernel-writer.js';

const EXIT: InsnSpec = [0x95];
/** Loads 8 bytes at an offset of the context. */
const read = (offset: number, from = 1): InsnSpec => [0x79, 2, from, offset];
const MOVE: InsnSpec = [0xbf, 6, 1];

/** A kernel with a tracepoint and a hook of two arguments, and a function of an int and a struct of 16 bytes. */
const kernel = (() => {
  const btf = new BtfWriter();
  const long = btf.int('long', 8, 1);
  const pointer = btf.ptr(0);
  const proto = btf.funcProto(0, [
    ['__data', pointer],
    ['a', long],
    ['b', long],
  ]);
  btf.typedef('btf_trace_event', btf.ptr(proto));
  const pair = btf.struct('pair', 16, [
    ['x', long, 0],
    ['y', long, 64],
  ]);
  btf.func(
    'f',
    btf.funcProto(long, [
      ['a', long],
      ['p', pair],
    ]),
    1,
  );
  btf.func('nothing', btf.funcProto(0, [['a', long]]), 1);
  btf.func(
    'bpf_lsm_hook',
    btf.funcProto(long, [
      ['a', long],
      ['b', long],
    ]),
    1,
  );
  return kernelOf({ functions: ['f', 'nothing', 'bpf_lsm_hook'].map(name => ({ name, site: 0 })), btf: btf.bytes() });
})();

/** A function ends with its exit. */
function parts(code: readonly InsnSpec[]): { readonly from: number; readonly to: number }[] {
  const ends = [...code, EXIT].flatMap((insn, i) => (insn === EXIT ? [i + 1] : []));
  return ends.map((to, i) => ({ from: i === 0 ? 0 : ends[i - 1]!, to }));
}

/** What is said of a program's arguments. */
function arguments_(section: string, ...code: InsnSpec[]): string[] {
  const object = bpfObject({
    sections: [
      { name: section, ...CODE, data: insns(true, ...code, EXIT) },
      { name: 'license', ...DATA, data: new TextEncoder().encode('GPL\0') },
    ],
    symbols: parts(code).map(({ from, to }, i) => ({
      name: i === 0 ? 'prog' : 'sub',
      type: 2,
      binding: 1,
      section: 1,
      value: BigInt(from * 8),
      size: BigInt((to - from) * 8),
    })),
  });
  const { findings } = new Preflight(kernel).check(openBpfObject(object)).programs[0]!;
  return findings.flatMap(({ verdict }) => (verdict.code === 'context-argument' ? [`${verdict.errno} ${verdict.because[0]!.says}`] : []));
}

describe('The arguments that a program reads', () => {
  it('are those of its tracepoint', () => {
    expect(arguments_('tp_btf/event', read(0), read(8))).to.deep.equal([]);
    expect(arguments_('tp_btf/event', read(16))).to.deep.equal(['EACCES it reads argument 3 of event, which has 2']);
    expect(arguments_('raw_tp/event', read(16))).to.deep.equal([
      'EINVAL it reads argument 3 of event, which has 2: it loads, and is not attached',
    ]);
  });

  it('are words: a struct of 16 bytes has two of them', () => {
    expect(arguments_('fentry/f', read(16))).to.deep.equal([]);
    expect(arguments_('fentry/f', read(24))).to.have.length(1);
  });

  it('end with the result where the kind of program sees it, and there is one', () => {
    expect(arguments_('fexit/f', read(24))).to.deep.equal([]);
    expect(arguments_('fexit/f', read(32))).to.have.length(1);
    expect(arguments_('fexit/nothing', read(8))).to.have.length(1);
    expect(arguments_('lsm/hook', read(16))).to.deep.equal([]);
    expect(arguments_('lsm/hook', read(24))).to.have.length(1);
  });

  it('are followed through registers and sums', () => {
    expect(arguments_('tp_btf/event', MOVE, read(16, 6))).to.have.length(1);
    expect(arguments_('tp_btf/event', [0x07, 1, 0, 0, 8], read(8))).to.have.length(1);
    expect(arguments_('tp_btf/event', [0x07, 1, 0, 0, 8], read(0))).to.deep.equal([]);
  });

  it('are followed into functions that are handed the context', () => {
    const CALL: InsnSpec = [0x85, 0, 1, 0, 1];
    // A call of the function behind the program's end, which is a symbol of its own.
    expect(arguments_('tp_btf/event', CALL, EXIT, read(16))).to.have.length(1);
    expect(arguments_('tp_btf/event', CALL, EXIT, read(8))).to.deep.equal([]);
    expect(arguments_('tp_btf/event', [0xb7, 1], CALL, EXIT, read(16)), 'another value').to.deep.equal([]);
  });

  it('count where the program comes to the load alone', () => {
    expect(arguments_('tp_btf/event', [0xb7, 3], [0x15, 3, 0, 1, 0], read(16))).to.deep.equal([]);
  });

  it('are not known of what BTF does not describe', () => {
    expect(arguments_('tp_btf/other', read(80))).to.deep.equal([]);
    expect(arguments_('kprobe/f', read(80))).to.deep.equal([]);
  });
});
