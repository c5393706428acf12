import type { Btf } from '../../../btf/btf.js';
import { refused, said, type Verdict } from '../../evidence.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { SectionMeaning } from '../names/section-names.js';

/** The arguments of what a program is called for. */
interface Arguments {
  readonly name: string;
  /** Words of 8 bytes: a struct of 16 has two (get_ctx_arg_idx). */
  readonly words: number;
  readonly returns: boolean;
}

/** Attach types whose programs see the result behind the arguments (btf_ctx_access). */
const SEE_RESULT: readonly (string | undefined)[] = ['TRACE_FEXIT', 'TRACE_FSESSION', 'MODIFY_RETURN', 'LSM_MAC', 'LSM_CGROUP'];

/**
 * Whether a program reads more arguments than its tracepoint, function or hook has. Undefined where it does not, and where the kernel's BTF does
 * not describe the target.
 * @param reads bytes of the context that it loads from
 */
export function contextVerdict(kernel: KernelFacts, meaning: SectionMeaning, reads: ReadonlySet<number>): Verdict | undefined {
  const { definition, target } = meaning;
  if (kernel.btf === undefined || definition === undefined || target === undefined) return undefined;
  const found = argumentsOf(kernel.btf, definition.type, definition.attachType, target);
  if (found === undefined) return undefined;
  const { name, words, returns } = found;
  const seen = words + (returns && SEE_RESULT.includes(definition.attachType) ? 1 : 0);
  const beyond = [...reads].filter(offset => offset >= seen * 8).sort((a, b) => a - b)[0];
  if (beyond === undefined) return undefined;
  const source = kernel.btfSource ?? '.BTF';
  const says = `it reads argument ${Math.floor(beyond / 8) + 1} of ${name}, which has ${words}`;
  // The verifier does not know the arguments of raw tracepoints: they are counted as it is attached (bpf_probe_register).
  if (definition.type.startsWith('raw_tracepoint'))
    return refused('context-argument', 'EINVAL', said(source, `${says}: it loads, and is not attached`));
  return refused('context-argument', 'EACCES', said(source, says));
}

function argumentsOf(btf: Btf, type: string, attachType: string | undefined, target: string): Arguments | undefined {
  const isTracepoint = type.startsWith('raw_tracepoint') || attachType === 'TRACE_RAW_TP';
  const isFunction = attachType !== undefined && ['TRACE_FENTRY', 'TRACE_FEXIT', 'TRACE_FSESSION', 'MODIFY_RETURN'].includes(attachType);
  if (!isTracepoint && !isFunction && type !== 'lsm') return undefined;
  const name = isTracepoint ? `btf_trace_${target}` : type === 'lsm' ? `bpf_lsm_${target}` : target;
  const [id] = btf.find(name, isTracepoint ? 'TYPEDEF' : 'FUNC');
  const declared = id === undefined ? undefined : btf.type(id);
  if (declared === undefined || !('typeId' in declared)) return undefined;
  const pointer = btf.type(isTracepoint ? btf.resolve(declared.typeId) : declared.typeId);
  const proto = pointer.kind === 'PTR' ? btf.type(btf.resolve(pointer.typeId)) : pointer;
  if (proto.kind !== 'FUNC_PROTO') return undefined;
  // The first one of a tracepoint's type is the data of the probe, which programs do not see.
  const parameters = isTracepoint ? proto.parameters.slice(1) : proto.parameters;
  const words = parameters.reduce((sum, { typeId }) => sum + Math.ceil((btf.sizeof(typeId) ?? 8) / 8), 0);
  return { name: target, words, returns: proto.returnTypeId !== 0 };
}
