import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { FormatError, type FormatErrorCode, packingOf, type UnpackOptions, unpack } from 'kelf/elf';
import { PACKED_SUFFIXES } from '../../../elf/compression/packing.js';
import { joined, vector, vectors } from '../../support/compressed.js';

const FORMATS: Readonly<Record<string, string>> = { gz: 'gzip', xz: 'xz', lzma: 'lzma', zst: 'zstd', lz4: 'lz4', bz2: 'bzip2', lzo: 'lzo' };
/** Formats that are read, each with a file and what is known of it. */
const READ = ['text.gz', 'text.xz', 'text.lzma', 'text.zst', 'text.lz4', 'text.legacy.lz4', 'text.bz2', 'text.lzo'];
const TEXT = unpack(vector('text.gz').packed, { name: 'text.gz' }).bytes;

function formatOf(file: string): string {
  return file.endsWith('legacy.lz4') ? 'lz4-legacy' : FORMATS[file.split('.').at(-1)!]!;
}

/** The error that unpacking ends in. */
function failure(packed: Uint8Array, options: Partial<UnpackOptions> = {}): FormatError {
  try {
    unpack(packed, { name: 'image', ...options });
  } catch (error) {
    if (error instanceof FormatError) return error;
    throw error;
  }
  throw new Error('unpacked without an error');
}

function expectFailure(packed: Uint8Array, code: FormatErrorCode, message: RegExp, options: Partial<UnpackOptions> = {}): void {
  const error = failure(packed, options);
  expect(error.message).to.match(message);
  expect(error.code).to.equal(code);
}

/** Few bytes do not unpack to very many unless the caller says so. */
function refusesMuch(): void {
  const size = 80 << 20;
  const packed = gzipSync(new Uint8Array(size));
  expectFailure(packed, 'limit', /: unpacks to more than \d{8} bytes, the limit for \d{5} packed bytes; the option `limit` raises it$/);
  expect(unpack(packed, { name: 'zeros', limit: size }).bytes).to.have.length(size);
}

/** A copy with one byte changed; negative offsets count from the end. */
function changed(packed: Uint8Array, at: number, byte: number = ~packed.at(at)!): Uint8Array {
  const copy = packed.slice();
  copy[at < 0 ? copy.length + at : at] = byte;
  return copy;
}

describe('unpack: files made by gzip, xz, zstd, lz4, bzip2 and lzop', () => {
  for (const { file, packed, sha256, size } of vectors()) {
    const format = formatOf(file);
    it(`${file}: ${size} bytes`, () => {
      if (file !== 'text.pb4.lzma') expect(packingOf(packed)).to.equal(format);
      const result = unpack(packed, { name: file, format: format as never });
      expect(result.format).to.equal(format);
      expect(result.consumed).to.equal(packed.length);
      expect(result.bytes.length).to.equal(size);
      expect(createHash('sha256').update(result.bytes).digest('hex')).to.equal(sha256);
    });
  }
});

describe('unpack: what every format has in common', () => {
  it('is tried on a file of each', () => {
    expect(READ.map(file => file.slice(file.lastIndexOf('.')))).to.include.members([...PACKED_SUFFIXES]);
  });

  for (const file of READ) {
    const { packed } = vector(file);

    describe(file, () => {
      it('other data may follow when the caller says so, and it is told where', () => {
        const followed = joined(packed, [0x12, 0x00, 0xe0, 0x00, 1, 2, 3]);
        const { bytes, consumed } = unpack(followed, { name: file, trailing: 'ignore' });
        expect(consumed).to.equal(packed.length);
        expect(bytes).to.deep.equal(TEXT);
      });

      it('other data that follows is an error otherwise', () => {
        expect(failure(joined(packed, [0, 0x12, 0xe0, 1, 2])).code).to.be.oneOf(['corrupt', 'truncated']);
      });

      it('an input that ends early is an error at every length', () => {
        for (let length = 8; length < packed.length; length += 7) {
          // A legacy frame that ends behind its magic is whole.
          expect(failure(packed.subarray(0, length), { trailing: 'ignore' }).code, `${length}`).to.be.oneOf([
            'truncated',
            'corrupt',
            'unsupported',
          ]);
        }
      });

      it('no more than the limit comes out', () => {
        expect(unpack(packed, { name: file, limit: TEXT.length }).bytes).to.deep.equal(TEXT);
        expectFailure(packed, 'limit', /^image\+0x[0-9a-f]+: unpacks to more than 11999 bytes, the limit$/, { limit: TEXT.length - 1 });
        expectFailure(packed, 'limit', /the limit$/, { limit: 0 });
      });

      it('a size hint may be wrong, and one that lies costs no memory', () => {
        for (const sizeHint of [1, TEXT.length - 1, TEXT.length, TEXT.length + 1, 2 ** 40]) {
          const { bytes } = unpack(packed, { name: file, sizeHint, limit: 2 ** 41 });
          expect(bytes).to.deep.equal(TEXT);
          expect(bytes.buffer.byteLength).to.be.below(400_000);
        }
      });

      it('bytes within a larger array', () => {
        const within = joined([1, 2, 3], packed, [4]).subarray(3, 3 + packed.length);
        expect(unpack(within, { name: file }).bytes).to.deep.equal(TEXT);
      });

      it('progress goes up to the end', () => {
        const done: number[] = [];
        unpack(packed, { name: file, onProgress: (consumed, total) => done.push(consumed / total) });
        expect(done).to.deep.equal(done.toSorted((a, b) => a - b));
        expect(done.at(-1)).to.be.within(0.9, 1);
      });
    });
  }
});

describe('unpack: what is not read', () => {
  it('what is packed in no format', () => {
    for (const bytes of [new Uint8Array(0), Uint8Array.of(0x1f), new TextEncoder().encode('BZh is how this text begins')]) {
      expect(packingOf(bytes)).to.equal(undefined);
      expectFailure(bytes, 'unsupported', /is not packed in a format that kelf knows/);
    }
    expect(packingOf(Uint8Array.of(0x5d, 0, 0, 1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9))).to.equal(undefined);
  });
});

describe('unpack: gzip', () => {
  const { packed } = vector('text.gz');

  it('the CRC-32 and the size are verified', () => {
    expectFailure(changed(packed, -6), 'corrupt', /: the CRC-32 is 0x[0-9a-f]+, the bytes give 0x[0-9a-f]+$/);
    expectFailure(changed(packed, -1, 1), 'corrupt', /the member unpacks to 12000 bytes, its trailer says 16789216$/);
  });

  it('a header with all it may hold', () => {
    const header = [0x1f, 0x8b, 8, 4 | 8 | 16, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9, 0x61, 0, 0x62, 0];
    expect(unpack(joined(header, packed.subarray(10)), { name: 'image' }).bytes).to.deep.equal(TEXT);
    expectFailure(joined(header.with(3, 0x84), packed.subarray(10)), 'corrupt', /reserved flags are set: 0x84/);
    expectFailure(Uint8Array.from(header.slice(0, 15)), 'truncated', /the string in the header has no end/);
  });

  it('the CRC of a header, where there is one', () => {
    const header = [0x1f, 0x8b, 8, 2, 0, 0, 0, 0, 0, 3];
    expectFailure(joined(header, [0, 0], packed.subarray(10)), 'corrupt', /the header's CRC is 0x0, its bytes give 0x([0-9a-f]+)$/);
    const found = Number.parseInt(/give 0x([0-9a-f]+)$/.exec(failure(joined(header, [0, 0], packed.subarray(10))).message)![1]!, 16);
    expect(unpack(joined(header, [found & 0xff, found >> 8], packed.subarray(10)), { name: 'image' }).bytes).to.deep.equal(TEXT);
  });

  for (const [what, stream, code, message] of [
    ['a block of the reserved type', [7], 'corrupt', /^image\+0x[0-9a-f]+: a block of the reserved type/],
    ['a stored block whose lengths differ', [1, 2, 0, 0xfd, 0xfe, 7, 8], 'corrupt', /the two lengths of a stored block differ/],
    ['a stored block that is cut off', [1, 2, 0, 0xfd, 0xff, 7], 'truncated', /2 bytes are needed here, 1 are left/],
    ['a match from before the beginning', [0x03, 0x02, 0, 0, 0, 0], 'corrupt', /a match from 1 bytes back, but there are only 0/],
    ['more codes than there are symbols', [0xfd, 0xff, 0, 0, 0], 'corrupt', /more codes than there are symbols/],
    [
      'too many codes for code lengths',
      [0x05, 0xe0, 0x93, 0x24, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24],
      'corrupt',
      /the code for code lengths is invalid/,
    ],
    ['nothing', [], 'truncated', /the deflate stream continues past the end/],
  ] as const) {
    it(`a deflate stream with ${what}`, () => expectFailure(joined(packed.subarray(0, 10), stream), code, message));
  }
});

describe('unpack: LZ4', () => {
  it('checksums of header, blocks and content are verified', () => {
    expectFailure(changed(vector('text.lz4').packed, 6), 'corrupt', /the frame header's checksum is 0x/);
    expectFailure(changed(vector('text.lz4').packed, -1), 'corrupt', /the content checksum is 0x/);
    const { packed } = vector('repeats.independent.lz4');
    const size = new DataView(packed.buffer).getUint32(7, true) & 0x7fffffff;
    expectFailure(changed(packed, 11 + size), 'corrupt', /the block checksum is 0x/);
  });

  it('a legacy frame ends where a word is no size', () => {
    const { packed } = vector('text.legacy.lz4');
    const { consumed } = unpack(joined(packed, [0xff, 0xff, 0xff, 0]), { name: 'image', trailing: 'ignore' });
    expect(consumed).to.equal(packed.length);
    expectFailure(joined(packed, [0xff, 0xff, 0xff, 0]), 'corrupt', /4 bytes follow the end of the packed data/);
  });

  for (const [what, block, message] of [
    ['a match from before the beginning', [0x10, 0x61, 2, 0, 0x00], /a match from 2 bytes back, but there are only 1/],
    ['a match from no bytes back', [0x10, 0x61, 0, 0, 0x00], /a match from 0 bytes back/],
    ['more literals than there are', [0x50, 0x61, 0x62], /5 literals, but the block has only 2 more bytes/],
    ['an end within a length', [0xf0, 0xff], /the block ends in a length/],
    ['an end within the length of a match', [0x1f, 0x61, 1, 0, 0xff], /the block ends in a length/],
    ['an end within an offset', [0x10, 0x61, 1], /the block ends in an offset/],
    ['an end behind a match', [0x10, 0x61, 1, 0], /the block ends in a match/],
  ] as const) {
    it(`a block with ${what}`, () => {
      expectFailure(joined([2, 0x21, 0x4c, 0x18, block.length, 0, 0, 0], block), 'corrupt', message);
    });
  }

  it('matches that overlap what they copy, from every distance', () => {
    for (let distance = 1; distance <= 12; distance++) {
      const literals = Array.from({ length: distance }, (_, i) => 0x41 + i);
      // 4 + 15 + 20 bytes of match, and no literals behind it.
      const block = [(distance << 4) | 15, ...literals, distance, 0, 20, 0x00];
      const { bytes } = unpack(joined([2, 0x21, 0x4c, 0x18, block.length, 0, 0, 0], block), { name: 'image' });
      expect([...bytes]).to.deep.equal(Array.from({ length: distance + 39 }, (_, i) => 0x41 + (i % distance)));
    }
  });
});

describe('unpack: bzip2', () => {
  const { packed } = vector('text.bz2');
  /** The stream from its first block on, with the bits behind the block's magic replaced. */
  const block = (...bits: string[]): Uint8Array => {
    const text = bits.join('').padEnd(8 * Math.ceil(bits.join('').length / 8 + 8), '0');
    return joined(
      packed.subarray(0, 10),
      (text.match(/.{8}/g) ?? []).map(byte => Number.parseInt(byte, 2)),
    );
  };
  const [crc, plain, first] = ['0'.repeat(32), '0', '0'.repeat(24)];
  /** One byte occurs: `a`. */
  const used = `${'0'.repeat(6)}1${'0'.repeat(9)}${'0'.repeat(1)}1${'0'.repeat(14)}`;
  const [two, oneGroup] = ['010', `${'0'.repeat(14)}1`];

  it('the checksums of blocks and of the stream are verified', () => {
    expectFailure(changed(packed, 11), 'corrupt', /the CRC-32 of the block is 0x[0-9a-f]+, its bytes give 0x[0-9a-f]+$/);
    expectFailure(changed(packed, -3), 'corrupt', /the CRC-32 of the stream is 0x[0-9a-f]+, its blocks give 0x[0-9a-f]+$/);
  });

  it('a run of a byte that goes on beyond the room', () => {
    expectFailure(vector('zeros.bz2').packed, 'limit', /unpacks to more than 299999 bytes, the limit$/, { limit: 299_999 });
  });

  for (const [what, bytes, message] of [
    ['a block that was randomised', block(crc, '1'), /the block is randomised/],
    ['no byte', block(crc, plain, first, '0'.repeat(16)), /no byte occurs in the block/],
    ['a single table', block(crc, plain, first, used, '001'), /1 Huffman tables, where there are 2 to 6/],
    ['no group', block(crc, plain, first, used, two, '0'.repeat(15)), /the block has no groups of symbols/],
    [
      'a table that does not exist',
      block(crc, plain, first, used, two, oneGroup, '11'),
      /a group of symbols has a table that does not exist/,
    ],
    ['a code of no bits', block(crc, plain, first, used, two, oneGroup, '0', '00000', '0'), /a code of 0 bits/],
    ['too many codes', block(crc, plain, first, used, two, oneGroup, '0', '00001', '000'), /more codes than there are symbols/],
    [
      'bits that are no code',
      block(crc, plain, first, used, two, oneGroup, '0', '00010', '000', '00010', '000', '11'),
      /bits that are no code/,
    ],
    [
      'a beginning outside',
      block(crc, plain, '1'.repeat(24), used, two, oneGroup, '0', '00010', '000', '00010', '000', '0010'),
      /the block begins at byte 16777215 of 1/,
    ],
    ['what is no block', joined(packed.subarray(0, 4), new Array(20).fill(1)), /no block begins here, and the stream does not end/],
  ] as const) {
    it(`a block with ${what}`, () => {
      expect(failure(bytes, { format: 'bzip2' }).message).to.match(message);
    });
  }
});

describe('unpack: lzop', () => {
  const { packed } = vector('text.lzo');
  const HEADER = 38;

  it('the checksums of header and blocks are verified', () => {
    expectFailure(changed(packed, 20), 'corrupt', /the header's checksum is 0x[0-9a-f]+, its bytes give 0x[0-9a-f]+$/);
    expectFailure(changed(packed, HEADER + 8), 'corrupt', /the block's Adler-32 is 0x[0-9a-f]+, the unpacked bytes give 0x[0-9a-f]+$/);
    const { packed: sums } = vector('text.crc.lzo');
    expectFailure(changed(sums, HEADER + 8), 'corrupt', /the block's CRC-32 is 0x[0-9a-f]+, the unpacked bytes give 0x[0-9a-f]+$/);
  });

  /** A block of a file without checksums. */
  const file = (size: number, body: readonly number[]): Uint8Array =>
    joined(vector('text.nocheck.lzo').packed.subarray(0, HEADER), [0, 0, 0, size, 0, 0, 0, body.length], body, [0, 0, 0, 0]);
  const END = [0x11, 0, 0];
  const A = 0x61;

  it('each kind of match but the far ones, and of literals', () => {
    const code = (text: string): number[] => [...Buffer.from(text)];
    const body = [
      ...[17 + 4, ...code('abcd')],
      // 4 bytes from 4 back, and a literal
      ...[0b0110_1101, 0, ...code('x')],
      // 8 from 3 back
      ...[0b1110_1000, 0],
      ...[1, ...code('efgh')],
      // 3 from 1 back, and two literals
      ...[0b0010_0001, 2, 0, ...code('yz')],
      // 2 from 2 back
      ...[0b0000_0100, 0],
      ...END,
    ];
    expect(Buffer.from(unpack(file(28, body), { name: 'image' }).bytes).toString()).to.equal('abcdabcdxcdxcdxcdefghhhhyzyz');
  });

  for (const [what, size, body, message] of [
    ['a match from before the beginning', 9, [18, A, 0x44, 0, ...END], /a match from 2 bytes back, but there are only 1/],
    ['more literals than there are', 40, [50, A, A], /33 literals, but the block has only 2 more bytes/],
    ['an end within an instruction', 9, [21, A, A, A, A, 0x40], /the block ends in an instruction/],
    ['an end within a length', 40, [0, 0, 0], /the block ends in an instruction/],
    ['more bytes than its size', 12, [21, A, A, A, A, 0x20 | 9, 0, 0, ...END], /the block unpacks to more than 12 bytes/],
    ['fewer bytes than its size', 40, [21, A, A, A, A, ...END], /the block unpacks to 4 bytes, its size is 40/],
    ['bytes behind its end', 40, [21, A, A, A, A, ...END, 7], /the block ends 1 bytes before its size/],
    ['a size that is larger packed', 2, [1, 2, 3], /a block of 3 bytes that unpacks to 2/],
  ] as const) {
    it(`a block with ${what}`, () => expectFailure(file(size, body), 'corrupt', message));
  }

  it('another method, filters and parts', () => {
    expectFailure(changed(packed, 15, 0x80), 'unsupported', /method 128 of lzop; kelf knows LZO1X/);
    expectFailure(changed(packed, 19, 0x08), 'unsupported', /the file has a filter, or several parts/);
  });
});

describe('unpack: xz and lzma', () => {
  for (const [check, message] of [
    ['crc32', /the block's CRC-32 does not match/],
    ['crc64', /the block's CRC-64 does not match/],
    ['sha256', /the block's SHA-256 does not match/],
  ] as const) {
    it(`the ${check} of a block is verified`, () => {
      const { packed } = vector(`text.${check}.xz`);
      // The index is 12 bytes, the footer too: the byte before them is the check's last.
      expectFailure(changed(packed, -25), 'corrupt', message);
    });
  }

  it('headers, index and footer are verified', () => {
    const { packed } = vector('text.crc32.xz');
    expectFailure(changed(packed, 7, 4), 'corrupt', /the CRC-32 of the header is/);
    expectFailure(changed(packed, 14, 1), 'corrupt', /the CRC-32 of the block header is/);
    expectFailure(changed(packed, -23, 7), 'corrupt', /the index lists 7 blocks, the stream has 1/);
    expectFailure(changed(packed, -22, 0x84), 'corrupt', /the index gives wrong sizes for a block/);
    expectFailure(changed(packed, -13, 1), 'corrupt', /the CRC-32 of the index is/);
    expectFailure(changed(packed, -8, 9), 'corrupt', /the CRC-32 of the footer is/);
    expectFailure(changed(packed, -1, 9), 'corrupt', /the stream has no footer/);
  });

  it('a .lzma that ends before or behind its size', () => {
    const { packed } = vector('text.lzma');
    const sized = packed.slice();
    new DataView(sized.buffer).setBigUint64(5, 12000n, true);
    expect(unpack(sized, { name: 'image' }).bytes).to.deep.equal(TEXT);
    new DataView(sized.buffer).setBigUint64(5, 12001n, true);
    expectFailure(sized, 'corrupt', /the stream unpacks to 12000 bytes, its header says 12001/);
    new DataView(sized.buffer).setBigUint64(5, 11000n, true);
    expectFailure(sized, 'corrupt', /image/);
  });
});

describe('unpack: zstd', () => {
  /** A frame of one block behind a header without a checksum: a window of 1 KiB, or what is given. */
  function frame(type: number, size: number, body: readonly number[], header: readonly number[] = [0x00, 0x00]): Uint8Array {
    const word = 1 | (type << 1) | (size << 3);
    return joined([0x28, 0xb5, 0x2f, 0xfd], header, [word & 0xff, (word >> 8) & 0xff, word >> 16], body);
  }
  const packed = (...body: number[]): Uint8Array => frame(2, body.length, body);

  it('the checksum of the content is verified', () => {
    expectFailure(changed(vector('text.zst').packed, -1), 'corrupt', /the content checksum is 0x[0-9a-f]+, the bytes give 0x[0-9a-f]+$/);
    expectFailure(vector('text.zst').packed.subarray(0, -1), 'truncated', /4 bytes are needed here, 3 are left/);
  });

  it('raw and repeated bytes', () => {
    expect([...unpack(frame(0, 2, [7, 8]), { name: 'image' }).bytes]).to.deep.equal([7, 8]);
    expect([...unpack(frame(1, 3, [7]), { name: 'image' }).bytes]).to.deep.equal([7, 7, 7]);
    expect([...unpack(packed(0x10, 7, 8, 0), { name: 'image' }).bytes]).to.deep.equal([7, 8]);
    expect([...unpack(packed(0x19, 7, 0), { name: 'image' }).bytes]).to.deep.equal([7, 7, 7]);
  });

  it('frames between that are to be skipped, and nothing but those', () => {
    const skipped = [0x5f, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    const { bytes, consumed } = unpack(joined(skipped, frame(0, 1, [7]), skipped), { name: 'image' });
    expect([...bytes]).to.deep.equal([7]);
    expect(consumed).to.equal(2 * skipped.length + 10);
    expectFailure(joined(frame(0, 1, [7]), skipped.slice(0, -1)), 'truncated', /3 bytes are needed here, 2 are left/);
  });

  for (const [what, bytes, code, message] of [
    ['a block of the reserved type', frame(3, 1, [7]), 'corrupt', /a block of the reserved type/],
    ['a block larger than the window', frame(1, 1025, [7]), 'corrupt', /a block of 1025 bytes is larger than 1024/],
    ['a reserved bit', frame(0, 1, [7], [0x08, 0x00]), 'unsupported', /a reserved bit of the frame header/],
    ['a dictionary', frame(0, 1, [7], [0x01, 0x00, 0x09]), 'unsupported', /the frame needs a dictionary/],
    ['a content size that is wrong', frame(0, 1, [7], [0x20, 0x02]), 'corrupt', /unpacks to 1 bytes, its header says 2/],
    ['no block', frame(0, 1, [7]).subarray(0, 6), 'truncated', /3 bytes are needed here, 0 are left/],
    ['half a block', frame(0, 5, [7]), 'truncated', /5 bytes are needed here, 1 are left/],
    ['literals that run over', packed(0x40, 7, 8), 'corrupt', /literals go beyond the end of their block/],
    ['more literals than a block may have', packed(0xfd, 0xff, 7, 0), 'corrupt', /literals, but a block has at most 1024 bytes/],
    [
      'the Huffman tree of no block',
      packed(0x13, 0x40, 0, 1, 0),
      'corrupt',
      /the block reuses the Huffman tree of an earlier block, but there is none/,
    ],
    ['the tables of no block', packed(0x08, 7, 1, 0xfc, 1), 'corrupt', /the block reuses the table of an earlier block, but there is none/],
    ['reserved modes', packed(0x08, 7, 1, 0x03, 1), 'corrupt', /reserved bits of the modes/],
    ['a code that is too large', packed(0x08, 7, 1, 0x54, 36, 0, 0, 1), 'corrupt', /code 36 is larger than 35/],
    ['a stream without its end mark', packed(0x08, 7, 1, 0x54, 1, 0, 0, 0), 'corrupt', /a stream of bits does not end in a set bit/],
    ['too few bits', packed(0x08, 7, 1, 0x00, 1), 'corrupt', /need more bits than it has/],
    ['too many bits', packed(0x08, 7, 1, 0x54, 1, 0, 0, 7), 'corrupt', /leave bits unused/],
    ['too few literals', packed(0x08, 7, 1, 0x54, 2, 0, 0, 1), 'corrupt', /need more literals than it has/],
    // Offset code 2 and no bits: 4 + 1, minus 3, from behind one literal.
    [
      'a match from before the beginning',
      packed(0x08, 7, 1, 0x54, 1, 2, 0, 0x05),
      'corrupt',
      /a match from 2 bytes back, but there are only 1/,
    ],
  ] as const) {
    it(`a frame with ${what}`, () => expectFailure(bytes, code, message));
  }

  it('a match that repeats one literal', () => {
    // One sequence in RLE modes: 1 literal, offset code 0 (the last offset, 1), match code 4 (7 bytes).
    expect([...unpack(packed(0x08, 7, 1, 0x54, 1, 0, 4, 1), { name: 'image' }).bytes]).to.deep.equal(new Array(8).fill(7));
  });
});

describe('unpack: with node:zlib', () => {
  it('few bytes do not unpack to very many unless the caller says so', refusesMuch);
});

describe('unpack: where there is no node:zlib', () => {
  const { getBuiltinModule } = process;
  before(() => {
    process.getBuiltinModule = (() => undefined) as typeof getBuiltinModule;
  });
  after(() => {
    process.getBuiltinModule = getBuiltinModule;
  });

  for (const { file, packed, sha256 } of vectors().filter(({ file }) => /gz$|zst$/.test(file))) {
    it(file, () => {
      const { bytes, consumed } = unpack(packed, { name: file });
      expect(consumed).to.equal(packed.length);
      expect(createHash('sha256').update(bytes).digest('hex')).to.equal(sha256);
    });
  }

  it('few bytes do not unpack to very many unless the caller says so', refusesMuch);

  it('gzip: no more than the limit, and other data behind', () => {
    const { packed } = vector('text.gz');
    expect(unpack(packed, { name: 'image', limit: 12_000 }).bytes).to.deep.equal(TEXT);
    expectFailure(packed, 'limit', /unpacks to more than 11999 bytes, the limit/, { limit: 11_999 });
    expect(unpack(joined(packed, [1, 2, 3]), { name: 'image', trailing: 'ignore' }).consumed).to.equal(packed.length);
    expectFailure(packed.subarray(0, 2000), 'truncated', /continues past the end/);
  });
});
