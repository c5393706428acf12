import { expect } from 'chai';
import { infoOf } from '../../../lib/answers/info.js';
import { infoReport } from '../../../lib/report/info.js';
import { BtfWriter, everyKind } from '../../support/btf-writer.js';
import { kernelOf } from '../../support/kernel-writer.js';

describe('What is known of a kernel', () => {
  const shown = (btf: Uint8Array): string => {
    const kernel = kernelOf({ functions: [{ name: 'f' }], btf });
    const lines = [...infoReport.text({ kernel: { name: 'vmlinux' }, ...infoOf(kernel) })] as string[];
    return lines.find(line => line.startsWith('BTF kinds'))!;
  };

  it('is which libbpf the kinds of its BTF take', () => {
    const plain = new BtfWriter();
    plain.func('f', plain.funcProto(plain.int('int', 4, 1), []));
    expect(shown(plain.bytes())).to.contain('3 that every libbpf reads');
    expect(shown(everyKind(new BtfWriter()).bytes())).to.contain(
      'VAR (libbpf 0.0.3), DATASEC (libbpf 0.0.3), FLOAT (libbpf 0.4), DECL_TAG (libbpf 0.6), TYPE_TAG (libbpf 0.6), ENUM64 (libbpf 1.0), ' +
        '13 that every libbpf reads',
    );
  });

  it('is data in JSON: what is not known is absent', () => {
    const info = infoOf(kernelOf({ functions: [{ name: 'f' }] }));
    expect(info).to.deep.include({ form: ['ELF'] });
    expect('releaseFrom' in info).to.equal('release' in info);
    expect(info.symbols).to.have.all.keys('count', 'text', 'source');
    expect(info).to.not.have.any.keys('btf', 'pahole', 'config');
  });
});
