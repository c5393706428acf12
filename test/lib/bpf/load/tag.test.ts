import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openBpfObject, parseProgramList, programTags } from 'kelf/bpf';
import { Btf } from 'kelf/btf';
import { BtfWriter } from '../../../support/btf-writer.js';
import { cli } from '../../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/${name}`, import.meta.url));
const OBJECT = fixture('bpf/tags.bpfel.o');

/** What a 6.18 kernel showed for the programs. */
const SHOWN: Readonly<Record<string, string>> = {
  with_subprograms: 'aa9992f7c8a69717',
  with_callback: 'b397f63290cc2b71',
  with_data: '69ad4aea212a4958',
};

describe('programTags', () => {
  const tags = new Map(programTags(openBpfObject(OBJECT)).map(tag => [tag.program.name, tag]));

  for (const [name, tag] of Object.entries(SHOWN))
    it(`is what a booted kernel showed: ${name}`, () => {
      expect(tags.get(name)).to.deep.include({ sha256: tag, conditions: [] });
    });

  it('goes by loaded modules where the kernel itself lacks a type or a kfunc', () => {
    const kernel = new BtfWriter();
    kernel.struct('task_struct', 4, [['pid', kernel.int('int', 4, 1), 0]]);
    const tags = programTags(openBpfObject(fixture('bpf/kelf.bpfel.o')), { kernel: Btf.parse(kernel.bytes()) });
    const conditions = new Map(tags.map(tag => [tag.program.name, tag.conditions]));
    expect(conditions.get('on_load_elf')).to.deep.equal(['that no loaded module has pt_regs']);
    expect(conditions.get('on_nothing')!.join()).to.include('that no loaded module has kelf_kfunc');
    expect(conditions.get('on_switch')!.join(), 'the kernel has the type').not.to.include('task_struct');
  });

  it('says what else a tag goes by', () => {
    const others = new Map(programTags(openBpfObject(fixture('bpf/kelf.bpfel.o'))).map(tag => [tag.program.name, tag.conditions]));
    expect(others.get('on_load_elf')).to.deep.equal(["1 CO-RE relocations: the kernel's BTF is needed to apply them"]);
    expect(others.get('on_raw_switch')!.join()).to.match(/CO-RE.*cpu_number/);
    expect(others.get('on_nothing')!.join()).to.match(/address of linux_banner.*kelf_kfunc/);
  });
});

describe('parseProgramList', () => {
  const loaded = [
    { id: 12, type: 'tracing', name: 'on_open', tag: '07014be5359438f8' },
    { id: 13, type: 'cgroup_skb', name: '', tag: '6deef7357e7b4530' },
  ];

  it("reads bpftool's text", () => {
    const text = `12: tracing  name on_open  tag 07014be5359438f8  gpl
\tloaded_at 2026-11-20T15:00:00+0000  uid 0
\txlated 128B  jited 90B  memlock 4096B  map_ids 3
13: cgroup_skb  tag 6deef7357e7b4530  gpl
`;
    expect(parseProgramList(text)).to.deep.equal(loaded);
  });

  it('reads its JSON, plain and pretty', () => {
    const list = [loaded[0], { id: 13, type: 'cgroup_skb', tag: '6deef7357e7b4530' }];
    expect(parseProgramList(JSON.stringify(list))).to.deep.equal(loaded);
    expect(parseProgramList(JSON.stringify(list, null, 4))).to.deep.equal(loaded);
    // Of 'bpftool -j prog show id 12'.
    expect(parseProgramList(JSON.stringify(list[0]))).to.deep.equal([loaded[0]]);
    expect(parseProgramList('{"error":"no such program"}')).to.deep.equal([]);
    expect(() => parseProgramList('[{')).to.throw(/is not JSON/);
    expect(parseProgramList('[1, null, {"id": "x"}]')).to.deep.equal([]);
  });
});

describe('kelf bpf tag', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-tag-'));
  after(() => rmSync(folder, { recursive: true }));

  it('says which file a loaded program came from', async () => {
    const [name, tag] = Object.entries(SHOWN)[0]!;
    const list = join(folder, 'list');
    writeFileSync(list, `7: tracing  name ${name.slice(0, 15)}  tag ${tag}  gpl\n8: xdp  name other  tag 0123456789abcdef  gpl\n`);
    const { code, stdout } = await cli('bpf', 'tag', OBJECT, '--match', list);
    expect(stdout).to.equal(
      `7: tracing ${name.slice(0, 15)} ${tag}: ${OBJECT} ${name}\n8: xdp other 0123456789abcdef: from none of these files\n`,
    );
    expect(code).to.equal(0);
  });

  it('says so where a file has no object', async () => {
    const notes = join(folder, 'notes');
    writeFileSync(notes, 'none');
    expect(await cli('bpf', 'tag', notes)).to.deep.equal({ code: 4, stdout: '', stderr: `kelf: ${notes}: contains no BPF object\n` });
  });

  it('exits with 4 where no program is known', async () => {
    const list = join(folder, 'other');
    writeFileSync(list, '[]');
    expect((await cli('bpf', 'tag', OBJECT, '--match', list)).code).to.equal(4);
  });
});
