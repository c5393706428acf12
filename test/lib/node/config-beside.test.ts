import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { openKernel } from 'kelf';
import { configBeside } from '../../../lib/node/config-beside.js';
import { imageOf } from '../../support/kernel-writer.js';

const banner = (release: string): string => `Linux version ${release} (a@b) (gcc-12 (Debian 12.2.0-14) 12.2.0, GNU ld 2.40) #1`;

describe('The .config beside an image', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-config-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is read by the release of the image, without being named', async () => {
    const image = join(folder, 'vmlinux');
    writeFileSync(image, imageOf({ release: '6.1.0-of-a-test', functions: [{ name: 'vfs_read', site: 0 }] }));
    await using before = await openKernel(image);
    expect(before.pieces.config()).to.equal(undefined);
    const path = join(folder, 'config-6.1.0-of-a-test');
    writeFileSync(path, 'CONFIG_KPROBES=y\nCONFIG_PAHOLE_VERSION=124\n');
    await using kernel = await openKernel(image);
    expect(kernel.pieces.config()).to.include({ source: path });
    expect(kernel.pieces.config()!.get('CONFIG_PAHOLE_VERSION')).to.equal('124');
    const named = join(folder, 'other');
    writeFileSync(named, 'CONFIG_X=y\n');
    await using given = await openKernel(image, { config: named });
    expect(given.pieces.config()!.source).to.equal(named);
  });

  it('is not another release, nor a file that is no .config, nor a path in a release', () => {
    const image = join(folder, 'vmlinux');
    writeFileSync(join(folder, 'config-6.1.0'), 'CONFIG_X=y\n');
    writeFileSync(join(folder, 'config-6.2.0'), 'something else\n');
    expect(configBeside(image, banner('6.1.0'))?.get('CONFIG_X')).to.equal('y');
    expect(configBeside(image, banner('6.1.1'))).to.equal(undefined);
    expect(configBeside(image, banner('6.2.0'))).to.equal(undefined);
    expect(configBeside(join(folder, 'deeper', 'vmlinux'), banner('6.1.0/../../config-6.1.0'))).to.equal(undefined);
    expect(configBeside(image, banner('../config-6.1.0'))).to.equal(undefined);
  });

  it('is of the same build: the compiler shows it', () => {
    const image = join(folder, 'vmlinux');
    writeFileSync(join(folder, 'config-6.1.0'), 'CONFIG_CC_VERSION_TEXT="gcc-12 (Debian 12.2.0-14) 12.2.0"\n');
    expect(configBeside(image, banner('6.1.0'))).to.not.equal(undefined);
    writeFileSync(join(folder, 'config-6.1.0'), 'CONFIG_CC_VERSION_TEXT="gcc (GCC) 14.1.0"\n');
    expect(configBeside(image, banner('6.1.0'))).to.equal(undefined);
  });
});
