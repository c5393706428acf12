import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { KELF } from '../../support/cli.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const dist = new URL('../../../', import.meta.url).href;
const vmlinux = `${root}fixtures/kernel/vmlinux-amd64`;

/** The modules of kelf that a run of the command loads, as V8 counts them for coverage: `elf/file.js`. */
function loadedBy(...argv: string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-parts-'));
  try {
    const { status } = spawnSync(process.execPath, [KELF, ...argv], { env: { NODE_V8_COVERAGE: folder } });
    expect(status).to.equal(0);
    const urls = readdirSync(folder).flatMap(file => {
      const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: readonly { url: string }[] };
      return result.map(({ url }) => url);
    });
    return urls.filter(url => url.startsWith(dist)).map(url => url.slice(dist.length));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a run of the command loads of its files: `elf-dwarf`. */
function partsOf(...argv: string[]): string[] {
  return loadedBy(...argv).map(file => file.replace(/^cli\/(part-)?|\.cjs$/g, ''));
}

describe('the parts that a command loads', () => {
  it('kelf symbols: nothing of BTF, kallsyms and kernels, no decompressors', () => {
    const loaded = partsOf('symbols', vmlinux);
    expect(loaded).to.include('elf');
    expect(loaded.filter(part => /^(btf|kallsyms|elf-compression|facts|rules|answers|kernel|bpf)/.test(part))).to.deep.equal([]);
  });

  it('kelf duplicates: nothing of BPF objects, debug information, modules, and of other answers', () => {
    const loaded = partsOf('duplicates', vmlinux);
    expect(loaded).to.include.members(['answers', 'facts', 'kernel']);
    expect(loaded.filter(part => /^(bpf|elf-dwarf|facts-module|rules-pahole|answers-|kallsyms-locate)/.test(part))).to.deep.equal([]);
  });

  it('kelf btf dump: nothing of BTF but what dumps, no decompressors, nothing of kernels', () => {
    const loaded = partsOf('btf', 'dump', vmlinux);
    expect(loaded).to.include('btf-dump');
    expect(loaded.filter(part => /^(btf$|btf-(?!dump)|elf-compression|facts|rules|answers|kernel|bpf)/.test(part))).to.deep.equal([]);
  });
});

describe('the command as it is shipped', () => {
  // A part that was found elsewhere would bring a second FormatError, which nobody catches.
  for (const argv of [
    ['attach', vmlinux, 'tty_write'],
    ['trace', vmlinux, 'tty_write'],
    ['why', `${root}fixtures/elf/dwarf-5.elf`, 'square', '--btf', `${root}fixtures/kernel/vmlinux-arm64.external-only.btf`],
    ['addr', `${root}fixtures/elf/dwarf-5.elf`, 'other+0x6'],
    ['tracepoints', vmlinux],
    ['info', vmlinux],
  ]) {
    it(`loads none of the modules that it was made of: kelf ${argv[0]}`, () => {
      const loaded = loadedBy(...argv);
      expect(loaded).to.include('cli/kelf.cjs');
      expect(loaded.filter(file => !file.startsWith('cli/'))).to.deep.equal([]);
    });
  }

  it('finds its parts, pages and threads in a folder of any name', () => {
    // Of these, a URL would take three for something else.
    const folder = mkdtempSync(join(tmpdir(), 'kelf #1%41?ü😀 '));
    const run = (...argv: string[]): string => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'dist/cli/kelf.cjs'), ...argv], { encoding: 'utf8' });
      expect(status, stderr).to.equal(0);
      return stdout;
    };
    try {
      mkdirSync(join(folder, 'dist'));
      // Copied: a link would be followed before the command looks where it is.
      cpSync(`${root}dist/cli`, join(folder, 'dist/cli'), { recursive: true });
      for (const path of ['package.json', 'docs', 'node_modules', 'dist/lib']) symlinkSync(`${root}${path}`, join(folder, path));
      expect(run('--version')).to.match(/^kelf \d/);
      expect(run('explain', 'ambiguous-name')).to.match(/^# ambiguous-name\n/);
      expect(run('trace', vmlinux, 'tty_write')).to.include('tty_write: one function with this name');
      expect(
        run('why', '--all', `${root}fixtures/elf/dwarf-5.elf`, '--btf', `${root}fixtures/kernel/vmlinux-arm64.external-only.btf`),
      ).to.include('2 units of debug information read');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
