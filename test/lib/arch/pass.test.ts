import { expect } from 'chai';
import { EM } from 'kelf/elf';
import { callingConventionOf } from '../../../lib/arch/arch-of.js';
import type { CallingConvention } from '../../../lib/arch/calling-convention.js';
import { type Part, passArguments, passResult } from '../../../lib/arch/pass.js';
import type { Value } from '../../../lib/arch/value.js';
import { ABIS } from '../../support/abis.js';

const NONE: Value = { kind: 'void' };
const int = (size: number): Value => ({ kind: 'integer', size, signed: true, hex: false });
const struct = (size: number, align = 8, more: { packed?: boolean; floats?: boolean } = {}): Value => ({
  kind: 'struct',
  size,
  align,
  packed: false,
  floats: false,
  ...more,
});

function abi(name: string): CallingConvention {
  return callingConventionOf(...ABIS[name]!)!;
}

/** `di si|dx|&cx|$stack1 $stack2`: the words of each argument, & for the pointer to a copy. */
function placed(name: string, values: readonly Value[], result: Value = NONE): string {
  const table = abi(name);
  const word = (part: Part): string => ('register' in part ? table.registers[part.register]!.name : `$stack${part.stack}`);
  return passArguments(table, values, result)
    .map(({ parts, byPointer }) => `${byPointer ? '&' : ''}${parts.map(word).join(' ')}`)
    .join('|');
}

describe('Where arguments are passed', () => {
  it('is known by the tables, each for its machine, word size and byte order', () => {
    for (const name of Object.keys(ABIS)) expect(abi(name).name).to.equal(name);
    expect(callingConventionOf(EM.PPC64, 8, false)).to.equal(undefined);
    expect(callingConventionOf(EM.RISCV, 4, true)).to.equal(undefined);
    expect(callingConventionOf(EM.BPF, 8, true)).to.equal(undefined);
  });

  it('is in registers first, then on the stack', () => {
    const ten = Array.from({ length: 10 }, () => int(4));
    expect(placed('x86-64', ten)).to.equal('di|si|dx|cx|r8|r9|$stack1|$stack2|$stack3|$stack4');
    expect(placed('i386', ten.slice(0, 5))).to.equal('ax|dx|cx|$stack1|$stack2');
    expect(placed('arm64', ten)).to.equal('x0|x1|x2|x3|x4|x5|x6|x7|$stack0|$stack1');
    expect(placed('arm32', ten.slice(0, 6))).to.equal('r0|r1|r2|r3|$stack0|$stack1');
    expect(placed('riscv64', ten)).to.equal('a0|a1|a2|a3|a4|a5|a6|a7|$stack0|$stack1');
    expect(placed('s390x', ten.slice(0, 7))).to.equal('r2|r3|r4|r5|r6|$stack20|$stack21');
    expect(placed('ppc64le', ten)).to.equal('gpr3|gpr4|gpr5|gpr6|gpr7|gpr8|gpr9|gpr10|$stack12|$stack13');
    expect(placed('loongarch64', ten)).to.equal('r4|r5|r6|r7|r8|r9|r10|r11|$stack0|$stack1');
    expect(placed('mips64', ten)).to.equal('r4|r5|r6|r7|r8|r9|r10|r11|$stack0|$stack1');
  });

  it('is one register or two for small structs', () => {
    const values = [int(8), struct(8), struct(16), int(4)];
    expect(placed('x86-64', values)).to.equal('di|si|dx cx|r8');
    expect(placed('arm64', values)).to.equal('x0|x1|x2 x3|x4');
    expect(placed('riscv64', values)).to.equal('a0|a1|a2 a3|a4');
    expect(placed('ppc64le', values)).to.equal('gpr3|gpr4|gpr5 gpr6|gpr7');
    expect(placed('s390x', values)).to.equal('r2|r3|&r4|r5');
    expect(placed('s390x', [struct(3, 1), struct(4, 4)])).to.equal('&r2|r3');
    expect(placed('i386', [int(4), struct(8, 4), int(4)])).to.equal('ax|dx cx|$stack1');
  });

  it('is the stack or a pointer for larger ones', () => {
    const values = [int(8), struct(24), int(4)];
    expect(placed('x86-64', values)).to.equal('di|$stack1 $stack2 $stack3|si');
    expect(placed('arm64', values)).to.equal('x0|&x1|x2');
    expect(placed('riscv64', values)).to.equal('a0|&a1|a2');
    expect(placed('loongarch64', values)).to.equal('r4|&r5|r6');
    expect(placed('ppc64le', values)).to.equal('gpr3|gpr4 gpr5 gpr6|gpr7');
    expect(placed('i386', [int(4), struct(12, 4), int(4)])).to.equal('ax|$stack1 $stack2 $stack3|$stack4');
  });

  it('is all or nothing, split, or never registers again, as the architecture has it', () => {
    const values = [...Array.from({ length: 5 }, () => int(8)), struct(16), int(8)];
    expect(placed('x86-64', values)).to.equal('di|si|dx|cx|r8|$stack1 $stack2|r9');
    const seven = [...Array.from({ length: 7 }, () => int(8)), struct(16), int(8)];
    expect(placed('arm64', seven)).to.match(/x6\|\$stack0 \$stack1\|\$stack2$/);
    expect(placed('riscv64', seven)).to.match(/a6\|a7 \$stack0\|\$stack1$/);
    expect(placed('mips64', seven)).to.match(/r10\|r11 \$stack0\|\$stack1$/);
  });

  it('begins at an even register where a value is aligned to two words', () => {
    expect(placed('arm64', [int(8), struct(16, 16), int(8)])).to.equal('x0|x2 x3|x4');
    expect(placed('arm32', [int(4), int(8), int(4)])).to.equal('r0|r2 r3|$stack0');
    expect(placed('arm32', [int(4), int(4), int(4), int(8)])).to.equal('r0|r1|r2|$stack0 $stack1');
    expect(placed('riscv64', [int(8), int(16), int(8)])).to.equal('a0|a1 a2|a3');
    expect(placed('mips64', [int(8), int(16), int(8)])).to.equal('r4|r6 r7|r8');
    expect(placed('ppc64le', [int(8), struct(16, 16), int(8), int(16)])).to.equal('gpr3|gpr5 gpr6|gpr7|gpr8 gpr9');
    expect(placed('i386', [int(4), int(8), int(4)])).to.equal('ax|dx cx|$stack1');
    expect(placed('i386', [int(4), int(4), int(8), int(4)])).to.equal('ax|dx|$stack1 $stack2|$stack3');
  });

  it('is not told for floating point and for nothing', () => {
    expect(placed('x86-64', [int(4), { kind: 'float', size: 8 }, int(4)])).to.equal('di||si');
    expect(placed('riscv64', [int(4), { kind: 'float', size: 8 }, int(4)])).to.equal('a0|a1|a2');
    expect(placed('x86-64', [struct(0, 1), int(4)])).to.equal('|di');
    expect(placed('x86-64', [struct(8, 8, { floats: true }), int(4)])).to.equal('|di');
    expect(placed('x86-64', [struct(12, 1, { packed: true }), int(4)])).to.equal('$stack1 $stack2|di');
  });

  it('is one later where the caller says where the result goes', () => {
    expect(placed('x86-64', [int(8)], struct(24))).to.equal('si');
    expect(placed('x86-64', [int(8)], struct(16))).to.equal('di');
    expect(placed('arm64', [int(8)], struct(24))).to.equal('x0');
    expect(placed('s390x', [int(8)], struct(8))).to.equal('r3');
    expect(placed('arm32', [int(4)], struct(8))).to.equal('r1');
    expect(placed('riscv64', [int(8)], struct(24))).to.equal('a1');
    expect(placed('i386', [int(4)], struct(8))).to.equal('ax');
    expect(placed('i386', [int(4)], struct(3, 1))).to.equal('dx');
  });
});

describe('Where a result is', () => {
  it('is registers, memory that the result points at, or not known', () => {
    expect(passResult(abi('x86-64'), struct(16))).to.deep.equal({ in: 'registers', count: 2 });
    expect(passResult(abi('x86-64'), struct(24))).to.deep.equal({ in: 'memory' });
    expect(passResult(abi('arm64'), struct(24))).to.deep.equal({ in: 'nowhere' });
    expect(passResult(abi('i386'), int(8))).to.deep.equal({ in: 'registers', count: 2 });
    expect(passResult(abi('s390x'), int(16))).to.deep.equal({ in: 'nowhere' });
    expect(passResult(abi('x86-64'), NONE)).to.deep.equal({ in: 'nowhere' });
    expect(passResult(abi('x86-64'), { kind: 'float', size: 8 })).to.deep.equal({ in: 'nowhere' });
  });
});
