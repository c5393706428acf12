import { existsSync, readFileSync } from 'node:fs';
import { Btf } from '../../../btf/btf.js';
import { isFormatError } from '../../../elf/errors.js';
import { carve } from '../../bpf/carve/carve.js';
import { parseProgramList, programTags } from '../../bpf/load/tag.js';
import { carveFiles } from '../../node/carve-files.js';
import { openSource } from '../../node/source.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import {
  allowList,
  allowListReport,
  matchedProgram,
  type TaggedProgram,
  taggedProgram,
  tagMatchReport,
  tagReport,
} from '../../report/bpf-tag.js';
import { CORE_KERNEL_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, EXIT, JSON_OPTION, UsageError } from '../command.js';
import { Progress } from '../progress.js';

export const bpfTag: Command = command({
  usage: 'FILE|DIR… [--kernel KERNEL] [--match LIST|TAG | --allow-list] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Prints the tags of each program in BPF objects, or in programs and libraries that contain them: what 'bpftool prog list' will show. There are two:
SHA-1 for kernels before 6.18, SHA-256 since. A tag is exact, or conditional on what is listed beside it. --match tells which
file each loaded program came from, whatever its name: whoever loads a program can choose that.
Exit code 4: no program was found, or no loaded program is known.`,
  examples: ['program.bpf.o', 'program.bpf.o --kernel vmlinux'],
  options: {
    kernel: CORE_KERNEL_OPTION,
    match: {
      type: 'string',
      value: 'LIST|TAG',
      help: "the output of 'bpftool prog list', text or JSON, in a file or - for stdin, or a tag: tell where each program came from. Without --kernel, CO-RE is applied for the running kernel",
    },
    'allow-list': { type: 'boolean', help: 'print each exact tag once, with its programs: those that a monitor may treat as known' },
    json: JSON_OPTION,
  },
  async run({ args, options, note, write }) {
    const path = options.kernel ?? (options.match === undefined ? undefined : runningBtf(note));
    const kernel = path === undefined ? undefined : openBtf(path, undefined, Btf.parse);
    const progress = new Progress('searching');
    const { objects, problems } = await carveFiles(args, { onProgress: (done, total) => progress.update(done, total) }).finally(() =>
      progress.end(),
    );
    for (const line of problems) note(`kelf: ${line}`);
    if (objects.length === 0 && problems.length === 0) note(`kelf: ${args.join(', ')}: contains no BPF object`);
    const programs = [...new Set(objects.map(({ path }) => path))].flatMap(path => tagsOf(path, kernel, note));
    if (options['allow-list'] === true) {
      if (options.match !== undefined) throw new UsageError('--allow-list and --match are two questions: give one of them');
      const list = allowList(programs);
      write(allowListReport, list);
      if (list.conditional > 0)
        note(`kelf: ${list.conditional} of ${programs.length} programs are left out: their tags are conditional (--kernel)`);
      return list.tags.length > 0 ? EXIT.ok : EXIT.missing;
    }
    if (options.match === undefined) {
      write(tagReport, { programs });
      return programs.length > 0 ? EXIT.ok : EXIT.missing;
    }
    const text = /^[0-9a-f]{16}$/.test(options.match) ? options.match : new TextDecoder().decode(readAll(options.match));
    const loaded = parseProgramList(text, options.match);
    if (loaded.length === 0) note(`kelf: ${options.match === '-' ? 'stdin' : options.match}: lists no program`);
    const matched = loaded.map(program => matchedProgram(program, programs));
    write(tagMatchReport, { programs: matched });
    return matched.some(({ files }) => files.length > 0) ? EXIT.ok : EXIT.missing;
  },
});

const RUNNING = '/sys/kernel/btf/vmlinux';

/** What is loaded is mostly of the running kernel. */
function runningBtf(note: (line: string) => void): string | undefined {
  if (!existsSync(RUNNING)) return undefined;
  note(`kelf: no --kernel: CO-RE relocations are applied for the running kernel, ${RUNNING}`);
  return RUNNING;
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
