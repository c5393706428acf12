import { deflateRawSync } from 'node:zlib';
import { LIBBPF } from '../../bpf/preflight/loaders.js';
import { diffKernels } from '../../fleet/diff/diff-kernels.js';
import { collectInThreads } from '../../node/collect-entries.js';
import { saveFile } from '../../node/save.js';
import { openKernel } from '../../open/open-kernel.js';
import { bpfCheckReport, isRead } from '../../report/bpf-check.js';
import { diffReport } from '../../report/diff.js';
import { kernelId } from '../../report/report.js';
import { pageHtml } from '../../web/html.js';
import { jsonOf } from '../../web/json-of.js';
import { documentParts, kernelReportParts, type ReportPart } from '../../web/report-parts.js';
import { checkObjects } from '../check-objects.js';
import { type Command, command, EXIT, UsageError } from '../command.js';
import { pageFrame } from '../page-files.js';
import { Progress } from '../progress.js';
import { KERNEL_OPTIONS, oneKernel, PAHOLE_OPTION, paholeOptions, sayNotes, withKernel } from '../with-kernel.js';

const { json: _, ...OPTIONS } = KERNEL_OPTIONS;

export const report: Command = command({
  usage: 'FILE|--live --out REPORT [OPTION…] | --diff OLD NEW --out REPORT | --check OBJECT… --kernel KERNEL… --out REPORT',
  arity: [0, Number.POSITIVE_INFINITY],
  about: `Writes a page that shows a kernel: what each mechanism refuses and why, what BTF lacks and why, functions by source directory and by place, structs
with their holes, and a page for each function with its verdicts, their evidence, and lines that attach to it. --diff shows what kelf diff finds between
two kernels, --check what kelf bpf check says of BPF objects on kernels.
The page is one file, which a browser opens without a network: it asks for nothing from elsewhere. kelf serve shows one that reads kernels itself.`,
  examples: ['vmlinux --out report.html', '--diff vmlinux-6.1 vmlinux-6.12 --out diff.html'],
  options: {
    ...OPTIONS,
    ...PAHOLE_OPTION,
    diff: { type: 'boolean', help: 'two kernels, OLD and NEW' },
    check: { type: 'boolean', help: 'BPF objects, on each KERNEL' },
    kernel: { type: 'string', short: 'k', multiple: true, value: 'KERNEL', help: 'with --check, a kernel; repeatable' },
    out: { type: 'string', short: 'o', value: 'REPORT', help: 'the file to write, REPORT.html' },
  },
  async run({ args, options, note }) {
    const { out, diff, check, kernel: kernels = [] } = options;
    if (out === undefined) throw new UsageError('give the file to write: --out REPORT.html');
    if (diff === true && check === true) throw new UsageError('--diff and --check are reports of their own: give one of them');
    const save = (parts: Iterable<ReportPart>): number => {
      const packed = (function* (): Generator<readonly [string, Uint8Array]> {
        for (const [id, value] of parts) yield [id, deflateRawSync(JSON.stringify(value), { level: 9 })];
      })();
      const page = pageHtml({ ...pageFrame(), packed });
      saveFile(out, page);
      note(`kelf: ${out}: ${Buffer.byteLength(page)} bytes`);
      return EXIT.ok;
    };
    if (diff === true || check === true) {
      const of: readonly string[] = ['diff', 'check', 'kernel', 'out', 'quiet', 'debug', 'color'];
      const other = Object.keys(options).find(name => !of.includes(name));
      if (other !== undefined) throw new UsageError(`--${other} is for the report of one kernel`);
    }
    if (check !== true && kernels.length > 0) throw new UsageError('--kernel is for --check; a kernel by itself is an argument');
    if (check === true) {
      if (args.length === 0 || kernels.length === 0) throw new UsageError('--check OBJECT… --kernel KERNEL…');
      const inputs = kernels.map(path => ({ path, beside: {}, modules: undefined }));
      const { model } = await checkObjects(args, inputs, LIBBPF, note);
      save(documentParts('check', 'BPF objects on kernels', jsonOf(bpfCheckReport, model)));
      return model.objects.every(({ kernels }) => kernels.every(isRead)) ? EXIT.ok : EXIT.input;
    }
    if (diff === true) return save(await diffParts(args, note));
    if (args.length > 1) throw new UsageError('one kernel has a report; --diff OLD NEW compares two');
    oneKernel(args, options);
    return withKernel(args, options, note, kernel => {
      kernel.needNames();
      const progress = new Progress('asking about functions');
      try {
        return save(kernelReportParts(kernel, paholeOptions(options['pahole-version']), (done, total) => progress.update(done, total)));
      } finally {
        progress.end();
      }
    });
  },
});

/** What `kelf diff OLD NEW --json` prints. */
async function diffParts(paths: readonly string[], note: (line: string) => void): Promise<ReportPart[]> {
  const [oldPath, newPath, ...more] = paths;
  if (oldPath === undefined || newPath === undefined || more.length > 0) throw new UsageError('--diff OLD NEW: two kernels');
  await using old = await openKernel(oldPath);
  await using now = await openKernel(newPath);
  const found = await diffKernels(old, now, { inlined: { all: false, collect: collectInThreads(newPath) } });
  for (const kernel of [old, now]) sayNotes(kernel, note);
  for (const line of found.notes) note(`kelf: ${line}`);
  const model = { old: kernelId(old), new: kernelId(now), ...found, most: Number.POSITIVE_INFINITY };
  return documentParts('diff', `${old.release ?? old.name} → ${now.release ?? now.name}`, jsonOf(diffReport, model));
}
