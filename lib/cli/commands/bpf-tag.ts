import { readFileSync } from 'node:fs';
import { Btf } from '../../../btf/btf.js';
import { isFormatError } from '../../../elf/errors.js';
import { carve } from '../../bpf/carve/carve.js';
import { type LoadedProgram, type ProgramTag, parseProgramList, programTags } from '../../bpf/load/tag.js';
import { carveFiles } from '../../node/carve-files.js';
import { openSource } from '../../node/source.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { toJson } from '../../report/json.js';
import { table } from '../../report/text.js';
import { openBtf } from '../btf-input.js';
import { type Command, command, EXIT } from '../command.js';
import { Progress } from '../progress.js';

const OPTIONS = {
  kernel: { type: 'string', short: 'k', value: 'KERNEL', help: 'the kernel that loads them, or its BTF alone; CO-RE is applied for it' },
  match: {
    type: 'string',
    value: 'LIST',
    help: "what 'bpftool prog list' printed, as text or JSON, in a file or on - : says where each came from",
  },
  json: { type: 'boolean', help: 'print JSON' },
} as const;

/** A tag, and the file and offset of the object that it is of. */
interface Tagged extends ProgramTag {
  readonly path: string;
  readonly offset: number;
}

export const bpfTag: Command<typeof OPTIONS> = command({
  usage: 'FILE|DIR… [--kernel KERNEL] [--match LIST] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Prints the tag of each program of BPF objects, and of those that programs and libraries carry: what 'bpftool prog list' will show. Two of
them: SHA-1's of kernels before 6.18, SHA-256's since. A tag is exact, or conditional on what is said beside it.
With --match it says of each loaded program which file it came from. Exit code 4: there is no program, or none of those loaded is known.`,
  options: OPTIONS,
  async run({ args, options, out, note }) {
    const kernel = options.kernel === undefined ? undefined : await openBtf(options.kernel, undefined, Btf.parse);
    const progress = new Progress('searching');
    const { objects, problems } = await carveFiles(args, { onProgress: (done, total) => progress.update(done, total) }).finally(() =>
      progress.end(),
    );
    for (const line of problems) note(`kelf: ${line}`);
    if (objects.length === 0 && problems.length === 0) note(`kelf: ${args.join(', ')}: no BPF object in it`);
    const tags = [...new Set(objects.map(({ path }) => path))].flatMap(path => tagsOf(path, kernel, note));
    if (options.match !== undefined) {
      const text = new TextDecoder().decode(readAll(options.match));
      const loaded = parseProgramList(text, options.match);
      if (loaded.length === 0) note(`kelf: ${options.match === '-' ? 'stdin' : options.match}: no program is listed in it`);
      return printMatches(loaded, tags);
    }
    if (options.json) out.line(toJson({ schema: 'kelf/bpf-tag', version: 1, programs: tags.map(described) }));
    else {
      const rows = tags.map(tag => [tag.sha1, tag.sha256, tag.program.name, place(tag), verdict(tag)]);
      if (rows.length > 0) for (const line of table([['SHA-1', 'SHA-256 (6.18)', 'program', 'object', 'tag'], ...rows], '')) out.line(line);
    }
    return tags.length > 0 ? EXIT.ok : EXIT.missing;

    function printMatches(loaded: readonly LoadedProgram[], known: readonly Tagged[]): number {
      const matches = loaded.map(program => ({ program, tags: known.filter(tag => fits(program, tag)) }));
      if (options.json) {
        const list = matches.map(({ program, tags: found }) => ({ ...program, files: found.map(described) }));
        out.line(toJson({ schema: 'kelf/bpf-tag-match', version: 1, programs: list }));
      } else
        for (const { program, tags: found } of matches)
          out.line(
            `${program.id}: ${program.type} ${program.name || '(no name)'} ${program.tag}: ${found.length === 0 ? 'of none of these files' : found.map(tag => `${place(tag)} ${tag.program.name}`).join(', ')}`,
          );
      return matches.some(({ tags: found }) => found.length > 0) ? EXIT.ok : EXIT.missing;
    }
  },
});

/** Equal programs of other names have equal tags: the name counts, as far as the kernel keeps it. */
function fits({ name, tag }: LoadedProgram, known: Tagged): boolean {
  return (tag === known.sha1 || tag === known.sha256) && (name === '' || known.program.name.startsWith(name));
}

function tagsOf(path: string, kernel: Btf | undefined, note: (line: string) => void): Tagged[] {
  const source = openSource(path);
  try {
    return carve(source).flatMap(({ form, bytes, offset }) => {
      if (form === 'light skeleton') {
        note(`kelf: ${path}+0x${offset.toString(16)}: a light skeleton: its programs are put together as it is loaded`);
        return [];
      }
      try {
        return programTags(openBpfObject(bytes, { name: path }), { kernel }).map(tag => ({ ...tag, path, offset }));
      } catch (error) {
        if (!isFormatError(error)) throw error;
        note(`kelf: ${error.message}`);
        return [];
      }
    });
  } finally {
    source.close();
  }
}

function readAll(path: string): Uint8Array {
  if (path === '-') return readFileSync(0);
  const source = openSource(path);
  try {
    return source.read(0, source.size);
  } finally {
    source.close();
  }
}

function place({ path, offset }: Tagged): string {
  return offset === 0 ? path : `${path}+0x${offset.toString(16)}`;
}

function verdict({ conditions }: ProgramTag): string {
  return conditions.length === 0 ? 'exact' : `conditional: ${conditions.join('; ')}`;
}

function described({ path, offset, program, sha1, sha256, conditions }: Tagged): object {
  return {
    path,
    offset,
    program: program.name,
    section: program.section,
    sha1,
    sha256,
    certainty: conditions.length === 0 ? 'exact' : 'conditional',
    conditions,
  };
}
