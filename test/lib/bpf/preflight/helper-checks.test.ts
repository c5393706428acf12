import { expect } from 'chai';
import { openBpfObject, Preflight } from 'kelf/bpf';
import { sectionMeaning } from '../../../../lib/bpf/names/section-names.js';
import { helperRule } from '../../../../lib/bpf/preflight/helper-sets.js';
import { bpfObject, CODE, DATA, insns } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { kernelOf } from '../../../support/kernel-writer.js';

const PROBE_READ = 4;
const TRACE_PRINTK = 6;
const PULL_DATA = 39;
const OVERRIDE_RETURN = 58;
const PROBE_READ_KERNEL = 113;
const GET_CURRENT_PID_TGID = 14;
const D_PATH = 147;
const COPY_FROM_USER = 148;

const answer = (section: string, helper: number, release?: string): string =>
  helperRule(sectionMeaning(section).definition!, helper, release).answer;

describe('helperRule', () => {
  it('goes by the program type, and by the releases on both sides', () => {
    expect(answer('socket', PROBE_READ, '6.1.0-56-cloud-amd64')).to.equal('no');
    expect(answer('kprobe/f', PROBE_READ, '6.1.0-56-cloud-amd64')).to.equal('yes');
    expect(answer('xdp', GET_CURRENT_PID_TGID, '6.1')).to.equal('no');
    expect(answer('xdp', GET_CURRENT_PID_TGID, '6.12.1')).to.equal('yes');
    expect(answer('xdp', GET_CURRENT_PID_TGID, '6.8'), 'between 6.1 and 6.12').to.equal('unknown');
    expect(answer('socket', PROBE_READ, '5.15'), 'the same on both sides').to.equal('no');
  });

  it('answers for older releases by the first, and does not refuse on newer ones than the last', () => {
    expect(answer('socket', PROBE_READ, '4.19')).to.equal('no');
    expect(answer('socket', PROBE_READ_KERNEL, '5.4')).to.equal('yes');
    expect(answer('socket', PROBE_READ, '8.0')).to.equal('unknown');
    expect(answer('socket', PROBE_READ_KERNEL, '8.0')).to.equal('yes');
  });

  it('answers without a release where all agree', () => {
    expect(answer('socket', PROBE_READ)).to.equal('no');
    expect(answer('socket', PROBE_READ_KERNEL)).to.equal('yes');
    expect(answer('xdp', GET_CURRENT_PID_TGID)).to.equal('unknown');
  });

  it('leaves open what a later release took away', () => {
    expect(answer('lwt_seg6local', PULL_DATA, '5.10')).to.equal('unknown');
  });

  it('tells programs that may sleep from others, and attach types', () => {
    expect(answer('uprobe//bin/sh:main', COPY_FROM_USER, '6.1')).to.equal('sleeps');
    expect(answer('uprobe.s//bin/sh:main', COPY_FROM_USER, '6.1')).to.equal('yes');
    expect(answer('fentry/f', COPY_FROM_USER, '6.12')).to.equal('sleeps');
    expect(answer('fentry.s/f', COPY_FROM_USER, '6.12')).to.equal('yes');
    const BIND = 64;
    expect([answer('cgroup/connect4', BIND, '6.1'), answer('cgroup/bind4', BIND, '6.1')]).to.deep.equal(['yes', 'no']);
    expect(answer('fentry/f', D_PATH, '6.1')).to.equal('target');
  });

  it('knows of struct_ops and freplace what all programs may call', () => {
    for (const section of ['struct_ops/init', 'freplace/f'])
      expect([answer(section, PROBE_READ_KERNEL, '6.1'), answer(section, PROBE_READ, '6.1')]).to.deep.equal(['yes', 'unknown']);
  });

  it('tells which are for the GPL only', () => {
    const gplOnly = (section: string, helper: number): boolean => helperRule(sectionMeaning(section).definition!, helper, '6.1').gplOnly;
    expect(gplOnly('xdp', TRACE_PRINTK)).to.equal(true);
    expect(gplOnly('xdp', 1)).to.equal(false);
    const GET_STACKID = 27;
    expect([gplOnly('kprobe/f', GET_STACKID), gplOnly('perf_event', GET_STACKID)]).to.deep.equal([true, false]);
  });
});

describe('Helpers that a program calls', () => {
  /** The code of each finding against a program of a section that calls a helper. */
  const against = (
    section: string,
    helper: number,
    license?: string,
    functions: readonly string[] = [],
    errorInjection?: readonly string[],
  ): string[] => {
    const btf = new BtfWriter();
    btf.enum('bpf_prog_type', 4, [
      ['BPF_PROG_TYPE_SOCKET_FILTER', 1],
      ['BPF_PROG_TYPE_KPROBE', 2],
      ['BPF_PROG_TYPE_LSM', 29],
    ]);
    btf.enum('bpf_attach_type', 4, [['BPF_LSM_MAC', 27]]);
    btf.enum('bpf_map_type', 4, [['BPF_MAP_TYPE_HASH', 1]]);
    btf.enum(
      'bpf_func_id',
      4,
      [PROBE_READ, TRACE_PRINTK, OVERRIDE_RETURN, D_PATH].map(id => [`BPF_FUNC_${id}`, id]),
    );
    const kernel = kernelOf({
      functions: ['f', 'bpf_trace_printk', ...functions].map(name => ({ name, site: 0 })),
      release: '6.1.0',
      btf: btf.bytes(),
      ...(errorInjection === undefined ? {} : { errorInjection }),
    });
    const code = insns(true, [0x85, 0, 0, 0, helper], [0x95]);
    const object = bpfObject({
      sections: [
        { name: section, ...CODE, data: code },
        ...(license === undefined ? [] : [{ name: 'license', ...DATA, data: new TextEncoder().encode(`${license}\0`) }]),
      ],
      symbols: [{ name: 'prog', type: 2, binding: 1, section: 1, size: 16n }],
    });
    const { findings } = new Preflight(kernel).check(openBpfObject(object)).programs[0]!;
    return findings
      .filter(({ kind, verdict }) => kind !== 'target' && verdict.code !== 'accepted')
      .map(({ verdict }) => `${verdict.outcome} ${verdict.code}`);
  };

  it('are refused to programs of another type', () => {
    expect(against('socket', PROBE_READ, 'GPL', ['bpf_probe_read_compat'])).to.deep.equal(['refused helper-not-for-type']);
    expect(against('kprobe/f', PROBE_READ, 'GPL', ['bpf_probe_read_compat'])).to.deep.equal([]);
  });

  it('are refused where the kernel was built without them', () => {
    expect(against('kprobe/f', PROBE_READ, 'GPL')).to.deep.equal(['refused helper-not-built']);
    expect(against('kprobe/f', OVERRIDE_RETURN, 'GPL')).to.deep.equal(['refused helper-not-built']);
    expect(against('kprobe/f', OVERRIDE_RETURN, 'GPL', ['bpf_override_return'], ['f'])).to.deep.equal([]);
    expect(against('socket', OVERRIDE_RETURN, 'GPL', ['bpf_override_return'])).to.deep.equal(['refused helper-not-for-type']);
  });

  it('are those that libbpf calls instead, where the kernel lacks them', () => {
    expect(against('kprobe/f', PROBE_READ_KERNEL, 'GPL', ['bpf_probe_read_compat'])).to.deep.equal([]);
    expect(against('kprobe/f', PROBE_READ_KERNEL, 'GPL')).to.deep.equal(['refused unknown-helper']);
    const PROBE_READ_KERNEL_STR = 115;
    expect(against('kprobe/f', PROBE_READ_KERNEL_STR, 'GPL', ['bpf_probe_read_compat'])).to.deep.equal(['refused unknown-helper']);
  });

  it('may change what a function returns that allows error injection only', () => {
    const override = ['bpf_override_return', 'within_error_injection_list'];
    expect(against('kprobe/f', OVERRIDE_RETURN, 'GPL', override, ['f'])).to.deep.equal([]);
    expect(against('kprobe/f', OVERRIDE_RETURN, 'GPL', override, ['bpf_override_return'])).to.deep.equal(['refused not-modifiable']);
    expect(against('kprobe', OVERRIDE_RETURN, 'GPL', override, ['bpf_override_return'])).to.deep.equal([]);
  });

  it('are refused to programs that are not under the GPL, letter for letter', () => {
    for (const license of ['GPL', 'Dual MIT/GPL']) expect(against('socket', TRACE_PRINTK, license)).to.deep.equal([]);
    for (const license of [undefined, '', 'MIT', 'gpl', 'GPL-2.0'])
      expect(against('socket', TRACE_PRINTK, license)).to.deep.equal(['refused gpl-only']);
    expect(against('lsm/file_open', TRACE_PRINTK, 'MIT'), 'programs of this type always').to.deep.equal(['refused gpl-only']);
  });

  it('are open where the function decides, and its list is not found', () => {
    expect(against('lsm/file_open', D_PATH, 'GPL')).to.deep.equal(['open helper-not-for-type']);
  });
});
