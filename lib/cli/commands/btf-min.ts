import { Btf } from '../../../btf/btf.js';
import { minimalBtf } from '../../../btf/min.js';
import { relocateCore } from '../../bpf/load/relocate-core.js';
import { saveFile } from '../../node/save.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { openBtf } from '../btf-input.js';
import { type Command, command, MissingError, UsageError } from '../command.js';

export const btfMin: Command = command({
  usage: 'OBJECT… --kernel KERNEL --out FILE',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Writes the least BTF that BPF objects need of a kernel: the types that their CO-RE relocations find there, and of structs the members
alone that are named, as 'bpftool gen min_core_btf' does. libbpf takes it in place of the kernel's own (btf_custom_path).`,
  options: {
    kernel: { type: 'string', short: 'k', value: 'KERNEL', help: "the kernel's file, or its BTF alone" },
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the file to write' },
  },
  run({ args, options: { kernel: path, out: file }, note }) {
    if (path === undefined || file === undefined) throw new UsageError('name the kernel and the file to write: --kernel KERNEL --out FILE');
    const kernel = openBtf(path, undefined, Btf.parse);
    const outcomes = args.flatMap(name => {
      const object = openBpfObject(name);
      if (object.btf === undefined) throw new MissingError(`${name} has no BTF, and no CO-RE relocations`);
      return relocateCore(object, kernel).outcomes;
    });
    for (const { refused, relocation } of outcomes) if (refused !== undefined) note(`kelf: ${relocation.text}: ${refused}`);
    const specs = outcomes.flatMap(({ resolution }) => resolution?.target ?? []);
    const blob = minimalBtf(kernel, specs);
    saveFile(file, blob);
    note(`kelf: ${file}: ${blob.length} bytes, for ${specs.length} of ${outcomes.length} relocations`);
  },
});
