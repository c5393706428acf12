import { describeObject } from '../../bpf/describe-object.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { bpfShowReport } from '../../report/bpf-show.js';
import { type Command, command, JSON_OPTION } from '../command.js';

export const bpfShow: Command = command({
  usage: 'FILE [OPTION…]',
  arity: [1, 1],
  about: `Describes a BPF object as libbpf sees it, without a kernel: its programs and their targets, its maps with the names that the kernel will show,
its global variables with their values, and what it expects from the kernel. Reports what libbpf would refuse on stderr.`,
  examples: ['program.bpf.o', 'program.bpf.o --json'],
  options: {
    name: {
      type: 'string',
      value: 'NAME',
      help: "the object's name, from which the kernel's names for its maps derive; by default the file name up to its first dot",
    },
    core: { type: 'boolean', help: "list every CO-RE relocation, as in libbpf's log" },
    relocs: { type: 'boolean', help: 'list every relocation and its meaning' },
    json: JSON_OPTION,
  },
  run({ args, options, note, write }) {
    const object = openBpfObject(args[0]!, options.name === undefined ? {} : { objectName: options.name });
    const model = { file: args[0]!, ...describeObject(object) };
    write(bpfShowReport({ core: options.core === true, relocs: options.relocs === true }), model);
    for (const problem of model.problems) note(`kelf: ${problem}`);
  },
});
