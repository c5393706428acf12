import { Btf } from '../../../btf/btf.js';
import { Listing } from '../../bpf/listing.js';
import { relocateCore } from '../../bpf/load/relocate-core.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { disasmReport } from '../../report/bpf-disasm.js';
import { CORE_KERNEL_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, EXIT, JSON_OPTION, UsageError } from '../command.js';

const NOTATIONS = ['kernel', 'llvm'] as const;

export const bpfDisasm: Command = command({
  usage: 'FILE [FUNCTION…] [OPTION…]',
  arity: [1, Number.POSITIVE_INFINITY],
  about: `Disassembles a BPF object: all functions, or the named ones. The kernel's notation names maps, data and callees, and adds variables and CO-RE
relocations as comments. LLVM's notation prints what llvm-objdump -d -r prints.`,
  examples: ['program.bpf.o', 'program.bpf.o handle_exec'],
  options: {
    notation: {
      type: 'string',
      short: 'n',
      value: 'NOTATION',
      help: "kernel (the default), as in the verifier's log and bpftool, or llvm, as in llvm-objdump",
    },
    kernel: CORE_KERNEL_OPTION,
    hex: { type: 'boolean', help: 'llvm: print numbers in hexadecimal, as LLVM does since 17' },
    'no-source': { type: 'boolean', help: 'leave out source lines' },
    linum: { type: 'boolean', short: 'l', help: "print file, line and column with each source line, like bpftool's linum" },
    json: JSON_OPTION,
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
    for (const name of absent) note(`kelf: ${args[0]} has no function called ${name}`);
    return absent.length > 0 ? EXIT.missing : EXIT.ok;
  },
});
