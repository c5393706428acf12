import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openSource, parseConfig } from 'kelf';
import { FormatError } from 'kelf/elf';
import { cli } from '../../support/cli.js';

const VMLINUX = fileURLToPath(new URL('../../../../fixtures/kernel/vmlinux-amd64', import.meta.url));

describe('files that are not what they are given for', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-refusals-'));
  after(() => rmSync(folder, { recursive: true }));

  it('a .config without an option is refused, where it would say that nothing is set', async () => {
    for (const text of ['', 'hello\n', '\x7fELF\0\0'])
      expect(() => parseConfig(text, 'config')).to.throw(FormatError, /not a kernel \.config/);
    expect(parseConfig('# CONFIG_KPROBES is not set\n', 'config').get('CONFIG_KPROBES')).to.equal(undefined);
    const { code, stderr } = await cli('trace', VMLINUX, 'tty_write', '--config', VMLINUX);
    expect(code).to.equal(3);
    expect(stderr).to.match(/is not a kernel \.config/);
  });

  it('a sparse file larger than memory is refused before anything is allocated', async () => {
    const path = join(folder, 'sparse');
    writeFileSync(path, '');
    truncateSync(path, 2 ** 40);
    const source = openSource(path);
    expect(() => source.read(0, source.size)).to.throw(FormatError, /too many for one read/);
    source.close();
    expect((await cli('audit', path)).code).to.equal(3);
  });

  it('a boot image whose packed kernel is damaged tells where', async () => {
    const path = join(folder, 'zImage');
    const image = new Uint8Array(4096);
    // arm's zImage: its magic number, and behind the code the head of a gzip stream that ends there.
    new DataView(image.buffer).setUint32(0x24, 0x016f2818, true);
    new DataView(image.buffer).setUint32(0x30, 0x04030201, true);
    image.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff], 4080);
    writeFileSync(path, image);
    const { code, stderr } = await cli('info', path);
    expect(code).to.equal(3);
    expect(stderr).to.match(/found no packed kernel after the boot code; the data packed at 0xff0: /);
  });
});
