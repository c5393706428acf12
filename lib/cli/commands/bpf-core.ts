import { Btf } from '../../../btf/btf.js';
import { relocateCore } from '../../bpf/load/relocate-core.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { coreLog, coreModel, coreReport } from '../../report/bpf-core.js';
import { CORE_KERNEL_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, JSON_OPTION, UsageError } from '../command.js';
import { CORE_MODULES_OPTION, modulesFor } from '../core-modules.js';

export const bpfCore: Command = command({
  usage: 'OBJECT --kernel KERNEL [--modules DIR]… [--log] [--json]',
  arity: [1, 1],
  about: `Relocates a BPF object against a kernel as libbpf does at load time. For each CO-RE relocation it prints the kernel's type, the value, and the
change to the instruction. If the kernel lacks the field or type, libbpf poisons the instruction: kelf tells whether a program reaches it and
would be refused, or whether a test guards it, and what the kernel has instead.`,
  examples: ['program.bpf.o --kernel vmlinux', 'program.bpf.o --kernel vmlinux --log'],
  options: {
    kernel: CORE_KERNEL_OPTION,
    modules: CORE_MODULES_OPTION,
    log: { type: 'boolean', help: "print the relocations as libbpf's debug log does, for comparison" },
    json: JSON_OPTION,
  },
  async run({ args, options, note, write }) {
    if (options.kernel === undefined) throw new UsageError('give the kernel: --kernel KERNEL');
    const object = openBpfObject(args[0]!);
    const kernel = openBtf(options.kernel, undefined, Btf.parse);
    const modules = await modulesFor(options.modules ?? [], { path: options.kernel, btf: kernel }, [object], note);
    const { outcomes } = relocateCore(object, kernel, { modules });
    const report = coreReport(options.log === true ? () => coreLog(object, outcomes) : undefined);
    write(report, { object: args[0]!, kernel: options.kernel, ...coreModel(object, outcomes) });
    for (const { message } of object.diagnostics) note(`kelf: ${message}`);
  },
});
