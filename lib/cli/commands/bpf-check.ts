import type { FoundObject } from '../../bpf/preflight/inputs.js';
import { checkPasses, NOT_TOLD, type ObjectCheck, Preflight } from '../../bpf/preflight/preflight.js';
import { saveFile } from '../../node/save.js';
import { objectsOf, unreadable } from '../../open/bpf-objects.js';
import { openKernel, openRunningKernel } from '../../open/open-kernel.js';
import { toJson } from '../../report/json.js';
import { findingLines, isUnreadable, type KernelColumn, matrixLines, type Unreadable } from '../../report/preflight.js';
import type { CheckedObject } from '../../report/preflight-junit.js';
import { type Command, command, EXIT, MissingError, UsageError } from '../command.js';
import { printable } from '../elf.js';
import { kernelId, readModulesOf, sayNotes } from '../kernel.js';

const OPTIONS = {
  kernel: { type: 'string', short: 'k', multiple: true, value: 'KERNEL', help: 'a kernel in any form: vmlinux, vmlinuz; repeatable' },
  live: { type: 'boolean', help: 'the running kernel' },
  config: {
    type: 'string',
    multiple: true,
    value: 'FILE',
    help: 'the .config of a KERNEL, for what the image does not hold; repeatable, in the order of the KERNELs',
  },
  modules: {
    type: 'string',
    multiple: true,
    value: 'DIR',
    help: "a kernel's modules too: every .ko under DIR; repeatable, in the order of the kernels, the running one first",
  },
  junit: { type: 'string', value: 'FILE', help: "write JUnit XML to FILE; to stdout, in place of the text, with '-'" },
  json: { type: 'boolean', help: 'print JSON' },
} as const;

/** What a kernel is read from: a file, or where there is none the running one. */
interface KernelInput {
  readonly path: string | undefined;
  readonly config: string | undefined;
  readonly modules: string | undefined;
}

/** One kernel, and what it says of each object, in their order. */
interface Column {
  readonly id: ReturnType<typeof kernelId>;
  readonly checks: readonly (ObjectCheck | Unreadable)[];
  /** Why the kernel can't be read. */
  readonly error?: unknown;
}

export const bpfCheck: Command<typeof OPTIONS> = command({
  usage: 'FILE… --kernel KERNEL… [--config FILE]… [--modules DIR]… [--junit FILE] [--json]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Says of each program of BPF objects, and of those that executables carry, whether it would load and attach on a kernel as libbpf does it:
whether the kernel has its program type, attach type, helpers, maps and externs, what becomes of its CO-RE relocations, and whether what its
section names can be attached to. Several kernels make a column each. A program that is not loaded by itself, SEC("?…"), is in parentheses.
An object or a kernel that can't be read is said to be so, and the others are checked all the same.
Exit code 1: a program would fail, one in parentheses apart. What can't be told is open, and no failure. 3: something could not be read.`,
  options: OPTIONS,
  async run({ args, options, out, note }) {
    const paths = options.kernel ?? [];
    if (paths.length === 0 && options.live !== true) throw new UsageError('name a kernel: --kernel KERNEL, or --live');
    const { config: configs = [], modules: folders = [] } = options;
    const kernels = [...(options.live ? [undefined] : []), ...paths];
    if (configs.length > paths.length) throw new UsageError('--config: there are more of them than of --kernel');
    if (folders.length > kernels.length) throw new UsageError('--modules: there are more of them than of --kernel');
    if (options.junit === '-' && options.json) throw new UsageError('--json and --junit - both write to stdout: give one of them');
    const found = args.map(objectsOf);
    const objects = found.flatMap(({ objects }) => objects);
    const notes = found.flatMap(({ notes }) => notes);
    if (objects.length === 0) throw new MissingError(notes.join('; '));
    for (const line of notes) note(`kelf: ${line}`);
    const columns: Column[] = [];
    for (const [i, path] of kernels.entries()) {
      const config = path === undefined ? undefined : configs[i - (options.live ? 1 : 0)];
      columns.push(await columnOf({ path, config, modules: folders[i] }, objects, note));
    }
    // Nothing was asked then.
    if (columns.every(({ error }) => error !== undefined)) throw columns[0]!.error;
    const checked = objects.map(({ path, offset }, i): CheckedObject => {
      const of = columns.map(({ id, checks }): KernelColumn => {
        return { kernel: id.name, ...(id.release === undefined ? {} : { release: id.release }), check: checks[i]! };
      });
      return { name: offset === 0 ? path : `${path}+0x${offset.toString(16)}`, columns: of };
    });
    if (options.junit !== undefined) {
      const { preflightJUnit } = await import('../../report/preflight-junit.js');
      const report = await preflightJUnit(checked);
      if (options.junit === '-') out.text(report);
      else saveFile(options.junit, report);
    }
    if (options.json) {
      const described = objects.map(({ path, offset }, i) => ({
        path,
        offset,
        kernels: columns.map(({ id, checks }) => ({ kernel: id, ...checks[i]! })),
      }));
      out.line(toJson({ schema: 'kelf/bpf-check', version: 2, objects: described, notTold: NOT_TOLD }));
    } else if (options.junit !== '-') for (const object of checked) for (const line of objectLines(object)) out.line(printable(line));
    for (const { object } of objects) for (const { message } of object?.diagnostics ?? []) note(`kelf: ${message}`);
    if (!options.json) note(`kelf: ${NOT_TOLD}`);
    const all = columns.flatMap(({ checks }) => checks);
    const checks = all.flatMap(check => (isUnreadable(check) ? [] : [check]));
    if (checks.length < all.length) return EXIT.input;
    return checkPasses(checks) ? EXIT.ok : EXIT.findings;
  },
});

/** What one kernel says of the objects; nothing of those that can't be read, and of none where it can't be read itself. */
async function columnOf(
  { path, config, modules }: KernelInput,
  objects: readonly FoundObject[],
  note: (line: string) => void,
): Promise<Column> {
  try {
    const kernel = path === undefined ? openRunningKernel() : await openKernel(path, config === undefined ? {} : { config });
    try {
      if (modules !== undefined) kernel.modules = await readModulesOf(kernel, modules, true);
      const preflight = new Preflight(kernel);
      const checks = objects.map(({ object, problem }): ObjectCheck | Unreadable => {
        if (object === undefined) return { unreadable: problem };
        try {
          return preflight.check(object);
        } catch (error) {
          return { unreadable: unreadable(error) };
        }
      });
      sayNotes(kernel, note);
      return { id: kernelId(kernel), checks };
    } finally {
      kernel.close();
    }
  } catch (error) {
    const why = unreadable(error);
    return { id: { name: path ?? 'the running kernel' }, checks: objects.map(({ problem = why }) => ({ unreadable: problem })), error };
  }
}

function objectLines({ name: place, columns }: CheckedObject): string[] {
  const name = ({ kernel, release }: KernelColumn): string => (release === undefined ? kernel : `${kernel} (${release})`);
  const [first] = columns;
  const head = columns.length === 1 ? `${place} on ${name(first!)}` : place;
  const problems = new Set(columns.map(({ check }) => (isUnreadable(check) ? check.unreadable : undefined)));
  const [problem] = problems;
  // An object that can't be read is so for every kernel.
  if (problem !== undefined && problems.size === 1) return [head, `  unreadable: ${problem}`];
  return [
    head,
    ...matrixLines(columns),
    ...columns.flatMap(column => {
      const lines = findingLines(column.check);
      return columns.length === 1 || lines.length === 0 ? lines : [`  on ${name(column)}`, ...lines.map(line => `  ${line}`)];
    }),
  ];
}
