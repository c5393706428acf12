import type { LoadedProgram, ProgramTag } from '../bpf/load/tag.js';
import type { Report } from './report.js';
import { count, objectPlace, table } from './text.js';

/** The tags of one program, and where it is. */
export interface TaggedProgram extends Pick<ProgramTag, 'sha1' | 'sha256' | 'conditions'> {
  readonly path: string;
  readonly offset: number;
  readonly program: string;
  readonly section: string;
  readonly certainty: 'exact' | 'conditional';
}

/** `kelf bpf tag`. */
export const tagReport: Report<{ readonly programs: readonly TaggedProgram[] }> = {
  schema: 'kelf/bpf-tag',
  version: 1,
  text: ({ programs }) => {
    const rows = programs.map(program => [program.sha1, program.sha256, program.program, objectPlace(program), verdict(program)]);
    return rows.length === 0 ? [] : table([['SHA-1', 'SHA-256 (6.18)', 'program', 'object', 'tag'], ...rows]);
  },
};

/** A program that a kernel has loaded, and where it may come from. */
export interface MatchedProgram extends LoadedProgram {
  /** The programs of this tag, whatever their names are. */
  readonly files: readonly TaggedProgram[];
  /** Where there is none: programs of the name whose own tags depend on something that is not known. */
  readonly unknown: readonly TaggedProgram[];
  /** Where no file has it: what else makes such programs. */
  readonly hint?: string;
}

/** Programs that no file holds, for they are put together instruction by instruction; mostly they have no name. By type. */
const MADE_AT_RUN_TIME: Readonly<Record<string, string>> = {
  cgroup_device: 'systemd, runc and crun make such programs at run time, from the devices that a unit or a container may use',
  cgroup_skb: 'systemd makes such programs at run time, for IPAddressAllow= and IPAddressDeny=',
};

/** A loaded program with those of the files that have its tag, or may have it. */
export function matchedProgram(program: LoadedProgram, known: readonly TaggedProgram[]): MatchedProgram {
  const { name, tag, type } = program;
  const files = known.filter(({ sha1, sha256 }) => tag === sha1 || tag === sha256);
  const open = files.length > 0 ? [] : known.filter(({ certainty }) => certainty === 'conditional');
  const unknown = open.filter(one => name === '' || isNamed(one, name));
  const hint = files.length === 0 && name === '' ? MADE_AT_RUN_TIME[type] : undefined;
  return { ...program, files, unknown, ...(hint === undefined ? {} : { hint }) };
}

/** The kernel keeps 15 characters of a name. */
function isNamed({ program }: TaggedProgram, name: string): boolean {
  return program.startsWith(name);
}

/** `kelf bpf tag --match`. */
export const tagMatchReport: Report<{ readonly programs: readonly MatchedProgram[] }> = {
  schema: 'kelf/bpf-tag-match',
  version: 2,
  text: ({ programs }) =>
    programs.map(program => {
      const { id, type, name, tag } = program;
      return `${id === undefined ? '' : `${id}: ${type} ${name || '(no name)'} `}${tag}: ${origin(program)}`;
    }),
};

function origin({ name, files, unknown, hint }: MatchedProgram): string {
  if (files.length > 0) {
    const other = name !== '' && !files.some(file => isNamed(file, name)) ? 'the same code under another name: ' : '';
    return other + files.map(file => `${objectPlace(file)} ${file.program}`).join(', ');
  }
  if (hint !== undefined) return `from none of these files; ${hint}`;
  const [first] = unknown;
  if (first === undefined) return 'from none of these files';
  if (name === '') return `not known: ${count(unknown.length, 'program')} of these files may have it, their tags are conditional`;
  return `not known: ${objectPlace(first)} ${first.program} has this name, its tag is conditional: ${first.conditions.join('; ')}`;
}

/** The tags that programs of files can have, of kernels before 6.18 and since, each once. */
export interface AllowList {
  readonly tags: readonly { readonly tag: string; readonly programs: readonly string[] }[];
  /** Programs that are left out: their tags depend on something that is not known. */
  readonly conditional: number;
}

export function allowList(programs: readonly TaggedProgram[]): AllowList {
  const exact = programs.filter(({ certainty }) => certainty === 'exact');
  const byTag = new Map<string, Set<string>>();
  for (const program of exact) {
    const place = `${objectPlace(program)} ${program.program}`;
    for (const tag of [program.sha1, program.sha256]) byTag.set(tag, (byTag.get(tag) ?? new Set()).add(place));
  }
  const tags = [...byTag].sort(([a], [b]) => (a < b ? -1 : 1)).map(([tag, places]) => ({ tag, programs: [...places] }));
  return { tags, conditional: programs.length - exact.length };
}

/** `kelf bpf tag --allow-list`. */
export const allowListReport: Report<AllowList> = {
  schema: 'kelf/bpf-allow-list',
  version: 1,
  text: ({ tags }) => tags.map(({ tag, programs }) => `${tag}  ${programs.join(', ')}`),
};

export function taggedProgram({ program, sha1, sha256, conditions }: ProgramTag, path: string, offset: number): TaggedProgram {
  const certainty = conditions.length === 0 ? 'exact' : 'conditional';
  return { path, offset, program: program.name, section: program.section, sha1, sha256, certainty, conditions };
}

function verdict({ conditions }: TaggedProgram): string {
  return conditions.length === 0 ? 'exact' : `conditional: ${conditions.join('; ')}`;
}
