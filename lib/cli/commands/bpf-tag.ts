import { readFileSync } from 'node:fs';
import { Btf } from '../../../btf/btf.js';
import { isFormatError } from '../../../elf/errors.js';
import { carve } from '../../bpf/carve/carve.js';
import { type LoadedProgram, parseProgramList, programTags } from '../../bpf/load/tag.js';
import { carveFiles } from '../../node/carve-files.js';
import { openSource } from '../../node/source.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { matchedProgram, type TaggedProgram, taggedProgram, tagMatchReport, tagReport } from '../../report/bpf-tag.js';
import { CORE_KERNEL_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, EXIT, JSON_OPTION } from '../command.js';
import { Progress } from '../progress.js';

export const bpfTag: Command = command({
  usage: 'FILE|DIR… [--kernel KERNEL] [--match LIST] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Prints the tags of each program in BPF objects, or in programs and libraries that contain them: what 'bpftool prog list' will show. There are two:
SHA-1 for kernels before 6.18, SHA-256 since. A tag is exact, or conditional on what is listed beside it. --match tells for each loaded
program which file it came from. Exit code 4: there is no program, or no loaded program is known.`,
  options: {
    kernel: CORE_KERNEL_OPTION,
    match: {
      type: 'string',
      value: 'LIST',
      help: "the output of 'bpftool prog list', text or JSON, in a file or - for stdin: tell where each program came from",
    },
    json: JSON_OPTION,
  },
  async run({ args, options, note, write }) {
    const kernel = options.kernel === undefined ? undefined : openBtf(options.kernel, undefined, Btf.parse);
    const progress = new Progress('searching');
    const { objects, problems } = await carveFiles(args, { onProgress: (done, total) => progress.update(done, total) }).finally(() =>
      progress.end(),
    );
    for (const line of problems) note(`kelf: ${line}`);
    if (objects.length === 0 && problems.length === 0) note(`kelf: ${args.join(', ')}: contains no BPF object`);
    const programs = [...new Set(objects.map(({ path }) => path))].flatMap(path => tagsOf(path, kernel, note));
    if (options.match === undefined) {
      write(tagReport, { programs });
      return programs.length > 0 ? EXIT.ok : EXIT.missing;
    }
    const text = new TextDecoder().decode(readAll(options.match));
    const loaded = parseProgramList(text, options.match);
    if (loaded.length === 0) note(`kelf: ${options.match === '-' ? 'stdin' : options.match}: lists no program`);
    const matched = loaded.map(program =>
      matchedProgram(
        program,
        programs.filter(known => fits(program, known)),
      ),
    );
    write(tagMatchReport, { programs: matched });
    return matched.some(({ files }) => files.length > 0) ? EXIT.ok : EXIT.missing;
  },
});

/** Equal programs of other names have equal tags: the name counts, as far as the kernel keeps it. */
function fits({ name, tag }: LoadedProgram, known: TaggedProgram): boolean {
  return (tag === known.sha1 || tag === known.sha256) && (name === '' || known.program.startsWith(name));
}

function tagsOf(path: string, kernel: Btf | undefined, note: (line: string) => void): TaggedProgram[] {
  const source = openSource(path);
  try {
    return carve(source).flatMap(({ form, bytes, offset }) => {
      if (form === 'light skeleton') {
        note(`kelf: ${path}+0x${offset.toString(16)}: a light skeleton: it assembles its programs at load time`);
        return [];
      }
      try {
        return programTags(openBpfObject(bytes, { name: path }), { kernel }).map(tag => taggedProgram(tag, path, offset));
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
