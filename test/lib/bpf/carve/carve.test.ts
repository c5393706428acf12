import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { carve } from 'kelf';
import { MemorySource } from 'kelf/elf';
import { BtfWriter } from '../../../support/btf-writer.js';

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
    const btf = new BtfWriter();
    btf.func('on_open', btf.funcProto(0, []));
    const blob = btf.bytes();
    const data = lightData(blob, ['on_open', 'on_switch']);
    const loader = Buffer.from(
      `bf16000000000000bfa1000000000000${'b700000000000000'.repeat(5)}9500000000000000b7000000000000009500000000000000`,
      'hex',
    );

    it('finds the data, its programs, and the loader near it', () => {
      const file = Buffer.concat([Buffer.alloc(64, 0xcc), loader, Buffer.alloc(5, 0xcc), data, Buffer.from([0, 0xcc])]);
      const finds = found(file);
      expect(finds).to.have.length(1);
      expect(finds[0]).to.deep.include({ form: 'light skeleton', offset: 64 + loader.length + 5, extent: data.length });
      expect(same(finds[0]!.bytes, data)).to.equal(true);
      expect(finds[0]!.programs).to.deep.equal([{ name: 'on_open' }, { name: 'on_switch' }]);
      expect(finds[0]!.loader).to.deep.equal({ offset: 64, length: loader.length });
    });

    it('reads the literal of a header', () => {
      const text = escapes(data, byte => (byte === 0 ? '\\0' : hex(byte))).replace(/(.{76})(?=\\)/g, '$1\\\n');
      const finds = found(`opts.data = (void *)"\\\n${text}";\n`);
      expect(finds[0]).to.deep.include({ form: 'light skeleton', offset: 'opts.data = (void *)"'.length });
      expect(same(finds[0]!.bytes, data)).to.equal(true);
    });

    it('is not taken in by BTF alone', () => {
      expect(found(Buffer.concat([Buffer.alloc(1280), blob, Buffer.alloc(4096)]))).to.deep.equal([]);
    });
  });
});

/** The data that libbpf's gen_loader makes, without function and line records. */
function lightData(blob: Uint8Array, names: readonly string[]): Buffer {
  const parts = [Buffer.alloc(1280), padded(blob)];
  for (const name of names) {
    const instructions = Buffer.from('b7000000000000009500000000000000', 'hex');
    const attr = Buffer.alloc(144);
    attr.writeUInt32LE(5, 0);
    attr.writeUInt32LE(instructions.length / 8, 4);
    attr.write(name, 48);
    parts.push(padded(Buffer.from('GPL\0')), instructions, attr);
  }
  return Buffer.concat(parts);
}

function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 7)]);
}
