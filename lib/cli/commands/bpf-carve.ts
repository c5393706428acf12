import { carveFiles } from '../../node/carve-files.js';
import { carveReport } from '../../report/bpf-carve.js';
import { type Command, command, EXIT, JSON_OPTION } from '../command.js';
import { Progress } from '../progress.js';

/** More files that can't be read than these are counted. */
const MOST_PROBLEMS = 5;

export const bpfCarve: Command = command({
  usage: 'FILE|DIR… [--out DIR] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Finds the BPF objects that programs, libraries and skeleton headers carry, at any offset: as they are, as string literals and lists of
bytes in source, as base64, packed by gzip or not; and light skeletons. For each: the file and the offset in it, the object's length, its
sha256, and its programs with their sections. A folder is searched with all that is under it, links apart. Exit code 4: there is none.`,
  options: {
    out: { type: 'string', short: 'o', value: 'DIR', help: 'write each object to a file under DIR' },
    json: JSON_OPTION,
  },
  async run({ args, options, note, write }) {
    const progress = new Progress('searching');
    const { objects, problems, files } = await carveFiles(args, {
      out: options.out,
      onProgress: (done, total) => progress.update(done, total),
    }).finally(() => progress.end());
    write(carveReport, { files, objects });
    for (const line of problems.slice(0, MOST_PROBLEMS)) note(`kelf: ${line}`);
    if (problems.length > MOST_PROBLEMS) note(`kelf: ${problems.length - MOST_PROBLEMS} more that can't be read`);
    const holders = new Set(objects.map(({ path }) => path)).size;
    if (files > 1) note(`kelf: objects found: ${objects.length}, in ${holders} of ${files} files`);
    else if (objects.length === 0) note(`kelf: ${args[0]}: no BPF object in it`);
    return objects.length > 0 ? EXIT.ok : EXIT.missing;
  },
});
