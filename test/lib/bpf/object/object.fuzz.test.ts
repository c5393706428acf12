import { expect } from 'chai';
import { type BpfObject, describeObject, Listing, openBpfObject, remarks } from 'kelf/bpf';
import { FormatError } from 'kelf/elf';
import { sampleObject } from '../../../support/bpf-writer.js';
import { mutate, random } from '../../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 1_000);

/** Everything that can be asked of an object. Only opening it may throw: damage in a part is a diagnostic. */
function readAll(bytes: Uint8Array): BpfObject | undefined {
  let object: BpfObject;
  try {
    object = openBpfObject(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  let { length } = JSON.stringify(describeObject(object), (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  const listing = new Listing(object);
  for (const fn of object.functions) {
    attempt(() => {
      const listed = listing.ofFunction(fn);
      for (const text of [...listing.kernelText(fn, listed), ...listed.flatMap(remarks)]) length += text.length;
    });
  }
  for (const { index, size } of listing.sections()) {
    attempt(() => {
      for (const text of listing.llvmText(index, listing.instructions(index, 0, size - (size % 8)))) length += text.length;
    });
  }
  for (const { message } of object.diagnostics) if (message.includes('\n')) throw new Error(message);
  expect(length).to.be.lessThan(1 << 20);
  return object;
}

function attempt(question: () => void): void {
  try {
    question();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

describe('damaged BPF objects', () => {
  const { stackTraceLimit } = Error;
  before(() => {
    Error.stackTraceLimit = 0;
  });
  after(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  const seeds = [sampleObject(true), sampleObject(false)];

  it('the objects that are damaged below are whole', () => {
    for (const seed of seeds) {
      const object = readAll(seed)!;
      expect(object.programs.map(({ name }) => name)).to.deep.equal(['on_read', 'init']);
      expect(object.diagnostics.map(({ message }) => message)).to.deep.equal([
        'object: maps: legacy map definitions: libbpf 1.0 and later refuse the object',
        'object: .data: has relocations, which libbpf does not apply: its pointers do not change',
      ]);
    }
  });

  it('cut off anywhere: an answer or a FormatError', () => {
    for (const seed of seeds) for (let length = 0; length < seed.length; length += 3) readAll(seed.slice(0, length));
  });

  it(`${CASES} mutations: an answer or a FormatError`, () => {
    const next = random(1);
    for (let i = 0; i < CASES; i++) {
      const damaged = mutate(seeds[i % seeds.length]!, next);
      try {
        readAll(damaged);
      } catch (error) {
        throw new Error(`case ${i}: ${Buffer.from(damaged).toString('hex')}`, { cause: error });
      }
    }
  });
});
