import { Btf } from '../../../btf/btf.js';
import { type ListedInstruction, Listing, remarks } from '../../bpf/listing.js';
import { relocateCore } from '../../bpf/load/relocate-core.js';
import type { BpfObject } from '../../bpf/object/object.js';
import type { BpfFunction } from '../../bpf/object/programs.js';
import { type BpfRelocation, describeRelocation } from '../../bpf/object/relocations.js';
import { openBpfObject } from '../../open/open-bpf-object.js';
import { toJson } from '../../report/json.js';
import { openBtf } from '../btf-input.js';
import { type Command, command, EXIT, type OptionSpec, UsageError } from '../command.js';
import { printable } from '../elf.js';
import type { Output } from '../output.js';

const NOTATIONS: readonly string[] = ['kernel', 'llvm'];

type Switch = OptionSpec & { readonly type: 'boolean' };

const options: {
  readonly notation: OptionSpec & { readonly type: 'string' };
  readonly kernel: OptionSpec & { readonly type: 'string' };
  readonly hex: Switch;
  readonly 'no-source': Switch;
  readonly linum: Switch;
  readonly json: Switch;
} = {
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
};

export const bpfDisasm: Command<typeof options> = command({
  usage: 'FILE [FUNCTION…] [OPTION…]',
  arity: [1, 1000],
  about: `Disassembles a BPF object: every function, or those that are named. In the kernel's notation, maps, data and callees are written by their
names, and behind the instructions stand the variables and the CO-RE relocations; in LLVM's, the output is that of llvm-objdump -d -r.`,
  options,
  async run({ args, options, out, note }) {
    const { notation = 'kernel' } = options;
    if (!NOTATIONS.includes(notation)) throw new UsageError(`no notation '${notation}'; there are ${NOTATIONS.join(', ')}`);
    const object = openBpfObject(args[0]!);
    const report = options.kernel === undefined ? undefined : relocateCore(object, await openBtf(options.kernel, undefined, Btf.parse));
    const listing = new Listing(object, report?.code);
    const names = args.slice(1);
    const functions = names.length === 0 ? object.functions : object.functions.filter(({ name }) => names.includes(name));
    const absent = names.filter(name => !functions.some(fn => fn.name === name));
    const text = (fn: BpfFunction, listed: readonly ListedInstruction[]): string[] =>
      notation === 'kernel' ? listing.kernelText(fn, listed) : listing.llvmText(fn.sectionIndex, listed, options.hex);
    if (options.json) {
      const rows = functions.map(fn => functionJson(fn, listing.ofFunction(fn), text));
      out.line(toJson({ schema: 'kelf/bpf-disasm', version: 1, file: args[0], kernel: options.kernel, notation, functions: rows }));
    } else if (notation === 'kernel') {
      for (const fn of functions) printKernel(object, fn, listing.ofFunction(fn), text, options, out);
    } else {
      printLlvm(object, listing, functions, names.length === 0, options, out);
    }
    for (const { message } of object.diagnostics) note(`kelf: ${message}`);
    for (const { relocation, refused } of report?.outcomes ?? [])
      if (refused !== undefined) note(`kelf: ${args[0]}: CO-RE ${relocation.text}: libbpf refuses the object: ${refused}`);
    for (const name of absent) note(`kelf: ${args[0]} has no function called ${printable(name)}`);
    return absent.length > 0 ? EXIT.missing : EXIT.ok;
  },
});

type Texts = (fn: BpfFunction, listed: readonly ListedInstruction[]) => string[];
interface SourceOptions {
  readonly 'no-source'?: boolean;
  readonly linum?: boolean;
  readonly hex?: boolean;
}

/** Where remarks begin, if the text leaves room. */
const REMARK_COLUMN = 48;

function printKernel(
  object: BpfObject,
  fn: BpfFunction,
  listed: readonly ListedInstruction[],
  text: Texts,
  options: SourceOptions,
  out: Output,
): void {
  const { typeId } = fn;
  const prototype = typeId === undefined ? undefined : object.attempt('.BTF', () => object.btf?.prototype(typeId));
  out.line(printable(`${prototype ?? fn.name}:  # ${fn.section}`));
  const texts = text(fn, listed);
  for (const [i, item] of listed.entries()) {
    printSource(item, options, out);
    const line = `${String(item.index).padStart(4)}: ${texts[i]}`;
    const behind = remarks(item).join('; ');
    out.line(printable(behind === '' ? line : `${line.padEnd(REMARK_COLUMN)}  # ${behind}`));
  }
  out.line();
}

function printSource({ line }: ListedInstruction, options: SourceOptions, out: Output): void {
  if (line === undefined || options['no-source'] === true || (line.text === '' && options.linum !== true)) return;
  // As `bpftool prog dump xlated … linum` writes it.
  const place = options.linum === true ? ` [file:${line.file} line_num:${line.line} line_col:${line.column}]` : '';
  out.line(printable(`; ${line.text.trim().replaceAll('\t', ' ')}${place}`));
}

/** As `llvm-objdump -d -r` has it: sections, symbols, and under an instruction its relocation. */
function printLlvm(
  object: BpfObject,
  listing: Listing,
  functions: readonly BpfFunction[],
  whole: boolean,
  options: SourceOptions,
  out: Output,
): void {
  out.line().line(`${printable(object.name)}:\tfile format elf64-bpf`);
  for (const { name, index, size } of listing.sections()) {
    const parts = functions
      .filter(({ sectionIndex }) => sectionIndex === index)
      .map(({ offset, size }) => [offset, offset + size] as const);
    const ranges = whole ? ([[0, size - (size % 8)]] as const) : parts;
    if (ranges.length === 0) continue;
    out.line().line(printable(`Disassembly of section ${name}:`));
    const labels = new Map(listing.labels(index).map(label => [label.offset, label.name]));
    if (!labels.has(0)) labels.set(0, name);
    for (const [from, to] of ranges) {
      const listed = listing.instructions(index, from, to);
      const texts = listing.llvmText(index, listed, options.hex);
      for (const [i, item] of listed.entries()) {
        const { offset, bytes, relocation } = item;
        const label = labels.get(offset);
        if (label !== undefined) out.line().line(printable(`${offset.toString(16).padStart(16, '0')} <${label}>:`));
        printSource(item, options, out);
        const hex = [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join(' ');
        out.line([`${String(offset / 8).padStart(8)}:`, hex, ...texts[i]!.split('\t').map(printable)].join('\t'));
        if (relocation === undefined) continue;
        out.line(`\t\t${offset.toString(16).padStart(16, '0')}:  ${relocation.type}\t${printable(relocation.symbol)}`);
      }
    }
  }
}

function functionJson(fn: BpfFunction, listed: readonly ListedInstruction[], text: Texts): object {
  const texts = text(fn, listed);
  return {
    name: fn.name,
    section: fn.section,
    offset: fn.offset,
    instructionCount: fn.instructionCount,
    instructions: listed.map(({ index, bytes, relocation, core, line }, i) => ({
      index,
      bytes: Buffer.from(bytes).toString('hex'),
      text: texts[i],
      ...(relocation === undefined ? {} : { relocation: relocationJson(relocation) }),
      ...(core.length === 0 ? {} : { core: core.map(({ text }) => text) }),
      ...(line === undefined ? {} : { line }),
    })),
  };
}

function relocationJson({ type, symbol, meaning }: BpfRelocation): object {
  return { type, symbol, meaning: describeRelocation(meaning) };
}
