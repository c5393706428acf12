import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { KELF } from '../../support/cli.js';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const dist = new URL('../../../', import.meta.url).href;
/** As tsc wrote it, a file for each module. */
const MAIN = `${root}dist/lib/cli/main.js`;
const vmlinux = `${root}fixtures/kernel/vmlinux-amd64`;

/** The modules of kelf that a run of the command loads, as V8 counts them for coverage: `elf/file.js`. */
function loadedBy(main: string, ...argv: string[]): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'kelf-rooms-'));
  try {
    const { status } = spawnSync(process.execPath, [main, ...argv], { env: { NODE_V8_COVERAGE: folder } });
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

describe('the rooms that a command enters', () => {
  it('kelf symbols: nothing of BTF, kallsyms and kernels, no decompressors', () => {
    const loaded = loadedBy(MAIN, 'symbols', vmlinux);
    expect(loaded).to.include('elf/symbol.js');
    expect(loaded.filter(file => /^(btf|kallsyms)\/|^lib\/(?!cli\/|source\/|errors\.js)/.test(file))).to.deep.equal([]);
    expect(loaded.filter(file => file.startsWith('elf/compression/'))).to.deep.equal(['elf/compression/header.js']);
    expect(loaded).not.to.include('elf/memory.js');
  });

  it('kelf duplicates: no decompressors, no printers of BTF, nothing of modules, of the running kernel, of wrapped images', () => {
    // The .config in this image is packed.
    const loaded = loadedBy(MAIN, 'duplicates', vmlinux, '--config', `${root}fixtures/kernel/config-amd64`);
    expect(loaded).to.include('lib/answers/duplicates.js');
    expect(loaded.filter(file => file.startsWith('elf/compression/'))).to.deep.equal(['elf/compression/header.js']);
    // A prototype in C is part of what a Btf says of itself.
    const declarations = ['declaration.js', 'declare.js', 'writer.js'].map(file => `btf/print/${file}`);
    expect(loaded.filter(file => file.startsWith('btf/print/')).sort()).to.deep.equal(declarations);
    expect(loaded.filter(file => /^lib\/modules?\//.test(file))).to.deep.equal([]);
    const elsewhere = [
      'lib/open/live.js',
      'lib/open/unwrap.js',
      'lib/open/raw-image.js',
      'lib/open/discover.js',
      'lib/answers/missing-btf.js',
    ];
    for (const file of [...elsewhere, 'lib/answers/in-modules.js', 'kallsyms/locate.js', 'kallsyms/text.js', 'btf/relocate.js'])
      expect(loaded).not.to.include(file);
  });

  it('kelf btf dump: no decompressors, nothing of kernels', () => {
    const loaded = loadedBy(MAIN, 'btf', 'dump', vmlinux);
    expect(loaded).to.include('btf/print/raw.js');
    expect(loaded.filter(file => file.startsWith('elf/compression/'))).to.deep.equal(['elf/compression/header.js']);
    expect(loaded).not.to.include('lib/kernel.js');
  });
});

describe('the command as it is shipped', () => {
  // A room that was found elsewhere would bring a second FormatError, which nobody catches.
  for (const argv of [
    ['attach', vmlinux, 'tty_write'],
    ['trace', vmlinux, 'tty_write'],
    ['why', `${root}fixtures/elf/dwarf-5.elf`, 'square', '--btf', `${root}fixtures/kernel/vmlinux-arm64.external-only.btf`],
    ['addr', `${root}fixtures/elf/dwarf-5.elf`, 'other+0x6'],
    ['tracepoints', vmlinux],
    ['info', vmlinux],
  ]) {
    it(`loads none of the modules that it was made of: kelf ${argv[0]}`, () => {
      const loaded = loadedBy(KELF, ...argv);
      expect(loaded).to.include('cli/kelf.cjs');
      expect(loaded.filter(file => !file.startsWith('cli/'))).to.deep.equal([]);
    });
  }

  it('finds its rooms, pages and threads in a folder of any name', () => {
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
      expect(run('trace', vmlinux, 'tty_write')).to.include('tty_write: one function of that name');
      expect(
        run('why', '--all', `${root}fixtures/elf/dwarf-5.elf`, '--btf', `${root}fixtures/kernel/vmlinux-arm64.external-only.btf`),
      ).to.include('2 units of debug information read');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
