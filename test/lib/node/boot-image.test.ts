import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { Kernel, openKernel } from 'kelf';
import { piecesOfRunningKernel } from '../../../lib/node/live.js';

const VMLINUX = fileURLToPath(new URL('../../../../fixtures/kernel/vmlinux-amd64', import.meta.url));
/** How far the kernel was moved when it booted. */
const DISTANCE = 0x1200_0000n;

describe('the running kernel and the file it was booted from', () => {
  let root: string;
  let file: Kernel;
  before(async () => {
    root = mkdtempSync(join(tmpdir(), 'kelf-root-'));
    file = await openKernel(VMLINUX);
    for (const folder of ['proc/sys/kernel', 'sys/kernel/btf', 'boot']) mkdirSync(join(root, folder), { recursive: true });
    const rows = [...file.symbols].map(({ address, type, name }) => `${(address + DISTANCE).toString(16)} ${type} ${name}\n`);
    writeFileSync(join(root, 'proc/kallsyms'), rows.join(''));
    writeFileSync(join(root, 'proc/version'), `${file.banner}\n`);
    writeFileSync(join(root, 'proc/sys/kernel/osrelease'), `${file.release}\n`);
    writeFileSync(join(root, 'sys/kernel/btf/vmlinux'), file.image!.section('.BTF')!.data());
  });
  after(() => {
    file.close();
    rmSync(root, { recursive: true });
  });

  /** With the file in /boot, and what the kernel says of its build id. */
  function running(withFile: boolean, notes?: Uint8Array): Kernel {
    rmSync(join(root, `boot/vmlinuz-${file.release}`), { force: true });
    rmSync(join(root, 'sys/kernel/notes'), { force: true });
    if (withFile) cpSync(VMLINUX, join(root, `boot/vmlinuz-${file.release}`));
    if (notes !== undefined) writeFileSync(join(root, 'sys/kernel/notes'), notes);
    return new Kernel(piecesOfRunningKernel(root));
  }

  it('has the sites, the blacklist and the table of the file, at its own addresses', () => {
    const kernel = running(true, file.image!.section('.notes')!.data());
    expect([...kernel.functions.sites!.ip.big]).to.deep.equal([...file.functions.sites!.ip.big].map(ip => ip + DISTANCE));
    const ranges = (of: Kernel, distance: bigint) =>
      of.pieces.blacklist()!.ranges.areas.map(({ name, from }) => `${name} ${from - distance}`);
    expect(ranges(kernel, DISTANCE)).to.deep.equal(ranges(file, 0n));
    expect(kernel.mcount!.start).to.equal(file.mcount!.start + DISTANCE);
    expect(kernel.traceability('tty_write').kprobe.byName.code).to.equal(file.traceability('tty_write').kprobe.byName.code);
    expect(kernel.pieces.notes).to.have.length(2);
    expect(kernel.pieces.notes[0]).to.match(/available_filter_functions can't be read: ftrace sites are taken from .*\/boot\/vmlinuz-/);
    expect(kernel.pieces.notes[1]).to.match(/kprobes\/blacklist can't be read: the kprobe blacklist is taken from .*\/boot\/vmlinuz-/);
  });

  it('goes by the release where it shows no build id', () => {
    expect(running(true).functions.ftrace).to.not.equal('unknown');
  });

  it('leaves a file of another build alone, and says so', () => {
    const notes = file.image!.section('.notes')!.data().slice();
    const at = notes.indexOf(0x47) + 4;
    notes[at]! ^= 1;
    const kernel = running(true, notes);
    expect(kernel.functions.ftrace).to.equal('unknown');
    expect(kernel.pieces.notes[0]).to.match(/is from a different build than the running kernel: kelf does not read it$/);
    expect(kernel.pieces.notes[1]).to.match(/can't be read: it is unknown what ftrace can trace/);
  });

  it('says what is weaker without the file', () => {
    const kernel = running(false);
    expect(kernel.functions.ftrace).to.equal('unknown');
    expect(kernel.pieces.blacklist()).to.equal(undefined);
    expect(kernel.pieces.notes).to.have.length(2);
    expect(kernel.pieces.notes[1]).to.match(/can't be read: the kernel may refuse kprobes that kelf says it accepts$/);
  });
});
