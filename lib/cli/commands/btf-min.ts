import { Btf } from '../../../btf/btf.js';
import type { CoreSpec } from '../../../btf/core-spec.js';
import { minimalSplitBtf } from '../../../btf/min.js';
import { relocateCore } from '../../bpf/load/relocate-core.js';
import { nameOfFile } from '../../facts/module/modinfo.js';
import { saveFile } from '../../node/save.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { CORE_KERNEL_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, MissingError, UsageError } from '../command.js';
import { CORE_MODULES_OPTION, modulesFor } from '../core-modules.js';

export const btfMin: Command = command({
  usage: 'OBJECT… --kernel KERNEL --out FILE [--modules DIR]…',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Writes the minimal BTF that BPF objects need from a kernel: the types that their CO-RE relocations find, with only the named members of structs,
like 'bpftool gen min_core_btf'. libbpf uses it instead of the kernel's own BTF (btf_custom_path). With --modules, each module that is needed has
a file of its own, FILE.MODULE: BTF split over that in FILE.`,
  examples: ['program.bpf.o --kernel vmlinux --out min.btf', 'one.bpf.o two.bpf.o --kernel vmlinux --out min.btf'],
  options: {
    kernel: CORE_KERNEL_OPTION,
    modules: CORE_MODULES_OPTION,
    out: { type: 'string', short: 'o', value: 'FILE', help: 'the file to write' },
  },
  async run({ args, options: { kernel: path, out: file, modules: folders = [] }, note }) {
    if (path === undefined || file === undefined) throw new UsageError('give the kernel and the file to write: --kernel KERNEL --out FILE');
    const kernel = openBtf(path, undefined, Btf.parse);
    const objects = args.map(name => {
      const object = openBpfObject(name);
      if (object.btf === undefined) throw new MissingError(`${name} has no BTF and so no CO-RE relocations`);
      return object;
    });
    const modules = await modulesFor(folders, { path, btf: kernel }, objects, note);
    const outcomes = objects.flatMap(object => relocateCore(object, kernel, { modules }).outcomes);
    for (const { refused, relocation } of outcomes) if (refused !== undefined) note(`kelf: ${relocation.text}: ${refused}`);
    const specsIn = (btf: Btf): CoreSpec[] =>
      outcomes.flatMap(({ resolution }) => (resolution?.targetBtf === btf && resolution.target !== undefined ? resolution.target : []));
    const specs = specsIn(kernel);
    const needed = modules.map(btf => ({ btf, specs: specsIn(btf) })).filter(module => module.specs.length > 0);
    const { kernel: blob, modules: blobs } = minimalSplitBtf(kernel, specs, needed);
    const write = (name: string, bytes: Uint8Array, count: number): void => {
      saveFile(name, bytes);
      note(`kelf: ${name}: ${bytes.length} bytes, for ${count} of ${outcomes.length} relocations`);
    };
    write(file, blob, specs.length);
    for (const [i, { btf, specs: own }] of needed.entries())
      write(`${file}.${nameOfFile(btf.name.replace(/: \.BTF$/, ''))}`, blobs[i]!, own.length);
  },
});
