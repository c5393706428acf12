import { Btf } from '../../../btf/btf.js';
import { relocateCore } from '../../bpf/load/relocate-core.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { coreLog, coreModel, coreReport } from '../../report/bpf-core.js';
import { openBtf } from '../btf-input.js';
import { type Command, command, JSON_OPTION, UsageError } from '../command.js';

export const bpfCore: Command = command({
  usage: 'OBJECT --kernel KERNEL [--modules FILE]… [--log] [--json]',
  arity: [1, 1],
  about: `Relocates a BPF object to a kernel as libbpf would when it loads it there: for each CO-RE relocation the kernel's type, the value, and what
becomes of the instruction. Where the kernel lacks what is asked for, the instruction is poisoned: it is told whether a program comes to
it, and would be refused, or a test guards it; and what the kernel has instead.`,
  options: {
    kernel: {
      type: 'string',
      short: 'k',
      value: 'KERNEL',
      help: "the kernel's file, or its BTF alone: vmlinux, vmlinuz, /sys/kernel/btf/vmlinux",
    },
    modules: {
      type: 'string',
      multiple: true,
      value: 'FILE',
      help: 'BTF of a module, for types that the kernel does not have; repeatable',
    },
    log: { type: 'boolean', help: "print what libbpf's debug log has of each relocation, to be compared with it" },
    json: JSON_OPTION,
  },
  run({ args, options, note, write }) {
    if (options.kernel === undefined) throw new UsageError('name the kernel: --kernel KERNEL');
    const object = openBpfObject(args[0]!);
    const kernel = openBtf(options.kernel, undefined, Btf.parse);
    const modules = (options.modules ?? []).map(path => openBtf(path, options.kernel, Btf.parse));
    const { outcomes } = relocateCore(object, kernel, { modules });
    const report = coreReport(options.log === true ? () => coreLog(object, outcomes) : undefined);
    write(report, { object: args[0]!, kernel: options.kernel, ...coreModel(object, outcomes) });
    for (const { message } of object.diagnostics) note(`kelf: ${message}`);
  },
});
