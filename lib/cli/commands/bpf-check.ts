import type { ByteSource } from '../../../elf/source.js';
import type { FoundObject } from '../../bpf/preflight/inputs.js';
import { LOADERS, type Loader } from '../../bpf/preflight/loaders.js';
import { NOT_TOLD, type ObjectCheck, Preflight } from '../../bpf/preflight/preflight.js';
import { kernelsIn } from '../../image/unwrap.js';
import { openSource } from '../../node/source.js';
import { objectsOf, unreadable } from '../../open/bpf-objects.js';
import { type OpenKernelOptions, openKernel, openRunningKernel } from '../../open/open-kernel.js';
import { type BpfCheckModel, bpfCheckReport, isRead, type KernelCheck, type Unreadable } from '../../report/bpf-check.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EXIT, JSON_OPTION, MissingError, UsageError } from '../command.js';
import { baselineOf, GATE_OPTIONS, judged } from '../gate.js';
import { given, readModulesOf, sayNotes } from '../with-kernel.js';

/** What a kernel is read from: a file, or where there is none the running one. */
interface KernelInput {
  readonly input: string | ByteSource | undefined;
  readonly beside: Pick<OpenKernelOptions, 'config' | 'symbols'>;
  readonly modules: string | undefined;
}

/** What one kernel says of each object, in their order. */
interface Column {
  readonly checks: readonly KernelCheck[];
  /** Why the kernel can't be read. */
  readonly error?: unknown;
}

export const bpfCheck: Command = command({
  usage: 'FILE… --kernel KERNEL… [--loader NAME] [--config FILE]… [--modules DIR]… [--format NAME] [--out NAME=FILE]…',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Checks each program in BPF objects, or in executables that contain them, against kernels: whether it would load and attach as libbpf loads it,
or with --loader cilium/ebpf or aya.
Covers program type, attach type, helpers, maps, externs, CO-RE relocations, and whether the target that the section names can be attached
to. Several kernels make one column each. Programs that are not autoloaded, SEC("?…"), are in parentheses. An object or a kernel that can't
be read is reported as such; the others are still checked.
Exit code 1: an autoloaded program would fail. An open answer is not a failure. Exit code 3: something could not be read.`,
  options: {
    kernel: {
      type: 'string',
      short: 'k',
      multiple: true,
      value: 'KERNEL',
      help: 'a kernel: vmlinux, vmlinuz or BTF alone, packed or not; an archive of BTF is a column for each; repeatable',
    },
    live: { type: 'boolean', help: 'the running kernel, as the first column' },
    config: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'the .config of a KERNEL, for settings that the image does not contain; repeatable, in the order of the KERNELs',
    },
    symbols: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'the symbols of a KERNEL that has none, as BTF alone: /proc/kallsyms or System.map; repeatable, in the order of the KERNELs',
    },
    modules: {
      type: 'string',
      multiple: true,
      value: 'DIR',
      help: "also read a kernel's modules: every .ko under DIR; repeatable, in the order of the kernels, the running one first",
    },
    loader: {
      type: 'string',
      value: 'NAME',
      help: 'whose rules count before the kernel sees the object: libbpf (the default), cilium or aya',
    },
    ...GATE_OPTIONS,
    json: JSON_OPTION,
  },
  async run({ args, options, note, write }) {
    const paths = options.kernel ?? [];
    if (paths.length === 0 && options.live !== true) throw new UsageError('give a kernel: --kernel KERNEL, or --live');
    const loader = LOADERS.find(({ name }) => name === (options.loader ?? 'libbpf'));
    if (loader === undefined)
      throw new UsageError(`no loader '${options.loader}'; there are ${LOADERS.map(({ name }) => name).join(', ')}`);
    const { config: configs = [], modules: folders = [], symbols = [] } = options;
    const kernels = [...(options.live ? [undefined] : []), ...paths];
    if (configs.length > paths.length) throw new UsageError('--config: more of them than kernels');
    if (symbols.length > paths.length) throw new UsageError('--symbols: more of them than kernels');
    if (folders.length > kernels.length) throw new UsageError('--modules: more of them than kernels');
    const baseline = await baselineOf(options.baseline);
    const found = args.map(objectsOf);
    const objects = found.flatMap(({ objects }) => objects);
    const notes = found.flatMap(({ notes }) => notes);
    if (objects.length === 0) throw new MissingError(notes.join('; '));
    for (const line of notes) note(`kelf: ${line}`);
    const columns: Column[] = [];
    for (const [i, path] of kernels.entries()) {
      const at = i - (options.live ? 1 : 0);
      const beside = path === undefined ? {} : given({ config: configs[at], symbols: symbols[at] });
      for (const input of path === undefined ? [undefined] : inputsOf(path))
        columns.push(await columnOf({ input, beside, modules: folders[i] }, objects, loader, note));
    }
    // Nothing was asked then.
    if (columns.every(({ error }) => error !== undefined)) throw columns[0]!.error;
    for (const { error } of columns) if (error !== undefined) note(`kelf: ${unreadable(error)}`);
    const checked = objects.map(({ path, offset }, i) => ({ path, offset, kernels: columns.map(({ checks }) => checks[i]!) }));
    const model: BpfCheckModel = { loader: loader.name, objects: checked, notTold: NOT_TOLD };
    const { known, passed } = judged(bpfCheckReport, model, baseline, note);
    write(bpfCheckReport, { ...model, ...known });
    for (const { object } of objects) for (const { message } of object?.diagnostics ?? []) note(`kelf: ${message}`);
    // JSON has it.
    if (options.json !== true) note(`kelf: ${NOT_TOLD}`);
    const all = columns.flatMap(({ checks }) => checks);
    if (!all.every(isRead)) return EXIT.input;
    return passed ? EXIT.ok : EXIT.findings;
  },
});

/** The kernels of a path: an archive of BTF may have many. A path that can't be read is one: what opens it says why. */
function inputsOf(path: string): (string | ByteSource)[] {
  try {
    const source = openSource(path);
    const kernels = kernelsIn(source);
    if (kernels.length !== 1 || kernels[0] !== source) return kernels;
    source.close();
    return [path];
  } catch {
    return [path];
  }
}

/** What one kernel says of the objects; nothing of those that can't be read, and of none where it can't be read itself. */
async function columnOf(
  { input, beside, modules }: KernelInput,
  objects: readonly FoundObject[],
  loader: Loader,
  note: (line: string) => void,
): Promise<Column> {
  try {
    const kernel = input === undefined ? openRunningKernel() : await openKernel(input, beside);
    try {
      if (modules !== undefined) kernel.modules = await readModulesOf(kernel, modules, true);
      const preflight = new Preflight(kernel, loader);
      const checks = objects.map(({ object, problem }): ObjectCheck | Unreadable => {
        if (object === undefined) return { unreadable: problem };
        try {
          return preflight.check(object);
        } catch (error) {
          return { unreadable: unreadable(error) };
        }
      });
      sayNotes(kernel, note);
      const id = kernelId(kernel);
      return { checks: checks.map(check => ({ kernel: id, ...check })) };
    } finally {
      kernel.close();
    }
  } catch (error) {
    const why = unreadable(error);
    const kernel = { name: (typeof input === 'string' ? input : input?.name) ?? 'the running kernel, as the first column' };
    return { checks: objects.map(({ problem = why }) => ({ kernel, unreadable: problem })), error };
  }
}
