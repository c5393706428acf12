import type { AtomicOperation, Operation } from './decode-instruction.js';

/** How {@link llvmNotation} writes numbers, and where a jump leads. */
export interface LlvmOptions {
  /** In hexadecimal: `llvm-objdump --print-imm-hex`, which LLVM since 17 does by itself. */
  readonly hex?: boolean;
  /** `LBB0_2`, of a jump's target. */
  readonly target?: string | undefined;
}

const OPERATORS: Readonly<Partial<Record<AtomicOperation, string>>> = { add: '+=', or: '|=', and: '&=', xor: '^=' };

/**
 * An instruction as llvm-objdump writes it (BPFInstrInfo.td): `r1 = *(u64 *)(r1 + 8)`, `if r0 s> 7 goto +2 <LBB0_2>`. Instructions that
 * LLVM 14 does not know are written as those versions do that know them.
 */
export function llvmNotation(operation: Operation, { hex = false, target }: LlvmOptions = {}): string {
  const number = (value: number | bigint): string => {
    if (!hex) return `${value}`;
    return value < 0 ? `-0x${(-value).toString(16)}` : `0x${value.toString(16)}`;
  };
  const signed = (value: number): string => `${value < 0 ? '' : '+'}${number(value)}`;
  const jump = (distance: number): string => `${signed(distance)}${target === undefined ? '' : ` <${target}>`}`;
  /** `r1 + 8` */
  const address = ({ base, offset }: { readonly base: number; readonly offset: number }): string =>
    `r${base} ${offset < 0 ? '-' : '+'} ${number(Math.abs(offset))}`;
  switch (operation.kind) {
    case 'alu': {
      const { wide, operator, dst, src, imm, extend } = operation;
      const r = wide ? 'r' : 'w';
      const cast = extend === undefined ? '' : `(s${extend})`;
      return `${r}${dst} ${operator} ${src === undefined ? number(imm) : `${cast}${r}${src}`}`;
    }
    case 'negate': {
      const r = operation.wide ? 'r' : 'w';
      return `${r}${operation.dst} = -${r}${operation.dst}`;
    }
    case 'swap':
      return `r${operation.dst} = ${operation.order}${operation.bits} r${operation.dst}`;
    case 'cast':
      return `r${operation.dst} = addr_space_cast(r${operation.src}, ${number(operation.imm >>> 16)}, ${number(operation.imm & 0xffff)})`;
    case 'load':
      return `r${operation.dst} = *(${operation.type} *)(${address(operation)})`;
    case 'store':
      return `*(${operation.type} *)(${address(operation)}) = r${operation.src}`;
    case 'store-imm':
      return `*(${operation.type} *)(${address(operation)}) = ${number(operation.imm)}`;
    case 'atomic':
      return atomic(operation, address(operation));
    case 'packet':
      return `r0 = *(${operation.type} *)skb[${operation.src === undefined ? number(operation.imm) : `r${operation.src}`}]`;
    case 'imm64': {
      const { dst, pseudo, value, imm } = operation;
      if (pseudo === 0) return `r${dst} = ${number(BigInt.asIntN(64, value))} ll`;
      return `ld_pseudo\tr${dst}, ${number(pseudo)}, ${number(imm)}`;
    }
    case 'call':
      return `call ${number(operation.imm)}`;
    case 'call-register':
      return `callx r${operation.register}`;
    case 'exit':
      return 'exit';
    case 'goto':
      return `${operation.wide ? 'gotol' : 'goto'} ${jump(operation.distance)}`;
    case 'goto-register':
      return `gotox r${operation.register}`;
    case 'may-goto':
      return `may_goto ${jump(operation.distance)}`;
    case 'if': {
      const { wide, comparison, dst, src, imm, distance } = operation;
      const r = wide ? 'r' : 'w';
      return `if ${r}${dst} ${comparison} ${src === undefined ? number(imm) : `${r}${src}`} goto ${jump(distance)}`;
    }
    default:
      return '<unknown>';
  }
}

function atomic({ operation, fetch, type, wide, src, dst }: Extract<Operation, { kind: 'atomic' }>, address: string): string {
  const r = wide ? 'r' : 'w';
  const at = `(${type} *)(${address})`;
  switch (operation) {
    case 'load_acquire':
      return `${r}${dst} = load_acquire(${at})`;
    case 'store_release':
      return `store_release(${at}, ${r}${src})`;
    case 'cmpxchg':
      return wide ? `r0 = cmpxchg_64(${address}, r0, r${src})` : `w0 = cmpxchg32_32(${address}, w0, w${src})`;
    case 'xchg':
      return wide ? `r${src} = xchg_64(${address}, r${src})` : `w${src} = xchg32_32(${address}, w${src})`;
    default:
      if (fetch) return `${r}${src} = atomic_fetch_${operation}(${at}, ${r}${src})`;
      // Without the 32-bit registers, addition is of 64-bit ones.
      return `lock *${at} ${OPERATORS[operation]} ${operation === 'add' ? 'r' : r}${src}`;
  }
}
