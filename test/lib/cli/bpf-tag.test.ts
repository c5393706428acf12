import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { matchedProgram, type TaggedProgram, tagMatchReport } from '../../../lib/report/bpf-tag.js';
import { cli } from '../../support/cli.js';

const OBJECT = 'fixtures/bpf/tags.bpfel.o';
const KERNEL = 'fixtures/kernel/vmlinux-amd64';

describe('kelf bpf tag', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-tag-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const matched = (list: string, ...more: string[]): ReturnType<typeof cli> => {
    const path = join(folder, 'list');
    writeFileSync(path, list);
    return cli('bpf', 'tag', OBJECT, '--kernel', KERNEL, '--match', path, ...more);
  };

  it('takes a bare tag, with either digest', async () => {
    for (const tag of ['a50ce9f05f6df306', 'aa9992f7c8a69717']) {
      const { code, stdout } = await cli('bpf', 'tag', OBJECT, '--kernel', KERNEL, '--match', tag);
      expect({ code, stdout }).to.deep.equal({ code: 0, stdout: `${tag}: ${OBJECT} with_subprograms\n` });
    }
  });

  it('finds the code whatever it is called', async () => {
    const { code, stdout } = await matched(
      '7: kprobe  name innocent  tag a50ce9f05f6df306  gpl\n8: kprobe  name with_subprogram  tag a50ce9f05f6df306  gpl\n',
    );
    expect(code).to.equal(0);
    expect(stdout).to.equal(
      `7: kprobe innocent a50ce9f05f6df306: the same code under another name: ${OBJECT} with_subprograms\n` +
        `8: kprobe with_subprogram a50ce9f05f6df306: ${OBJECT} with_subprograms\n`,
    );
  });

  it('tells who makes programs without a name at run time', async () => {
    const { code, stdout } = await matched('9: cgroup_device  tag 0123456789abcdef  gpl\n');
    expect(code).to.equal(4);
    expect(stdout).to.match(/^9: cgroup_device \(no name\) 0123456789abcdef: from none of these files; systemd, runc and crun make /);
  });

  it('does not say of a program whose own tag is not known that it comes from no file', () => {
    const known: TaggedProgram = {
      path: 'a.o',
      offset: 0,
      program: 'on_load_elf_return',
      section: 'kretprobe/load_elf_binary',
      sha1: '0'.repeat(16),
      sha256: '1'.repeat(16),
      certainty: 'conditional',
      conditions: ['2 CO-RE relocations'],
    };
    const lines = [
      { id: 1, type: 'kprobe', name: 'on_load_elf_ret', tag: '2'.repeat(16) },
      { id: 2, type: 'kprobe', name: 'on_exec', tag: '3'.repeat(16) },
      { type: '', name: '', tag: '4'.repeat(16) },
    ].map(program => [...tagMatchReport.text({ programs: [matchedProgram(program, [known])] })][0]);
    expect(lines).to.deep.equal([
      '1: kprobe on_load_elf_ret 2222222222222222: not known: a.o on_load_elf_return has this name, its tag is conditional: 2 CO-RE relocations',
      '2: kprobe on_exec 3333333333333333: from none of these files',
      '4444444444444444: not known: 1 program of these files may have it, their tags are conditional',
    ]);
  });

  it('lists each exact tag once for a monitor', async () => {
    const { code, stdout, stderr } = await cli('bpf', 'tag', '--allow-list', OBJECT, 'fixtures/bpf/kelf.bpfel.o');
    const tags = stdout
      .trimEnd()
      .split('\n')
      .map(line => line.slice(0, 16));
    expect(code).to.equal(0);
    expect(tags).to.include.members(['a50ce9f05f6df306', 'aa9992f7c8a69717', 'da08e0f3f48169cf']);
    // Of on_load_elf, which CO-RE changes.
    expect(tags).to.not.include('87b87848baa1acd1');
    expect(tags).to.deep.equal([...new Set(tags)].sort());
    expect(stderr).to.match(/\d+ of \d+ programs are left out: their tags are conditional \(--kernel\)/);
  });
});
