import type { Btf } from '../../../btf/btf.js';
import type { TypeId } from '../../../btf/ids.js';
import { isPlainName } from '../../../elf/escape.js';
import type { CallingConvention, SyscallEntry } from '../../arch/calling-convention.js';
import { type Passing, passArguments } from '../../arch/pass.js';
import { type Value, valueOfType } from '../../arch/value.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import { Names } from './event-names.js';
import { type Fetch, fetchArgument, fetchResult, integerType } from './fetch.js';
import { type SyscallParameter, type Syscalls, valueOfText, wrapperOf } from './syscalls.js';

/** One argument of a function, and what reads it at the first instruction. */
export interface AttachArgument {
  readonly name: string;
  /** In C; '' where only the place is known. */
  readonly type: string;
  /** Its name as a variable of a BPF program, and the declaration of it in C. */
  readonly variable: string;
  readonly declaration: string;
  readonly value: Value;
  /** Where it is passed; undefined for the arguments of a system call, which are in pt_regs. */
  readonly passing?: Passing;
  /** The part of pt_regs that it is, for a system call. */
  readonly field?: string;
  /** The fetch arguments of kprobe_events; none if the argument cannot be read. */
  readonly fetch: readonly Fetch[];
}

/** How a function is called, as far as it is known. */
export interface Signature {
  /** In C. */
  readonly prototype: string;
  /** What it was read from: `vmlinux: .BTF`, `__syscall_meta__openat`. */
  readonly source: string;
  readonly arguments: readonly AttachArgument[];
  readonly result: { readonly type: string; readonly value: Value; readonly fetch: readonly Fetch[] };
  /** The wrapper of a system call that it is: its one argument is the pt_regs of the caller. */
  readonly syscall?: { readonly name: string; readonly entry: SyscallEntry };
  /** Caveats: which arguments can't be read, what follows the last one. */
  readonly notes: readonly string[];
}

interface Declared {
  readonly name: string;
  readonly type: string;
  readonly variable: string;
  readonly declaration: string;
  readonly value: Value | undefined;
}

/** Reads the calls of one kernel's functions. */
export class Signatures {
  readonly #kernel: KernelFacts;
  readonly #abi: CallingConvention;
  readonly #syscalls: Syscalls;
  readonly #littleEndian: boolean;

  constructor(kernel: KernelFacts, abi: CallingConvention, syscalls: Syscalls, littleEndian: boolean) {
    this.#kernel = kernel;
    this.#abi = abi;
    this.#syscalls = syscalls;
    this.#littleEndian = littleEndian;
  }

  /** Of a function by a FUNC of BTF. @param source of that BTF */
  ofBtf(btf: Btf, id: TypeId, source: string): Signature {
    const name = btf.nameOf(id);
    const prototype = btf.prototype(id);
    const { declared: own, returned, variadic } = declarations(btf, id);
    const syscall = this.#wrapped(name, own);
    if (syscall !== undefined) return syscall;
    const declared = this.#retyped(name, own);
    const notes: string[] = [];
    const values = declared.map((parameter): Value => {
      if (parameter.value === undefined) notes.push(`${parameter.name} has a type that C does not pass`);
      const value = parameter.value ?? { kind: 'void' };
      const user = value.kind === 'pointer' && value.to === 'char' && this.#syscalls.takesUserString(name, parameter.name);
      return user && value.constant ? { ...value, user } : value;
    });
    const result = returned.value ?? { kind: 'void' };
    const passed = passArguments(this.#abi, values, result);
    const names = Names.ofArguments();
    const all = declared.map(({ name, type, variable, declaration }, i): AttachArgument => {
      const value = values[i]!;
      const passing = passed[i]!;
      const fetch = fetchArgument(this.#abi, names.take(name), value, passing, this.#littleEndian);
      if (fetch.length === 0 && value.kind === 'float')
        notes.push(`${name} is passed in a floating-point register, which probes cannot read`);
      else if (fetch.length === 0 && value.kind === 'struct') notes.push(`${name} is not passed in general registers`);
      return { name, type, variable, declaration, value, passing, fetch };
    });
    if (variadic) notes.push('the forms do not read the variable arguments');
    return { prototype, source, arguments: all, result: this.#result(returned.type, result), notes };
  }

  /** Of the wrapper of a system call, where no FUNC of it is in BTF. */
  ofWrapper(name: string): Signature | undefined {
    return this.#wrapped(name, undefined);
  }

  /**
   * `__se_sys_openat`, and `sys_openat` where there are no wrappers, take every argument as a long: the records of the image have their
   * types.
   */
  #retyped(name: string, declared: readonly Declared[]): readonly Declared[] {
    const syscall = /^(?:__se_)?sys_(.+)$/.exec(name)?.[1];
    const found = syscall === undefined ? undefined : this.#syscalls.parameters(syscall);
    return found === undefined || found.length !== declared.length ? declared : found.map(parameter => this.#ofText(parameter));
  }

  #result(type: string, value: Value): Signature['result'] {
    return { type, value, fetch: fetchResult(this.#abi, 'ret', value, this.#littleEndian) };
  }

  /** @param declared its own parameters, where BTF has them: one pointer to pt_regs */
  #wrapped(name: string, declared: readonly Declared[] | undefined): Signature | undefined {
    const wrapper = wrapperOf(this.#abi, name);
    if (wrapper === undefined) return undefined;
    if (declared !== undefined && !(declared.length === 1 && /^(?:const )?struct pt_regs \*$/.test(declared[0]!.type))) return undefined;
    const { entry, syscall } = wrapper;
    const compat = /compat/.test(entry.prefix);
    const parameters = this.#parametersOf(syscall, compat);
    // ppc64's prefix is that of any function of a system call: only the prototype tells wrappers.
    if (declared === undefined && (entry.prefix === 'sys_' || parameters === undefined)) return undefined;
    const [first] = this.#abi.registers;
    const names = Names.ofArguments();
    const all = (parameters?.declared ?? []).slice(0, entry.arguments.length).map((parameter, i): AttachArgument => {
      const { name, type, variable, declaration, value } = parameter;
      const { offset, field } = entry.arguments[i]!;
      const of = narrowed(value ?? { kind: 'void' }, entry.width);
      // Read from memory, a number of less than a word is at its end in big-endian order.
      const skip = this.#littleEndian || of.kind !== 'integer' ? 0 : this.#abi.wordSize - Math.min(of.size, this.#abi.wordSize);
      const from = `+0x${(offset + skip).toString(16)}(%${first!.name})`;
      return { name, type, variable, declaration, value: of, field, fetch: [syscallFetch(this.#abi, names.take(name), of, from)] };
    });
    const long = this.#abi.wordSize;
    const notes = [`its one argument is struct pt_regs *: the arguments of ${syscall} are in the registers of the caller`];
    if (parameters === undefined) notes.push(`neither BTF nor the image's records of system calls give the parameters of ${syscall}`);
    return {
      prototype: `long ${syscall}(${all.map(({ declaration }) => declaration).join(', ') || 'void'})`,
      source: parameters?.source ?? 'kernel',
      arguments: all,
      result: this.#result('long', { kind: 'integer', size: long, signed: true, hex: false }),
      syscall: { name: syscall, entry },
      notes,
    };
  }

  /** The parameters of a system call: of its body in BTF; of the records in the image; of the body with every parameter a long. */
  #parametersOf(syscall: string, compat: boolean): { declared: readonly Declared[]; source: string } | undefined {
    const infix = compat ? 'compat_sys_' : 'sys_';
    const { btf, btfSource } = this.#kernel;
    const ofBody = (name: string): { declared: readonly Declared[]; source: string } | undefined => {
      const [id] = btf?.find(name, 'FUNC') ?? [];
      return id === undefined ? undefined : { declared: declarations(btf!, id).declared.map(ofUser), source: `${btfSource}: FUNC ${name}` };
    };
    const records = (): { declared: readonly Declared[]; source: string } | undefined => {
      const found = compat ? undefined : this.#syscalls.parameters(syscall);
      return found === undefined
        ? undefined
        : { declared: found.map(parameter => this.#ofText(parameter)), source: `__syscall_meta__${syscall}` };
    };
    return ofBody(`__do_${infix}${syscall}`) ?? records() ?? ofBody(`__se_${infix}${syscall}`);
  }

  #ofText({ name, type }: SyscallParameter): Declared {
    const { btf } = this.#kernel;
    const named = (text: string): Value | undefined => {
      const [id] = btf?.find(text.replace(/^(?:struct|enum|union) /, '')) ?? [];
      return id === undefined ? undefined : valueOfType(btf!, id);
    };
    const variable = variableOf(name);
    const declaration = `${type}${type.endsWith('*') ? '' : ' '}${variable}`;
    return { name, type, variable, declaration, value: valueOfText(type, this.#abi.wordSize, named) };
  }
}

function declarations(
  btf: Btf,
  id: TypeId,
): { declared: Declared[]; returned: { type: string; value: Value | undefined }; variadic: boolean } {
  const func = btf.type(id);
  const proto = func.kind === 'FUNC' ? btf.type(func.typeId) : func;
  if (proto.kind !== 'FUNC_PROTO') throw btf.errorAt(id, `FUNC ${id} does not refer to a FUNC_PROTO`);
  const declared = proto.parameters.map(({ name: given, typeId }, i) => {
    const name = isPlainName(given) ? given : `arg${i + 1}`;
    const variable = variableOf(name);
    return {
      name,
      type: btf.declaration(typeId),
      variable,
      declaration: btf.declaration(typeId, variable),
      value: valueOfType(btf, typeId),
    };
  });
  // Clang writes (void) as one parameter of type void.
  const none = declared.length === 1 && declared[0]!.value?.kind === 'void';
  return {
    declared: none ? [] : declared,
    returned: { type: btf.declaration(proto.returnTypeId), value: valueOfType(btf, proto.returnTypeId) },
    variadic: proto.variadic,
  };
}

/** Pointers that a system call takes lead to user memory. */
function ofUser(parameter: Declared): Declared {
  const { value } = parameter;
  return value?.kind === 'pointer' ? { ...parameter, value: { ...value, user: true } } : parameter;
}

/** The macros of libbpf name the registers ctx. */
function variableOf(name: string): string {
  return name === 'ctx' ? 'ctx_' : name;
}

/** An argument of a 32-bit caller: the low half of a register. */
function narrowed(value: Value, width: number | undefined): Value {
  return width === undefined || value.kind !== 'integer' || value.size <= width ? value : { ...value, size: width };
}

/** An argument of a system call, by the place of its register in memory. Strings that it reads are const; others are room for a result. */
function syscallFetch(abi: CallingConvention, name: string, value: Value, from: string): Fetch {
  if (value.kind === 'pointer' && value.to === 'char' && value.constant) return { name, from: `+0(${from})`, type: 'ustring' };
  if (value.kind === 'integer') return { name, from, type: integerType(value) };
  return { name, from, type: `x${abi.wordSize * 8}` };
}
