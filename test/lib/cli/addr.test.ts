import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ElfFile, MemorySource } from 'kelf/elf';
import { cli, KELF } from '../../support/cli.js';
import { imageOf } from '../../support/kernel-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const WITH_DWARF = fixture('elf/dwarf-5.elf');
const WITHOUT = fixture('kernel/vmlinux-amd64');

describe('kelf addr', () => {
  it('the symbol, the inlined function and the function that it is inlined in', async () => {
    const { code, stdout } = await cli('addr', WITH_DWARF, 'other+0x6');
    expect(code).to.equal(0);
    expect(stdout).to.match(
      /^0x[0-9a-f]+ other\+0x6\/0x[0-9a-f]+\n {2}square at dwarf\.h:\d+:\d+\n {2}\(inlined by\) other at dwarf-other\.c:\d+:\d+\n$/,
    );
    const { stdout: outer } = await cli('addr', WITH_DWARF, 'other+0x6', '--no-inlines');
    expect(outer).to.match(/^0x[0-9a-f]+ other\+0x6\/0x[0-9a-f]+\n {2}other at dwarf-other\.c:\d+:\d+\n$/);
  });

  it('a name that several functions bear gives each; with a size, those that are so long', async () => {
    const answers = async (query: string) => {
      const { stdout } = await cli('addr', WITHOUT, query, '--json');
      return (JSON.parse(stdout) as { answers: readonly { readonly file: string; readonly symbol: { readonly size: number } }[] }).answers;
    };
    const both = await answers('load_elf_binary');
    expect(both.map(({ file }) => file)).to.deep.equal(['binfmt_elf.c', 'compat_binfmt_elf.c']);
    const [first] = both;
    const asLong = both.filter(({ symbol }) => symbol.size === first!.symbol.size);
    expect(await answers(`load_elf_binary+0x0/0x${first!.symbol.size.toString(16)}`)).to.deep.equal(
      asLong.map(answer => ({ ...answer, query: `load_elf_binary+0x0/0x${first!.symbol.size.toString(16)}` })),
    );
  });

  it('a clone has the name of its symbol, and that of the source', async () => {
    const { stdout } = await cli('addr', WITH_DWARF, 'twin.isra.0', 'twin');
    expect(stdout).to.match(
      /^0x\w+ twin\.isra\.0\+0x0\/0x10\n {2}twin at dwarf\.c:14:38\n0x\w+ twin\+0x0\/0x10\n {2}twin at dwarf-other\.c:5:/,
    );
  });

  it('addresses from stdin, each in its turn', () => {
    const input = 'outer\n\n  twin+1\nnosuch\n_start+0x2\n';
    const { status, stdout, stderr } = spawnSync(process.execPath, [KELF, 'addr', WITH_DWARF, '-'], { encoding: 'utf8', input });
    expect(status).to.equal(0);
    const symbols = [...stdout.matchAll(/^0x\w+ (\w+\+0x\w+)\//gm)].map(([, symbol]) => symbol);
    expect(symbols).to.deep.equal(['outer+0x0', 'twin+0x1', '_start+0x2']);
    expect(stderr).to.contain('kelf: nosuch: no symbol is named nosuch');
  });

  it('an address that the image has outside of _text to _end, as the vectors of ARM, is one of the kernel', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kelf-addr-'));
    try {
      const file = join(folder, 'vmlinux');
      writeFileSync(file, imageOf({ functions: [{ name: '_text' }, { name: 'vector_und', init: true }], textAlone: true }));
      const { code, stdout } = await cli('addr', file, '0xffffffff82000004');
      expect({ code, stdout }).to.deep.equal({ code: 0, stdout: '0xffffffff82000004 vector_und+0x4/0x40\n' });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('what is no address of the kernel is told from what is wrong with it', async () => {
    for (const [query, says] of [
      ['0x123456789012345678901', /has more than 64 bits: 21 digits/],
      ['0x12zz', /is not an address: 0x and hexadecimal digits/],
      ['+5', /neither an address, such as 0x\w+, nor a name/],
      ['0x100', /linked at 0xffffffff81000000 to 0xffffffff8100a000; such a small address is a NULL pointer/],
      ['0x7f0000001000', /such a low address belongs to a user process/],
      ['0xffffffffc0000000', /KASLR moves the addresses of a running kernel/],
      ['123456789012', /to pass an address, write 0x123456789012/],
      ['elf_binary', /what contains it: load_elf_binary$/],
      ['nonsense', /no symbol is named nonsense; the modules were not read: --modules DIR also looks there$/],
      ['load_elf_bniary', /no symbol is named load_elf_bniary; similar names: load_elf_binary$/],
      ['tty_write+0x4/0x30', /no tty_write is 0x30 bytes long, but 0x20/],
    ] as const) {
      const { code, stdout, stderr } = await cli('addr', WITHOUT, query);
      expect({ code, stdout }, query).to.deep.equal({ code: 4, stdout: '' });
      expect(stderr.split('\n')[0], query).to.match(says);
      // Which file has lines helps nobody then.
      expect(stderr).not.to.contain('no .debug_info');
    }
  });

  it('an offset behind the end of its function, and one into the per-CPU area', async () => {
    const { stdout } = await cli('addr', WITHOUT, 'tty_write+0x20', 'tty_write+0x24', '0x8');
    expect(stdout).to.contain(
      'tty_write ends here: as a return address it belongs to the call before it, at tty_write+0x1f, which does not return\n',
    );
    expect(stdout).to.contain('tty_write ends at +0x20: the address is past its end\n');
    expect(stdout).to.match(/^0x8 .*\n(.*\n)? {2}per-CPU data: an offset into the area/m);
    const { stdout: inside } = await cli('addr', WITHOUT, 'tty_write+0x1f');
    expect(inside).not.to.contain('ends');
  });

  it('takes the addresses of a running kernel that KASLR moved, by its _stext', async () => {
    const { stdout } = await cli('addr', WITHOUT, 'tty_write+0x4', '_stext');
    const [place, stext] = [...stdout.matchAll(/^0x([0-9a-f]+) /gm)].map(([, address]) => BigInt(`0x${address}`));
    const moved = 0x1d200000n;
    const ran = (address: bigint): string => `0x${(address + moved).toString(16)}`;
    const asked = await cli('addr', WITHOUT, ran(place!), '--stext', ran(stext!).slice(2));
    expect(asked.stdout).to.match(/^0x[0-9a-f]+ tty_write\+0x4\/0x20\n/);
    const without = await cli('addr', WITHOUT, ran(place!));
    expect(without.code).to.equal(4);
    expect(without.stderr).to.match(/--stext says where the kernel ran/);
    expect((await cli('addr', WITHOUT, ran(place!), '--stext', 'x')).code).to.equal(2);
  });

  it('without debug information: the symbol, the file by STT_FILE, and which file would give lines', async () => {
    const { code, stdout, stderr } = await cli('addr', WITHOUT, 'tty_write+0x4');
    expect(code).to.equal(0);
    expect(stdout).to.match(/^0x[0-9a-f]+ tty_write\+0x4\/0x20\n {2}tty_io\.c, by STT_FILE\n$/);
    expect(stderr).to.match(/no \.debug_info: the unstripped vmlinux with build id 6b656c66/);
  });

  it('a damaged unit is said, and the symbol still given', async () => {
    const bytes = readFileSync(WITH_DWARF);
    // The version of the first line table.
    const { offset } = ElfFile.open(new MemorySource(bytes)).section('.debug_line')!;
    bytes[offset + 4] = 99;
    const folder = mkdtempSync(join(tmpdir(), 'kelf-'));
    const path = join(folder, 'damaged.elf');
    writeFileSync(path, bytes);
    const { code, stdout, stderr } = await cli('addr', path, 'outer', 'other');
    rmSync(folder, { recursive: true });
    expect(code).to.equal(0);
    expect(stdout).to.match(/^0x\w+ outer\+0x0\/0x50\n0x\w+ other\+0x0\/\w+\n {2}other at dwarf-other\.c:/);
    expect(stderr).to.contain('.debug_line+0x6: a line number table of DWARF 99; kelf reads 2 to 5');
  });

  it('an address where nothing stands, and what is no address', async () => {
    for (const query of ['0xffffffffffff0000', 'nosuch+1', 'a b', 'tty_write+zz', 'tty_write+0/1']) {
      const { code, stdout, stderr } = await cli('addr', WITHOUT, query);
      expect({ query, code, stdout }).to.deep.equal({ query, code: 4, stdout: '' });
      expect(stderr).to.contain(`kelf: ${query}: `);
    }
  });
});
