import { expect } from 'chai';
import { SECTION_DEFINITIONS, sectionMeaning } from 'kelf/bpf';
import { PROGRAM_TYPES } from '../../../../lib/bpf/names/program-types.js';
import { ATTACH_TYPES } from '../../../../lib/bpf/names/uapi.js';

describe('sectionMeaning()', () => {
  for (const [section, type, attachType, target, sleepable] of [
    ['kprobe/vfs_read', 'kprobe', undefined, 'vfs_read', false],
    ['kprobe', 'kprobe', undefined, undefined, false],
    ['kprobe.multi/tty_*', 'kprobe', 'TRACE_KPROBE_MULTI', 'tty_*', false],
    ['uprobe.s//bin/bash:readline', 'kprobe', undefined, '/bin/bash:readline', true],
    ['tp/sched/sched_switch', 'tracepoint', undefined, 'sched/sched_switch', false],
    ['fentry.s/vfs_read', 'tracing', 'TRACE_FENTRY', 'vfs_read', true],
    ['lsm_cgroup/socket_post_create', 'lsm', 'LSM_CGROUP', 'socket_post_create', false],
    ['xdp.frags/cpumap', 'xdp', 'XDP_CPUMAP', undefined, false],
    ['cgroup/connect4', 'cgroup_sock_addr', 'CGROUP_INET4_CONNECT', undefined, false],
    ['tc', 'sched_cls', undefined, undefined, false],
    ['syscall', 'syscall', undefined, undefined, true],
    ['struct_ops.s/init', 'struct_ops', undefined, 'init', true],
  ] as const) {
    it(section, () => {
      const meaning = sectionMeaning(section);
      expect(meaning.definition).to.include({ type, sleepable });
      expect(meaning.definition?.attachType).to.equal(attachType);
      expect(meaning.target).to.equal(target);
      expect(meaning.autoload).to.equal(true);
    });
  }

  it('takes a ? in front for a program that is not autoloaded', () => {
    expect(sectionMeaning('?fentry/vfs_read')).to.deep.include({ name: 'fentry/vfs_read', autoload: false, target: 'vfs_read' });
  });

  it('knows nothing of a name that only begins like one', () => {
    for (const name of ['kprobes/x', 'kprobe_x', 'xdp/other', 'tc/x', 'cgroup', 'mine', '']) {
      expect(sectionMeaning(name).definition, name).to.equal(undefined);
    }
  });

  it('uses types that the kernel has a number for, or that are newer', () => {
    const newer = ['TRACE_FSESSION', 'TRACE_FENTRY_MULTI', 'TRACE_FEXIT_MULTI', 'TRACE_FSESSION_MULTI'];
    for (const { name, type, attachType } of SECTION_DEFINITIONS.values()) {
      expect(
        PROGRAM_TYPES.map(({ name }) => name),
        name,
      ).to.include(type);
      if (attachType !== undefined && !newer.includes(attachType)) expect(ATTACH_TYPES, name).to.include(attachType);
    }
  });
});
