import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { PROGRAM_TYPES } from '../../../lib/bpf/names/program-types.js';
import { bpfBtf } from '../../support/bpf-kernel.js';
import { cli } from '../../support/cli.js';
import { imageOf } from '../../support/kernel-writer.js';

const OBJECT = fileURLToPath(new URL('../../../../fixtures/bpf/kelf.bpfel.o', import.meta.url));

describe('kelf features', () => {
  let folder = '';
  let kernel = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-features-'));
    kernel = join(folder, 'vmlinux');
    const spec = { compiled: ['XDP', 'KPROBE'], iterators: ['task'] };
    const functions = ['start_kernel', 'bpf_iter_task', 'create_local_trace_kprobe'].map(name => ({ name, site: 0 }));
    writeFileSync(kernel, imageOf({ functions, btf: bpfBtf(spec).btf.bytes(), release: '6.1.0', data: ['array_map_ops', 'htab_map_ops'] }));
    writeFileSync(join(folder, 'config'), 'CONFIG_NET=y\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('counts and names the features of each section, and the options of the .config', async () => {
    const { code, stdout } = await cli('features', kernel, '--config', join(folder, 'config'));
    expect(code).to.equal(0);
    const others = PROGRAM_TYPES.filter(({ name }) => !['unspec', 'kprobe', 'xdp'].includes(name)).length;
    expect(stdout).to.contain(`program-types: 2 yes, ${others} no\n  yes   kprobe xdp\n  no    socket_filter sched_cls `);
    expect(stdout).to.match(/^iterators: 1 yes\n {2}yes {3}task$/m);
    expect(stdout).to.match(/^kfuncs: none found$/m);
    expect(stdout).to.match(/^helpers: .*\n.*\n {2}no {4}\d+, which --only helpers lists$/m);
    expect(stdout).to.match(/^ {2}CONFIG_NET=y$/m);
    expect(stdout).to.match(/^ {2}# CONFIG_BPF is not set$/m);
  });

  it('lists the features of a name with their evidence', async () => {
    const { code, stdout } = await cli('features', kernel, 'xskmap', 'tas?');
    expect(code).to.equal(0);
    const lines = stdout.split('\n').filter(line => line !== '');
    expect(lines.slice(0, -1)).to.deep.equal([
      `${kernel} (6.1.0)`,
      'map-types: 1 no',
      '  no    xskmap  EINVAL  map-type-not-built: the kernel was built without the map type',
      '        kallsyms: no xsk_map_ops: map type xskmap was not compiled',
      'iterators: 1 yes',
      '  yes   task',
    ]);
    expect(lines.at(-1)).to.match(/^ {8}\.BTF: FUNC \[\d+\] bpf_iter_task$/);
    expect(await cli('features', kernel, 'no_such')).to.include({ code: 4 });
  });

  it('lists one section alone', async () => {
    const { stdout } = await cli('features', kernel, '--only', 'commands', '--json');
    expect(JSON.parse(stdout)).to.have.nested.property('features.commands[0].name', 'MAP_CREATE');
    expect(Object.keys(JSON.parse(stdout).features)).to.deep.equal(['commands']);
    expect(await cli('features', kernel, '--only', 'nothing')).to.include({ code: 2 });
  });

  it('prints a table for each section', async () => {
    const { stdout } = await cli('features', kernel, '--only', 'iterators', '--markdown');
    expect(stdout).to.match(
      /^## iterators\n\n\| name \| there \| reason \| details \| because \|\n.*\n\| task \| yes \| {2}\| {2}\| \.BTF: FUNC /,
    );
    const csv = await cli('features', kernel, '--for', OBJECT, '--csv');
    expect(csv.stdout).to.match(/^section,name,there,reason,details,because,used by\r?\nprogram-types,/);
  });

  it('lists what an object needs, and fails where the kernel lacks it', async () => {
    const { code, stdout } = await cli('features', kernel, '--for', OBJECT);
    expect(code).to.equal(1);
    expect(stdout)
      .to.match(/^ {4}yes {3}kprobe$/m)
      .and.match(/^ {4}no {4}ringbuf {2}EINVAL {2}unknown-map-type/m);
    expect(stdout)
      .to.match(/^ {10}used by /m)
      .and.not.match(/^ {4}\w+ +lirc_mode2/m);
    const printed = JSON.parse((await cli('features', kernel, '--for', OBJECT, '--json')).stdout);
    expect(printed).to.include({ schema: 'kelf/features-for', version: 1 });
    expect(printed.objects[0].needs[0]).to.have.keys('section', 'name', 'verdict', 'usedBy');
  });

  it('reports an object that can not be read, and asks about no names beside one', async () => {
    const { code, stdout } = await cli('features', kernel, '--for', join(folder, 'absent'));
    expect(code).to.equal(3);
    expect(stdout).to.include('unreadable: ');
    expect(await cli('features', kernel, 'xdp', '--for', OBJECT)).to.include({ code: 2 });
    expect((await cli('features', kernel, '--for', join(folder, 'config'))).code).to.equal(4);
  });
});
