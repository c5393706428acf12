import { expect } from 'chai';
import { decodeX86 } from '../../../lib/arch/x86-instructions.js';

/** Lengths as objdump has them; `npm run test:kernels` compares every instruction of a kernel. */
const IN_64_BITS: readonly (readonly [bytes: string, length: number | undefined, text: string])[] = [
  ['90', 1, 'nop'],
  ['f30f1efa', 4, 'endbr64'],
  ['e800000000', 5, 'call'],
  ['66e800000000', 6, 'call with 66, which is ignored'],
  ['0f1f440000', 5, 'nopl 0(%rax,%rax,1)'],
  ['662e0f1f840000000000', 10, 'cs nopw 0(%rax,%rax,1)'],
  ['48b88877665544332211', 10, 'movabs $imm64,%rax'],
  ['b844332211', 5, 'mov $imm32,%eax'],
  ['66b82211', 4, 'mov $imm16,%ax'],
  ['48c7c044332211', 7, 'mov $imm32,%rax'],
  ['66c7002211', 5, 'movw $imm16,(%rax)'],
  ['488b05aabbccdd', 7, 'mov disp32(%rip),%rax'],
  ['488b0425aabbccdd', 8, 'mov disp32,%rax: SIB without a base'],
  ['488b442408', 5, 'mov 8(%rsp),%rax'],
  ['488b8424aabbccdd', 8, 'mov disp32(%rsp),%rax'],
  ['a18877665544332211', 9, 'movabs moffs64,%eax'],
  ['67a144332211', 6, 'addr32 mov moffs32,%eax'],
  ['f6c001', 3, 'test $1,%al'],
  ['f6d8', 2, 'neg %al'],
  ['48f7c044332211', 7, 'test $imm32,%rax'],
  ['48f7d8', 3, 'neg %rax'],
  ['c8100001', 4, 'enter'],
  ['0fc7f0', 3, 'rdrand %eax'],
  ['0f3800c1', 4, 'pshufb'],
  ['660f3a0fc108', 6, 'palignr $8'],
  ['0f0b', 2, 'ud2'],
  ['0fb9c0', 3, 'ud1'],
  ['c5f877', 3, 'vzeroupper'],
  ['c5f970c01b', 5, 'vpshufd'],
  ['c4e27d1805aabbccdd', 9, 'vbroadcastss disp32(%rip)'],
  ['c4e37d19c101', 6, 'vextractf128 $1'],
  ['62f17c48100500000000', 10, 'vmovups disp32(%rip),%zmm0'],
  ['62f37d4825c0ff', 7, 'vpternlogd $255'],
  ['f04883042400', 6, 'lock addq $0,(%rsp)'],
  ['06', undefined, 'no instruction'],
  ['48', undefined, 'a prefix alone'],
  ['e80000', undefined, 'cut off'],
  ['6666666666666666666666666666666690', undefined, 'longer than 15 bytes'],
];

describe('Instructions of x86', () => {
  for (const [bytes, length, text] of IN_64_BITS) {
    it(`${text}: ${length ?? 'none'}`, () => {
      const code = Buffer.from(bytes, 'hex');
      expect(decodeX86(code, 0, 64)?.length).to.equal(length);
      // The same with other code before it.
      if (length !== undefined) expect(decodeX86(Buffer.concat([Buffer.of(0x06, 0x48), code]), 2, 64)?.length).to.equal(length);
    });
  }

  it('have other maps in 32 bits', () => {
    const length = (bytes: string): number | undefined => decodeX86(Buffer.from(bytes, 'hex'), 0, 32)?.length;
    expect(length('48')).to.equal(1);
    expect(length('06')).to.equal(1);
    expect(length('a144332211')).to.equal(5);
    expect(length('9a443322110800')).to.equal(7);
    expect(length('c50424')).to.equal(3);
    expect(length('c5f877')).to.equal(3);
    expect(length('678b4708')).to.equal(4);
    expect(length('678b062211')).to.equal(5);
    expect(length('66e82211')).to.equal(4);
  });

  it('name where a call or jump goes', () => {
    expect(decodeX86(Buffer.from('90e805000000', 'hex'), 1, 64)?.target).to.equal(11);
    expect(decodeX86(Buffer.from('e9fbffffff', 'hex'), 0, 64)?.target).to.equal(0);
    expect(decodeX86(Buffer.from('0f8400000000', 'hex'), 0, 64)?.target).to.equal(undefined);
  });
});
