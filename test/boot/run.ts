/**
 * Boots a kernel of Debian's under qemu, asks it about every function, and compares kelf's answers with what it says.
 *
 *   npm run boot -- ARCH [KERNEL] [--ask QUESTION]… [--again QUESTION]… [--sample N]
 *   npm run boot -- ARCH KERNEL --run PROGRAM [FILE…]
 *
 * ARCH is amd64, arm64, ppc64el, riscv64 or s390x; KERNEL a series that fixtures/fetch-kernels.sh knows (6.12, or 6.1), or the path of an image, with its .config beside
 * it as `config` or `config-RELEASE`. What the kernel said is kept in KELF_KERNELS/boot/RELEASE, so that a second run only compares; --again asks a
 * question once more, --ask only those that are named. With --sample, probes are put on one symbol in N, and on all of a name that several have; files
 * of answers say so, and so does what is printed of them. With --run nothing is compared: PROGRAM, a static executable, is run in the guest beside the
 * files, and its output printed.
 *
 * Without an accelerator this takes the better part of an hour. Exit 0: all agreed; 1: not, or something is missing, and a line says what;
 * 75: the kernel can't be fetched.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { openKernel } from 'kelf';
import { Checks } from '../kernels/check.js';
import { compareWithTruth, movedBy, sampleOf } from '../kernels/truth.js';
import { type AttachLine, attachLines, compareAttachLines, sampleOfLines } from './attach.js';
import { ARCHES, type Arch, askGuest, missingTools } from './guest.js';
import type { GuestFile } from './initramfs.js';
import { compareLinks } from './links.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const KERNELS = process.env['KELF_KERNELS'] || join(ROOT, 'fixtures/kernels');
const DEFAULT_SERIES = '6.12';

interface Question {
  readonly ask: string;
  readonly gives: string;
  /** Asked of every FUNC of the kernel's BTF. */
  readonly ofBtf?: true;
}

/** The questions of guest/init.c and the file that each gives last; a number says that one in so many is attached, and every name of several. */
function questions(sample: number): readonly Question[] {
  return [
    { ask: 'files', gives: 'kprobe_blacklist' },
    { ask: 'fentry 25', gives: 'fentry.tsv', ofBtf: true },
    { ask: 'fexit 100', gives: 'fexit_load.tsv', ofBtf: true },
    { ask: 'fmodret', gives: 'fmodret_load.tsv', ofBtf: true },
    { ask: `kprobe ${sample}`, gives: 'kprobe.tsv' },
    { ask: `kprobe_addr ${sample}`, gives: 'kprobe_addr.tsv' },
    { ask: `kretprobe ${sample}`, gives: 'kretprobe.tsv' },
    { ask: `kprobe_multi ${Math.max(sample, 50)}`, gives: 'kprobe_multi.tsv' },
    { ask: `lines ${sample}`, gives: 'lines.list' },
  ];
}

interface Image {
  readonly arch: Arch;
  readonly vmlinuz: string;
  readonly config: string | undefined;
}

const { values, positionals } = parseArgs({
  options: {
    ask: { type: 'string', multiple: true },
    again: { type: 'string', multiple: true, default: [] },
    sample: { type: 'string' },
    run: { type: 'string' },
  },
  allowPositionals: true,
});
const [arch, which = DEFAULT_SERIES, ...files] = positionals;
if (!isArch(arch) || (files.length > 0 && values.run === undefined) || !/^[1-9]\d*$/.test(values.sample ?? '1')) {
  stop(`usage: npm run boot -- ${ARCHES.join('|')} [KERNEL] [--ask QUESTION]… [--again QUESTION]… [--sample N] [--run PROGRAM [FILE…]]`, 2);
}
// What is running, and what lies in the temporary folder, goes where the process ends by itself.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
try {
  const image = findImage(arch, which);
  if (values.run !== undefined) await runInGuest(image, values.run, files);
  else await compare(image);
} catch (error) {
  stop((error as Error).message, 1);
}

function isArch(text: string | undefined): text is Arch {
  return ARCHES.some(arch => arch === text);
}

/** The kernel, fetched where it is not there. */
function findImage(arch: Arch, which: string): Image {
  if (existsSync(which)) {
    const release = basename(which).replace(/^vmlinu[xz]-?/, '');
    const configs = [join(dirname(which), `config-${release}`), join(dirname(which), 'config')];
    return { arch, vmlinuz: which, config: configs.find(path => existsSync(path)) };
  }
  if (!/^\d+\.\d+$/.test(which)) stop(`${which} is no file and no series of kernels, as 6.12 is`, 2);
  const folder = join(KERNELS, `${arch}-${which}`);
  if (!existsSync(join(folder, 'complete'))) {
    const { status } = spawnSync(join(ROOT, 'fixtures/fetch-kernels.sh'), [`${arch}-${which}`], { stdio: ['ignore', 2, 2] });
    if (status !== 0) stop(`linux ${which} for ${arch} can't be fetched`, status ?? 1);
  }
  return { arch, vmlinuz: join(folder, 'vmlinuz'), config: join(folder, 'config') };
}

async function compare(image: Image): Promise<void> {
  await using kernel = await openKernel(image.vmlinuz, image.config === undefined ? {} : { config: image.config });
  const said = join(KERNELS, 'boot', kernel.release ?? basename(image.vmlinuz));
  mkdirSync(said, { recursive: true });
  const sample = Number(values.sample ?? sampleOf(read(said, 'lines.tsv')));
  const attach = sampleOfLines(attachLines(kernel), sample);
  const hasBtf = kernel.btf !== undefined;
  await askWhatIsNotKnown(
    image,
    said,
    attach,
    questions(sample).filter(({ ofBtf }) => hasBtf || !ofBtf),
  );
  const checks = new Checks();
  const check = checks.of(kernel.release ?? '-');
  if (!hasBtf) console.log(`skip  ${kernel.release}  fentry, fexit, fmod_ret  the kernel has no BTF`);
  const truth = (file: string): string | undefined => read(said, file);
  const moved = movedBy(kernel, truth);
  await compareWithTruth(kernel, truth, check);
  await compareLinks(kernel, truth('kprobe_multi.tsv') ?? '', moved, check);
  const [lines, list] = [truth('lines.tsv'), truth('lines.list')];
  if (lines !== undefined && list !== undefined) await compareAttachLines(attach, sample, lines, list, moved, check);
  checks.end();
}

/** Boots once for all the questions that have no answer yet; what is answered is kept even if the guest dies later. */
async function askWhatIsNotKnown(image: Image, said: string, attach: readonly AttachLine[], all: readonly Question[]): Promise<void> {
  const lines = attach.map(({ text }) => `${text}\n`).join('');
  // What kelf prints changes with kelf: the lines are asked again where they are others.
  const sameLines =
    read(said, 'lines.tsv')
      ?.split('\n')
      .slice(1, -1)
      .map(line => `${line.split('\t', 1)[0]}\n`)
      .join('') === lines;
  const isKnown = ({ ask, gives }: { ask: string; gives: string }): boolean =>
    existsSync(join(said, `${gives}.gz`)) && !values.again.includes(ask.split(' ')[0]!) && (gives !== 'lines.list' || sameLines);
  const asked = (question: string): boolean => values.ask?.includes(question.split(' ')[0]!) ?? true;
  const open = all.filter(question => asked(question.ask) && !isKnown(question));
  if (open.length === 0) return;
  const asks = open.map(({ ask }) => ask);
  say(`booting ${image.vmlinuz} for ${asks.join(', ')}`);
  const answers = await boot(image, asks, [{ path: 'lines', bytes: Buffer.from(lines) }]);
  for (const [name, text] of answers) {
    const path = join(said, `${name}.gz`);
    writeFileSync(`${path}.part`, gzipSync(text));
    renameSync(`${path}.part`, path);
  }
  const without = open.filter(({ gives }) => !answers.has(gives)).map(({ ask }) => ask);
  if (without.length > 0) stop(`the guest ended before it had answered ${without.join(', ')}; what it answered is in ${said}`, 1);
}

function read(said: string, file: string): string | undefined {
  const path = join(said, `${file}.gz`);
  return existsSync(path) ? gunzipSync(readFileSync(path)).toString() : undefined;
}

/** Runs a program in the guest, in a folder with the files; what it writes comes out here, and its exit code is ours. */
async function runInGuest(image: Image, program: string, files: readonly string[]): Promise<void> {
  const guestFiles = [program, ...files].map((path): GuestFile => ({ path: `run/${basename(path)}`, bytes: readFileSync(path) }));
  const words = [program, ...files].map(path => basename(path));
  const answers = await boot(image, [`run ./${words.join(' ')}`], guestFiles);
  const [output, status] = [answers.get('run.output'), answers.get('run.status')];
  if (output === undefined || status === undefined) stop('the guest ended before the program did', 1);
  process.stdout.write(output);
  process.exitCode = Number(status);
}

function boot({ arch, vmlinuz }: Image, questions: readonly string[], files: readonly GuestFile[]): Promise<Map<string, Buffer>> {
  const missing = missingTools(arch);
  if (missing.length > 0) stop(missing.join('\nboot: '), 1);
  return askGuest({ arch, kernel: vmlinuz, questions, files, onLine: say });
}

function say(line: string): void {
  process.stderr.write(`boot: ${line.trimEnd()}\n`);
}

function stop(why: string, code: number): never {
  say(why);
  process.exit(code);
}
