import { expect } from 'chai';
import { openBpfObject, type ProgramImage, programImage } from 'kelf/bpf';
import { Btf } from 'kelf/btf';
import { bpfObject, CODE, insns } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';

/** A program that takes the type id of a weak kfunc (`bpf_ksym_exists()`), and calls it. */
function image(name: string, parameters: number): ProgramImage {
  const local = new BtfWriter();
  const int = local.int('int', 4, 1);
  const proto = local.funcProto(
    int,
    Array.from({ length: parameters }, () => ['', int]),
  );
  local.datasec('.ksyms', 0, [[local.func(name, proto, 2), 0, 0]]);
  const object = openBpfObject(
    bpfObject({
      btf: local,
      sections: [{ name: 'socket', ...CODE, data: insns(true, [0x18, 1], [0], [0x85, 0, 1, 0, -1], [0x95]) }],
      symbols: [
        { name: 'prog', type: 2, binding: 1, section: 1, size: 32n },
        { name, binding: 2 },
      ],
      relocations: {
        socket: [
          [0, 2],
          [16, 2, 10],
        ],
      },
    }),
  );
  const kernel = new BtfWriter();
  kernel.func('bpf_here', kernel.funcProto(kernel.int('int', 4, 1), []), 1);
  return programImage(object, object.programs[0]!, { code: new Map(), kernel: Btf.parse(kernel.bytes()) });
}

describe('programImage', () => {
  it('has the type id of a kfunc in an ld_imm64, and a call of it apart', () => {
    const { bytes, conditions } = image('bpf_here', 0);
    expect([...bytes]).to.deep.equal([...insns(true, [0x18, 1, 3, 0, 3], [0], [0x85, 0, 2, 0, 3], [0x95])]);
    expect(conditions).to.deep.equal([]);
  });

  it('has 0, and a call that is refused, where the kernel lacks it or has another type', () => {
    const poisoned = [...insns(true, [0x18, 1], [0], [0x85, 0, 0, 0, 2_002_000_000], [0x95])];
    const gone = image('bpf_gone', 0);
    expect([...gone.bytes]).to.deep.equal(poisoned);
    expect(gone.conditions).to.deep.equal(['that no loaded module has bpf_gone']);
    expect([...image('bpf_here', 1).bytes]).to.deep.equal(poisoned);
  });
});
