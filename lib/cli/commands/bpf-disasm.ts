import { Btf } from '../../../btf/btf.js';
import { Listing } from '../../bpf/listing.js';
import { relocateCore } from '../../bpf/load/relocate-core.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { disasmReport } from '../../report/bpf-disasm.js';
import { printable } from '../../report/text.js';
import { openBtf } from '../btf-input.js';
import { type Command, command, EXIT, UsageError } from '../command.js';

const NOTATIONS = ['kernel', 'llvm'] as const;

export const bpfDisasm: Command = command({
  usage: 'FILE [FUNCTION…] [OPTION…]',
  arity: [1, 1000],
  about: `Disassembles a BPF object: every function, or those that are named. In the kernel's notation, maps, data and callees are written by their
names, and behind the instructions stand the variables and the CO-RE relocations; in LLVM's, the output is that of llvm-objdump -d -r.`,
  options: {
    notation: {
      type: 'string',
      short: 'n',
      value: 'NOTATION',
      help: "kernel, as the verifier's log and bpftool have it, or llvm, as llvm-objdump; kernel where not given",
    },
    kernel: {
      type: 'string',
      short: 'k',
      value: 'KERNEL',
      help: 'apply CO-RE for this kernel, or for its BTF alone: the instructions as libbpf loads them',
    },
    hex: { type: 'boolean', help: 'llvm: numbers in hexadecimal, as LLVM since 17 writes them' },
    'no-source': { type: 'boolean', help: 'leave out the lines of source' },
    linum: { type: 'boolean', short: 'l', help: "with each line of source its file, line and column, as bpftool's linum" },
    json: { type: 'boolean', help: 'print a JSON object, its "functions" with their instructions' },
  },
  run({ args, options, note, write }) {
    const notation = NOTATIONS.find(name => name === (options.notation ?? 'kernel'));
    if (notation === undefined) throw new UsageError(`no notation '${options.notation}'; there are ${NOTATIONS.join(', ')}`);
    const object = openBpfObject(args[0]!);
    const relocated = options.kernel === undefined ? undefined : relocateCore(object, openBtf(options.kernel, undefined, Btf.parse));
    const listing = new Listing(object, relocated?.code);
    const names = args.slice(1);
    const functions = names.length === 0 ? object.functions : object.functions.filter(({ name }) => names.includes(name));
    const absent = names.filter(name => !functions.some(fn => fn.name === name));
    const source = { shown: options['no-source'] !== true, linum: options.linum === true };
    const model = { file: args[0]!, kernel: options.kernel, notation, hex: options.hex === true, object, listing, functions };
    write(disasmReport(source), model);
    for (const { message } of object.diagnostics) note(`kelf: ${message}`);
    for (const { relocation, refused } of relocated?.outcomes ?? [])
      if (refused !== undefined) note(`kelf: ${args[0]}: CO-RE ${relocation.text}: libbpf refuses the object: ${refused}`);
    for (const name of absent) note(`kelf: ${args[0]} has no function called ${printable(name)}`);
    return absent.length > 0 ? EXIT.missing : EXIT.ok;
  },
});
