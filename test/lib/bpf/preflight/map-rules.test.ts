import { expect } from 'chai';
import type { BpfMap } from 'kelf/bpf';
import { againstMap, errnoAgainst } from '../../../../lib/bpf/preflight/map-rules.js';

const NO_PREALLOC = 1;
const MMAPABLE = 0x400;

const map = (typeName: string, keySize: number, valueSize: number, maxEntries: number, more: Partial<BpfMap> = {}): BpfMap => ({
  name: 'm',
  kernelName: 'm',
  origin: 'btf',
  section: '.maps',
  offset: 0,
  type: 0,
  typeName,
  keySize,
  valueSize,
  maxEntries,
  flags: 0,
  pinned: false,
  autocreate: true,
  ...more,
});

describe('againstMap', () => {
  it('wants sizes and entries', () => {
    expect(againstMap(map('hash', 4, 8, 1))).to.equal(undefined);
    expect(againstMap(map('hash', 4, 8, 0))).to.equal('max_entries is 0, and a hash has more than 0');
    expect(againstMap(map('array', 8, 8, 1))).to.equal('it has keys of 8 bytes, and a array keys of 4');
    expect(againstMap(map('ringbuf', 0, 0, 0))).to.match(/^max_entries is 0/);
    expect(againstMap(map('ringbuf', 0, 8, 4096))).to.match(/^it has values of 8 bytes/);
    expect(againstMap(map('stack_trace', 4, 12, 1))).to.match(/values of a multiple of 8/);
    const buildIds = { flags: 0x20 };
    expect([8, 32].map(size => againstMap(map('stack_trace', 4, size, 1, buildIds)) === undefined)).to.deep.equal([false, true]);
    expect(againstMap(map('cgroup_storage', 16, 8, 1))).to.match(/^max_entries is 1/);
  });

  it('lets libbpf fill in the entries of a perf_event_array, and not its sizes', () => {
    expect(againstMap(map('perf_event_array', 4, 4, 0))).to.equal(undefined);
    expect(againstMap(map('perf_event_array', 0, 0, 0))).to.match(/^it has keys of 0 bytes/);
  });

  it('wants an inner map, which is one that can be made', () => {
    expect(againstMap(map('hash_of_maps', 4, 4, 1))).to.match(/needs an inner map/);
    expect(againstMap(map('hash_of_maps', 4, 4, 1, { inner: map('array', 4, 8, 1) }))).to.equal(undefined);
    expect(againstMap(map('array_of_maps', 4, 4, 1, { inner: map('hash', 4, 8, 0) }))).to.match(/^its inner map: max_entries/);
  });

  it('wants flags, and refuses others', () => {
    expect(againstMap(map('lpm_trie', 8, 8, 1))).to.equal('a lpm_trie needs the flag NO_PREALLOC');
    expect(againstMap(map('lpm_trie', 8, 8, 1, { flags: NO_PREALLOC }))).to.equal(undefined);
    expect(againstMap(map('array', 4, 8, 1, { flags: NO_PREALLOC }))).to.equal('a array does not take the flag NO_PREALLOC');
    expect(againstMap(map('array', 4, 8, 1, { flags: MMAPABLE }))).to.equal(undefined);
    const lru = map('lru_hash', 4, 8, 1, { flags: NO_PREALLOC });
    expect([againstMap(lru) === undefined, errnoAgainst(lru), errnoAgainst(map('hash', 0, 0, 0))]).to.deep.equal([
      false,
      'ENOTSUPP',
      'EINVAL',
    ]);
  });

  it('wants the types of what is stored with a task, a socket, an inode or a cgroup', () => {
    const storage = { flags: NO_PREALLOC };
    expect(againstMap(map('task_storage', 4, 8, 0, storage))).to.match(/needs the types of its key and value/);
    const types = { keyTypeId: 1, valueTypeId: 2 } as Pick<BpfMap, 'keyTypeId' | 'valueTypeId'>;
    expect(againstMap(map('task_storage', 4, 8, 0, { ...storage, ...types }))).to.equal(undefined);
  });

  it('says nothing of types that it does not know', () => {
    expect(againstMap(map('type 99', 0, 0, 0))).to.equal(undefined);
  });
});
