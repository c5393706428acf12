import { Btf } from '../../../btf/btf.js';
import { minimalBtf } from '../../../btf/min.js';
import { relocateCore } from '../../bpf/load/relocate-core.js';
import { saveFile } from '../../node/save.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { CORE_KERNEL_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, MissingError, UsageError } from '../command.js';

export const btfMin: Command = command({
  usage: 'OBJECT… --kernel KERNEL --out FILE',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Writes the minimal BTF that BPF objects need from a kernel: the types that their CO-RE relocations find, with only the named members of structs,
like 'bpftool gen min_core_btf'. libbpf uses it instead of the kernel's own BTF (btf_custom_path).`,
  options: {
    kernel: CORE_KERNEL_OPTION,
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the file to write' },
  },
  run({ args, options: { kernel: path, out: file }, note }) {
    if (path === undefined || file === undefined) throw new UsageError('give the kernel and the file to write: --kernel KERNEL --out FILE');
    const kernel = openBtf(path, undefined, Btf.parse);
    const outcomes = args.flatMap(name => {
      const object = openBpfObject(name);
      if (object.btf === undefined) throw new MissingError(`${name} has no BTF and so no CO-RE relocations`);
      return relocateCore(object, kernel).outcomes;
    });
    for (const { refused, relocation } of outcomes) if (refused !== undefined) note(`kelf: ${relocation.text}: ${refused}`);
    const specs = outcomes.flatMap(({ resolution }) => resolution?.target ?? []);
    const blob = minimalBtf(kernel, specs);
    saveFile(file, blob);
    note(`kelf: ${file}: ${blob.length} bytes, for ${specs.length} of ${outcomes.length} relocations`);
  },
});
