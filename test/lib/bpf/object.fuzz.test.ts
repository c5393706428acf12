import { expect } from 'chai';
import { type BpfObject, describeRelocation, openBpfObject, slotsOf, structOpsMembers } from 'kelf';
import { FormatError } from 'kelf/elf';
import { sampleObject } from '../../support/bpf-writer.js';
import { mutate, random } from '../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 2_500);

/** Everything that can be asked of an object. Only opening it may throw: damage in a part is a diagnostic. */
function readAll(bytes: Uint8Array): BpfObject | undefined {
  let object: BpfObject;
  try {
    object = openBpfObject(bytes);
  } catch (error) {
    if (error instanceof FormatError) return undefined;
    throw error;
  }
  let length = (object.license ?? '').length + (object.version ?? 0) / 2 ** 32;
  for (const program of object.programs) length += object.subprogramsOf(program).length;
  for (const map of object.maps) length += slotsOf(object, map).length + map.typeName.length;
  for (const ops of object.structOps) length += structOpsMembers(object, ops).length;
  for (const variable of object.variables) length += (object.data.value(variable) ?? '').length;
  for (const { meaning } of object.relocations) length += describeRelocation(meaning).length;
  for (const { text } of object.coreRelocations) length += text.length;
  for (const { message } of object.diagnostics) if (message.includes('\n')) throw new Error(message);
  expect(length).to.be.lessThan(1 << 20);
  return object;
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
        'object: maps: legacy map definitions: libbpf since 1.0 refuses the object',
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
