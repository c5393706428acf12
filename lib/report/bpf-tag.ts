import type { LoadedProgram, ProgramTag } from '../bpf/load/tag.js';
import type { Report } from './report.js';
import { objectPlace, table } from './text.js';

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
  readonly files: readonly TaggedProgram[];
  /** Where no file has it: what else makes such programs. */
  readonly hint?: string;
}

/** Programs that no file holds, for they are put together instruction by instruction; mostly they have no name. By type. */
const MADE_AT_RUN_TIME: Readonly<Record<string, string>> = {
  cgroup_device: 'systemd, runc and crun make such programs at run time, from the devices that a unit or a container may use',
  cgroup_skb: 'systemd makes such programs at run time, for IPAddressAllow= and IPAddressDeny=',
};

/** A loaded program with the files that have it. */
export function matchedProgram(program: LoadedProgram, files: readonly TaggedProgram[]): MatchedProgram {
  const hint = files.length === 0 && program.name === '' ? MADE_AT_RUN_TIME[program.type] : undefined;
  return { ...program, files, ...(hint === undefined ? {} : { hint }) };
}

/** `kelf bpf tag --match`. */
export const tagMatchReport: Report<{ readonly programs: readonly MatchedProgram[] }> = {
  schema: 'kelf/bpf-tag-match',
  version: 1,
  text: ({ programs }) =>
    programs.map(({ id, type, name, tag, files, hint }) => {
      const none = `from none of these files${hint === undefined ? '' : `; ${hint}`}`;
      const from = files.length === 0 ? none : files.map(file => `${objectPlace(file)} ${file.program}`).join(', ');
      return `${id}: ${type} ${name || '(no name)'} ${tag}: ${from}`;
    }),
};

export function taggedProgram({ program, sha1, sha256, conditions }: ProgramTag, path: string, offset: number): TaggedProgram {
  const certainty = conditions.length === 0 ? 'exact' : 'conditional';
  return { path, offset, program: program.name, section: program.section, sha1, sha256, certainty, conditions };
}

function verdict({ conditions }: TaggedProgram): string {
  return conditions.length === 0 ? 'exact' : `conditional: ${conditions.join('; ')}`;
}
