import { helperName } from '../names/uapi.js';
import type { AtomicOperation, Operation } from './decode-instruction.js';
import { CALL, PSEUDO } from './insn.js';

/** What is known about an instruction from elsewhere, instead of what the kernel knows of a loaded program. */
export interface KernelNames {
  /** What an ld_imm64 loads: `map[name:events]`, as bpftool has `map[id:5]`. */
  readonly immediate?: string;
  /** A subprogram's or a kfunc's name. */
  readonly callee?: string;
  /** Helpers by number, where they are not those of this version's table: of the `enum bpf_func_id` in a kernel's BTF. */
  helper?(id: number): string | undefined;
}

const OPERATORS: Readonly<Partial<Record<AtomicOperation, string>>> = { add: '+=', or: '|=', and: '&=', xor: '^=' };

/**
 * An instruction as the verifier's log and `bpftool prog dump xlated` write it (kernel/bpf/disasm.c, print_bpf_insn), with the opcode in
 * front: `(79) r1 = *(u64 *)(r1 +8)`, `(65) if r0 s> 0x7 goto pc+2`.
 */
export function kernelNotation(code: number, operation: Operation, names: KernelNames = {}): string {
  return `(${code.toString(16).padStart(2, '0')}) ${text(code, operation, names)}`;
}

function text(code: number, operation: Operation, names: KernelNames): string {
  switch (operation.kind) {
    case 'alu': {
      const { wide, operator, dst, src, imm, extend } = operation;
      const r = wide ? 'r' : 'w';
      const cast = extend === undefined ? '' : `(s${extend})`;
      return `${r}${dst} ${operator} ${src === undefined ? imm : `${cast}${r}${src}`}`;
    }
    case 'negate': {
      const r = operation.wide ? 'r' : 'w';
      return `${r}${operation.dst} = -${r}${operation.dst}`;
    }
    case 'swap':
      return `r${operation.dst} = ${operation.order}${operation.bits} r${operation.dst}`;
    case 'cast':
      return `r${operation.dst} = addr_space_cast(r${operation.src}, ${operation.imm >>> 16}, ${operation.imm & 0xffff})`;
    case 'percpu':
      return `r${operation.dst} = &(void __percpu *)(r${operation.src})`;
    case 'load':
      return `r${operation.dst} = ${place(operation)}`;
    case 'store':
      return `${place(operation)} = r${operation.src}`;
    case 'store-imm':
      return `${place(operation)} = ${operation.imm}`;
    case 'atomic':
      return atomic(operation);
    case 'packet': {
      const { type, src, imm } = operation;
      return `r0 = *(${type} *)skb[${src === undefined ? imm : `r${src} + ${imm}`}]`;
    }
    case 'imm64':
      return `r${operation.dst} = ${names.immediate ?? immediate(operation)}`;
    case 'call':
      return call(operation.of, operation.imm, names);
    case 'call-register':
      return `callx r${operation.register}`;
    case 'exit':
      return 'exit';
    case 'goto':
      return `${operation.wide ? 'gotol' : 'goto'} pc${signed(operation.distance)}`;
    case 'goto-register':
      return `gotox r${operation.register}`;
    case 'may-goto':
      return `may_goto pc${signed(operation.distance)}`;
    case 'if': {
      const { wide, comparison, dst, src, imm, distance } = operation;
      const r = wide ? 'r' : 'w';
      const other = src === undefined ? `0x${(imm >>> 0).toString(16)}` : `${r}${src}`;
      return `if ${r}${dst} ${comparison} ${other} goto pc${signed(distance)}`;
    }
    case 'nospec':
      return 'nospec';
    case 'unknown':
      return `BUG_${code.toString(16).padStart(2, '0')}`;
  }
}

/** `*(u64 *)(r1 +8)` */
function place({ type, base, offset }: { readonly type: string; readonly base: number; readonly offset: number }): string {
  return `*(${type} *)(r${base} ${signed(offset)})`;
}

function atomic(operation: Extract<Operation, { kind: 'atomic' }>): string {
  const { operation: name, fetch, type, wide, base, offset, src, dst } = operation;
  const at = `(${type} *)(r${base} ${signed(offset)})`;
  const bits = wide ? '64' : '';
  switch (name) {
    case 'load_acquire':
      return `r${dst} = load_acquire(${at})`;
    case 'store_release':
      return `store_release(${at}, r${src})`;
    case 'cmpxchg':
      return `r0 = atomic${bits}_cmpxchg(${at}, r0, r${src})`;
    case 'xchg':
      return `r${src} = atomic${bits}_xchg(${at}, r${src})`;
    default:
      return fetch ? `r${src} = atomic${bits}_fetch_${name}(${at}, r${src})` : `lock *${at} ${OPERATORS[name]} r${src}`;
  }
}

/** How bpftool's print_imm prints the kinds of ld_imm64. */
function immediate({ pseudo, imm, high, value }: Extract<Operation, { kind: 'imm64' }>): string {
  switch (pseudo) {
    case PSEUDO.MAP_FD:
      return `map[id:${imm >>> 0}]`;
    case PSEUDO.MAP_VALUE:
      return `map[id:${imm >>> 0}][0]+${high >>> 0}`;
    case PSEUDO.MAP_IDX_VALUE:
      return `map[idx:${imm >>> 0}]+${high >>> 0}`;
    case PSEUDO.FUNC:
      return `subprog[${signed(imm)}]`;
    default:
      return `0x${value.toString(16)}`;
  }
}

function call(of: number, imm: number, { callee, helper = helperName }: KernelNames): string {
  switch (of) {
    case CALL.SUBPROGRAM:
      return `call pc${signed(imm)}${callee === undefined ? '' : `#${callee}`}`;
    case CALL.KFUNC:
      return `call ${callee ?? 'kernel-function'}#${imm}`;
    default:
      return `call ${callee ?? helper(imm) ?? 'unknown'}#${imm}`;
  }
}

function signed(value: number): string {
  return value < 0 ? `${value}` : `+${value}`;
}
