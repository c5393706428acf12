import type { Btf } from '../../../btf/btf.js';
import type { CoreResolution } from '../../../btf/core.js';
import { essentialName } from '../../../btf/core-compat.js';
import { FormatError } from '../../../elf/errors.js';
import type { BpfObject } from '../object/object.js';
import type { BpfProgram } from '../object/programs.js';
import { digestOf } from './digest.js';
import { programImage } from './program-image.js';
import { type CoreReport, relocateCore } from './relocate-core.js';

/** The tag of one program: what `bpftool prog list` shows for it once it is loaded. */
export interface ProgramTag {
  readonly program: BpfProgram;
  /** Before kernel 6.18: the first 8 bytes of SHA-1, in hexadecimal. */
  readonly sha1: string;
  /** Since 6.18 (603b44162325): of SHA-256. */
  readonly sha256: string;
  /** What the tag also depends on; empty where it is exact. */
  readonly conditions: readonly string[];
}

/** Options of {@link programTags}. */
export interface TagOptions {
  /** The BTF of the kernel that the programs are loaded on; without, an object that CO-RE relocates has conditional tags. */
  readonly kernel?: Btf | undefined;
  readonly modules?: readonly Btf[];
}

/**
 * The tags that the kernel computes for an object's programs when libbpf loads them (bpf_prog_calc_tag): a hash of the instructions, in
 * which the numbers of maps are zero. Loaders that order functions otherwise, as cilium's does, give other tags to programs with
 * subprograms.
 */
export function programTags(object: BpfObject, { kernel, modules = [] }: TagOptions = {}): ProgramTag[] {
  const report: CoreReport | undefined = kernel === undefined ? undefined : relocateCore(object, kernel, { modules });
  /** CO-RE relocations of functions, which several programs share. */
  const counts = new Map<string, number>();
  for (const { function: fn, kind } of object.coreRelocations)
    if (fn !== undefined && kind !== 'local_type_id') counts.set(keyOf(fn), (counts.get(keyOf(fn)) ?? 0) + 1);
  return object.programs.map(program => {
    const { bytes, conditions } = programImage(object, program, { code: report?.code ?? new Map(), kernel });
    const functions = new Set([program, ...object.subprogramsOf(program)].map(keyOf));
    const relocations = [...functions].reduce((sum, key) => sum + (counts.get(key) ?? 0), 0);
    const core =
      report === undefined && relocations > 0 ? [`${relocations} CO-RE relocations: the kernel's BTF is needed to apply them`] : [];
    const missing = new Set(
      (report?.outcomes ?? []).flatMap(({ relocation: { function: fn, typeId }, resolution }) =>
        isMissing(resolution) && fn !== undefined && functions.has(`${fn.sectionIndex}:${fn.name}`)
          ? essentialName(object.btf!.nameOf(typeId))
          : [],
      ),
    );
    const refused = report?.outcomes.find(({ refused }) => refused !== undefined);
    const failing = refused === undefined ? [] : [`libbpf refuses the object: ${refused.refused}`];
    return {
      program,
      sha1: tagOf(digestOf('sha1', bytes)),
      sha256: tagOf(digestOf('sha256', bytes)),
      conditions: [...core, ...failing, ...[...missing].map(name => `that no loaded module has ${name}`), ...conditions],
    };
  });
}

function keyOf({ name, sectionIndex }: { readonly name: string; readonly sectionIndex: number }): string {
  return `${sectionIndex}:${name}`;
}

/** Whether neither the kernel nor a module that was given has a type of the name: libbpf then looks in all modules that are loaded. */
function isMissing(resolution: CoreResolution | undefined): boolean {
  return (
    resolution !== undefined && resolution.local.kind !== 'local_type_id' && resolution.candidates.length + resolution.ruledOut.length === 0
  );
}

/** The first 8 bytes of a digest, in hexadecimal. */
function tagOf(digest: Uint8Array): string {
  return Array.from(digest.subarray(0, 8), byte => byte.toString(16).padStart(2, '0')).join('');
}

/** A program that a kernel has loaded. */
export interface LoadedProgram {
  /** Not known of a bare tag. */
  readonly id?: number;
  readonly type: string;
  /** Cut to 15 characters; '' where it has none. */
  readonly name: string;
  readonly tag: string;
}

/**
 * Reads what `bpftool prog list` prints, as text or with `-j` or `-p`, or bare tags, one a line. Other lines are skipped.
 * @throws FormatError for invalid JSON
 */
export function parseProgramList(text: string, name = 'bpftool prog list'): LoadedProgram[] {
  if (/^\s*[[{]/.test(text)) {
    let list: unknown;
    try {
      list = JSON.parse(text);
    } catch (error) {
      throw new FormatError('bad-value', { name }, `is not JSON: ${(error as Error).message}`, { cause: error });
    }
    return fromJson(list);
  }
  return [...text.matchAll(/^(?:(\d+): (\S+)(?: +name (\S+))? +tag )?([0-9a-f]{16})\b/gm)].map(([, id, type = '', name = '', tag]) => ({
    ...(id === undefined ? {} : { id: Number(id) }),
    type,
    name,
    tag: tag!,
  }));
}

function fromJson(list: unknown): LoadedProgram[] {
  // An object of `bpftool -j prog show id 12`, which is of one.
  return (Array.isArray(list) ? (list as unknown[]) : [list]).flatMap(entry => {
    const { id, type = '', name = '', tag } = (entry ?? {}) as Partial<Record<string, unknown>>;
    return typeof id === 'number' && typeof tag === 'string' ? [{ id, type: String(type), name: String(name), tag }] : [];
  });
}
