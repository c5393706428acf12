import type { Btf } from '../../btf/btf.js';
import { breakOf, type CoreBreak } from '../../btf/core-near.js';
import { formatCoreSpec } from '../../btf/core-spec.js';
import type { TypeId } from '../../btf/ids.js';
import type { CorePatch } from '../bpf/load/core-patch.js';
import type { CoreOutcome, CorePoison } from '../bpf/load/relocate-core.js';
import type { BpfObject } from '../bpf/object/object.js';
import { nameOfFile } from '../facts/module/modinfo.js';
import type { Report } from './report.js';

/** What one relocation comes to. */
export interface RelocatedCore {
  readonly section: string;
  readonly function: string | undefined;
  readonly instruction: number;
  readonly kind: string | undefined;
  /** What the object asks for, and what the kernel has: as libbpf's log writes them. */
  readonly local: string;
  readonly target?: string | undefined;
  readonly candidates?: readonly {
    readonly typeId: TypeId;
    readonly btf: string | undefined;
    readonly matches: boolean;
    readonly break?: CoreBreak | undefined;
  }[];
  /** Types of that name which earlier relocations ruled out. */
  readonly ruledOut?: readonly { readonly typeId: TypeId; readonly btf: string }[];
  /** Its numbers in decimal: an instruction holds as many as 64 bits. */
  readonly patch: WrittenPatch | undefined;
  readonly refused: string | undefined;
  readonly poison: CorePoison | undefined;
}

type Patched = Extract<CorePatch, { kind: 'patched' }>;
type WrittenPatch = Exclude<CorePatch, Patched> | (Omit<Patched, 'from' | 'to'> & { readonly from: string; readonly to: string });

export interface CoreModel extends Tally {
  readonly object: string;
  readonly kernel: string;
  readonly relocations: readonly RelocatedCore[];
}

/** `kelf bpf core`. @param log the text, where it is to be libbpf's log */
export function coreReport(log?: () => Iterable<string>): Report<CoreModel> {
  return { schema: 'kelf/bpf-core', version: 1, verbatim: log !== undefined, text: model => log?.() ?? coreLines(model) };
}

export function coreModel(object: BpfObject, outcomes: readonly CoreOutcome[]): Omit<CoreModel, 'object' | 'kernel'> {
  return { relocations: outcomes.map(outcome => describe(object, outcome)), ...tally(outcomes) };
}

function describe(object: BpfObject, { relocation, resolution, patch, refused, ambiguity, poison }: CoreOutcome): RelocatedCore {
  const { section, function: fn, instruction, kind, text } = relocation;
  return {
    section,
    function: fn?.name,
    instruction,
    kind,
    local: text,
    ...(resolution === undefined
      ? {}
      : {
          target: resolution.target === undefined ? undefined : formatCoreSpec(resolution.targetBtf!, resolution.target),
          candidates: resolution.candidates.map(candidate => ({
            typeId: candidate.spec.rootTypeId,
            btf: candidate.btf.name,
            matches: candidate.matches,
            ...(candidate.matches ? {} : { break: breakOf(object.btf!, resolution.local, candidate) }),
          })),
          ...(resolution.ruledOut.length === 0 ? {} : { ruledOut: ruledOutOf(resolution) }),
        }),
    patch: patch?.kind === 'patched' ? { ...patch, from: String(patch.from), to: String(patch.to) } : patch,
    refused:
      ambiguity?.modules === undefined
        ? refused
        : `${refused}, if ${ambiguity.modules.map(({ name }) => name).join(' and ')} are both loaded`,
    poison,
  };
}

type Tally = Readonly<Record<'relocated' | 'answered' | 'guarded' | 'failing' | 'refused', number>>;

/** How many relocations came to what. */
function tally(outcomes: readonly CoreOutcome[]): Tally {
  const count = (matches: (outcome: CoreOutcome) => boolean): number => outcomes.filter(matches).length;
  return {
    relocated: count(({ patch, resolution }) => patch?.kind === 'patched' && hasTarget(resolution)),
    answered: count(({ patch, resolution }) => patch?.kind === 'patched' && !hasTarget(resolution)),
    guarded: count(({ poison }) => poison?.reachedBy.length === 0),
    failing: count(({ poison }) => (poison?.reachedBy.length ?? 0) > 0),
    refused: count(({ refused }) => refused !== undefined),
  };
}

function hasTarget(resolution: CoreOutcome['resolution']): boolean {
  return resolution?.target !== undefined || resolution?.local.kind === 'local_type_id';
}

function* coreLines({ relocations, relocated, answered, guarded, failing, refused }: CoreModel): Generator<string> {
  let place = '';
  for (const relocation of relocations) {
    const { section, function: fn } = relocation;
    const here = fn === undefined ? section : `${fn} (${section})`;
    if (here !== place) yield here;
    place = here;
    yield* relocationLines(relocation);
  }
  yield `${relocations.length} relocations: ${relocated} found, ${answered} answered 'no', ${guarded} guarded, ${failing} would fail, ${refused} refused`;
}

function relocationLines({ instruction, local, target, candidates, ruledOut, patch, refused, poison }: RelocatedCore): string[] {
  const head = `  insn ${instruction}  ${local}`;
  if (candidates === undefined || patch === undefined) return [`${head}: refused: ${refused}`];
  const found = target?.replace(/^<\w+> /, '');
  if (patch.kind === 'patched') return [`${head}: ${found ?? 'none'}: ${changeOf(patch)}`];
  const why = patch.unsafeSize ? `${found}, whose size a load can't adapt to` : 'none';
  const guards = poison!.guards.length === 0 ? '' : `: ${poison!.guards.join(', ')}`;
  const verdict =
    poison!.reachedBy.length > 0
      ? `would fail in ${poison!.reachedBy.join(', ')}`
      : `guarded${poison!.byData ? ' as long as read-only data does not change' : ''}${guards}`;
  return [`${head}: ${why}: poisoned, ${verdict}`, ...breakLines(candidates, ruledOut ?? [])];
}

function breakLines(candidates: NonNullable<RelocatedCore['candidates']>, ruledOut: NonNullable<RelocatedCore['ruledOut']>): string[] {
  if (ruledOut.length > 0) {
    const ids = ruledOut.map(({ typeId }) => `[${typeId}]`).join(', ');
    return [
      ...breakLines(candidates, []).slice(0, candidates.length === 0 ? 0 : undefined),
      `      it has ${ids} too, which earlier relocations of the type ruled out`,
    ];
  }
  if (candidates.length === 0) return ['      the kernel has no type with this name'];
  return candidates.flatMap(({ typeId, break: broken }) => {
    if (broken === undefined) return [];
    const near = broken.near.map(({ how, path, declaration }) => `${how}: ${path} (${declaration})`).join('; ');
    return [`      ${broken.type} [${typeId}] has no ${broken.missing}${near === '' ? '' : `; ${near}`}`];
  });
}

function changeOf({ field, from, to, size }: Extract<WrittenPatch, { kind: 'patched' }>): string {
  return `${field} ${from === to ? to : `${from} -> ${to}`}${size === undefined ? '' : `, ${size[0]} -> ${size[1]} bytes`}`;
}

/** The lines of libbpf's log, without its `libbpf: `. */
export function coreLog(object: BpfObject, outcomes: readonly CoreOutcome[]): string[] {
  // Where candidates do not agree, libbpf goes no further.
  const end = outcomes.findIndex(({ ambiguity }) => ambiguity !== undefined);
  return outcomes.slice(0, end < 0 ? undefined : end + 1).flatMap(outcome => logLines(object, outcome));
}

function logLines(object: BpfObject, { relocation, resolution, found = [], patch, refused, ambiguity }: CoreOutcome): string[] {
  const { function: fn, number, text, instruction } = relocation;
  const prefix = `prog '${fn?.name}': relo #${number}: `;
  const lines = [text];
  for (const [i, { btf, spec, matches }] of (resolution ?? ambiguity)?.candidates.entries() ?? [])
    lines.push(`${matches ? 'matching' : 'non-matching'} candidate #${i} ${formatCoreSpec(btf, spec)}`);
  if (resolution !== undefined && !hasTarget(resolution)) lines.push('no matching targets found');
  if (ambiguity !== undefined) lines.push(ambiguity.log, 'failed to relocate: -EINVAL');
  else if (refused !== undefined) lines.push(refused);
  if (patch?.kind === 'poisoned') {
    // Both halves of an ld_imm64, the second one first (bpf_core_patch_insn).
    for (const slot of patch.wide ? [instruction + 1, instruction] : [instruction])
      lines.push(`substituting insn #${slot} w/ invalid insn`);
  }
  if (patch?.kind === 'patched') {
    const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
    const name = patch.field === 'imm64' ? 'imm64' : patch.field;
    lines.push(`patched insn #${instruction} (${patch.instruction}) ${name} ${unsigned(patch.from)} -> ${unsigned(patch.to)}`);
    if (patch.size !== undefined)
      lines.push(`patched insn #${instruction} (${patch.instruction}) mem_sz ${patch.size[0]} -> ${patch.size[1]}`);
  }
  // What libbpf has no name for is no line of its log either.
  const { btf } = object;
  if (btf === undefined) return [];
  const { typeId } = relocation;
  const looked = found.map(
    each =>
      `CO-RE relocating ${typeText(btf, typeId)}: found target candidate ${typeText(each.btf, each.typeId)} in [${nameInLog(each.btf)}]`,
  );
  return [...looked, ...lines.map(line => prefix + line)];
}

function typeText(btf: Btf, typeId: TypeId): string {
  return `[${typeId}] ${btf.kindOf(typeId).toLowerCase()} ${btf.nameOf(typeId)}`;
}

/** The kernel's own BTF is always vmlinux (bpf_core_find_cands); that of a module has its name. */
function nameInLog(btf: Btf): string {
  return btf.base === undefined ? 'vmlinux' : nameOfFile(btf.name.replace(/: \.BTF$/, ''));
}

/** Types that are listed of those that were ruled out: a record has all of them that those before it have, and there may be thousands of either. */
const MOST_RULED_OUT = 64;

function ruledOutOf({ ruledOut }: NonNullable<CoreOutcome['resolution']>): NonNullable<RelocatedCore['ruledOut']> {
  return ruledOut.slice(0, MOST_RULED_OUT).map(({ typeId, btf }) => ({ typeId, btf: btf.name }));
}
