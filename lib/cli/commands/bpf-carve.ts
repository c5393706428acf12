import { carveFiles } from '../../node/carve-files.js';
import { carveReport } from '../../report/bpf-carve.js';
import { type Command, command, EXIT, JSON_OPTION } from '../command.js';
import { Progress } from '../progress.js';

/** More files that can't be read than these are counted. */
const MOST_PROBLEMS = 5;

export const bpfCarve: Command = command({
  usage: 'FILE|DIR… [--out DIR] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Finds the BPF objects that programs, libraries and skeleton headers contain, at any offset: raw, as string literals, byte lists and
hexadecimal digits, as base64, compressed with gzip, zlib or zstd or not; and light skeletons. Prints for each the file and offset, its length and sha256, and its programs with their
sections. Searches directories recursively without following links. Exit code 4: no object was found.`,
  examples: ['/usr/sbin/tool', '/usr/bin --out objects'],
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
    if (problems.length > MOST_PROBLEMS) note(`kelf: ${problems.length - MOST_PROBLEMS} more files can't be read`);
    const holders = new Set(objects.map(({ path }) => path)).size;
    if (files > 1) note(`kelf: objects found: ${objects.length}, in ${holders} of ${files} files`);
    else if (objects.length === 0) note(`kelf: ${args[0]}: contains no BPF object`);
    return objects.length > 0 ? EXIT.ok : EXIT.missing;
  },
});
