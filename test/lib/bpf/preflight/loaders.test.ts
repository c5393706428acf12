import { expect } from 'chai';
import { type Finding, LOADERS, type Loader, openBpfObject, Preflight } from 'kelf/bpf';
import { STB, STT } from 'kelf/elf';
import { bpfObject, CODE, DATA, type InsnSpec, insns, mapNumber } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { cli } from '../../../support/cli.js';
import { kernelOf } from '../../../support/kernel-writer.js';

type ObjectSpec = Parameters<typeof bpfObject>[0];

const [libbpf, cilium, aya] = LOADERS as readonly [Loader, Loader, Loader];
const EXIT: InsnSpec = [0x95];
const CALL: InsnSpec = [0x85, 0, 1, 0, -1];
const LOAD: readonly InsnSpec[] = [[0x18, 1], [0]];
const GPL: ObjectSpec['sections'][number] = { name: 'license', ...DATA, data: new TextEncoder().encode('GPL\0') };

const kernel = (() => {
  const btf = new BtfWriter();
  btf.enum('bpf_prog_type', 4, [
    ['BPF_PROG_TYPE_SOCKET_FILTER', 1],
    ['BPF_PROG_TYPE_SCHED_CLS', 3],
    ['BPF_PROG_TYPE_XDP', 6],
  ]);
  btf.enum('bpf_attach_type', 4, [['BPF_XDP', 37]]);
  btf.enum('bpf_map_type', 4, [
    ['BPF_MAP_TYPE_HASH', 1],
    ['BPF_MAP_TYPE_PERF_EVENT_ARRAY', 4],
    ['BPF_MAP_TYPE_HASH_OF_MAPS', 13],
  ]);
  btf.enum('bpf_func_id', 4, [['BPF_FUNC_trace_printk', 6]]);
  btf.struct('s', 4, [['a', btf.int('int', 4, 1), 0]]);
  return kernelOf({ functions: [{ name: 'f', site: 0 }, { name: 'bpf_trace_printk' }], release: '6.12.0', btf: btf.bytes() });
})();

/** Code and what is said first, of each finding against an object, by the rules of each loader. */
function against(make: (btf: BtfWriter) => ObjectSpec): Record<string, string[]> {
  const btf = new BtfWriter();
  const spec = make(btf);
  const object = bpfObject({ btf, ...spec });
  return Object.fromEntries(
    LOADERS.map(loader => {
      const { findings, programs } = new Preflight(kernel, loader).check(openBpfObject(object));
      const all: readonly Finding[] = [...findings, ...programs.flatMap(program => program.findings)];
      return [loader.name, all.filter(({ verdict }) => verdict.outcome === 'refused').map(({ verdict }) => verdict.code)];
    }),
  );
}

const program = (section: string, code: readonly InsnSpec[] = []): Pick<ObjectSpec, 'sections' | 'symbols'> => ({
  sections: [{ name: section, ...CODE, data: insns(true, ...code, EXIT) }, GPL],
  symbols: [{ name: 'prog', type: STT.FUNC, binding: STB.GLOBAL, section: 1, size: BigInt(code.length * 8 + 8) }],
});

const map = (btf: BtfWriter, numbers: Readonly<Record<string, number>>): number => {
  const int = btf.int('int', 4, 1);
  const members = Object.entries(numbers).map(([name, value], i): [string, number, number] => [name, mapNumber(btf, int, value), i * 64]);
  return btf.struct('', members.length * 8, members);
};

/** An object with a map, which its program loads. */
const withMap =
  (numbers: Readonly<Record<string, number>>, symbol: Partial<ObjectSpec['symbols'][number]> = {}) =>
  (btf: BtfWriter): ObjectSpec => {
    const type = map(btf, numbers);
    const size = Object.keys(numbers).length * 8;
    btf.datasec('.maps', size, [[btf.var('things', type), 0, size]]);
    const { sections, symbols } = program('socket', LOAD);
    return {
      sections: [...sections, { name: '.maps', ...DATA, data: new Uint8Array(size) }],
      symbols: [...symbols, { name: 'things', type: STT.OBJECT, binding: STB.GLOBAL, section: 3, size: BigInt(size), ...symbol }],
      relocations: { socket: [[0, 2]] },
    };
  };

const HASH = { type: 1, key_size: 4, value_size: 4, max_entries: 1 };

describe('Loaders', () => {
  it('take the same plain object', () => {
    expect(against(withMap(HASH))).to.deep.equal({ libbpf: [], cilium: [], aya: [] });
  });

  it('differ about hidden and weak maps', () => {
    expect(against(withMap(HASH, { other: 2 }))).to.deep.equal({ libbpf: ['object-refused'], cilium: [], aya: [] });
    expect(against(withMap(HASH, { binding: STB.WEAK }))).to.deep.equal({ libbpf: [], cilium: ['object-refused'], aya: [] });
  });

  it('differ about what they fill in of a map', () => {
    const perf = against(withMap({ type: 4, max_entries: 0 }));
    expect(perf).to.deep.equal({ libbpf: ['map-refused'], cilium: [], aya: ['map-refused'] });
    const ofMaps = against(withMap({ type: 13, key_size: 4, max_entries: 1 }));
    expect(ofMaps, 'an inner map is needed all the same').to.deep.equal({
      libbpf: ['map-refused'],
      cilium: ['map-refused'],
      aya: ['map-refused'],
    });
  });

  it('differ about calls into sections other than .text, and maps of other sections', () => {
    const elsewhere = (name: string, target: 'code' | 'data') => (): ObjectSpec => {
      const { sections, symbols } = program('socket', target === 'code' ? [CALL] : LOAD);
      const other = target === 'code' ? { name, ...CODE, data: insns(true, EXIT) } : { name, ...DATA, data: new Uint8Array(8) };
      return {
        sections: [...sections, other],
        symbols: [
          ...symbols,
          { name: 'there', type: target === 'code' ? STT.FUNC : STT.OBJECT, binding: STB.GLOBAL, section: 3, size: 8n },
        ],
        relocations: { socket: [[0, 2]] },
      };
    };
    expect(against(elsewhere('xdp', 'code'))).to.deep.equal({ libbpf: ['object-refused'], cilium: [], aya: [] });
    expect(against(elsewhere('.maps.auto', 'data'))).to.deep.include({ libbpf: ['object-refused'], cilium: ['object-refused'] });
  });

  it('differ about legacy maps', () => {
    const legacy = (): ObjectSpec => {
      const { sections, symbols } = program('socket', LOAD);
      const definition = Uint8Array.of(1, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0);
      return {
        sections: [...sections, { name: 'maps', ...DATA, data: definition }],
        symbols: [...symbols, { name: 'old', type: STT.OBJECT, binding: STB.GLOBAL, section: 3, size: 20n }],
        relocations: { socket: [[0, 2]] },
      };
    };
    const said = against(legacy);
    expect([said['libbpf']!.includes('object-refused'), said['cilium'], said['aya']]).to.deep.equal([true, [], []]);
  });

  it('differ about the names of sections', () => {
    const of = (section: string): Record<string, string[]> => against(() => program(section));
    expect(of('xdp_main')).to.deep.equal({ libbpf: ['unknown-section'], cilium: [], aya: ['object-refused', 'unknown-section'] });
    expect(of('tc')).to.deep.equal({ libbpf: [], cilium: [], aya: ['object-refused'] });
    expect(of('classifier')).to.deep.equal({ libbpf: [], cilium: [], aya: [] });
    expect(of('nonsense')['libbpf']).to.deep.equal(['unknown-section']);
    const { definition } = cilium.meaning({ ...openBpfObject(bpfObject(program('cgroup/sock_release'))).programs[0]! });
    expect(definition!.attachType).to.equal('CGROUP_INET_SOCK_RELEASE');
  });

  it('differ about a missing license', () => {
    const PRINTK: InsnSpec = [0x85, 0, 0, 0, 6];
    const { sections, symbols } = program('socket', [PRINTK]);
    expect(against(() => ({ sections: sections.slice(0, 1), symbols }))).to.deep.equal({
      libbpf: ['gpl-only'],
      cilium: ['gpl-only'],
      aya: [],
    });
  });

  it('differ about kinds of CO-RE relocations', () => {
    const TYPE_MATCHES = 12;
    const matches = (btf: BtfWriter): ObjectSpec => {
      const type = btf.struct('s', 4, [['a', btf.int('int', 4, 1), 0]]);
      return { ...program('socket', [[0xb7, 0, 0, 0, 1]]), ext: [[], [], [['socket', [0, type, btf.string('0'), TYPE_MATCHES]]]] };
    };
    expect(against(matches)).to.deep.equal({ libbpf: [], cilium: [], aya: ['core-refused'] });
  });

  it('are named by --loader', async () => {
    expect([libbpf.name, cilium.name, aya.name]).to.deep.equal(['libbpf', 'cilium', 'aya']);
    const { code, stderr } = await cli('bpf', 'check', 'object.o', '--kernel', 'vmlinux', '--loader', 'iproute2');
    expect(code).to.equal(2);
    expect(stderr).to.include("no loader 'iproute2'; there are libbpf, cilium, aya");
  });
});
