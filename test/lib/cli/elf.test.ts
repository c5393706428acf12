import { execFileSync } from 'node:child_process';
import { ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { FormatError } from 'kelf/elf';
import { openSource } from '../../../lib/node/source.js';
import { table } from '../../../lib/report/text.js';
import { cli, spawnCli } from '../../support/cli.js';
import { ElfWriter } from '../../support/elf-writer.js';

const fixture = (name: string) => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const COMMANDS = ['sections', 'segments', 'symbols', 'relocs', 'notes'];

describe('kelf sections, segments, symbols, relocs, notes', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const lines = (text: string) => text.split('\n').slice(0, -1);

  it('prints sections under one heading, a row a line', async () => {
    const { code, stdout, stderr } = await cli('sections', fixture('elf/dwarf-5-zlib.elf'));
    expect([code, stderr]).to.deep.equal([0, '']);
    const rows = lines(stdout).map(line => line.trim().split(/ +/));
    expect(rows[0]).to.deep.equal([
      'nr',
      'name',
      'type',
      'flags',
      'address',
      'offset',
      'size',
      'entsize',
      'align',
      'link',
      'info',
      'unpacked',
    ]);
    expect(new Set(rows.map(row => row.length)), 'columns').to.deep.equal(new Set([12]));
    expect(rows.find(row => row[1] === '.debug_info')![11]).to.match(/^zlib:\d+$/);
    expect(rows.find(row => row[1] === '.text')!.slice(2, 4)).to.deep.equal(['PROGBITS', 'AX']);
  });

  it('prints more rows than a call takes arguments', async () => {
    const file = join(folder, 'many-notes');
    const writer = new ElfWriter();
    const one = writer.note('kelf', 7, new Uint8Array());
    const data = new Uint8Array(one.length * 200_000);
    for (let at = 0; at < data.length; at += one.length) data.set(one, at);
    writeFileSync(file, writer.file({ sections: [{ name: '.note.many', type: 7, data }] }));
    const { code, stdout, stderr } = await cli('notes', file);
    expect([code, stderr]).to.deep.equal([0, '']);
    expect(lines(stdout)).to.have.length(200_000);
    expect(new Set(lines(stdout))).to.have.property('size', 1);

    const rows = [['nr', 'name'], ...new Array<(string | number)[]>(200_000).fill([100, 'a'])];
    expect(table(rows, '', [0]).slice(0, 2)).to.deep.equal([' nr  name', '100  a']);
  });

  it('prints symbols by address, with the file of local ones', async () => {
    const { stdout } = await cli('symbols', fixture('kernel/vmlinux-amd64'), 'load_elf_binary');
    expect(lines(stdout).map(line => line.split(/ +/).slice(2))).to.deep.equal([
      ['FUNC', 'LOCAL', '.text', 'load_elf_binary', 'binfmt_elf.c'],
      ['FUNC', 'LOCAL', '.text', 'load_elf_binary', 'compat_binfmt_elf.c'],
    ]);
    expect(stdout).to.match(/^ffffffff81[0-9a-f]{6} +\d+ FUNC {3}LOCAL {2}\.text/);
  });

  it('filters symbols by pattern and type, and sorts them', async () => {
    const kernel = fixture('kernel/vmlinux-amd64');
    const names = async (...args: string[]) => lines((await cli('symbols', ...args)).stdout).map(line => line.split(/ +/)[5]);
    const all = await names(kernel);
    expect(await names(kernel, '__*sys_sync')).to.deep.equal(all.filter(name => /^__.*sys_sync$/.test(name!)));
    expect(await names('--sort', 'name', kernel, 'set_*')).to.deep.equal(all.filter(name => /^set_/.test(name!)).sort());
    const functions = await names('--type', 'func', kernel);
    expect(functions).to.include('start_kernel').and.not.include('__start_mcount_loc');
    expect((await names('--sort', 'none', '--all', kernel)).length).to.be.above(all.length);
    expect(await names(kernel, 'no_such_name')).to.deep.equal([]);
    expect(await names(kernel, 'start_kerne[k-m]')).to.deep.equal(['start_kernel']);
  });

  it('escapes names that would break a row or reach the terminal', async () => {
    const path = join(folder, 'evil.o');
    const writer = new ElfWriter();
    const long = 'x'.repeat(2000);
    writeFileSync(path, writer.file({ sections: writer.symbols([{ name: 'a\nb\x1b[2Jc' }, { name: long }, { name: 'plain' }]) }));
    const { stdout } = await cli('symbols', path);
    expect(lines(stdout).map(line => line.split(/ +/)[5])).to.deep.equal(['a\\x0ab\\x1b[2Jc', long, 'plain']);
    expect(JSON.parse((await cli('symbols', '--json', path)).stdout).symbols[0].name).to.equal('a\nb\x1b[2Jc');
  });

  it('says how many names are damaged, and prints the other rows', async () => {
    const path = join(folder, 'damaged.o');
    const writer = new ElfWriter();
    const [symtab, strtab] = writer.symbols([{ name: 'lost' }, { name: 'kept' }]);
    symtab!.data!.set(writer.u32(1 << 20), 24);
    writeFileSync(path, writer.file({ sections: [symtab!, strtab!] }));
    for (const args of [[path], [path, '*'], ['--sort', 'name', path], ['--json', path]]) {
      const { code, stdout, stderr } = await cli('symbols', ...args);
      expect([code, stdout.includes('kept')], args.join(' ')).to.deep.equal([0, true]);
      expect(stderr).to.equal(`kelf: ${path}: .symtab: the names of 1 symbols are outside the string table\n`);
    }
  });

  it('prints relocations of RELA, REL and RELR', async () => {
    const rela = lines((await cli('relocs', fixture('kernel/vmlinux-arm64'))).stdout);
    expect(rela[0]).to.equal('.rela.dyn ffff8000080042e0 R_AARCH64_RELATIVE     0xffff800008004348');
    const rel = lines((await cli('relocs', fixture('elf/i386.o'))).stdout);
    expect(rel[0]).to.equal('.rel.data      00000000 R_386_32               .text');
    const relr = lines((await cli('relocs', '--section', '.relr.dyn', fixture('elf/aarch64-relr.so'))).stdout);
    expect(relr).to.have.length(77);
    expect(relr[0]).to.equal('.relr.dyn 00000000000033b8 R_AARCH64_RELATIVE     -');
    const data = lines((await cli('relocs', '--section', '.text', fixture('elf/symbols.o'))).stdout);
    expect(data.map(line => line.split(' ')[0])).to.deep.equal(['.rela.text', '.rela.text']);
    expect(data[0]).to.match(/R_X86_64_\w+ +\S+-0x4$/);
  });

  it('prints notes in words', async () => {
    const { stdout } = await cli('notes', fixture('elf/symbols.o'));
    expect(lines(stdout)).to.deep.equal([
      'kelf     0x1                  736576656e2062',
      '-        0x2                  2a000000',
      '7 bytes  0x3',
      'GNU      GNU_PROPERTY_TYPE_0  020000c0040000000300000000000000',
    ]);
  });

  it('prints JSON that says the same, addresses as strings', async () => {
    const kernel = fixture('kernel/vmlinux-arm64');
    const json = async (...args: string[]) => JSON.parse((await cli(...args, '--json', kernel)).stdout);
    const text = async (command: string) => lines((await cli(command, kernel)).stdout).length;
    const { file, symbols } = await json('symbols');
    expect(file).to.equal(kernel);
    expect(symbols).to.have.length(await text('symbols'));
    const start = symbols.find(({ name }: { name: string }) => name === 'start_kernel');
    expect(start).to.include({ type: 'FUNC', binding: 'GLOBAL', visibility: 'DEFAULT', section: '.init.text' });
    expect(start.address).to.match(/^0xffff8000[0-9a-f]{8}$/);
    expect((await json('sections')).sections).to.have.length((await text('sections')) - 1);
    expect((await json('segments')).segments).to.have.length((await text('segments')) - 1);
    const { relocations } = await json('relocs');
    expect(relocations).to.have.length(await text('relocs'));
    expect(relocations[0]).to.deep.equal({
      section: '.rela.dyn',
      offset: '0xffff8000080042e0',
      type: 'R_AARCH64_RELATIVE',
      addend: '0xffff800008004348',
    });
    expect((await json('notes')).notes).to.have.length(await text('notes'));
  });

  it('exits 4 for a table that is not there, 2 for a usage error', async () => {
    const none = await cli('symbols', '--dynamic', fixture('elf/i386.o'));
    expect([none.code, none.stdout]).to.deep.equal([4, '']);
    expect(none.stderr).to.match(/^kelf: \S+i386\.o: has no \.dynsym\n$/);
    expect((await cli('relocs', '--section', '.nope', fixture('elf/i386.o'))).code).to.equal(4);
    for (const args of [
      ['symbols'],
      ['symbols', '--sort', 'size', fixture('elf/i386.o')],
      ['symbols', '--type', 'x', fixture('elf/i386.o')],
      ['notes', '--bogus', 'x'],
      ['relocs', 'a', 'b'],
    ]) {
      const { code, stdout, stderr } = await cli(...args);
      expect([code, stdout, lines(stderr).length], args.join(' ')).to.deep.equal([2, '', 1]);
    }
  });

  it('prints those of a file that is packed', async () => {
    const plain = fixture('kernel/kelf-mod-amd64.ko');
    const packed = join(folder, 'kelf-mod-amd64.ko.gz');
    writeFileSync(packed, gzipSync(readFileSync(plain)));
    for (const command of COMMANDS) expect(await cli(command, packed), command).to.deep.equal(await cli(command, plain));
    writeFileSync(packed, gzipSync('no ELF file'));
    expect((await cli('sections', packed)).stderr).to.equal(
      `kelf: ${packed}: not an ELF file: it begins with 1f 8b 08 00, not with 7f 45 4c 46\n`,
    );
  });

  it('exits 3, with one line that says why, for what is no ELF file', async () => {
    const empty = join(folder, 'empty');
    const text = join(folder, 'text');
    const fifo = join(folder, 'fifo');
    writeFileSync(empty, '');
    writeFileSync(text, 'hello\n');
    execFileSync('mkfifo', [fifo]);
    for (const command of COMMANDS) {
      for (const [path, reason] of [
        [empty, /not an ELF file: the file is empty/],
        [text, /not an ELF file: it begins with 68 65 6c 6c/],
        [folder, /is a directory, not a file/],
        [fifo, /is a FIFO that nobody writes to/],
        [join(folder, 'nothing'), /no such file/],
      ] as const) {
        const { code, stdout, stderr } = await cli(command, path);
        expect([code, stdout], `${command} ${path}`).to.deep.equal([3, '']);
        expect(stderr)
          .to.match(/^kelf: [^\n]+\n$/)
          .and.match(reason);
      }
    }
  });

  it('does so as a process too, and does not wait at a FIFO that nobody writes to', () => {
    const fifo = join(folder, 'fifo2');
    execFileSync('mkfifo', [fifo]);
    const waiting = spawnCli('symbols', fifo);
    expect(waiting).to.deep.equal({ code: 3, stdout: '', stderr: `kelf: ${fifo}: is a FIFO that nobody writes to\n` });
    const good = spawnCli('notes', fixture('kernel/vmlinux-amd64'));
    expect([good.code, good.stderr]).to.deep.equal([0, '']);
    expect(good.stdout).to.match(/^GNU +GNU_BUILD_ID +[0-9a-f]{40}$/m);
  });

  it('says that a file became shorter while it was read', () => {
    const path = join(folder, 'shrinking');
    writeFileSync(path, new Uint8Array(1 << 20));
    const source = openSource(path);
    ftruncateSync(openSync(path, 'r+'), 1000);
    expect(() => source.read(0, 1 << 19))
      .to.throw(FormatError, /shrinking\+0x3e8: the file shrank while/)
      .with.property('code', 'truncated');
    source.close();
  });

  it('reads far apart in a file behind a bounded cache', () => {
    const path = join(folder, 'large');
    const bytes = new Uint8Array(40 << 16);
    for (let page = 0; page < 40; page++) bytes[(page << 16) + 7] = page;
    writeFileSync(path, bytes);
    const source = openSource(path, { cacheBytes: 8 << 16 });
    for (let turn = 0; turn < 3; turn++) for (let page = 0; page < 40; page++) expect(source.read((page << 16) + 7, 1)[0]).to.equal(page);
    source.close();
  });
});
