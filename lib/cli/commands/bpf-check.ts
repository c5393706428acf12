import { LOADERS } from '../../bpf/preflight/loaders.js';
import { NOT_TOLD } from '../../bpf/preflight/preflight.js';
import { bpfCheckReport, isRead } from '../../report/bpf-check.js';
import { checkObjects, type KernelInput } from '../check-objects.js';
import { type Command, command, EXIT, JSON_OPTION, UsageError } from '../command.js';
import { baselineOf, GATE_OPTIONS, judged } from '../gate.js';
import { given } from '../with-kernel.js';

export const bpfCheck: Command = command({
  usage: 'FILE… --kernel KERNEL… [--loader NAME] [--config FILE]… [--modules DIR]… [--format NAME] [--out NAME=FILE]…',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Checks each program in BPF objects, or in executables that contain them, against kernels: whether it would load and attach as libbpf loads it,
or with --loader cilium/ebpf or aya.
Covers program type, attach type, helpers, maps, externs, CO-RE relocations, and whether the target that the section names can be attached
to. Several kernels make one column each. Programs that are not autoloaded, SEC("?…"), are in parentheses. An object or a kernel that can't
be read is reported as such; the others are still checked.
Exit code 1: an autoloaded program would fail. An open answer is not a failure. Exit code 3: something could not be read.`,
  examples: ['program.bpf.o --kernel vmlinux', 'program.bpf.o --kernel vmlinux-6.1 --kernel vmlinux-6.12 --junit result.xml'],
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
      help: 'the loader whose rules apply before the kernel sees the object: libbpf (the default), cilium or aya',
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
    const inputs = kernels.map((path, i): KernelInput => {
      const at = i - (options.live ? 1 : 0);
      return { path, beside: path === undefined ? {} : given({ config: configs[at], symbols: symbols[at] }), modules: folders[i] };
    });
    const { model, objects } = await checkObjects(args, inputs, loader, note);
    const { known, passed } = judged(bpfCheckReport, model, baseline, note);
    write(bpfCheckReport, { ...model, ...known });
    for (const { object } of objects) for (const { message } of object?.diagnostics ?? []) note(`kelf: ${message}`);
    // JSON has it.
    if (options.json !== true) note(`kelf: ${NOT_TOLD}`);
    if (!model.objects.flatMap(checked => checked.kernels).every(isRead)) return EXIT.input;
    return passed ? EXIT.ok : EXIT.findings;
  },
});
