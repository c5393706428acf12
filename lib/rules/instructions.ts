import type { SymbolRow } from '../../kallsyms/symbols.js';
import type { Instruction } from '../arch/x86-instructions.js';
import type { Evidence } from '../evidence.js';
import { type Alternative, alternatives } from '../facts/alternatives.js';
import type { AreaSet } from '../facts/areas.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { once } from '../facts/once.js';
import type { PatchCode } from '../facts/patched-code.js';
import { sinceOf } from '../releases.js';
import { accepted, type Decision, refused, untold } from './decision.js';

/** A longer symbol is not decoded. */
const LONGEST_FUNCTION = 1 << 24;
/** Bytes that are read behind the place. */
export const LONGEST_INSTRUCTION = 15;

const UNCHECKED =
  'arch_prepare_kprobe() still refuses instructions that it can not step over, and code between exclusive loads and stores: neither is looked at';
const UNDECODED =
  'the kernel decodes the function from its start, and refuses a place where no instruction begins: objdump -d shows where instructions begin';
const THUNK =
  'the kernel replaces a jump or call to a thunk when it boots: whether an instruction begins here depends on the processor and its mitigations';
const FINEIBT = 'it belongs to a check of kCFI, which the kernel replaces at boot where the processor has IBT (CONFIG_FINEIBT)';
const REPLACED = 'the kernel replaces the instructions here where the processor has a feature (__alt_instructions)';

/** What arch_prepare_kprobe() says of the instruction at a place inside a function. */
export class InstructionRules {
  readonly #kernel: KernelFacts;
  readonly #patchAt: (address: bigint) => PatchCode | undefined;
  readonly #alternatives: () => readonly Alternative[];

  /** @param text where instructions are */
  constructor(kernel: KernelFacts, text: AreaSet, patchAt: (address: bigint) => PatchCode | undefined) {
    this.#kernel = kernel;
    this.#patchAt = patchAt;
    this.#alternatives = once(() => {
      const { image, pieces } = kernel;
      const isText = (address: bigint): boolean => text.areas.some(({ from, to }) => address >= from && address < to);
      return image === undefined ? [] : alternatives(image.memory, pieces.labels, isText);
    });
  }

  /**
   * @param row the symbol that contains the address
   * @param because what the decision rests on, with a piece of evidence of its own
   */
  at(row: SymbolRow, address: bigint, because: (evidence: Evidence) => () => Evidence[]): Decision {
    const told = (says: string): (() => Evidence[]) => because({ source: 'kernel', address, says });
    const fixed = fixedPlace(this.#kernel, address, told);
    if (fixed !== undefined) return fixed;
    const alternative = this.#alternatives().some(({ address: from, length }) => address >= from && address < from + BigInt(length));
    if (alternative) return untold('instruction-unchecked', told(REPLACED));
    return this.#decoded(row, address, told);
  }

  #decoded(row: SymbolRow, address: bigint, told: (says: string) => () => Evidence[]): Decision {
    const { image, symbols } = this.#kernel;
    const start = symbols.address.big[row]!;
    const target = Number(address - start);
    const length = target + LONGEST_INSTRUCTION;
    const code = length <= LONGEST_FUNCTION && image?.memory.has(start, length) === true ? image.memory.read(start, length) : undefined;
    return decodedPlace(this.#kernel, {
      name: symbols.name(row),
      ...{ code, target, told },
      isThunk: to => this.#isThunk(start, to),
      patchAt: at => this.#patchAt(start + BigInt(at)),
    });
  }

  #isThunk(start: bigint, target: number | undefined): boolean {
    if (target === undefined) return false;
    const { symbols } = this.#kernel;
    const row = symbols.containing(start + BigInt(target));
    return row !== undefined && /^__x86_.*thunk/.test(symbols.name(row));
  }
}

/** Where instructions have one size, or begin at multiples of a unit: what the address alone decides. */
export function fixedPlace({ arch }: KernelFacts, address: bigint, told: CodePlace['told']): Decision | undefined {
  const { unit, fixed, between } = arch.instructions;
  if (address % BigInt(unit) !== 0n)
    return refused('not-an-instruction', between, told(`instructions of this architecture begin at multiples of ${unit} bytes`));
  return fixed ? accepted('likely', told(UNCHECKED)) : undefined;
}

/** A place in a function. */
export interface CodePlace {
  /** Of the function. */
  readonly name: string;
  /** Its bytes up to the place, and an instruction more; undefined where they are not at hand. */
  readonly code: Uint8Array | undefined;
  /** From its start. */
  readonly target: number;
  /** Evidence for a decision. */
  readonly told: (says: string) => () => Evidence[];
  /** Whether a call goes to code that the kernel replaces it by. */
  readonly isThunk?: (target: number | undefined) => boolean;
  /** What the kernel patches at a place; probes on any byte of it are refused (addr_conflict() of kernel/jump_label.c). */
  readonly patchAt?: (place: number) => PatchCode | undefined;
}

/** Decodes a function from its start, as can_probe() does. */
export function decodedPlace(
  kernel: KernelFacts,
  { name, code, target, told, isThunk = () => false, patchAt = () => undefined }: CodePlace,
): Decision {
  const { decode, between } = kernel.arch.instructions;
  if (decode === undefined || code === undefined || code.length <= target) return untold('instruction-unchecked', told(UNDECODED));
  const at = (place: number): string => `${name}+0x${place.toString(16)}`;
  for (let place = 0; place < target; ) {
    const instruction = decode(code, place);
    if (instruction === undefined) return refused('not-an-instruction', between, told(`no instruction begins at ${at(place)}`), 'likely');
    const next = place + instruction.length;
    if (next > target) {
      const patch = patchAt(place);
      if (patch === 'jump-label' || patch === 'static-call')
        return refused(
          patch,
          'EINVAL',
          told(`${at(place)} is ${patch === 'jump-label' ? 'a jump label' : 'a static call'} of ${instruction.length} bytes`),
        );
      if (isThunk(instruction.target)) return untold('instruction-unchecked', told(THUNK));
      return refused('not-an-instruction', between, told(`the instruction at ${at(place)} is ${instruction.length} bytes long`));
    }
    place = next;
  }
  const instruction = decode(code, target);
  if (instruction === undefined) return refused('not-an-instruction', between, told('the bytes there are no instruction'), 'likely');
  return (
    trap(kernel, instruction, told) ??
    cfiCheck(kernel, instruction, patchAt(target + (instruction.cfi ?? 0)), told) ??
    uncopied(kernel, instruction, told) ??
    accepted('likely', told('an instruction begins there: the function was decoded from its start'))
  );
}

/** is_exception_insn() in can_probe(). */
function trap(kernel: KernelFacts, { traps }: Instruction, told: CodePlace['told']): Decision | undefined {
  if (traps === undefined) return undefined;
  const { has } = kernel.change('refusesTraps');
  if (has === false) return undefined;
  if (has === undefined)
    return untold('instruction-unchecked', told(`the instruction is a trap, which kernels refuse ${sinceOf('refusesTraps')}`));
  return refused(
    'instruction-refused',
    'EILSEQ',
    told(`the instruction is a trap, INT or UD: can_probe() refuses it ${sinceOf('refusesTraps')}`),
    'likely',
  );
}

/** Of a check of kCFI the kernel reads the instructions back where it fails, so they are left as they are. FineIBT has other ones in their place. */
function cfiCheck(kernel: KernelFacts, { cfi }: Instruction, behind: PatchCode | undefined, told: CodePlace['told']): Decision | undefined {
  if (cfi === undefined || behind !== 'cfi-trap') return undefined;
  const { has } = kernel.change('refusesCfiChecks');
  const config = kernel.pieces.config();
  if (config === undefined || config.get('CONFIG_FINEIBT') === 'y') return untold('instruction-unchecked', told(FINEIBT));
  if (has === false) return undefined;
  if (has === undefined)
    return untold('instruction-unchecked', told(`it belongs to a check of kCFI, which kernels refuse ${sinceOf('refusesCfiChecks')}`));
  return refused(
    'instruction-refused',
    'EILSEQ',
    told(`it belongs to a check of kCFI (.kcfi_traps): can_probe() refuses it ${sinceOf('refusesCfiChecks')}`),
    'likely',
  );
}

/** arch_copy_kprobe(). */
function uncopied(kernel: KernelFacts, { refused: errno }: Instruction, told: CodePlace['told']): Decision | undefined {
  if (errno === undefined || kernel.change('emulatesBranches').has === false) return undefined;
  return refused('instruction-refused', errno, told('arch_prepare_kprobe() refuses this instruction'), 'likely');
}
