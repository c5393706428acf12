import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as zlib from 'node:zlib';
import { expect } from 'chai';
import { carve, carveFiles } from 'kelf/bpf';
import { MemorySource } from 'kelf/elf';
import { bpftoolLiteral, LIGHT_INSTRUCTIONS, LIGHT_LOADER, lightBtf, lightData } from '../../../support/light-skeleton.js';

const { deflateSync, gzipSync } = zlib;
/** Node has it since 22.15. */
const zstdCompressSync = (zlib as { zstdCompressSync?: (bytes: Uint8Array) => Buffer }).zstdCompressSync;

const object = (order: 'el' | 'eb'): Uint8Array =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../../../../fixtures/bpf/kelf.bpf${order}.o`, import.meta.url))));
const LITTLE = object('el');
const BIG = object('eb');

const found = (bytes: Uint8Array | string): ReturnType<typeof carve> =>
  carve(new MemorySource(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, 'file'));
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const escapes = (bytes: Uint8Array, of: (byte: number) => string): string => Array.from(bytes, of).join('');
const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, '0')}`;

describe('carve', () => {
  for (const [order, bytes] of [
    ['little endian', LITTLE],
    ['big endian', BIG],
  ] as const) {
    it(`finds objects at any alignment, with their exact length: ${order}`, () => {
      for (let shift = 0; shift < 9; shift++) {
        const finds = found(Buffer.concat([Buffer.alloc(1000 + shift, 0x7f), bytes, Buffer.from('behind')]));
        expect(finds).to.have.length(1);
        expect(finds[0]).to.deep.include({ form: 'ELF', offset: 1000 + shift, extent: bytes.length });
        expect(same(finds[0]!.bytes, bytes)).to.equal(true);
        expect(finds[0]!.programs.map(({ section }) => section)).to.include('kprobe/load_elf_binary');
      }
    });
  }

  it('finds a file that is an object itself, and several behind each other, over the end of what is read at a time', () => {
    expect(found(LITTLE)[0]).to.deep.include({ form: 'ELF', offset: 0, extent: LITTLE.length });
    const before = (1 << 23) - LITTLE.length - 3;
    const finds = found(Buffer.concat([Buffer.alloc(before), LITTLE, BIG, LITTLE]));
    expect(finds.map(({ offset }) => offset)).to.deep.equal([before, before + LITTLE.length, before + LITTLE.length + BIG.length]);
  });

  it('finds none in what is cut off by a byte, is for another machine or is no relocatable file', () => {
    expect(found(LITTLE.subarray(0, -1))).to.deep.equal([]);
    for (const [at, value] of [
      [18, 62],
      [16, 3],
      [6, 2],
      [52, 52],
    ] as const) {
      const other = LITTLE.slice();
      other[at] = value;
      expect(found(other), `byte ${at}`).to.deep.equal([]);
    }
  });

  it('takes EM_NONE, which old compilers wrote, where the sections are those of BPF', () => {
    const old = LITTLE.slice();
    old[18] = 0;
    expect(found(old)).to.have.length(1);
  });

  it('reads string literals: of bpftool, of Go, in pieces', () => {
    const wrapped = escapes(LITTLE, byte => (byte === 0 ? '\\0' : hex(byte))).replace(/(.{76})(?=\\)/g, '$1\\\n');
    const printable = escapes(LITTLE, byte =>
      byte > 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c ? String.fromCharCode(byte) : hex(byte),
    );
    const octal = escapes(LITTLE, byte => `\\${byte.toString(8).padStart(3, '0')}`);
    const pieces = escapes(LITTLE, hex).replace(/(.{64})/g, '$1"\n\t"');
    const plus = escapes(LITTLE, hex).replace(/(.{64})/g, '$1" +\n\t"');
    for (const [what, text] of Object.entries({ wrapped, printable, octal, pieces, plus })) {
      const before = 'static const char data[] = "';
      const finds = found(`${before}${text}";\nint other = 1;\n`);
      expect(finds, what).to.have.length(1);
      expect(finds[0], what).to.deep.include({ form: 'string literal', offset: before.length });
      expect(same(finds[0]!.bytes, LITTLE), what).to.equal(true);
    }
  });

  it('reads lists of bytes, as xxd -i writes them', () => {
    const list = Array.from(LITTLE, byte => `0x${byte.toString(16).padStart(2, '0')}`);
    for (const separator of [', ', ',', ',\n  ']) {
      const before = 'unsigned char o[] = { ';
      // The first two stand on a line.
      const finds = found(`${before}${list.slice(0, 2).join(', ')}, ${list.slice(2).join(separator)} };`);
      expect(finds[0], separator).to.deep.include({ form: 'byte list', offset: before.length });
      expect(same(finds[0]!.bytes, LITTLE)).to.equal(true);
    }
  });

  it('reads lists in decimal and hexadecimal, with the suffixes and separators of languages', () => {
    const forms: readonly (readonly [string, (byte: number) => string, string])[] = [
      ['const DATA: &[u8] = &[', byte => `${byte}`, ', '],
      ['{"object": [', byte => `${byte}`, ','],
      ['fmt.Println: [', byte => `${byte}`, ' '],
      ['[', byte => `${byte}`, ',\n'],
      ['[', byte => `${byte}u8`, ', '],
      ['{', byte => `0x${byte.toString(16).toUpperCase().padStart(2, '0')}U`, ', '],
      ['', byte => `0x${byte.toString(16)}`, '\n'],
    ];
    for (const [before, write, separator] of forms) {
      const text = `${before}${Array.from(LITTLE, write).join(separator)}]`;
      const finds = found(text);
      expect(finds[0], JSON.stringify([before, separator])).to.deep.include({ form: 'byte list', offset: before.length });
      expect(same(finds[0]!.bytes, LITTLE)).to.equal(true);
    }
    expect(found(`1${Array.from(LITTLE, byte => `${byte}`).join(',')}`), 'the end of another number').to.deep.equal([]);
  });

  it('reads hexadecimal digits, in source and between the bytes of a program', () => {
    const digits = Buffer.from(LITTLE).toString('hex');
    for (const text of [digits, digits.toUpperCase(), digits.replace(/(.{64})/g, '$1\n')]) {
      const finds = found(Buffer.concat([Buffer.from('\0\0'), Buffer.from(text), Buffer.from('\0more')]));
      expect(finds[0]).to.deep.include({ form: 'hex string', offset: 2, extent: text.length });
      expect(same(finds[0]!.bytes, LITTLE)).to.equal(true);
    }
  });

  it('reads what is packed by gzip and zstd, and base64 of zlib at each level, and of zstd', () => {
    const zstd = zstdCompressSync?.(LITTLE);
    const packed: readonly (readonly [string, Buffer])[] = [
      ['gzip', gzipSync(LITTLE)],
      ...([0, 1, 5, 6, 9] as const).map((level): [string, Buffer] => [
        'base64 of zlib',
        Buffer.from(deflateSync(LITTLE, { level }).toString('base64')),
      ]),
      ...(zstd === undefined
        ? []
        : ([
            ['zstd', zstd],
            ['base64 of zstd', Buffer.from(zstd.toString('base64'))],
          ] as const)),
    ];
    for (const [form, bytes] of packed) {
      const finds = found(Buffer.concat([Buffer.from('\0\0x='), bytes, Buffer.from('\0more')]));
      expect(finds[0], form).to.deep.include({ form, offset: 4, extent: bytes.length });
      expect(same(finds[0]!.bytes, LITTLE)).to.equal(true);
    }
  });

  it('finds none in what is packed and no object', () => {
    const other = Buffer.alloc(1000, 'text');
    for (const bytes of [gzipSync(other), Buffer.from(deflateSync(other).toString('base64')), Buffer.from('eJweJweJw'.repeat(100))])
      expect(found(bytes)).to.deep.equal([]);
  });

  it('reads base64, plain and of gzip, in text and between the bytes of a program', () => {
    const plain = Buffer.from(LITTLE).toString('base64');
    const packed = gzipSync(LITTLE).toString('base64');
    for (const [form, text] of [
      ['base64', plain],
      ['base64', plain.replace(/(.{76})/g, '$1\n')],
      ['base64', Buffer.from(LITTLE).toString('base64url')],
      ['base64 of gzip', packed],
    ] as const) {
      const finds = found(Buffer.concat([Buffer.from('\0\0x='), Buffer.from(text), Buffer.from('\0more')]));
      expect(finds[0]).to.deep.include({ form, offset: 4, extent: text.length });
      expect(same(finds[0]!.bytes, LITTLE)).to.equal(true);
    }
  });

  it('does not list what lies in another find again', () => {
    const text = Buffer.from(LITTLE).toString('base64');
    const twice = found(Buffer.concat([LITTLE, Buffer.from(text)]));
    expect(twice.map(({ form }) => form)).to.deep.equal(['ELF', 'base64']);
  });

  describe('of light skeletons', () => {
    const blob = lightBtf();
    const data = lightData(blob, ['on_open', 'on_switch']);
    const behind = data.length - 144;
    const programs = [
      { name: 'on_open', instructions: { offset: behind - 184, length: 16 } },
      { name: 'on_switch', instructions: { offset: behind - 16, length: 16 } },
    ];

    it('finds the data, its BTF and programs, and the loader near it', () => {
      const file = Buffer.concat([Buffer.alloc(64, 0xcc), LIGHT_LOADER, Buffer.alloc(5, 0xcc), data, Buffer.from([0, 0xcc])]);
      const finds = found(file);
      expect(finds).to.have.length(1);
      const [{ bytes, loader, btf, ...find }] = finds as [(typeof finds)[0]];
      expect(find).to.deep.equal({ form: 'light skeleton', offset: 64 + LIGHT_LOADER.length + 5, extent: data.length, programs });
      expect(same(bytes, data)).to.equal(true);
      expect(same(bytes.subarray(btf!.offset, btf!.offset + btf!.length), blob)).to.equal(true);
      for (const { instructions } of programs)
        expect(same(bytes.subarray(instructions.offset, instructions.offset + instructions.length), LIGHT_INSTRUCTIONS)).to.equal(true);
      expect(loader!.offset).to.equal(64);
      expect(same(loader!.bytes, LIGHT_LOADER)).to.equal(true);
    });

    it('reads the literals of a header: data, and the loader behind it', () => {
      const before = 'opts.data = (void *)"';
      const text = `opts.data = (void *)${bpftoolLiteral(data)};\n\topts.insns_sz = 80;\n\topts.insns = (void *)${bpftoolLiteral(LIGHT_LOADER)};\n`;
      const [find] = found(text);
      expect(find).to.deep.include({ form: 'light skeleton', offset: before.length, programs });
      expect(same(find!.bytes, data)).to.equal(true);
      expect(find!.loader!.offset).to.equal(text.lastIndexOf('(void *)"') + '(void *)"'.length);
      expect(same(find!.loader!.bytes, LIGHT_LOADER)).to.equal(true);
    });

    it('writes the parts of one into a folder', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'kelf-carve-'));
      try {
        writeFileSync(join(folder, 'tool'), Buffer.concat([LIGHT_LOADER, data]));
        const { objects } = await carveFiles([join(folder, 'tool')], { out: join(folder, 'out') });
        const written = join(folder, 'out', `tool@0x${LIGHT_LOADER.length.toString(16)}.light`);
        expect(objects[0]).to.deep.include({ written, loader: { offset: 0, length: LIGHT_LOADER.length } });
        expect(readdirSync(written).sort()).to.deep.equal(['0.on_open.insns', '1.on_switch.insns', 'btf', 'data', 'loader.insns']);
        expect(same(readFileSync(join(written, 'btf')), blob)).to.equal(true);
        expect(same(readFileSync(join(written, 'loader.insns')), LIGHT_LOADER)).to.equal(true);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });

    it('is not taken in by BTF alone', () => {
      expect(found(Buffer.concat([Buffer.alloc(1280), blob, Buffer.alloc(4096)]))).to.deep.equal([]);
    });
  });
});
