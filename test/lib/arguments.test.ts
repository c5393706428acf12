import { expect } from 'chai';
import { Btf } from '../../btf/index.js';
import { ElfFile } from '../../elf/index.js';
import { parseKallsyms } from '../../kallsyms/index.js';
import { carve, openBpfObject, Preflight } from '../../lib/bpf-index.js';
import { auditKernel, checkKernel, diffKernels, openKernel, openModule, toJson } from '../../lib/index.js';
import { kernelOf } from '../support/kernel-writer.js';

/** As a program in JavaScript calls it. */
const call = async (ask: (...args: never[]) => unknown, ...args: unknown[]): Promise<unknown> => {
  try {
    return await ask(...(args as never[]));
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
};

describe('a wrong argument', () => {
  const kernel = kernelOf({ functions: [{ name: 'f' }] });

  it('of an input is named, whatever it is', async () => {
    for (const open of [openKernel, openModule, openBpfObject])
      for (const [value, is] of [
        [undefined, 'undefined'],
        [null, 'null'],
        [42, 'a number'],
        [{}, 'another object'],
        [[1], 'another object'],
      ])
        expect(await call(open, value)).to.equal(`TypeError: input is ${is}, not a path, a Uint8Array, a Blob or a source of bytes`);
  });

  it('of a question is named', async () => {
    for (const question of ['traceability', 'attach', 'missingBtf'] as const)
      expect(await call(name => kernel[question](name))).to.equal('TypeError: name is undefined, not a string');
    expect(await call(text => kernel.place(text), 1)).to.equal('TypeError: text is a number, not a string');
    expect(await call(query => kernel.symbolize(query), 1n)).to.equal('TypeError: query is a bigint, not a string');
  });

  it('of the formats is named', async () => {
    expect(await call(Btf.parse.bind(Btf), 'vmlinux')).to.equal('TypeError: bytes is a string, not a Uint8Array');
    expect(await call(parseKallsyms, 'text')).to.equal('TypeError: bytes is a string, not a Uint8Array');
    for (const read of [ElfFile.open.bind(ElfFile), carve])
      expect(await call(read, new Uint8Array(8))).to.match(/^TypeError: source is another object, not a source of bytes/);
  });

  it('in the place of a kernel is named', async () => {
    for (const ask of [auditKernel, checkKernel, (given: never) => new Preflight(given)])
      expect(await call(ask, 'vmlinux')).to.equal('TypeError: kernel is a string, not a kernel that openKernel() opened');
    expect(await call(diffKernels, kernel)).to.equal('TypeError: now is undefined, not a kernel that openKernel() opened');
  });
});

describe('toJson()', () => {
  it('writes what JSON.stringify() refuses', () => {
    expect(toJson({ address: 0xffffffff81000000n, fills: new Map([['R_AARCH64_RELATIVE', 2]]) })).to.equal(
      '{"address":"0xffffffff81000000","fills":{"R_AARCH64_RELATIVE":2}}',
    );
  });
});
