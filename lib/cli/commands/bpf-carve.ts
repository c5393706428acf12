import { type CarvedObject, carveFiles } from '../../node/carve-files.js';
import { toJson } from '../../report/json.js';
import { type Command, command, EXIT } from '../command.js';
import { printable } from '../elf.js';
import { Progress } from '../progress.js';

const OPTIONS = {
  out: { type: 'string', short: 'o', value: 'DIR', help: 'write each object to a file under DIR' },
  json: { type: 'boolean', help: 'print JSON' },
} as const;

/** More files that can't be read than these are counted. */
const MOST_PROBLEMS = 5;

export const bpfCarve: Command<typeof OPTIONS> = command({
  usage: 'FILE|DIR… [--out DIR] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Finds the BPF objects that programs, libraries and skeleton headers carry, at any offset: as they are, as string literals and lists of
bytes in source, as base64, packed by gzip or not; and light skeletons. For each: the file and the offset in it, the object's length, its
sha256, and its programs with their sections. A folder is searched with all that is under it, links apart. Exit code 4: there is none.`,
  options: OPTIONS,
  async run({ args, options, out, note }) {
    const progress = new Progress('searching');
    const { objects, problems, files } = await carveFiles(args, {
      out: options.out,
      onProgress: (done, total) => progress.update(done, total),
    }).finally(() => progress.end());
    if (options.json) out.line(toJson({ schema: 'kelf/bpf-carve', version: 1, files, objects }));
    else for (const object of objects) for (const line of objectLines(object)) out.line(line);
    for (const line of problems.slice(0, MOST_PROBLEMS)) note(`kelf: ${line}`);
    if (problems.length > MOST_PROBLEMS) note(`kelf: ${problems.length - MOST_PROBLEMS} more that can't be read`);
    const holders = new Set(objects.map(({ path }) => path)).size;
    if (files > 1) note(`kelf: objects found: ${objects.length}, in ${holders} of ${files} files`);
    else if (objects.length === 0) note(`kelf: ${args[0]}: no BPF object in it`);
    return objects.length > 0 ? EXIT.ok : EXIT.missing;
  },
});

function objectLines({ path, offset, length, form, sha256, programs, written, btf, loader }: CarvedObject): string[] {
  const width = Math.max(0, ...programs.map(({ name }) => name.length));
  return [
    `${path}+0x${offset.toString(16)}: ${form}, ${length} bytes, sha256 ${sha256}`,
    ...programs.map(({ name, section, instructions }) => {
      const beside = section ?? (instructions === undefined ? '' : `${instructions.length / 8} instructions`);
      return `  ${printable(`${name.padEnd(width)}  ${beside}`.trimEnd())}`;
    }),
    ...(btf === undefined ? [] : [`  BTF: ${btf.length} bytes`]),
    ...(loader === undefined ? [] : [`  loader: ${loader.length / 8} instructions at +0x${loader.offset.toString(16)}`]),
    ...(written === undefined ? [] : [`  written to ${written}`]),
  ];
}
