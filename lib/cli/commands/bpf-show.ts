import { describeObject } from '../../bpf/describe-object.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { bpfShowReport } from '../../report/bpf-show.js';
import { type Command, command } from '../command.js';

export const bpfShow: Command = command({
  usage: 'FILE [OPTION…]',
  arity: [1, 1],
  about: `Says what is in a BPF object, as libbpf will take it, without a kernel: its programs and what they attach to, its maps with the names the
kernel will show, its global variables with their values, what it expects of the kernel. What libbpf would refuse is said on stderr.`,
  options: {
    name: {
      type: 'string',
      value: 'NAME',
      help: "the object's name, for the names of its maps in the kernel; the file's up to its first dot where not given",
    },
    core: { type: 'boolean', help: "list every CO-RE relocation, as libbpf's log has them" },
    relocs: { type: 'boolean', help: 'list every relocation, and what it means' },
    json: { type: 'boolean', help: 'print everything as a JSON object' },
  },
  run({ args, options, note, write }) {
    const object = openBpfObject(args[0]!, options.name === undefined ? {} : { objectName: options.name });
    const model = { file: args[0]!, ...describeObject(object) };
    write(bpfShowReport({ core: options.core === true, relocs: options.relocs === true }), model);
    for (const problem of model.problems) note(`kelf: ${problem}`);
  },
});
