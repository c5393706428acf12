import { expect } from 'chai';
import { Kernel, type Verdict } from 'kelf';
import type { BpfProgram } from 'kelf/bpf';
import { sectionMeaning } from '../../../../lib/bpf/names/section-names.js';
import { PreflightModules } from '../../../../lib/bpf/preflight/modules.js';
import { matchesPattern, TargetChecks } from '../../../../lib/bpf/preflight/target-checks.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { kernelOf } from '../../../support/kernel-writer.js';

const btf = new BtfWriter();
const int = btf.int('int', 4, 1);
const proto = btf.funcProto(int, [['n', int]]);
for (const name of ['traced', 'quiet', 'bpf_lsm_file_open', 'bpf_lsm_quiet', 'bpf_iter_task', 'bpf_iter_bpf_map_elem'])
  btf.func(name, proto);
btf.func('variadic', btf.funcProto(int, [['', 0]]));

/** Functions with and without sites, and what BPF programs need of the kernel to be attached. */
const kernel: Kernel = kernelOf({
  functions: [
    { name: 'traced', site: 0 },
    { name: 'quiet' },
    { name: 'variadic', site: 0 },
    { name: 'twice', binding: 'local', site: 0 },
    { name: 'twice', binding: 'local', site: 0 },
    { name: 'count_symbols' },
    { name: 'bpf_lsm_file_open', site: 0 },
    { name: 'bpf_lsm_quiet' },
    { name: 'bpf_iter_task', site: 0 },
    { name: 'register_ftrace_direct', site: 0 },
    { name: 'register_fprobe', site: 0 },
    { name: '__x64_sys_bpf', site: 0 },
    { name: '__x64_sys_openat', site: 0 },
    { name: '__traceiter_wakeup', site: 0 },
  ],
  btf: btf.bytes(),
  data: ['jiffies', '__tracepoint_wakeup', '__tracepoint_bare', '__bpf_trace_tp_map_wakeup'],
});

/** Subject, errno and code of each verdict on a program of a section. */
function said(section: string, on = kernel): string[] {
  const checks = new TargetChecks(on, new PreflightModules(on));
  return checks.verdicts({ meaning: sectionMeaning(section) } as BpfProgram).map(({ subject, verdict }) => `${subject}: ${brief(verdict)}`);
}

function brief({ outcome, errno, code }: Verdict): string {
  return `${outcome === 'open' ? 'open' : outcome === 'accepted' ? 'yes' : `no ${errno}`} ${code}`;
}

describe('Targets of BPF programs', () => {
  it('are asked of the tool where the section names none', () => {
    expect(said('kprobe')).to.deep.equal(['target of kprobe: open no-target']);
    expect(said('fentry')).to.deep.equal(['target of fentry: open no-target']);
    expect(said('kprobe/')).to.deep.equal(['target of kprobe: open no-target']);
  });

  it('are none of programs that a tool attaches to what it names, nor of struct_ops', () => {
    for (const section of ['xdp', 'tc', 'socket', 'perf_event', 'struct_ops/init']) expect(said(section), section).to.deep.equal([]);
  });

  describe('of kprobes', () => {
    it('are functions by name', () => {
      expect(said('kprobe/traced')).to.deep.equal(['kprobe on traced: yes accepted']);
      expect(said('kprobe/twice')).to.deep.equal(['kprobe on twice: no EADDRNOTAVAIL ambiguous-name']);
      expect(said('kprobe/nothing')).to.deep.equal(['kprobe on nothing: no ENOENT no-symbol']);
    });

    it('may have an offset, return probes may not', () => {
      expect(said('kprobe/traced+0')).to.deep.equal(['kprobe on traced+0: yes accepted']);
      expect(said('kprobe/traced+0x4')).to.deep.equal(['kprobe on traced+0x4: yes accepted']);
      expect(said('kretprobe/traced')).to.deep.equal(['kretprobe on traced: yes accepted']);
      expect(said('kretprobe/traced+4')).to.deep.equal(['kretprobe on traced+4: no EINVAL not-the-entry']);
    });

    it('are of the form that libbpf reads', () => {
      expect(said('kprobe/a-b')).to.deep.equal(['kprobe on a-b: no EINVAL bad-target']);
      expect(said('kprobe/traced+x')).to.deep.equal(['kprobe on traced+x: no EINVAL bad-target']);
    });

    it('are the entry of a system call, by the wrappers that the kernel has', () => {
      expect(said('ksyscall/openat')).to.deep.equal(['ksyscall on __x64_sys_openat: yes accepted']);
      expect(said('kretsyscall/openat+4')).to.deep.equal(['kretsyscall on __x64_sys_openat+4: no EINVAL not-the-entry']);
      expect(said('kretsyscall/openat')).to.deep.equal(['kretsyscall on __x64_sys_openat: yes accepted']);
      const unwrapped = kernelOf({ functions: [{ name: '__se_sys_openat', site: 0 }] });
      expect(said('ksyscall/openat', unwrapped)).to.deep.equal(['ksyscall on __se_sys_openat: yes accepted']);
    });
  });

  describe('of multi kprobes', () => {
    it('are a name, or a pattern over what ftrace can trace', () => {
      expect(said('kprobe.multi/traced')).to.deep.equal(['kprobe.multi on traced: yes accepted']);
      expect(said('kprobe.multi/tra*')).to.deep.equal(['kprobe.multi on tra*: yes accepted']);
      expect(said('kprobe.multi/quie?')).to.deep.equal(['kprobe.multi on quie?: no ENOENT no-match']);
      expect(said('kprobe.multi/a-b')).to.deep.equal(['kprobe.multi on a-b: no EINVAL bad-target']);
    });

    it('are open where the sites are not known, and none where the kernel was built without kprobe.multi', () => {
      const functions = [
        { name: 'traced', site: 0 },
        { name: 'register_fprobe', site: 0 },
      ];
      const unknown = new Kernel({ ...kernelOf({ functions }).pieces, ftrace: () => 'unknown' });
      expect(said('kprobe.multi/tra*', unknown)).to.deep.equal(['kprobe.multi on tra*: open sites-unknown']);
      expect(said('kprobe.multi/tra*', kernelOf({ functions: functions.slice(0, 1) }))).to.deep.equal([
        'kprobe.multi on tra*: no EOPNOTSUPP no-kprobe-multi',
      ]);
    });
  });

  it('of multi kprobes are likely where a pattern matches more than ftrace can trace', () => {
    const certainty = (pattern: string): string | undefined =>
      new TargetChecks(kernel, new PreflightModules(kernel)).verdicts({
        meaning: sectionMeaning(`kprobe.multi/${pattern}`),
      } as BpfProgram)[0]?.verdict.certainty;
    expect(certainty('tra*')).to.equal('proven');
    expect(certainty('*a*')).to.equal('proven');
    expect(certainty('*')).to.equal('likely');
  });

  describe('of trampolines', () => {
    it('are loaded by BTF, then attached by a site', () => {
      expect(said('fentry/traced')).to.deep.equal(['fentry for traced: yes accepted', 'fentry on traced: yes accepted']);
      expect(said('fexit.s/quiet')).to.deep.equal(['fexit for quiet: yes accepted', 'fexit on quiet: no EBUSY no-ftrace-site']);
      expect(said('fentry/vmlinux:traced')).to.deep.equal(said('fentry/traced'));
    });

    it('are not attached where they are not loaded', () => {
      expect(said('fentry/variadic')).to.deep.equal(['fentry for variadic: no EINVAL variable-arguments']);
      expect(said('fmod_ret/traced')).to.deep.equal(['fmod_ret for traced: no EINVAL not-modifiable']);
      // libbpf finds no type: the kernel is not asked.
      expect(said('fentry/nothing')).to.deep.equal(['fentry for nothing: no ESRCH no-btf-func']);
    });

    it('may be of a module, of which nothing is known here', () => {
      expect(said('fentry/xfs:traced')).to.deep.equal(['fentry for xfs:traced: open in-module']);
    });
  });

  it('of LSM programs are hooks, attached as functions', () => {
    expect(said('lsm/file_open')).to.deep.equal(['hook file_open: yes accepted', 'lsm on bpf_lsm_file_open: yes accepted']);
    expect(said('lsm/quiet')).to.deep.equal(['hook quiet: yes accepted', 'lsm on bpf_lsm_quiet: no EBUSY no-ftrace-site']);
    expect(said('lsm/nothing')).to.deep.equal(['hook nothing: no ESRCH no-lsm-hook']);
    expect(said('lsm/file_open', kernelOf({ functions: [{ name: 'f' }] }))).to.deep.equal(['hook file_open: no EINVAL no-btf']);
  });

  it('of iterators are functions of BTF', () => {
    expect(said('iter/task')).to.deep.equal(['iterator task: yes accepted']);
    // Its map is the tool's to give.
    expect(said('iter/bpf_map_elem')).to.deep.equal(['iterator bpf_map_elem: open no-target']);
    expect(said('iter/nothing')).to.deep.equal(['iterator nothing: no ESRCH no-iterator']);
  });

  it('of raw tracepoints are tracepoints with a table for BPF', () => {
    expect(said('raw_tp/wakeup')).to.deep.equal(['tracepoint wakeup: yes accepted']);
    expect(said('raw_tp/bare')).to.deep.equal(['tracepoint bare: no ENOENT no-raw-tracepoint']);
    expect(said('raw_tp/nothing')).to.deep.equal(['tracepoint nothing: no ENOENT no-tracepoint']);
  });

  it('of typed ones are typedefs, which libbpf itself looks for', () => {
    expect(said('tp_btf/wakeup')).to.deep.equal(['tracepoint wakeup: no ESRCH no-tracepoint-btf']);
    expect(said('tp_btf/nothing')).to.deep.equal(['tracepoint nothing: no ESRCH no-tracepoint']);
  });

  it('of events are of the form category/name', () => {
    expect(said('tp/wakeup')).to.deep.equal(['event wakeup: no EINVAL bad-target']);
    expect(said('tp/sched/wakeup')).to.deep.equal(['event sched/wakeup: open tracepoint-unknown']);
  });

  it('of events are in the folder of their system, and no records of ftrace itself', () => {
    const on = kernelOf({ functions: [{ name: 'f' }] });
    const event = (name: string, system: string): object => ({ name, system, tracepoint: true, raw: true, event: true });
    const found: Record<string, object> = { wakeup: event('wakeup', 'sched'), print: event('print', 'ftrace') };
    Object.defineProperty(on, 'tracepoints', {
      value: { listsData: true, listsEvents: true, all: () => [], find: (name: string) => found[name] },
    });
    expect(said('tp/sched/wakeup', on)).to.deep.equal(['event sched/wakeup: yes accepted']);
    expect(said('tp/irq/wakeup', on)).to.deep.equal(['event irq/wakeup: no ENOENT no-trace-event']);
    expect(said('tp/sched/nothing', on)).to.deep.equal(['event sched/nothing: no ENOENT no-tracepoint']);
    expect(said('tp/ftrace/print', on)).to.deep.equal(['event ftrace/print: no EINVAL no-trace-event']);
  });

  it('elsewhere are left open', () => {
    for (const section of ['uprobe//bin/sh:main', 'uprobe/main', 'usdt/libc:setjmp', 'freplace/other', 'fentry.multi/tty_*'])
      expect(said(section).join(), section).to.match(/^[^,]+: open target-elsewhere$/);
  });

  it('are not called where the BPF security module is not active', () => {
    const withLsm = (config: Readonly<Record<string, string>>): Kernel =>
      kernelOf({
        functions: ['bpf_lsm_file_open', 'traced', 'register_ftrace_direct'].map(name => ({ name, site: 0 })),
        btf: btf.bytes(),
        config,
      });
    const inactive = withLsm({ CONFIG_LSM: '"landlock,bpf_like"' });
    expect(said('lsm/file_open', inactive).at(-1)).to.equal('calls of file_open: yes lsm-not-active');
    expect(said('fentry/bpf_lsm_file_open', inactive).at(-1)).to.equal('calls of bpf_lsm_file_open: yes lsm-not-active');
    expect(said('fentry/traced', inactive).join()).not.to.include('lsm-not-active');
    for (const config of [
      { CONFIG_LSM: '"landlock,bpf"' },
      { CONFIG_BPF: 'y' },
      { CONFIG_LSM: '"landlock"', CONFIG_CMDLINE: '"quiet lsm=bpf"' },
    ])
      expect(said('lsm/file_open', withLsm(config)).join(), JSON.stringify(config)).not.to.include('lsm-not-active');
    expect(said('lsm/file_open').join(), 'without a configuration').not.to.include('lsm-not-active');
  });
});

describe('matchesPattern', () => {
  const cases: [string, string, boolean][] = [
    ['tty_write', 'tty_*', true],
    ['tty_write', '*', true],
    ['tty_write', 'tty_writ?', true],
    ['tty_write', 'tty_write?', false],
    ['tty_write', '*y_*te', true],
    ['tty_write', 'tty', false],
    ['tty_write', '*x*', false],
    ['', '**', true],
  ];
  for (const [name, pattern, matches] of cases)
    it(`${pattern} ${matches ? 'matches' : 'does not match'} '${name}'`, () => expect(matchesPattern(name, pattern)).to.equal(matches));

  it('takes no longer for a pattern of many stars', () => {
    expect(matchesPattern('a'.repeat(2000), `${'*a'.repeat(1000)}*b`)).to.equal(false);
  });
});
