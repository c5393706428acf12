import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type AbiComparison, compareAbi, openKernel, readAbi, readModules } from 'kelf';
import { cli } from '../../../support/cli.js';
import { ModuleWriter, X86 } from '../../../support/module-writer.js';

const KERNEL = 'fixtures/kernel/vmlinux-amd64';
const MODULE_ABI = 'fixtures/check/kelf-mod-amd64.abi.xml';

/** What abidw prints of the kernel and the module of the fixtures, as one group. */
const GROUP = `<abi-corpus-group>${readFileSync('fixtures/check/vmlinux-amd64.abi.xml', 'utf8')}${readFileSync(MODULE_ABI, 'utf8')}</abi-corpus-group>`;

/** A corpus of a module with one function. */
const corpus = (path: string, symbol: string, crc: string): string => `<abi-corpus path='${path}'><elf-function-symbols>
  <elf-symbol name='${symbol}' is-defined='yes' crc='${crc}'/></elf-function-symbols></abi-corpus>`;

describe('An ABI with modules', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-abi-'));
    copyFileSync('fixtures/kernel/kelf-mod-amd64.ko', join(folder, 'kelf-mod.ko'));
    const exporter = new ModuleWriter(X86)
      .info('license=GPL', 'name=snd_core')
      .code('.text', 64)
      .function('snd_open', '.text', 0, 16, 1)
      .function('snd_close', '.text', 32, 16, 1)
      .exports('__ksymtab', [{ name: 'snd_open', offset: 0 }], { prel32: true, namespaces: true }, [0x12345678]);
    writeFileSync(join(folder, 'snd-core.ko'), exporter.bytes());
  });
  after(() => rmSync(folder, { recursive: true }));

  async function compare(text: string, withModules = true): Promise<AbiComparison> {
    await using kernel = await openKernel(KERNEL);
    if (withModules) kernel.modules = await readModules(folder, { base: kernel.btf, threads: 0 });
    return compareAbi(kernel, await readAbi(text, 'abi.xml'));
  }

  it("by abidw is the kernel's and the module's own, prototypes by split BTF", async () => {
    const alone = await compare(readFileSync('fixtures/check/vmlinux-amd64.abi.xml', 'utf8'));
    const { compared, differences } = await compare(GROUP);
    expect(differences).to.deep.equal([]);
    expect(compared.modules).to.equal(1);
    expect(compared.symbols - alone.compared.symbols).to.equal(5);
    expect(compared.prototypes - alone.compared.prototypes).to.equal(4);
  });

  it('is counted as not compared where no modules were read', async () => {
    const { ok, compared, uncompared } = await compare(GROUP, false);
    expect(ok).to.equal(true);
    expect(compared.modules).to.equal(0);
    expect(uncompared).to.include({ modules: 1, symbolsOfModules: 5 });
  });

  it('differs in what was changed of the module', async () => {
    const text = GROUP.replace("<elf-symbol name='kelf_mod_notify' type", "<elf-symbol name='kelf_mod_gone' type").replace(
      "elf-symbol-id='kelf_mod_open'>",
      "elf-symbol-id='kelf_mod_open'><parameter type-id='none'/>",
    );
    const { differences } = await compare(text);
    expect(differences).to.deep.equal([
      { symbol: 'kelf_mod_gone', module: 'kelf_mod', kind: 'missing', says: 'is not there' },
      {
        symbol: 'kelf_mod_open',
        module: 'kelf_mod',
        kind: 'prototype',
        says: "parameter 2 is 'struct file *file', not 'struct inode *inode'; the ABI has int kelf_mod_open(?, struct inode *inode, struct file *file)",
      },
    ]);
  });

  it('compares the checksums of what a module exports, whichever module it is', async () => {
    const same = await compare(corpus('kernel/sound/snd-core.ko', 'snd_open', '0x12345678'));
    expect([same.differences, same.compared.crcs]).to.deep.equal([[], 1]);
    const moved = await compare(corpus('snd-old.ko', 'snd_open', '0x12345678'));
    expect([moved.differences, moved.compared.crcs]).to.deep.equal([[], 1]);
    const other = await compare(corpus('snd-core.ko', 'snd_open', '0x9'));
    expect(other.differences).to.deep.equal([
      { symbol: 'snd_open', module: 'snd_core', kind: 'crc', says: 'has the checksum 0x12345678, not 0x00000009' },
    ]);
  });

  it('says what a missing symbol is', async () => {
    const says = async (text: string, withModules = true): Promise<string | undefined> =>
      (await compare(text, withModules)).differences[0]?.says;
    expect(await says(corpus('snd-core.ko', 'snd_close', '0x1'))).to.equal('is there, and not exported');
    expect(await says(corpus('snd-old.ko', 'snd_close', '0x1'))).to.equal('is not there, nor is a module snd_old');
    expect(await says(corpus('vmlinux', 'snd_open', '0x1'))).to.equal('is not there: the module snd_core exports it');
    expect(await says('snd_open\n', false)).to.equal('is not there; modules were not read');
    expect(await says('snd_open\n')).to.equal(undefined);
  });

  it('says on the command line how to compare them', async () => {
    const without = await cli('check', KERNEL, '--abi', MODULE_ABI, '--junit', '-');
    expect(without.stdout).to.include('skipped="1"').and.include('<skipped type="modules"');
    const text = await cli('check', KERNEL, '--abi', MODULE_ABI);
    expect(text.stdout).to.include('not compared: 5 symbols in 1 module: pass --modules DIR\n');
    const given = await cli('check', KERNEL, '--abi', MODULE_ABI, '--modules', folder);
    expect(given.code).to.equal(0);
    expect(given.stdout).to.equal(
      `${MODULE_ABI}: 5 symbols compared with the kernel's symbols and those of 1 module, 0 checksums, 4 prototypes: 0 differences\n`,
    );
  });
});
