import { Btf } from '../../../btf/btf.js';
import { breakOf } from '../../../btf/core-near.js';
import { formatCoreSpec } from '../../../btf/core-spec.js';
import type { CorePatch } from '../../bpf/load/core-patch.js';
import { type CoreOutcome, relocateCore } from '../../bpf/load/relocate-core.js';
import type { BpfObject } from '../../bpf/object/object.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { toJson } from '../../report/json.js';
import { openBtf } from '../btf-input.js';
import { type Command, command, EXIT, UsageError } from '../command.js';

const OPTIONS = {
  kernel: {
    type: 'string',
    short: 'k',
    value: 'KERNEL',
    help: "the kernel's file, or its BTF alone: vmlinux, vmlinuz, /sys/kernel/btf/vmlinux",
  },
  modules: { type: 'string', multiple: true, value: 'FILE', help: 'BTF of a module, for types that the kernel does not have; repeatable' },
  log: { type: 'boolean', help: "print what libbpf's debug log has of each relocation, to be compared with it" },
  json: { type: 'boolean', help: 'print JSON' },
} as const;

export const bpfCore: Command<typeof OPTIONS> = command({
  usage: 'OBJECT --kernel KERNEL [--modules FILE]… [--log] [--json]',
  arity: [1, 1],
  about: `Relocates a BPF object to a kernel as libbpf would when it loads it there: for each CO-RE relocation the kernel's type, the value, and what
becomes of the instruction. Where the kernel lacks what is asked for, the instruction is poisoned: it is told whether a program comes to
it, and would be refused, or a test guards it; and what the kernel has instead.`,
  options: OPTIONS,
  async run({ args, options, out, note }) {
    if (options.kernel === undefined) throw new UsageError('name the kernel: --kernel KERNEL');
    const object = openBpfObject(args[0]!);
    const kernel = await openBtf(options.kernel, undefined, Btf.parse);
    const modules = await Promise.all((options.modules ?? []).map(path => openBtf(path, options.kernel, Btf.parse)));
    const { outcomes } = relocateCore(object, kernel, { modules });
    if (options.json) {
      const relocations = outcomes.map(outcome => describe(object, outcome));
      out.line(toJson({ schema: 'kelf/bpf-core', version: 1, object: args[0], kernel: options.kernel, relocations, ...tally(outcomes) }));
    } else if (options.log) for (const outcome of outcomes) for (const line of logLines(object, outcome)) out.line(line);
    else {
      let place = '';
      for (const outcome of outcomes) {
        const { section, function: fn } = outcome.relocation;
        const here = fn === undefined ? section : `${fn.name} (${section})`;
        if (here !== place) out.line(here);
        place = here;
        for (const line of outcomeLines(object, outcome)) out.line(`  ${line}`);
      }
      const { relocated, answered, guarded, failing, refused } = tally(outcomes);
      out.line(
        `${outcomes.length} relocations: ${relocated} found, ${answered} answered with no, ${guarded} guarded, ${failing} that would fail, ${refused} refused`,
      );
    }
    for (const { message } of object.diagnostics) note(`kelf: ${message}`);
    return EXIT.ok;
  },
});

/** How many relocations came to what. */
function tally(outcomes: readonly CoreOutcome[]): Readonly<Record<'relocated' | 'answered' | 'guarded' | 'failing' | 'refused', number>> {
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

function outcomeLines(object: BpfObject, outcome: CoreOutcome): string[] {
  const { relocation, resolution, patch, refused, poison } = outcome;
  const head = `insn ${relocation.instruction}  ${relocation.text}`;
  if (resolution === undefined || patch === undefined) return [`${head}: refused: ${refused}`];
  const { target, targetBtf } = resolution;
  const found = target === undefined ? undefined : formatCoreSpec(targetBtf!, target).replace(/^<\w+> /, '');
  if (patch.kind === 'patched') return [`${head}: ${found ?? 'none'}: ${changeOf(patch)}`];
  const why = patch.unsafeSize ? `${found}, of another size than a load can adapt to` : 'none';
  const guards = poison!.guards.length === 0 ? '' : `: ${poison!.guards.join(', ')}`;
  const verdict =
    poison!.reachedBy.length > 0
      ? `would fail in ${poison!.reachedBy.join(', ')}`
      : `guarded${poison!.byData ? ' as long as read-only data stays as it is' : ''}${guards}`;
  return [`${head}: ${why}: poisoned, ${verdict}`, ...breakLines(object, outcome)];
}

function breakLines(object: BpfObject, { resolution }: CoreOutcome): string[] {
  const { local, candidates } = resolution!;
  if (candidates.length === 0) return ['    the kernel has no type of that name'];
  return candidates.flatMap(candidate => {
    const broken = candidate.matches ? undefined : breakOf(object.btf!, local, candidate);
    if (broken === undefined) return [];
    const near = broken.near.map(({ how, path, declaration }) => `${how}: ${path} (${declaration})`).join('; ');
    return [`    ${broken.type} [${candidate.spec.rootTypeId}] has no ${broken.missing}${near === '' ? '' : `; ${near}`}`];
  });
}

function changeOf(patch: CorePatch & { kind: 'patched' }): string {
  const size = patch.size === undefined ? '' : `, ${patch.size[0]} -> ${patch.size[1]} bytes`;
  return `${patch.field} ${patch.from === patch.to ? patch.to : `${patch.from} -> ${patch.to}`}${size}`;
}

/** The lines of libbpf's log, without its `libbpf: `. */
function logLines(object: BpfObject, { relocation, resolution, patch, refused }: CoreOutcome): string[] {
  const { function: fn, number, text, instruction } = relocation;
  const prefix = `prog '${fn?.name}': relo #${number}: `;
  const lines = [text];
  if (resolution !== undefined) {
    for (const [i, { btf, spec, matches }] of resolution.candidates.entries())
      lines.push(`${matches ? 'matching' : 'non-matching'} candidate #${i} ${formatCoreSpec(btf, spec)}`);
    if (!hasTarget(resolution)) lines.push('no matching targets found');
  }
  if (refused !== undefined) lines.push(refused);
  if (patch?.kind === 'poisoned') {
    // Both halves of an ld_imm64 (bpf_core_patch_insn).
    for (const slot of patch.wide ? [instruction, instruction + 1] : [instruction])
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
  return object.btf === undefined ? [] : lines.map(line => prefix + line);
}

function describe(object: BpfObject, outcome: CoreOutcome): object {
  const { relocation, resolution, patch, refused, poison } = outcome;
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
        }),
    patch:
      patch === undefined
        ? undefined
        : { ...patch, ...(patch.kind === 'patched' ? { from: String(patch.from), to: String(patch.to) } : {}) },
    refused,
    poison,
  };
}
