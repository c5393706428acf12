import { expect } from 'chai';
import { ARM64_CALLS } from '../../../lib/arch/arm64-calls.js';
import type { Calls, ConstantCall } from '../../../lib/arch/constant-calls.js';
import { X86_CALLS } from '../../../lib/arch/x86-calls.js';

const FUNCTION = 0xffffffff81000000n;
const TARGET = FUNCTION + 0x1000n;

/** The code of a function of x86-64, in hexadecimal; CALL and JMP are the call of the target and the jump there, Jcc+N and the like are written out. */
function x86(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const word of text.split(/\s+/)) {
    if (word !== 'CALL' && word !== 'JMP') {
      bytes.push(Number.parseInt(word, 16));
      continue;
    }
    const distance = 0x1000 - (bytes.length + 5);
    bytes.push(word === 'CALL' ? 0xe8 : 0xe9, distance & 255, (distance >> 8) & 255, (distance >> 16) & 255, (distance >> 24) & 255);
  }
  return Uint8Array.from(bytes);
}

/** The same of arm64: instructions as words; BL and B lead to the target. */
function arm64(...words: (number | 'BL' | 'B')[]): Uint8Array {
  const code = new DataView(new ArrayBuffer(words.length * 4));
  for (const [i, word] of words.entries())
    code.setUint32(i * 4, typeof word === 'number' ? word : (word === 'BL' ? 0x94000000 : 0x14000000) | (0x400 - i), true);
  return new Uint8Array(code.buffer);
}

/** `27 ffffffff82000010`, with `?` for what is not known. */
function shown(calls: Calls, code: Uint8Array): string[] {
  const text = (value: bigint | undefined): string => value?.toString(16) ?? '?';
  return calls.constants(code, FUNCTION, TARGET).map(({ first, second }: ConstantCall) => `${text(first)} ${text(second)}`);
}

describe('constants in registers at a call', () => {
  it('are read on x86-64, at calls and at jumps in their place', () => {
    const code = x86('f3 0f 1e fa 48 c7 c6 10 00 00 82 bf 1b 00 00 00 CALL 48 c7 c6 20 00 00 82 31 ff JMP');
    expect(shown(X86_CALLS, code)).to.deep.equal(['1b ffffffff82000010', '0 ffffffff82000020']);
    expect(X86_CALLS.places(code, FUNCTION, TARGET)).to.have.length(2);
    // lea rsi, [rip+0x100] behind 12 bytes; mov edi, ebx of what mov ebx, 5 gave
    expect(shown(X86_CALLS, x86('bb 05 00 00 00 48 8d 35 00 01 00 00 89 df CALL'))).to.deep.equal(['5 ffffffff8100010c']);
  });

  it('are lost in what a call may change, and kept in the rest', () => {
    // mov ebx, 5; mov edi, 1; call; mov esi, ebx; call
    expect(shown(X86_CALLS, x86('bb 05 00 00 00 bf 01 00 00 00 CALL 89 de CALL'))).to.deep.equal(['1 ?', '? 5']);
  });

  it('are lost where ways meet that differ, and kept where they do not', () => {
    // mov edi, 1; mov esi, 7; test eax, eax; je +5; mov edi, 2; call
    expect(shown(X86_CALLS, x86('bf 01 00 00 00 be 07 00 00 00 85 c0 74 05 bf 02 00 00 00 CALL'))).to.deep.equal(['? 7']);
    // the jump leads behind a return: jne +1; ret; call
    expect(shown(X86_CALLS, x86('bf 01 00 00 00 75 01 c3 CALL'))).to.deep.equal(['1 ?']);
    // a loop: the first instruction is reached from below
    expect(shown(X86_CALLS, x86('bf 01 00 00 00 90 CALL 75 f8'))).to.deep.equal(['? ?']);
  });

  it('are lost in an instruction that is not known, and arithmetic changes its own register alone', () => {
    expect(shown(X86_CALLS, x86('bf 01 00 00 00 be 07 00 00 00 0f a2 CALL'))).to.deep.equal(['? ?']);
    // add edi, 4; and of another: sub rsp, 16; mov [rsp], rdi; idiv ecx
    expect(shown(X86_CALLS, x86('bf 01 00 00 00 be 07 00 00 00 83 c7 04 48 83 ec 10 48 89 3c 24 f7 f9 CALL'))).to.deep.equal(['? 7']);
  });

  it('are read on arm64, from adrp and add, through registers that calls keep', () => {
    // adrp x19, +0x2000; add x19, x19, #0x50; mov x1, x19; mov w0, #0x1a; bl; mov x1, x19; mov w0, #3; b
    const code = arm64(0xd0000013, 0x91014273, 0xaa1303e1, 0x52800340, 'BL', 0xaa1303e1, 0x52800060, 'B');
    expect(shown(ARM64_CALLS, code)).to.deep.equal(['1a ffffffff81002050', '3 ffffffff81002050']);
    expect(ARM64_CALLS.places(code, FUNCTION, TARGET)).to.deep.equal([16, 28]);
  });

  it('are zero in a register that cbnz did not branch on', () => {
    // mov w1, #7; cbnz w0, +8; bl; ret
    expect(shown(ARM64_CALLS, arm64(0x528000e1, 0x35000040, 'BL', 0xd65f03c0))).to.deep.equal(['0 7']);
    // cbz w0, +8; ret; bl
    expect(shown(ARM64_CALLS, arm64(0x528000e1, 0x34000040, 0xd65f03c0, 'BL'))).to.deep.equal(['0 7']);
  });

  it('are kept by stores on arm64, and lost in loads and moved bases', () => {
    // mov w0, #1; mov w1, #7; stp x0, x1, [sp, #16]; ldr x1, [x2]; bl
    expect(shown(ARM64_CALLS, arm64(0x52800020, 0x528000e1, 0xa90107e0, 0xf9400041, 'BL'))).to.deep.equal(['1 ?']);
    // str x3, [x1], #8
    expect(shown(ARM64_CALLS, arm64(0x52800020, 0x528000e1, 0xf8008423, 'BL'))).to.deep.equal(['1 ?']);
  });

  it('of any bytes are read to their end', () => {
    let state = 1;
    for (let round = 0; round < 400; round++) {
      const code = Uint8Array.from({ length: 96 }, () => (state = (state * 1103515245 + 12345) >>> 0) >>> 24);
      for (const calls of [X86_CALLS, ARM64_CALLS])
        expect(() => [calls.constants(code, FUNCTION, TARGET), calls.places(code, FUNCTION, TARGET)]).not.to.throw();
    }
  });
});
