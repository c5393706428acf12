import { type ListedInstruction, type Listing, remarks } from '../bpf/listing.js';
import type { BpfObject } from '../bpf/object/object.js';
import type { BpfFunction } from '../bpf/object/programs.js';
import { describeRelocation } from '../bpf/object/relocations.js';
import type { Line, Report } from './report.js';
import { bytesText } from './text.js';

/** Functions of an object, which is disassembled while it is written. */
export interface DisasmModel {
  readonly file: string;
  readonly kernel: string | undefined;
  readonly notation: 'kernel' | 'llvm';
  /** Of LLVM's notation: whether its numbers are hexadecimal. */
  readonly hex: boolean;
  readonly object: BpfObject;
  readonly listing: Listing;
  /** All of the object where none was named: LLVM's listing is then of whole sections. */
  readonly functions: readonly BpfFunction[];
}

/** Which lines of source the text has. */
export interface SourceLines {
  readonly shown: boolean;
  /** With file, line and column. */
  readonly linum: boolean;
}

/** `kelf bpf disasm`. */
export function disasmReport(source: SourceLines): Report<DisasmModel> {
  return {
    schema: 'kelf/bpf-disasm',
    version: 1,
    json: model => {
      const { file, kernel, notation, functions } = model;
      return { file, kernel, notation, functions: functions.map(fn => describe(model, fn)) };
    },
    verbatim: true,
    text: model => (model.notation === 'kernel' ? kernelLines(model, source) : llvmLines(model, source)),
  };
}

function textsOf({ notation, hex, listing }: DisasmModel, fn: BpfFunction, listed: readonly ListedInstruction[]): string[] {
  return notation === 'kernel' ? listing.kernelText(fn, listed) : listing.llvmText(fn.sectionIndex, listed, hex);
}

function describe(model: DisasmModel, fn: BpfFunction) {
  const { name, section, offset, instructionCount } = fn;
  const listed = model.listing.ofFunction(fn);
  const texts = textsOf(model, fn, listed);
  const instructions = listed.map(({ index, bytes, relocation, core, line }, i) => ({
    index,
    bytes: bytesText(bytes),
    text: texts[i]!,
    ...(relocation === undefined
      ? {}
      : { relocation: { type: relocation.type, symbol: relocation.symbol, meaning: describeRelocation(relocation.meaning) } }),
    ...(core.length === 0 ? {} : { core: core.map(({ text }) => text) }),
    ...(line === undefined ? {} : { line }),
  }));
  return { name, section, offset, instructionCount, instructions };
}

/** Where remarks begin, if the text leaves room. */
const REMARK_COLUMN = 48;

function* kernelLines(model: DisasmModel, source: SourceLines): Generator<Line> {
  const { object, listing, functions } = model;
  for (const fn of functions) {
    const { typeId } = fn;
    const listed = listing.ofFunction(fn);
    const prototype = typeId === undefined ? undefined : object.attempt('.BTF', () => object.btf?.prototype(typeId));
    yield `${prototype ?? fn.name}:  # ${fn.section}`;
    const texts = textsOf(model, fn, listed);
    for (const [i, item] of listed.entries()) {
      yield* sourceLines(item, source);
      const line = `${String(item.index).padStart(4)}: ${texts[i]}`;
      const behind = remarks(item).join('; ');
      yield behind === '' ? line : `${line.padEnd(REMARK_COLUMN)}  # ${behind}`;
    }
    yield '';
  }
}

function sourceLines({ line }: ListedInstruction, { shown, linum }: SourceLines): string[] {
  if (line === undefined || !shown || (line.text === '' && !linum)) return [];
  // As `bpftool prog dump xlated … linum` writes it.
  const place = linum ? ` [file:${line.file} line_num:${line.line} line_col:${line.column}]` : '';
  return [`; ${line.text.trim().replaceAll('\t', ' ')}${place}`];
}

/** As `llvm-objdump -d -r` has it: sections, symbols, and under an instruction its relocation. */
function* llvmLines({ object, listing, functions, hex }: DisasmModel, source: SourceLines): Generator<Line> {
  yield* ['', [`${object.name}:`, 'file format elf64-bpf']];
  for (const { name, index, size } of listing.sections()) {
    const parts = functions
      .filter(({ sectionIndex }) => sectionIndex === index)
      .map(({ offset, size }) => [offset, offset + size] as const);
    const ranges = functions === object.functions ? ([[0, size - (size % 8)]] as const) : parts;
    if (ranges.length === 0) continue;
    yield* ['', `Disassembly of section ${name}:`];
    const labels = new Map(listing.labels(index).map(label => [label.offset, label.name]));
    if (!labels.has(0)) labels.set(0, name);
    for (const [from, to] of ranges) {
      const listed = listing.instructions(index, from, to);
      const texts = listing.llvmText(index, listed, hex);
      for (const [i, item] of listed.entries()) {
        const { offset, bytes, relocation } = item;
        const label = labels.get(offset);
        const place = offset.toString(16).padStart(16, '0');
        if (label !== undefined) yield* ['', `${place} <${label}>:`];
        yield* sourceLines(item, source);
        yield [`${String(offset / 8).padStart(8)}:`, bytesText(bytes, ' '), ...texts[i]!.split('\t')];
        if (relocation !== undefined) yield ['', '', `${place}:  ${relocation.type}`, relocation.symbol];
      }
    }
  }
}
