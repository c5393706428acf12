import { expect } from 'chai';
import { Btf, formatType, printC, printJson, printRaw, TypeDescriber } from 'kelf/btf';
import { FormatError } from 'kelf/elf';
import { BtfWriter, everyKind } from '../support/btf-writer.js';
import { mutate, random } from '../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 20_000);

/** Everything there is to do with a blob. Each part may throw a FormatError, and nothing else. */
function useAll(bytes: Uint8Array, base?: Btf): void {
  let btf: Btf;
  try {
    btf = Btf.parse(bytes, { base });
  } catch (error) {
    if (error instanceof FormatError) return;
    throw error;
  }
  let printed = 0;
  const sink = (text: Uint8Array): void => {
    printed += text.length;
  };
  const describer = new TypeDescriber(btf);
  const parts: (() => unknown)[] = [
    () => printRaw(btf, sink),
    () => printJson(btf, sink),
    () => printC(btf, sink),
    () => printC(btf, sink, '7.8'),
    () => btf.functions(),
    () => btf.find('point'),
  ];
  for (let id = btf.firstId; id < btf.count; id++) {
    parts.push(
      () => btf.type(id),
      () => btf.sizeof(id),
      () => btf.alignof(id),
      () => btf.resolve(id),
      () => btf.prototype(id),
      () => formatType(btf, id),
      () => describer.describe(id),
    );
  }
  for (const part of parts) {
    try {
      part();
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  expect(printed).to.be.lessThan(4 << 20);
}

describe('damaged BTF', () => {
  const base = everyKind(new BtfWriter());
  const split = new BtfWriter({ base });
  split.struct('mine', 8, [['point', 10, 0]]);
  split.func('mine', split.funcProto(9, [['mine', split.nextId - 1]]));
  const layout = everyKind(new BtfWriter());
  layout.record('later', 40, 2, 9, [1, 2, 3, 4, 5]);
  layout.layout(Array.from({ length: 41 }, (_, kind) => (kind === 40 ? [4, 8] : [0, 0])));
  const blobs: [string, Uint8Array, Btf?][] = [
    ['a blob', base.bytes()],
    ['a blob of the other byte order', everyKind(new BtfWriter({ littleEndian: false })).bytes()],
    ['a blob with a layout section', layout.bytes()],
    ['a split blob', split.bytes(), Btf.parse(base.bytes())],
  ];
  for (const [what, bytes, under] of blobs) {
    it(`gives a result or a FormatError: ${what}, cut off at every byte`, () => {
      for (let length = 0; length <= bytes.length; length++) useAll(bytes.slice(0, length), under);
    });

    it(`gives a result or a FormatError: ${what}, changed at random`, () => {
      const next = random(bytes.length);
      for (let i = 0; i < CASES / blobs.length; i++) {
        const damaged = mutate(bytes, next);
        try {
          useAll(damaged, under);
        } catch (error) {
          throw new Error(`case ${i}: ${Buffer.from(damaged).toString('hex')}`, { cause: error });
        }
      }
    });
  }
});
