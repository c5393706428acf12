import { BtfWriter } from './btf-writer.js';
import { ElfWriter, join, type RelocationSpec, type SectionSpec, type SymbolSpec } from './elf-writer.js';

/** An instruction: opcode, registers, offset, imm. */
export type InsnSpec = readonly [code: number, dst?: number, src?: number, offset?: number, imm?: number];

/** The bytes of instructions in either byte order; an ld_imm64 is two of them. */
export function insns(littleEndian: boolean, ...specs: readonly InsnSpec[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(specs.length * 8));
  specs.forEach(([code, dst = 0, src = 0, offset = 0, imm = 0], i) => {
    view.setUint8(i * 8, code);
    view.setUint8(i * 8 + 1, littleEndian ? (src << 4) | dst : (dst << 4) | src);
    view.setInt16(i * 8 + 2, offset, littleEndian);
    view.setInt32(i * 8 + 4, imm, littleEndian);
  });
  return new Uint8Array(view.buffer);
}

/** A table of .BTF.ext: for each section its name and its records, as words. */
export type ExtTable = readonly (readonly [section: string, ...records: readonly (readonly number[])[]])[];

/** A `.BTF.ext`; strings go into `btf`. `recordSize` in bytes, where it is not that of the records. */
export function btfExt(
  btf: BtfWriter,
  littleEndian: boolean,
  [functions, lines, relocations]: readonly [ExtTable, ExtTable, ExtTable?],
  recordSize = 0,
): Uint8Array {
  const writer = new ElfWriter(64, littleEndian);
  const table = (rows: ExtTable, size: number): Uint8Array => {
    if (rows.length === 0) return new Uint8Array(0);
    const bytes = Math.max(size, recordSize);
    const parts = rows.map(([section, ...records]) =>
      writer.u32(
        btf.string(section),
        records.length,
        ...records.flatMap(record => [...record, ...Array(bytes / 4 - record.length).fill(0)]),
      ),
    );
    return join(writer.u32(bytes), ...parts);
  };
  const tables = [table(functions, 8), table(lines, 16), ...(relocations === undefined ? [] : [table(relocations, 16)])];
  let at = 0;
  const places = tables.flatMap(({ length }) => {
    at += length;
    return [at - length, length];
  });
  return join(writer.u16(0xeb9f), Uint8Array.of(1, 0), writer.u32(8 + places.length * 4, ...places), ...tables);
}

/** What {@link bpfObject} is made of; strings of `ext` go into `btf`. */
export interface ObjectSpec {
  readonly littleEndian?: boolean;
  readonly machine?: number;
  readonly type?: number;
  readonly btf?: BtfWriter;
  readonly ext?: readonly [ExtTable, ExtTable, ExtTable?];
  /** Code and data; in symbols they are sections 1, 2 and so on. */
  readonly sections: readonly SectionSpec[];
  readonly symbols: readonly SymbolSpec[];
  /** For each section by name, relocations by the number of the symbol, from 1. */
  readonly relocations?: Readonly<Record<string, readonly (readonly [offset: number, symbol: number, type?: number])[]>>;
}

/** The bytes of a small BPF object. */
export function bpfObject(spec: ObjectSpec): Uint8Array {
  const { littleEndian = true, machine = 247, type = 1, btf, ext, sections, symbols, relocations = {} } = spec;
  const writer = new ElfWriter(64, littleEndian);
  const extBytes = btf === undefined || ext === undefined ? undefined : btfExt(btf, littleEndian, ext);
  return writer.file({
    type,
    machine,
    sections: [
      ...sections,
      ...(btf === undefined ? [] : [{ name: '.BTF', type: 1, data: btf.bytes(), addralign: 4 }]),
      ...(extBytes === undefined ? [] : [{ name: '.BTF.ext', type: 1, data: extBytes, addralign: 4 }]),
      ...Object.entries(relocations).map(([name, rows]) =>
        writer.rel(
          `.rel${name}`,
          rows.map(([offset, symbol, type = 1]): RelocationSpec => ({ offset: BigInt(offset), type, symbol })),
          { link: '.symtab', info: name },
        ),
      ),
      ...writer.symbols(symbols),
    ],
  });
}

export const CODE: { readonly type: 1; readonly flags: 6; readonly addralign: 8 } = { type: 1, flags: 6, addralign: 8 };
export const DATA: { readonly type: 1; readonly flags: 3; readonly addralign: 8 } = { type: 1, flags: 3, addralign: 8 };

/** `int (*name)[value]`, as a BTF-defined map has its numbers. */
export function mapNumber(btf: BtfWriter, int: number, value: number): number {
  return btf.ptr(btf.array(int, int, value));
}

const FUNC = 2;
const OBJECT = 1;

/** An object that has something of everything. */
export function sampleObject(littleEndian = true): Uint8Array {
  const btf = new BtfWriter({ littleEndian });
  const int = btf.int('int', 4, 1);
  const char = btf.int('char', 1, 1);
  const bool = btf.int('_Bool', 1, 4);
  const context = btf.struct('pt_regs', 16, [
    ['di', int, 0],
    ['si', int, 64],
  ]);
  const proto = btf.funcProto(int, [['ctx', btf.ptr(context)]]);
  const main = btf.func('on_read', proto, 1);
  const helper = btf.func('helper', proto);
  const number = (value: number): number => mapNumber(btf, int, value);
  const inner = btf.struct('inner', 24, [
    ['type', number(2), 0],
    ['key', btf.ptr(int), 64],
    ['value', btf.ptr(context), 128],
  ]);
  const outer = btf.struct('', 24, [
    ['type', number(12), 0],
    ['max_entries', number(4), 64],
    ['key_size', number(4), 128],
    ['values', btf.array(btf.ptr(inner), int, 0), 192],
  ]);
  const programs = btf.struct('', 16, [
    ['type', number(3), 0],
    ['key_size', number(4), 64],
    ['values', btf.array(btf.ptr(btf.funcProto(int, [])), int, 0), 128],
  ]);
  btf.datasec('.maps', 0, [
    [btf.var('one', inner), 0, 24],
    [btf.var('many', outer), 0, 40],
    [btf.var('calls', programs), 0, 24],
  ]);
  const config = btf.struct('config', 16, [
    ['level', int, 0, 3],
    ['name', btf.array(char, int, 8), 64],
  ]);
  btf.datasec('.rodata', 16, [[btf.var('config', config), 0, 16]]);
  btf.datasec('.data', 8, [[btf.var('start', btf.ptr(config)), 0, 8]]);
  btf.datasec('.kconfig', 1, [[btf.var('CONFIG_BPF', bool, 2), 0, 1]]);
  btf.datasec('.ksyms', 0, [[btf.func('bpf_kfunc', proto, 2), 0, 0]]);
  const ops = btf.struct('tcp_ops___v1', 16, [
    ['flags', int, 0],
    ['init', btf.ptr(proto), 64],
  ]);
  btf.datasec('.struct_ops.link', 16, [[btf.var('my_ops', ops), 0, 16]]);
  const code = insns(
    littleEndian,
    [0x18, 1, 0],
    [0],
    [0x85, 0, 1, 0, -1],
    [0x18, 2, 0, 0, 8],
    [0],
    [0x18, 3],
    [0],
    [0x85, 0, 2, 0, -1],
    [0x79, 1, 1, 8],
    [0x95],
  );
  const writer = new ElfWriter(64, littleEndian);
  return bpfObject({
    littleEndian,
    btf,
    ext: [
      [
        ['kprobe/read', [0, main]],
        ['.text', [0, helper]],
      ],
      [['kprobe/read', [0, btf.string('a.c'), btf.string('int on_read(void)'), (7 << 10) | 5]]],
      [['kprobe/read', [64, context, btf.string('0:1'), 0]]],
    ],
    sections: [
      { name: '.text', ...CODE, data: insns(littleEndian, [0xb7, 0, 0, 0, 1], [0x95]) },
      { name: 'kprobe/read', ...CODE, data: code },
      { name: '.maps', ...DATA, data: new Uint8Array(88) },
      {
        name: '.rodata',
        ...DATA,
        flags: 2,
        data: join(writer.u32(littleEndian ? 5 : 5 << 29, 0), new TextEncoder().encode('kelf\0\0\0\0')),
      },
      { name: '.data', ...DATA, data: new Uint8Array(8) },
      { name: '.struct_ops.link', ...DATA, data: join(writer.u32(3, 0), writer.u64(0n)) },
      { name: 'struct_ops/init', ...CODE, data: insns(littleEndian, [0x95]) },
      { name: 'license', ...DATA, data: new TextEncoder().encode('GPL\0') },
      { name: 'version', ...DATA, data: writer.u32(0x60100) },
      { name: 'maps', ...DATA, data: writer.u32(1, 4, 8, 16, 0) },
    ],
    symbols: [
      { name: 'helper', type: FUNC, section: 1, size: 16n },
      { name: 'on_read', type: FUNC, binding: 1, section: 2, size: 80n },
      { name: 'one', type: OBJECT, binding: 1, section: 3, size: 24n },
      { name: 'many', type: OBJECT, binding: 1, section: 3, value: 24n, size: 40n },
      { name: 'calls', type: OBJECT, binding: 1, section: 3, value: 64n, size: 24n },
      { name: 'config', type: OBJECT, binding: 1, section: 4, size: 16n },
      { name: 'start', type: OBJECT, binding: 1, section: 5, size: 8n },
      { name: 'CONFIG_BPF', binding: 2 },
      { name: 'bpf_kfunc', binding: 1 },
      { name: 'my_ops', type: OBJECT, binding: 1, section: 6, size: 16n },
      { name: 'init', type: FUNC, binding: 1, section: 7, size: 8n },
      { name: 'old', type: OBJECT, binding: 1, section: 10, size: 20n },
    ],
    relocations: {
      'kprobe/read': [
        [0, 3],
        [16, 1, 10],
        [24, 6],
        [40, 8],
        [56, 9, 10],
      ],
      '.maps': [
        [56, 3, 2],
        [80, 2, 2],
      ],
      '.data': [[0, 6, 2]],
      '.struct_ops.link': [[8, 11, 2]],
    },
  });
}
