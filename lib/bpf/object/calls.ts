import { Allowance } from '../../../elf/allowance.js';
import { CALL, INSN_BYTES, OPCODE, PSEUDO } from '../code/insn.js';
import type { BpfFile } from './bpf-file.js';
import type { BpfFunction, FunctionPlaces } from './programs.js';
import type { RelocationPlaces } from './relocations.js';

/** Where calls lead: to the function that a relocation names, or to the one at a place of the same section. */
export type CallTargets = FunctionPlaces & RelocationPlaces;

/** BPF_MAX_SUBPROGS of the kernel (include/linux/bpf_verifier.h), the program among them: it refuses more (E2BIG). */
const MOST_SUBPROGRAMS = 255;
/** Functions that the programs of an object may call, all together. */
const SPARE = 1 << 17;
const allowances = new WeakMap<BpfFile, Allowance>();

/**
 * The functions that libbpf appends to a program (bpf_object__reloc_code): those it calls or takes the address of, and theirs, in the order
 * in which they are met, each once; no more than the kernel takes.
 * @throws FormatError `limit` where the programs of an object come to many times what is in it
 */
export function callOrder(file: BpfFile, targets: CallTargets, program: BpfFunction): BpfFunction[] {
  const pay = allowanceOf(file).account(`${program.sectionIndex}+${program.offset} ${program.name}`);
  const order: BpfFunction[] = [];
  const seen = new Set<BpfFunction>();
  // A stack of functions that are being gone through: calls may be nested as deep as there are functions.
  const open: { readonly calls: readonly BpfFunction[]; next: number }[] = [{ calls: callsOf(file, targets, program), next: 0 }];
  while (open.length > 0) {
    const top = open.at(-1)!;
    const callee = top.calls[top.next++];
    if (callee === undefined) open.pop();
    else if (!seen.has(callee)) {
      if (order.length === MOST_SUBPROGRAMS) {
        file.report(
          program.section,
          `${program.name} calls more than ${MOST_SUBPROGRAMS} functions, which the kernel refuses (BPF_MAX_SUBPROGS)`,
        );
        break;
      }
      pay(1);
      seen.add(callee);
      order.push(callee);
      open.push({ calls: callsOf(file, targets, callee), next: 0 });
    }
  }
  return order;
}

function allowanceOf(file: BpfFile): Allowance {
  let allowance = allowances.get(file);
  if (allowance === undefined) {
    allowance = new Allowance(file.name, 'the functions that programs call', SPARE);
    allowances.set(file, allowance);
  }
  return allowance;
}

const calls = new WeakMap<BpfFunction, readonly BpfFunction[]>();

/** The functions that one calls or takes the address of, in the order of its instructions. */
function callsOf(file: BpfFile, targets: CallTargets, fn: BpfFunction): readonly BpfFunction[] {
  let known = calls.get(fn);
  if (known === undefined) calls.set(fn, (known = readCalls(file, targets, fn)));
  return known;
}

function readCalls(file: BpfFile, targets: CallTargets, fn: BpfFunction): BpfFunction[] {
  const instructions = file.attempt(fn.section, () => file.instructions(fn.sectionIndex));
  if (instructions === undefined) return [];
  const named = new Map<number, BpfFunction | undefined>();
  for (const { offset, meaning } of targets.relocationsIn(fn.sectionIndex, fn.offset, fn.offset + fn.size)) {
    named.set(offset / INSN_BYTES, meaning.kind === 'call' || meaning.kind === 'function' ? meaning.function : undefined);
  }
  const found: BpfFunction[] = [];
  const first = fn.offset / INSN_BYTES;
  for (let i = first; i < first + fn.instructionCount; i++) {
    const code = instructions.code[i]!;
    const source = instructions.src[i]!;
    const isCall = code === OPCODE.CALL && source === CALL.SUBPROGRAM;
    const isAddress = code === OPCODE.LD_IMM64 && (source === PSEUDO.FUNC || named.has(i));
    if (code === OPCODE.LD_IMM64) {
      if (isAddress) push(named.get(i));
      i++;
      continue;
    }
    if (!isCall) continue;
    // A call without a relocation is of a function in the same section.
    const inSection = targets.functionAt(fn.sectionIndex, (i + 1 + instructions.imm[i]!) * INSN_BYTES);
    push(named.has(i) ? named.get(i) : inSection);
  }
  return found;

  function push(callee: BpfFunction | undefined): void {
    if (callee !== undefined && callee !== fn) found.push(callee);
  }
}
