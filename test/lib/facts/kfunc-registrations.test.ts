import { expect } from 'chai';
import type { Kernel } from 'kelf';
import { kfuncRegistrations } from '../../../lib/facts/kfunc-registrations.js';
import { BtfWriter } from '../../support/btf-writer.js';
import { kernelOf, SIZE } from '../../support/kernel-writer.js';

const TRACING = 26;

/** xor edi, edi or mov edi, TYPE; mov rsi, KSET; call of the first function, from the one that stands N functions behind it. */
function call(type: number, kset: bigint, distance: bigint): number[] {
  const bytes = (value: bigint): number[] => [...new Uint8Array(Uint32Array.of(Number(BigInt.asUintN(32, value))).buffer)];
  return [0xbf, type, 0, 0, 0, 0x48, 0xc7, 0xc6, ...bytes(kset), 0xe8, ...bytes(-(distance * SIZE + 17n))];
}

/** A kernel whose one function registers a set for a type, by a struct with a filter or without. */
function kernel(spec: { readonly type: number; readonly filter: number; readonly hasFilter: boolean; readonly kset?: bigint }): Kernel {
  const btf = new BtfWriter();
  const pointer = btf.ptr(0);
  const members = ['owner', 'set', ...(spec.hasFilter ? ['filter'] : [])];
  btf.struct(
    'btf_kfunc_id_set',
    members.length * 8,
    members.map((name, i) => [name, pointer, i * 64]),
  );
  const made = (set: bigint, kset: bigint): Kernel =>
    kernelOf({
      functions: ['register_btf_kfunc_id_set', 'init_subsystem', 'start_kernel'].map(name => ({ name })),
      btf: btf.bytes(),
      code: { init_subsystem: call(spec.type, kset, 1n) },
      idSets: {
        __BTF_ID__set8__one_ids: [0, 1],
        kset: [0, 0, Number(BigInt.asUintN(32, set)), Number(set >> 32n), spec.filter, 0],
      },
    });
  // Where the tables stand is known once they are written.
  const { labels } = made(0n, 0n).pieces;
  return made(labels('__BTF_ID__set8__one_ids')!, spec.kset ?? labels('kset')!);
}

describe('kfuncRegistrations', () => {
  const of = (spec: Parameters<typeof kernel>[0]): object => Object.fromEntries(kfuncRegistrations(kernel(spec)).sets ?? [['none', 0]]);

  it('tells what a set is registered for, by the code that does so', () => {
    expect(of({ type: TRACING, filter: 0, hasFilter: true })).to.deep.equal({ one_ids: { types: [TRACING], filtered: false } });
    expect(of({ type: 0, filter: 0x1000, hasFilter: true })).to.deep.equal({ one_ids: { types: [0], filtered: true } });
  });

  it('takes what is behind the struct for no filter, before it has one', () => {
    expect(of({ type: TRACING, filter: 0x1000, hasFilter: false })).to.deep.equal({ one_ids: { types: [TRACING], filtered: false } });
  });

  it('tells nothing where a call does not show its set', () => {
    expect(of({ type: TRACING, filter: 0, hasFilter: true, kset: 0x10n })).to.deep.equal({ none: 0 });
    expect(kfuncRegistrations(kernelOf({ functions: [{ name: 'start_kernel' }] })).sets).to.equal(undefined);
  });
});
