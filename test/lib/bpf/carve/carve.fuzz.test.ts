import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { carve } from 'kelf/bpf';
import { isFormatError, MemorySource } from 'kelf/elf';
import { bpftoolLiteral, LIGHT_LOADER, lightBtf, lightData } from '../../../support/light-skeleton.js';
import { mutate, random } from '../../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 5_000);

describe('carve: damaged files', function () {
  this.timeout(0);
  const object = readFileSync(fileURLToPath(new URL('../../../../../fixtures/bpf/tags.bpfel.o', import.meta.url)));
  const literal = `x = "${Array.from(object, byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}";`;
  const light = lightData(lightBtf(), ['on_open', 'on_switch']);
  const seeds: [string, Uint8Array][] = [
    ['an object in a program', Buffer.concat([Buffer.alloc(77, 1), object, Buffer.alloc(9, 2)])],
    ['two objects, and base64', Buffer.concat([object, object, Buffer.from(object.toString('base64'))])],
    ['base64 of gzip', Buffer.from(gzipSync(object).toString('base64'))],
    ['a literal', Buffer.from(literal)],
    ['a light skeleton', Buffer.concat([LIGHT_LOADER, light, LIGHT_LOADER])],
    ['literals of a light skeleton', Buffer.from(`data = ${bpftoolLiteral(light)};\ninsns = ${bpftoolLiteral(LIGHT_LOADER)};\n`)],
  ];
  for (const [what, seed] of seeds) {
    it(`gives finds that lie in the file, in their order, and never an error: ${what}`, () => {
      for (let i = 0; i < CASES / seeds.length; i++) {
        const damaged = mutate(new Uint8Array(seed), random(i));
        try {
          let end = 0;
          for (const { offset, extent, bytes, btf, loader, programs } of carve(new MemorySource(damaged, 'damaged'))) {
            if (offset < end || offset + extent > damaged.length) throw new Error(`${offset}+${extent} of ${damaged.length}`);
            if (bytes.length === 0 || loader?.bytes.length === 0) throw new Error('an empty object');
            for (const part of [btf, ...programs.map(({ instructions }) => instructions)])
              if (part !== undefined && part.offset + part.length > bytes.length)
                throw new Error(`a part at ${part.offset}+${part.length}`);
            end = offset + extent;
          }
        } catch (error) {
          if (!isFormatError(error)) throw new Error(`case ${i}`, { cause: error });
          throw error;
        }
      }
    });
  }

  it('ends soon in a file made of beginnings of light skeletons', () => {
    const beginning = Buffer.concat([Buffer.alloc(1280), lightBtf(), LIGHT_LOADER.subarray(0, 16)]);
    const loaders = Buffer.alloc(1 << 22, LIGHT_LOADER.subarray(0, 16));
    const bytes = Buffer.concat([Buffer.alloc(1 << 22, beginning), light, loaders]);
    const finds = carve(new MemorySource(bytes, 'beginnings'));
    // What is looked at has a limit, and what is behind it is not found.
    if (finds.length > 1) throw new Error('found what is not there');
  });

  it('ends soon in a file made of headers that share one long table', () => {
    const size = 1 << 22;
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    const table = size / 2;
    for (let at = 0; at < table; at += 64) {
      bytes.set(object.subarray(0, 64), at);
      view.setBigUint64(at + 40, BigInt(table - at), true);
      view.setUint16(at + 60, 0x7ff0, true);
    }
    // The last section is out of the file.
    view.setBigUint64(table + 0x7fef * 64 + 32, 1n << 40n, true);
    const finds = carve(new MemorySource(bytes, 'headers'));
    if (finds.length !== 0) throw new Error('found what is not there');
  });
});
