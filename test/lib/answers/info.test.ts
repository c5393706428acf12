import { expect } from 'chai';
import { factsOf } from '../../../lib/answers/info.js';
import { BtfWriter, everyKind } from '../../support/btf-writer.js';
import { kernelOf } from '../../support/kernel-writer.js';

describe('The facts of a kernel', () => {
  const kinds = (btf: Uint8Array): string | undefined =>
    factsOf(kernelOf({ functions: [{ name: 'f' }], btf })).find(({ fact }) => fact === 'BTF kinds')?.value;

  it('say which libbpf the kinds of its BTF take', () => {
    const plain = new BtfWriter();
    plain.func('f', plain.funcProto(plain.int('int', 4, 1), []));
    expect(kinds(plain.bytes())).to.equal('3 that every libbpf reads');
    expect(kinds(everyKind(new BtfWriter()).bytes())).to.equal(
      'VAR (libbpf 0.0.3), DATASEC (libbpf 0.0.3), FLOAT (libbpf 0.4), DECL_TAG (libbpf 0.6), TYPE_TAG (libbpf 0.6), ENUM64 (libbpf 1.0), ' +
        '13 that every libbpf reads',
    );
  });
});
