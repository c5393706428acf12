import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Kernel, type ModuleTable, readModules } from 'kelf';
import { type BpfProgram, openBpfObject, Preflight } from 'kelf/bpf';
import { sectionMeaning } from '../../../../lib/bpf/names/section-names.js';
import { PreflightModules } from '../../../../lib/bpf/preflight/modules.js';
import { TargetChecks } from '../../../../lib/bpf/preflight/target-checks.js';
import { bpfObject, CODE, DATA, insns } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { type KernelSpec, kernelOf } from '../../../support/kernel-writer.js';
import { ModuleWriter } from '../../../support/module-writer.js';

const kernelBtf = new BtfWriter();
const int = kernelBtf.int('int', 4, 1);
const own = kernelBtf.struct('owned', 4, [['a', int, 0]]);
kernelBtf.func('of_kernel', kernelBtf.funcProto(int, [['o', kernelBtf.ptr(own)]]));

/** `net.ko`: functions with sites and BTF, a tracepoint with its event, a struct, a registered struct_ops. */
function moduleBytes(): Uint8Array {
  const split = new BtfWriter({ base: kernelBtf });
  const proto = split.funcProto(int, [['n', int]]);
  split.func('in_net', proto);
  split.func('quiet', proto);
  split.func('either', proto);
  split.struct('conn', 16, [
    ['pad', int, 0],
    ['mark', int, 64],
  ]);
  split.typedef('btf_trace_net_event', split.ptr(proto));
  split.var('net_counter', int);
  split.struct('net_ops', 16, [
    ['flags', int, 0],
    ['init', split.ptr(proto), 64],
  ]);
  split.struct('bpf_struct_ops_net_ops', 16, []);
  const functions = ['in_net', '__traceiter_net_event', '__traceiter_bare', 'quiet', 'either'];
  const writer = new ModuleWriter()
    .info('license=GPL', 'name=net', 'vermagic=6.1.0-test SMP', 'depends=')
    .code('.text', functions.length * 32)
    .code('.init.text', 32);
  functions.forEach((name, i) => {
    writer.function(name, '.text', i * 32, 32);
  });
  writer.function('net_init', '.init.text', 0, 32);
  writer.addresses('__mcount_loc', [...[0, 32, 64].map(at => ['.text', at] as const), ['.init.text', 0]]);
  // Data, of which the names alone are looked at.
  writer.section({ name: '.data', type: 1, flags: 3, data: new Uint8Array(64) });
  for (const name of ['__bpf_trace_tp_map_net_event', 'event_net_event', 'str__net__trace_system_name'])
    writer.function(name, '.data', 0, 8);
  return writer.section({ name: '.BTF', type: 1, data: split.bytes() }).bytes();
}

/** `other.ko`: a function that net.ko has without a site. */
function otherBytes(): Uint8Array {
  const split = new BtfWriter({ base: kernelBtf });
  split.func('either', split.funcProto(int, []));
  const writer = new ModuleWriter().info('license=GPL', 'name=other', 'vermagic=6.1.0-test SMP', 'depends=').code('.text', 32);
  writer.function('either', '.text', 0, 32).addresses('__mcount_loc', [['.text', 0]]);
  return writer.section({ name: '.BTF', type: 1, data: split.bytes() }).bytes();
}

const functions: KernelSpec['functions'] = [
  { name: 'of_kernel', site: 0 },
  { name: 'register_ftrace_direct', site: 0 },
  { name: 'register_fprobe', site: 0 },
];

describe('Preflight with the modules of a kernel', () => {
  let folder = '';
  let table: ModuleTable;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-preflight-modules-'));
    writeFileSync(join(folder, 'net.ko'), moduleBytes());
    writeFileSync(join(folder, 'other.ko'), otherBytes());
    table = await readModules(folder, { base: kernel(false).btf, types: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  function kernel(withModules = true): Kernel {
    const made = kernelOf({ functions, btf: kernelBtf.bytes() });
    if (withModules) made.modules = table;
    return made;
  }

  /** Findings on a program in a section, `code (certainty)` each, without what the kernel's reduced BTF leaves open. */
  function said(
    section: string,
    withModules = true,
    make: (btf: BtfWriter) => Partial<Parameters<typeof bpfObject>[0]> = () => ({}),
  ): string[] {
    const btf = new BtfWriter();
    const { sections = [], symbols = [], ...more } = make(btf);
    const bytes = bpfObject({
      btf,
      sections: [{ name: section, ...CODE, data: insns(true, [0xb7], [0x95]) }, ...sections],
      symbols: [{ name: 'prog', type: 2, binding: 1, section: 1, size: 16n }, ...symbols],
      ...more,
    });
    const { programs, findings } = new Preflight(kernel(withModules)).check(openBpfObject(bytes));
    return [...findings, ...programs[0]!.findings]
      .filter(({ verdict }) => verdict.code !== 'features-unknown')
      .map(
        ({ subject, verdict }) =>
          `${subject}: ${verdict.errno ?? (verdict.outcome === 'open' ? 'open' : 'yes')} ${verdict.code} (${verdict.certainty})`,
      );
  }

  it('finds their names of types', () => {
    expect(table.withType('conn')).to.deep.equal([0]);
    expect(table.withType('net_counter')).to.deep.equal([0]);
    expect(table.withType('owned'), "the kernel's own").to.deep.equal([]);
    expect(table.withType('in_net'), 'functions have a table').to.deep.equal([]);
  });

  const loaded = 'yes needs-module (likely)';
  const cases: [section: string, without: string, withThem: string][] = [
    ['kprobe/in_net', 'kprobe on in_net: ENOENT no-symbol (likely)', `kprobe on in_net: ${loaded}`],
    ['kretprobe/in_net', 'kretprobe on in_net: ENOENT no-symbol (likely)', `kretprobe on in_net: ${loaded}`],
    ['kprobe/nothing', 'kprobe on nothing: ENOENT no-symbol (likely)', 'kprobe on nothing: ENOENT no-symbol (proven)'],
    ['kprobe/net_init', 'kprobe on net_init: ENOENT no-symbol (likely)', 'kprobe on net_init: ENOENT no-symbol (proven)'],
    ['kprobe.multi/in_net', 'kprobe.multi on in_net: ESRCH no-symbol (likely)', `kprobe.multi on in_net: ${loaded}`],
    ['kprobe.multi/quiet', 'kprobe.multi on quiet: ESRCH no-symbol (likely)', 'kprobe.multi on quiet: ESRCH no-ftrace-site (proven)'],
    ['kprobe.multi/net_init', 'kprobe.multi on net_init: ESRCH no-symbol (likely)', 'kprobe.multi on net_init: ESRCH no-symbol (proven)'],
    ['kprobe.multi/in_n*', 'kprobe.multi on in_n*: ENOENT no-match (likely)', `kprobe.multi on in_n*: ${loaded}`],
    ['kprobe.multi/qui*', 'kprobe.multi on qui*: ENOENT no-match (likely)', 'kprobe.multi on qui*: ENOENT no-match (proven)'],
    ['kprobe.multi/net_i*', 'kprobe.multi on net_i*: ENOENT no-match (likely)', 'kprobe.multi on net_i*: ENOENT no-match (proven)'],
    ['fentry/in_net', 'fentry for in_net: ESRCH no-btf-func (likely)', `fentry on net:in_net: ${loaded}`],
    ['fexit/net:in_net', 'fexit for net:in_net: open in-module (open)', `fexit on net:in_net: ${loaded}`],
    ['fentry/xfs:in_net', 'fentry for xfs:in_net: open in-module (open)', 'fentry for xfs:in_net: ESRCH no-btf-func (proven)'],
    ['fentry/quiet', 'fentry for quiet: ESRCH no-btf-func (likely)', 'fentry on net:quiet: EINVAL no-ftrace-site (proven)'],
    ['fmod_ret/in_net', 'fmod_ret for in_net: ESRCH no-btf-func (likely)', 'fmod_ret for in_net: open in-module (open)'],
    ['raw_tp/net_event', 'tracepoint net_event: ENOENT no-tracepoint (likely)', `tracepoint net_event: ${loaded}`],
    ['raw_tp/bare', 'tracepoint bare: ENOENT no-tracepoint (likely)', 'tracepoint bare: ENOENT no-raw-tracepoint (proven)'],
    ['tp_btf/net_event', 'tracepoint net_event: ESRCH no-tracepoint (likely)', `tracepoint net_event: ${loaded}`],
    ['tp_btf/bare', 'tracepoint bare: ESRCH no-tracepoint (likely)', 'tracepoint bare: ESRCH no-tracepoint-btf (proven)'],
  ];
  for (const [section, without, withThem] of cases) {
    it(`says of ${section} what loading them changes`, () => {
      expect(said(section, false)).to.deep.equal([without]);
      expect(said(section)).to.deep.equal([withThem]);
    });
  }

  it('looks for events in them, and for the folder of these', () => {
    const event = (section: string): string => {
      const made = kernel();
      // A kernel whose table of events is found, and has none.
      Object.defineProperty(made, 'tracepoints', { value: { listsData: true, listsEvents: true, all: () => [], find: () => undefined } });
      const checks = new TargetChecks(made, new PreflightModules(made));
      const [{ verdict } = {}] = checks.verdicts({ meaning: sectionMeaning(section) } as BpfProgram);
      return `${verdict?.errno ?? 'yes'} ${verdict?.code}`;
    };
    expect(event('tp/net/net_event')).to.equal('yes needs-module');
    expect(event('tp/xfs/net_event')).to.equal('ENOENT no-trace-event');
    expect(event('tp/net/bare')).to.equal('ENOENT no-trace-event');
    expect(event('tp/net/nothing')).to.equal('ENOENT no-tracepoint');
  });

  it('takes of several modules with a function the one that it can be traced in', () => {
    expect(said('fentry/either')).to.deep.equal([`fentry on other:either: ${loaded}`]);
  });

  it('takes kfuncs and variables of theirs for externs, and their functions for addresses', () => {
    const extern = (name: string, declare: (btf: BtfWriter) => number): string[] =>
      said('xdp', true, btf => {
        btf.datasec('.ksyms', 4, [[declare(btf), 0, 4]]);
        return { symbols: [{ name, binding: 1 }] };
      });
    const kfunc = (name: string, parameter: (btf: BtfWriter) => number): string[] =>
      extern(name, btf => btf.func(name, btf.funcProto(btf.int('int', 4, 1), [['n', parameter(btf)]]), 2));
    expect(kfunc('in_net', btf => btf.int('int', 4, 1))).to.deep.equal([`kfunc in_net: ${loaded}`]);
    expect(kfunc('in_net', btf => btf.ptr(0))).to.deep.equal(['kfunc in_net: EINVAL extern-type (proven)']);
    expect(kfunc('nothing', btf => btf.ptr(0))).to.deep.equal(['kfunc nothing: EINVAL unresolved-extern (proven)']);
    expect(extern('net_counter', btf => btf.var('net_counter', btf.int('int', 4, 1), 2))).to.deep.equal([`ksym net_counter: ${loaded}`]);
    expect(extern('in_net', btf => btf.var('in_net', btf.const(0), 2))).to.deep.equal([`typeless-ksym in_net: ${loaded}`]);
    // Their data is not looked at.
    expect(extern('net_data', btf => btf.var('net_data', btf.const(0), 2))).to.deep.equal([
      'typeless-ksym net_data: ESRCH unresolved-extern (likely)',
    ]);
  });

  it('looks for the types of CO-RE in them where the kernel has none of the name', () => {
    const core = (name: string, member: string, withModules: boolean): string[] =>
      said('raw_tp/net_event', withModules, btf => {
        const type = btf.struct(name, 4, [[member, btf.int('int', 4, 1), 0]]);
        return { ext: [[], [], [['raw_tp/net_event', [0, type, btf.string('0:0'), 0]]]] };
      }).filter(line => !line.startsWith('tracepoint'));
    expect(core('conn', 'mark', true)).to.deep.equal([`CO-RE of conn: ${loaded}`]);
    expect(core('conn', 'mark', false).join()).to.match(/^<byte_off> .* struct conn\.mark .*: EINVAL core-poisoned \(likely\)$/);
    expect(core('conn', 'gone', true).join()).to.match(/: EINVAL core-poisoned \(proven\)$/);
    expect(core('owned', 'gone', false).join(), 'a type of its own').to.match(/: EINVAL core-poisoned \(proven\)$/);
    expect(core('owned', 'a', true)).to.deep.equal([]);
  });

  it('finds a struct_ops that they register', () => {
    const ops = (member: string): string[] =>
      said('xdp', true, btf => {
        const type = btf.struct('net_ops', 4, [[member, btf.int('int', 4, 1), 0]]);
        btf.datasec('.struct_ops', 4, [[btf.var('ops', type), 0, 4]]);
        return {
          sections: [{ name: '.struct_ops', ...DATA, data: Uint8Array.of(1, 0, 0, 0) }],
          symbols: [{ name: 'ops', type: 1, binding: 1, section: 2, size: 4n }],
        };
      });
    expect(ops('flags')).to.deep.equal([`struct_ops ops (net_ops): ${loaded}`]);
    expect(ops('gone')).to.deep.equal(['struct_ops ops (net_ops): EOPNOTSUPP struct-ops-member (proven)']);
  });
});
