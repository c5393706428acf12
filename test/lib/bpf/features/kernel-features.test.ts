import { expect } from 'chai';
import { type Kernel, openKernel } from 'kelf';
import { type Feature, featureGaps, kernelFeatures } from 'kelf/bpf';
import { bpfBtf, bpfKernel } from '../../../support/bpf-kernel.js';
import { kernelOf } from '../../../support/kernel-writer.js';

/** `xdp yes`, `lirc_mode2 no program-type-not-built`, `kprobe open build-unknown`, of those that are named. */
function answers(list: readonly Feature[], ...names: string[]): string[] {
  return names.map(name => {
    const verdict = list.find(feature => feature.name === name)?.verdict;
    if (verdict === undefined) return `${name} -`;
    const word = { accepted: 'yes', refused: 'no', open: 'open' }[verdict.outcome];
    return [name, verdict.certainty === 'likely' ? `${word}?` : word, ...(verdict.code === 'accepted' ? [] : [verdict.code])].join(' ');
  });
}

const listed = ['array_map_ops'];

describe('kernelFeatures', () => {
  it('goes by what was compiled, not by the enums', () => {
    const { programTypes, mapTypes } = kernelFeatures(bpfKernel({ compiled: ['XDP'], data: [...listed, 'htab_map_ops'] }));
    expect(answers(programTypes, 'xdp', 'lirc_mode2', 'netfilter')).to.deep.equal([
      'xdp yes',
      'lirc_mode2 no program-type-not-built',
      'netfilter no unknown-program-type',
    ]);
    expect(answers(mapTypes, 'hash', 'xskmap', 'arena', 'newest')).to.deep.equal([
      'hash yes',
      'xskmap no map-type-not-built',
      'arena no unknown-map-type',
      'newest yes?',
    ]);
  });

  it('goes by a .config where no symbol tells, which is not known to be of the kernel', () => {
    const of = (kernel: Kernel): string[] => answers(kernelFeatures(kernel).programTypes, 'lsm', 'struct_ops');
    expect(of(bpfKernel({ config: { CONFIG_BPF_JIT: 'y' } }))).to.deep.equal(['lsm no? program-type-not-built', 'struct_ops yes?']);
    expect(of(bpfKernel({}))).to.deep.equal(['lsm open build-unknown', 'struct_ops open build-unknown']);
  });

  it('is weaker from BTF alone: options are those that the compiled program types show, and kfuncs are not told', async () => {
    const of = async (...compiled: string[]): Promise<string[]> => {
      using kernel = await openKernel(bpfBtf({ compiled }).btf.bytes(), { name: '6.1.0-1.btf' });
      const { helpers, mapTypes, mechanisms } = kernelFeatures(kernel);
      expect(featureGaps(kernel).map(({ section }) => section)).to.deep.equal(['kfuncs', 'tracepoints']);
      return [...answers(helpers, 'bpf_trace_printk'), ...answers(mapTypes, 'hash', 'xskmap'), ...answers(mechanisms, 'kprobe')];
    };
    expect(await of('KPROBE')).to.deep.equal([
      'bpf_trace_printk yes?',
      'hash yes',
      'xskmap open build-unknown',
      'kprobe open build-unknown',
    ]);
    expect(await of('XDP')).to.include('bpf_trace_printk no? helper-not-built');
  });

  it('says what the .config has for the option of each', () => {
    const { programTypes } = kernelFeatures(bpfKernel({ compiled: ['XDP'], config: { CONFIG_NET: 'y' } }));
    const configs = Object.fromEntries(programTypes.map(({ name, config }) => [name, config]));
    expect(configs).to.include({ xdp: 'CONFIG_NET=y', lirc_mode2: 'CONFIG_BPF_LIRC_MODE2 is not set' });
    expect(kernelFeatures(bpfKernel({})).programTypes.some(feature => 'config' in feature)).to.equal(false);
  });

  it('has attach types only with the programs that they are for, and with what they are attached by', () => {
    const of = (compiled: string[], functions: string[]): string[] => {
      const { attachTypes } = kernelFeatures(bpfKernel({ compiled, functions }));
      return answers(attachTypes, 'XDP', 'LIRC_MODE2', 'TRACE_KPROBE_MULTI', 'NETKIT_PEER');
    };
    expect(of(['XDP', 'KPROBE'], ['register_fprobe'])).to.deep.equal([
      'XDP yes',
      'LIRC_MODE2 no program-type-not-built',
      'TRACE_KPROBE_MULTI yes',
      'NETKIT_PEER no unknown-attach-type',
    ]);
    expect(of(['KPROBE'], []))
      .to.include('TRACE_KPROBE_MULTI no no-such-feature')
      .and.include('XDP no program-type-not-built');
  });

  it('lists who may call a helper, of the programs that were compiled', () => {
    const { helpers } = kernelFeatures(
      bpfKernel({ compiled: ['XDP', 'KPROBE', 'TRACING'], functions: ['bpf_probe_read_kernel'], release: '6.12.0' }),
    );
    const helper = (name: string): object => helpers.find(each => each.name === name)!;
    expect(answers(helpers, 'bpf_map_lookup_elem', 'bpf_trace_printk', 'bpf_redirect')).to.deep.equal([
      'bpf_map_lookup_elem yes',
      'bpf_trace_printk no helper-not-built',
      'bpf_redirect no unknown-helper',
    ]);
    expect(helper('bpf_map_lookup_elem')).to.deep.include({ id: 1, gplOnly: [], byTarget: [], unknown: [] });
    expect(helper('bpf_map_lookup_elem')).to.have.property('programs').that.includes('kprobe').and.not.includes('socket_filter');
    expect(helper('bpf_probe_read_kernel')).to.have.property('gplOnly').that.includes('xdp').and.includes('tracing');
    expect(helper('bpf_trace_printk')).to.deep.include({ programs: [], gplOnly: [] });
  });

  it('has no helper that none of the programs may call', () => {
    const release = '6.1.0';
    const of = (...compiled: string[]): string[] =>
      answers(kernelFeatures(bpfKernel({ compiled, release })).helpers, 'bpf_get_current_pid_tgid');
    expect(of('XDP')).to.deep.equal(['bpf_get_current_pid_tgid no? helper-not-for-type']);
    expect(of('XDP', 'KPROBE')).to.deep.equal(['bpf_get_current_pid_tgid yes']);
  });

  it('finds LSM hooks by the union of them, and which are disabled and may sleep by the sets', () => {
    const spec = { compiled: ['LSM'], hooks: ['file_open', 'getprocattr', 'task_free'], functions: ['bpf_lsm_verify_prog'] };
    const { ids } = bpfBtf(spec);
    const { lsmHooks } = kernelFeatures(
      bpfKernel({
        ...spec,
        idSets: {
          __BTF_ID__set__bpf_lsm_hooks: [2, ids.get('bpf_lsm_file_open')!, ids.get('bpf_lsm_getprocattr')!],
          bpf_lsm_disabled_hooks: [1, ids.get('bpf_lsm_getprocattr')!],
          sleepable_lsm_hooks: [1, ids.get('bpf_lsm_file_open')!],
        },
      }),
    );
    expect(lsmHooks.map(({ name }) => name)).to.deep.equal(['file_open', 'getprocattr', 'task_free']);
    expect(answers(lsmHooks, 'file_open', 'getprocattr', 'task_free')).to.deep.equal([
      'file_open yes',
      'getprocattr no no-lsm-hook',
      'task_free no no-lsm-hook',
    ]);
    expect(lsmHooks.map(({ sleepable }) => sleepable)).to.deep.equal([true, false, false]);
  });

  it('takes for iterators what has a context, and for struct_ops what maps hold', () => {
    const { iterators, structOps } = kernelFeatures(
      bpfKernel({ iterators: ['task', 'bpf_map'], functions: ['bpf_iter_num_new'], structOps: ['tcp_congestion_ops'] }),
    );
    expect(answers(iterators, 'task', 'bpf_map')).to.deep.equal(['task yes', 'bpf_map yes']);
    expect(iterators).to.have.length(2);
    expect(answers(structOps, 'tcp_congestion_ops')).to.deep.equal(['tcp_congestion_ops yes']);
  });

  it('gives each kfunc once, with the flags and the sets of all its rows', () => {
    const spec = { functions: ['bpf_task_acquire'] };
    const id = bpfBtf(spec).ids.get('bpf_task_acquire')!;
    const { kfuncs } = kernelFeatures(
      bpfKernel({ ...spec, idSets: { __BTF_ID__set8__one: [1, 1, id, 1], __BTF_ID__set8__two: [1, 1, id, 4] } }),
    );
    expect(kfuncs).to.have.length(1);
    expect(kfuncs[0]).to.deep.include({
      name: 'bpf_task_acquire',
      prototype: 'void bpf_task_acquire(void)',
      flags: ['KF_ACQUIRE', 'KF_RET_NULL'],
      sets: ['one', 'two'],
    });
  });

  it('tells mechanisms by their functions, and tokens by their command', () => {
    const { mechanisms } = kernelFeatures(
      bpfKernel({ compiled: ['KPROBE'], functions: ['create_local_trace_kprobe', 'register_ftrace_direct'], release: '6.12.0' }),
    );
    expect(answers(mechanisms, 'kprobe', 'uprobe', 'token', 'arena', 'trampolines', 'btf')).to.deep.equal([
      'kprobe yes',
      'uprobe no no-such-feature',
      'token yes',
      'arena no unknown-map-type',
      'trampolines yes',
      'btf yes',
    ]);
    expect(mechanisms.find(({ name }) => name === 'trampolines')!.verdict.because.at(-1)!.says).to.match(/trampolines pass 12 registers/);
  });

  it('goes by the operations alone where there is no BTF', () => {
    const { programTypes, mapTypes } = kernelFeatures(
      kernelOf({ functions: [{ name: 'start_kernel' }], data: ['array_map_ops', 'xdp_verifier_ops', 'htab_map_ops'] }),
    );
    expect(answers(programTypes, 'xdp', 'kprobe')).to.deep.equal(['xdp yes', 'kprobe no program-type-not-built']);
    expect(answers(mapTypes, 'hash', 'xskmap')).to.deep.equal(['hash yes', 'xskmap no map-type-not-built']);
  });

  it('is open, and lists what the tables have, where there is no BTF', () => {
    const { programTypes, helpers, kfuncs, mechanisms } = kernelFeatures(kernelOf({ functions: [{ name: 'start_kernel' }] }));
    expect(answers(programTypes, 'xdp')).to.deep.equal(['xdp open features-unknown']);
    expect(answers(helpers, 'bpf_map_lookup_elem')).to.deep.equal(['bpf_map_lookup_elem open features-unknown']);
    expect(kfuncs).to.deep.equal([]);
    expect(answers(mechanisms, 'btf', 'kprobe')).to.deep.equal(['btf no no-btf', 'kprobe no no-such-feature']);
  });
});
