import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { isMoved } from '../../../lib/answers/oops/compare-code.js';
import { openKernel } from '../../../lib/index.js';
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

  it('another release is said', async () => {
    const { stderr } = await oops(WITHOUT, ['Linux version 5.4.0-other (x@y)', ' tty_write+0x4/0x20']);
    expect(stderr).to.contain('the log is of 5.4.0-other, but');
  });

  describe('code', () => {
    /** The image's bytes around tty_write+0x8, as an oops prints them. */
    const printed = async (change: (bytes: Uint8Array) => void = () => {}): Promise<string> => {
      using kernel = await openKernel(WITHOUT);
      const pc = kernel.symbols.address.big[kernel.symbols.find('tty_write')[0]!]! + 8n;
      const bytes = Uint8Array.from(kernel.image!.memory.read(pc - 8n, 20));
      change(bytes);
      return `Code: ${Array.from(bytes, (byte, i) => `${i === 8 ? '<' : ''}${byte.toString(16).padStart(2, '0')}${i === 8 ? '>' : ''}`).join(' ')}`;
    };

    it('is that of the image', async () => {
      const { stdout } = await oops(WITHOUT, ['RIP: 0010:tty_write+0x8/0x20', await printed()]);
      expect(stdout).to.contain('the code at tty_write+0x8/0x20 is that of the image: 20 bytes');
    });

    it('differs where ftrace patches, and elsewhere', async () => {
      const code = await printed(bytes => {
        bytes.set([0x0f, 0x1f, 0x44, 0x00, 0x00]);
        bytes[15]! ^= 0xff;
      });
      const { stdout } = await oops(WITHOUT, ['RIP: 0010:tty_write+0x8/0x20', code]);
      expect(stdout).to.match(/ -0x8 +0f 1f 44 00 00 +image: e8 ab fc ff ff +the kernel patches it: an ftrace site\n/);
      expect(stdout).to.match(/ \+0x7 +.. +image: .. +nothing of the image says that the kernel patches it\n/);
    });

    it('differs where KASLR moved an address', async () => {
      using kernel = await openKernel(WITHOUT);
      const { memory } = kernel.image!;
      const pc = kernel.symbols.address.big[kernel.symbols.find('tty_write')[0]!]!;
      // The image has no such instruction near: one is written into what the log has, beside an image's word that is an address.
      const image = new Uint8Array(8);
      new DataView(image.buffer).setInt32(3, Number(BigInt.asIntN(32, pc)), true);
      const log = Uint8Array.from(image);
      new DataView(log.buffer).setInt32(3, Number(BigInt.asIntN(32, pc + 0x1a00_0000n)), true);
      expect(isMoved(memory, log, image, 3, 0x1a00_0000n)).to.equal(true);
      expect(isMoved(memory, log, image, 3, undefined)).to.equal(true);
      expect(isMoved(memory, log, image, 3, 0x1c00_0000n)).to.equal(false);
      expect(isMoved(memory, log, image, 2, 0x1a00_0000n)).to.equal(false);
      log[4]! ^= 1;
      expect(isMoved(memory, log, image, 3, undefined)).to.equal(false);
    });

    it('of a process that a segfault names is left alone', async () => {
      const code = await printed();
      const log = ['RIP: 0010:tty_write+0x8/0x20', code, 'prog[123]: segfault at 0 ip 000055d0 sp 00007ffd error 4', code];
      expect((await oops(WITHOUT, log)).stdout.split('the code at')).to.have.length(2);
    });

    it('of a process, or behind no program counter, is left alone', async () => {
      const code = await printed();
      for (const before of [['RIP: 0010:tty_write+0x8/0x20', 'RIP: 0033:0x430bf0'], ['x'], ['RIP: 0010:nosuch+0x8/0x20']])
        expect((await oops(WITHOUT, [...before, code])).stdout).to.not.contain('the code at');
    });
  });

  it('a place of a module, by its file', async () => {
    const log = ['Call Trace:', ' kelf_mod_open+0x4/0x1c [kelf_mod]', ' kelf_mod_open+0x4/0x99 [kelf_mod]', ' nosuch+0x4/0x9 [kelf_mod]'];
    const { stdout } = await oops(WITHOUT, log, '--modules', fixture('kernel'));
    expect(stdout).to.contain(
      ' kelf_mod_open+0x4/0x1c [kelf_mod]\n    kelf_mod .text+0x44 kelf_mod_open+0x4/0x1c\n kelf_mod_open+0x4/0x99',
    );
    expect(stdout).to.match(/not resolved: (nosuch\+0x4\/0x9: )?no symbol of .*kelf-mod-amd64\.ko is named nosuch/);
  });

  it('JSON has the lines that name a place', async () => {
    const { stdout } = await oops(WITHOUT, ['x', ' tty_write+0x4/0x20'], '--json');
    const { schema, lines } = JSON.parse(stdout) as { schema: string; lines: { line: number; places: { answers: object[] }[] }[] };
    expect(schema).to.equal('kelf/oops');
    expect(lines.map(({ line }) => line)).to.deep.equal([2]);
    expect(lines[0]!.places[0]!.answers).to.have.length(1);
  });
});
