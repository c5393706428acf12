import { execFileSync, spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { KELF, spawnCli } from '../../support/cli.js';
import { ElfWriter } from '../../support/elf-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const VMLINUX = fixture('kernel/vmlinux-amd64');
const OBJECT = fixture('bpf/kelf.bpfel.o');

describe('what is read and written', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const at = (name: string): string => join(folder, name);
  const copy = (from: string, name: string): string => {
    writeFileSync(at(name), readFileSync(from));
    return at(name);
  };

  describe('stderr that cannot be written', () => {
    const require = (needs: string): string => {
      writeFileSync(at('list.yaml'), JSON.stringify({ functions: [{ name: 'load_elf_binary', needs: [needs] }] }));
      return at('list.yaml');
    };
    for (const [what, needs, expected] of [
      ['met', 'kprobe', 0],
      ['not met', 'fmod_ret', 1],
    ] as const) {
      it(`changes no exit code: a requirement that is ${what}`, () => {
        const args = [KELF, 'check', VMLINUX, '--require', require(needs)];
        const full = spawnSync(process.execPath, args, { stdio: ['ignore', 'ignore', openSync('/dev/full', 'w')] });
        expect(full.status, '/dev/full').to.equal(expected);
        const closed = spawnSync('sh', ['-c', `"$0" "$@" 2>&- >/dev/null`, process.execPath, ...args]);
        expect(closed.status, 'closed').to.equal(expected);
        const pipe = spawnSync('bash', [
          '-c',
          `{ "$0" "$@" 2>&1 >/dev/null; echo "$?" >&3; } 3>"${at('code')}" | true`,
          process.execPath,
          ...args,
        ]);
        expect(pipe.status).to.equal(0);
        expect(readFileSync(at('code'), 'utf8').trim(), 'a pipe that nobody reads').to.equal(String(expected));
      });
    }

    it('a stdout that nobody reads changes no verdict either', () => {
      const args = [KELF, 'check', VMLINUX, '--require', require('fmod_ret')];
      spawnSync('bash', ['-c', `{ "$0" "$@"; echo "$?" >&3; } 3>"${at('code')}" | true`, process.execPath, ...args]);
      expect(readFileSync(at('code'), 'utf8').trim()).to.equal('1');
    });
  });

  describe('an input is never written over', () => {
    it('by --junit, under its own name, through a link, and under another name', () => {
      const kernel = copy(VMLINUX, 'vmlinux');
      writeFileSync(at('list.yaml'), 'functions: [load_elf_binary]\n');
      symlinkSync(kernel, at('link'));
      linkSync(kernel, at('hard'));
      for (const target of ['vmlinux', 'link', 'hard', 'list.yaml']) {
        const before = readFileSync(at(target));
        const { code, stderr } = spawnCli('check', kernel, '--require', at('list.yaml'), '--junit', at(target));
        expect(code, target).to.equal(74);
        expect(stderr).to.include('one of the files that were read');
        expect(readFileSync(at(target)).equals(before), target).to.equal(true);
      }
      expect(spawnCli('check', kernel, '--require', at('list.yaml'), '--junit', at('new.xml')).code).to.equal(0);
    });

    it('by btf min', () => {
      const object = copy(OBJECT, 'prog.o');
      expect(spawnCli('btf', 'min', object, '--kernel', VMLINUX, '--out', object).code).to.equal(74);
      expect(readFileSync(object).equals(readFileSync(OBJECT))).to.equal(true);
    });

    it('by bpf carve, which follows no link, and leaves its folder by no name', () => {
      mkdirSync(at('in'));
      mkdirSync(at('in/sub'));
      copy(OBJECT, 'in/sub/prog.o');
      writeFileSync(at('victim'), 'untouched');
      expect(spawnCli('bpf', 'carve', at('in'), '--out', at('out')).code).to.equal(0);
      // What it wrote may be written again.
      expect(spawnCli('bpf', 'carve', at('in'), '--out', at('out')).code).to.equal(0);
      const written = at('out/sub/prog.o@0x0.bpf.o');
      rmSync(written);
      symlinkSync(at('victim'), written);
      expect(spawnCli('bpf', 'carve', at('in'), '--out', at('out')).code).to.equal(74);
      rmSync(at('out/sub'), { recursive: true });
      mkdirSync(at('elsewhere'));
      symlinkSync(at('elsewhere'), at('out/sub'));
      expect(spawnCli('bpf', 'carve', at('in'), '--out', at('out')).code).to.equal(74);
      expect(readFileSync(at('victim'), 'utf8')).to.equal('untouched');
      // The input itself, where it has the name of what would be written.
      linkSync(at('in/sub/prog.o'), at('prog.o@0x0.bpf.o'));
      rmSync(at('out'), { recursive: true });
      mkdirSync(at('out'));
      linkSync(at('in/sub/prog.o'), at('out/prog.o@0x0.bpf.o'));
      expect(spawnCli('bpf', 'carve', at('in/sub/prog.o'), '--out', at('out')).code).to.equal(74);
    });
  });

  it('names that are not UTF-8 are opened, and written escaped', function () {
    const name = Buffer.concat([Buffer.from(`${folder}/bad\n`), Buffer.of(0xff, 0xc3), Buffer.from('é.o')]);
    try {
      writeFileSync(name, readFileSync(OBJECT));
    } catch {
      this.skip();
    }
    const byFolder = spawnCli('bpf', 'carve', folder);
    expect(byFolder.code).to.equal(0);
    expect(byFolder.stdout).to.include('bad\\x0a\\udcff\\udcc3é.o+0x0: ELF');
    const code = execFileSync('bash', ['-c', `"$0" "$1" bpf show "$2"/bad* | head -1`, process.execPath, KELF, folder], {
      encoding: 'utf8',
    });
    expect(code).to.include('bad\\x0a\\udcff\\udcc3é.o: little endian');
  });

  it('files of holes, and those of /proc without an end, are refused by a bound', () => {
    for (const size of [2 ** 33, 2 ** 27]) {
      writeFileSync(at('holes'), 'x'.repeat(4096));
      truncateSync(at('holes'), size);
      for (const args of [['info'], ['symbols'], ['btf', 'dump'], ['bpf', 'show'], ['bpf', 'carve'], ['check', '--abi', at('holes')]]) {
        const { code, stderr } = spawnCli(...args, at('holes'));
        expect(code, args.join(' ')).to.be.oneOf([3, 4]);
        expect(stderr).to.match(/sparse|larger than|no kernel|not an ELF|first bytes of BTF/);
      }
    }
  });

  it('numbers that JSON would round are text', () => {
    const writer = new ElfWriter();
    const symbols = writer.symbols([{ name: 'x', type: 1, value: 2n ** 53n + 1n, size: 2n ** 64n - 1n, section: 1 }]);
    writeFileSync(at('big'), writer.file({ sections: [{ name: '.text', type: 1 }, ...symbols] }));
    const { symbols: rows } = JSON.parse(spawnCli('symbols', at('big'), '--json').stdout) as { symbols: Record<string, unknown>[] };
    expect(rows[0]).to.include({ address: '0x20000000000001', size: '18446744073709551615' });
    writeFileSync(at('seg'), writer.file({ segments: [{ type: 1, address: 0n, memorySize: Number.MAX_SAFE_INTEGER + 1 }] }));
    const { segments } = JSON.parse(spawnCli('segments', at('seg'), '--json').stdout) as { segments: Record<string, unknown>[] };
    expect(segments[0]!['memorySize']).to.equal('9007199254740992');
  });
});
