import { BtfBlob } from '../../../btf/blob.js';
import { type BpftoolRelease, printC } from '../../../btf/print/c.js';
import { printJson } from '../../../btf/print/json.js';
import { printRaw } from '../../../btf/print/raw.js';
import type { Sink } from '../../../btf/print/writer.js';
import { BASE_OPTION, openBtf } from '../btf-input.js';
import { type Command, command, UsageError } from '../command.js';

const FORMATS: Readonly<Record<string, (btf: BtfBlob, sink: Sink, as?: BpftoolRelease) => void>> = {
  raw: printRaw,
  json: printJson,
  c: printC,
};
/** The releases of bpftool whose headers differ. */
const RELEASES: readonly string[] = ['7.1', '7.8'] satisfies BpftoolRelease[];

export const btfDump: Command = command({
  usage: 'FILE [--format FORMAT|--json] [--as RELEASE] [--base FILE]',
  arity: [1, 1],
  about: `Prints every type in FILE, an ELF file with a .BTF section or a BTF blob such as /sys/kernel/btf/vmlinux: raw, one type per line; json, on one
line; c, as a header. Each matches the output of 'bpftool btf dump'.`,
  examples: ['vmlinux', 'vmlinux --format c'],
  options: {
    base: BASE_OPTION,
    format: { type: 'string', short: 'f', value: 'FORMAT', help: `${Object.keys(FORMATS).join(', ')}; raw by default` },
    as: {
      type: 'string',
      value: 'RELEASE',
      help: 'with --format c: the header of bpftool 7.1, or of 7.8: sorted, with kfuncs; 7.1 by default',
    },
    json: { type: 'boolean', help: 'the same as --format json' },
  },
  run({ args, options, out }) {
    const { base, json = false, format = json ? 'json' : 'raw' } = options;
    if (json && format !== 'json') throw new UsageError(`--json and --format ${format}: give one of them`);
    if (!Object.hasOwn(FORMATS, format)) throw new UsageError(`no format '${format}'; there are ${Object.keys(FORMATS).join(', ')}`);
    if (options.as !== undefined && format !== 'c') throw new UsageError('--as is for --format c alone');
    if (options.as !== undefined && !RELEASES.includes(options.as))
      throw new UsageError(`--as: no release '${options.as}'; there are ${RELEASES.join(', ')}`);
    const btf = openBtf(args[0]!, base, (bytes, given) => new BtfBlob(bytes, given));
    FORMATS[format]!(btf, bytes => out.copy(bytes), options.as as BpftoolRelease | undefined);
  },
});
