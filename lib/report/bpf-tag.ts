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
}

/** `kelf bpf tag --match`. */
export const tagMatchReport: Report<{ readonly programs: readonly MatchedProgram[] }> = {
  schema: 'kelf/bpf-tag-match',
  version: 1,
  text: ({ programs }) =>
    programs.map(({ id, type, name, tag, files }) => {
      const from = files.length === 0 ? 'from none of these files' : files.map(file => `${objectPlace(file)} ${file.program}`).join(', ');
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
