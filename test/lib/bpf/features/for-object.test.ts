import { expect } from 'chai';
import { featuresFor, openBpfObject, Preflight } from 'kelf/bpf';
import { bpfKernel } from '../../../support/bpf-kernel.js';
import { bpfObject, CODE, DATA, insns } from '../../../support/bpf-writer.js';

const TRACE_PRINTK = 6;

/** What a GPL program of a section that calls a helper needs: `helpers bpf_trace_printk yes`. */
function needs(section: string, helper: number, kernel: ReturnType<typeof bpfKernel>): string[] {
  const object = bpfObject({
    sections: [
      { name: section, ...CODE, data: insns(true, [0x85, 0, 0, 0, helper], [0x95]) },
      { name: 'license', ...DATA, data: new TextEncoder().encode('GPL\0') },
    ],
    symbols: [{ name: 'prog', type: 2, binding: 1, section: 1, size: 16n }],
  });
  return featuresFor(new Preflight(kernel), openBpfObject(object)).map(
    ({ section, feature: { name, verdict }, usedBy }) => `${section} ${name} ${verdict.outcome} ${verdict.code} ${usedBy.join()}`,
  );
}

describe('featuresFor', () => {
  it('lists what an object needs and nothing else, with the programs that do', () => {
    const functions = ['bpf_trace_printk', 'create_local_trace_kprobe'];
    expect(needs('kprobe/start_kernel', TRACE_PRINTK, bpfKernel({ compiled: ['KPROBE'], functions, release: '6.1.0' }))).to.deep.equal([
      'programTypes kprobe accepted accepted prog',
      'helpers bpf_trace_printk accepted accepted prog',
      'mechanisms kprobe accepted accepted prog',
    ]);
  });

  it('has of an attach type what its enumerator alone does not show', () => {
    const kernel = bpfKernel({ compiled: ['KPROBE'], functions: ['bpf_trace_printk'], release: '6.1.0' });
    expect(needs('kprobe.multi/start_kernel', TRACE_PRINTK, kernel)).to.include(
      'attachTypes TRACE_KPROBE_MULTI refused no-such-feature prog',
    );
  });

  it('refuses a helper that the kernel has, but not for these programs', () => {
    const GET_CURRENT_PID_TGID = 14;
    const kernel = bpfKernel({ compiled: ['XDP', 'KPROBE'], release: '6.1.0' });
    expect(needs('xdp', GET_CURRENT_PID_TGID, kernel)).to.include('helpers bpf_get_current_pid_tgid refused helper-not-for-type prog');
  });

  it('names the hook and the iterator that programs are loaded for, whether the kernel has it or not', () => {
    const kernel = bpfKernel({ compiled: ['LSM', 'TRACING'], hooks: ['file_open'], iterators: ['bpf_map_elem'] });
    expect(needs('lsm/file_open', 1, kernel)).to.include('lsmHooks file_open accepted accepted prog');
    expect(needs('lsm/no_such', 1, kernel)).to.include('lsmHooks no_such refused no-lsm-hook prog');
    // It attaches to a map, which is the tool's: the kernel has the iterator.
    expect(needs('iter/bpf_map_elem', 1, kernel)).to.include('iterators bpf_map_elem accepted accepted prog');
  });
});
