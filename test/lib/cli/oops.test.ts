import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli } from '../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const WITH_DWARF = fixture('elf/dwarf-5.elf');
const WITHOUT = fixture('kernel/vmlinux-amd64');

describe('kelf oops', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-oops-'));
  after(() => rmSync(folder, { recursive: true }));
  const oops = (kernel: string, lines: readonly string[], ...options: string[]): ReturnType<typeof cli> => {
    const log = join(folder, 'log');
    writeFileSync(log, lines.join('\n'));
    return cli('oops', kernel, log, ...options);
  };

  it('each line, and under it the frames of its place', async () => {
    const { stdout: sized } = await cli('addr', WITH_DWARF, 'other+0x6');
    const place = sized.split('\n')[0]!.split(' ')[1]!;
    const { code, stdout } = await oops(WITH_DWARF, ['BUG: \x1b[31m', `[    1.0]  ? ${place}`, 'end']);
    expect(code).to.equal(0);
    expect(stdout).to.match(
      /^BUG: \\x1b\[31m\n\[ {4}1\.0\] {2}\? other\+0x6\/0x\w+\n {4}square at dwarf\.h:\d+:\d+\n {4}\(inlined by\) other at dwarf-other\.c:\d+:\d+\nend\n$/,
    );
  });

  it('a size that the function does not have is of another build', async () => {
    const { code, stdout, stderr } = await oops(WITHOUT, [' tty_write+0x4/0x30', ' nosuch+0x4/0x30']);
    expect(code).to.equal(4);
    expect(stdout).to.contain('    not resolved: no tty_write is 0x30 bytes long, but 0x20');
    expect(stdout).to.contain('    not resolved: no symbol of the kernel is named nosuch');
    expect(stderr).to.contain('2 of 2 places in the log are not resolved');
  });

  it('another build id is said', async () => {
    const { stderr } = await oops(WITHOUT, [`Comm: x ${'0'.repeat(40)}`, ' tty_write+0x4/0x20']);
    expect(stderr).to.contain(`the log is of the kernel with build id ${'0'.repeat(40)}, but`);
  });

  it('an address alone by the Kernel Offset of the log, or --stext', async () => {
    const { stdout: at } = await cli('addr', WITHOUT, 'tty_write+0x4', '_stext');
    const [place, stext] = at
      .split('\n')
      .filter(line => line.startsWith('0x'))
      .map(line => BigInt(line.split(' ')[0]!)) as [bigint, bigint];
    const moved = (address: bigint): string => `0x${(address + 0x1000000n).toString(16)}`;
    const line = `RIP: 0010:${moved(place)}`;
    const { stdout } = await oops(WITHOUT, [line, 'Kernel Offset: 0x1000000 from 0xffffffff81000000']);
    expect(stdout).to.contain(' tty_write+0x4/0x20\n');
    expect((await oops(WITHOUT, [line], '--stext', moved(stext))).stdout).to.contain(' tty_write+0x4/0x20\n');
    expect((await oops(WITHOUT, [line])).stdout).to.contain('not resolved: where the kernel ran is not known');
  });

  it('a module needs --modules', async () => {
    const { stdout } = await oops(WITHOUT, [' open_it+0x4/0x20 [some_module]']);
    expect(stdout).to.contain('not resolved: is in module some_module: --modules DIR resolves it');
  });

  it('JSON has the lines that name a place', async () => {
    const { stdout } = await oops(WITHOUT, ['x', ' tty_write+0x4/0x20'], '--json');
    const { schema, lines } = JSON.parse(stdout) as { schema: string; lines: { line: number; places: { answers: object[] }[] }[] };
    expect(schema).to.equal('kelf/oops');
    expect(lines.map(({ line }) => line)).to.deep.equal([2]);
    expect(lines[0]!.places[0]!.answers).to.have.length(1);
  });
});
