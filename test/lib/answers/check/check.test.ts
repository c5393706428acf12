import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import {
  type AbiComparison,
  type CheckResult,
  checkKernel,
  compareAbi,
  type Kernel,
  openKernel,
  readAbi,
  readRequirements,
  toJUnit,
} from 'kelf';
import { cli } from '../../../support/cli.js';

const FIXTURE = (arch: string): string => `fixtures/kernel/vmlinux-${arch}`;
const ABI = (arch: string): string => `fixtures/check/vmlinux-${arch}.abi.xml`;

async function check(list: string, arch = 'amd64'): Promise<CheckResult> {
  await using kernel = await openKernel(FIXTURE(arch));
  return checkKernel(kernel, await readRequirements(list, 'list.yaml'));
}

async function withFixture<T>(arch: string, ask: (kernel: Kernel) => Promise<T>): Promise<T> {
  await using kernel = await openKernel(FIXTURE(arch));
  return await ask(kernel);
}

function outcomes({ items }: CheckResult): string[] {
  return items.map(({ name, needs, outcome, code }) => [name, needs, outcome, code].filter(Boolean).join(' '));
}

describe('kelf check', () => {
  it('says of each mechanism whether the kernel accepts it', async () => {
    const result = await check(
      '- {name: tty_write, needs: [kprobe, btf]}\n- {name: load_elf_binary, needs: [kprobe, kprobe by address, unique]}\n- gone',
    );
    expect(result.ok).to.equal(false);
    expect(outcomes(result)).to.deep.equal([
      'tty_write kprobe passed',
      'tty_write btf passed',
      'load_elf_binary kprobe passed',
      'load_elf_binary kprobe-address passed',
      'load_elf_binary unique failed ambiguous-name',
      'gone symbol failed no-symbol',
    ]);
    expect(result.items[4]?.fix).to.match(/p:_stext\+0x\w+ \(binfmt_elf\.c\), p:_stext\+0x\w+ \(compat_binfmt_elf\.c\)/);
  });

  it('names the variant of a prototype that the kernel has', async () => {
    const list = (variants: string): string => `- name: tty_write\n  prototype: ${variants}\n`;
    const has = await check(list('{file: "tty_write(struct file *, …)", kiocb: "tty_write(struct kiocb *, …)"}'));
    expect(has.items[1]).to.include({ outcome: 'passed', variant: 'kiocb' });
    const hasNot = await check(list('ssize_t tty_write(struct file *, const char __user *, size_t, loff_t *)'));
    expect(hasNot.items[1]).to.include({
      outcome: 'failed',
      says: "parameter 1 is 'struct kiocb *iocb', not 'struct file *'",
      fix: 'the kernel has ssize_t tty_write(struct kiocb *iocb, struct iov_iter *from)',
    });
  });

  for (const [prototype, says] of [
    ['long tty_write(struct kiocb *iocb, struct iov_iter *)', 'has long tty_write(struct kiocb *iocb, struct iov_iter *)'],
    ['int tty_write(struct kiocb *, struct iov_iter *)', "returns 'ssize_t', not 'int'"],
    ['tty_write(struct kiocb *)', 'takes 2 parameters, not 1'],
    ['tty_write(struct kiocb *, union iov_iter *)', "parameter 2 is 'struct iov_iter *from', not 'union iov_iter *'"],
    ['tty_write(const struct kiocb *, …)', "parameter 1 is 'struct kiocb *iocb', not 'const struct kiocb *'"],
    ['tty_write(struct kiocb *const, int (*)(void), …)', "parameter 2 is 'struct iov_iter *from', not 'int (*)(void)'"],
  ] as const) {
    it(`compares ${prototype}`, async () => {
      const { items } = await check(`- name: tty_write\n  prototype: "${prototype}"\n`);
      expect(items[1]?.says).to.equal(says);
    });
  }

  it('is open, not passed, where the file does not tell', async () => {
    await using kernel = await openKernel(FIXTURE('arm64'), { btf: 'fixtures/kernel/vmlinux-arm64.external-only.btf' });
    const result = checkKernel(kernel, await readRequirements('- {name: tty_write, prototype: "tty_write(…)"}', 'list.yaml'));
    expect(result.ok).to.equal(false);
    expect(result.items[1]?.outcome).to.equal('open');
  });

  it("limits the audit's figures", async () => {
    const result = await check('limits: {duplicates: 1000, kprobe-by-name: {no-ftrace-site: 1}}');
    expect(outcomes(result)).to.deep.equal(['duplicates at most 1000 passed', 'kprobe-by-name at most 1 failed no-ftrace-site']);
  });
});

describe('An ABI', () => {
  for (const arch of ['amd64', 'arm64']) {
    it(`of the ${arch} fixture by abidw is the kernel's own`, async () => {
      const result = await withFixture(arch, async kernel => compareAbi(kernel, await readAbi(readFileSync(ABI(arch), 'utf8'), 'abi.xml')));
      expect(result.differences).to.deep.equal([]);
      expect(result.compared.symbols).to.be.greaterThan(30);
      expect(result.compared.prototypes).to.be.greaterThan(5);
    });
  }

  it('that was changed differs', async () => {
    const text = readFileSync(ABI('amd64'), 'utf8')
      .replace("<elf-symbol name='_printk'", "<elf-symbol name='_printk_gone'")
      .replace("elf-symbol-id='redirected_tty_write'>", "elf-symbol-id='redirected_tty_write'><parameter type-id='none'/>");
    const { differences } = await withFixture('amd64', async kernel => compareAbi(kernel, await readAbi(text, 'abi.xml')));
    expect(differences.map(({ symbol, kind }) => `${symbol} ${kind}`)).to.deep.equal([
      '_printk_gone missing',
      'redirected_tty_write prototype',
    ]);
  });

  it('may be a list of symbols', async () => {
    const list = '[abi_symbol_list]\n# commonly used symbols\n  _printk\n  gone\n';
    const { differences } = await withFixture('amd64', async kernel => compareAbi(kernel, await readAbi(list, 'list')));
    expect(differences.map(({ symbol }) => symbol)).to.deep.equal(['gone']);
  });

  it('that is none is a FormatError', async () => {
    for (const text of [
      '<a/>',
      '<abi-corpus>',
      '<!DOCTYPE a [<!ENTITY b "c">]><abi-corpus/>',
      'a b',
      '',
      `${'<a>'.repeat(99)}${'</a>'.repeat(99)}`,
      '<__proto__/>',
    ]) {
      const error = await readAbi(text, 'abi.xml').then(
        () => undefined,
        (error: Error) => error,
      );
      expect(error?.name, text.slice(0, 20)).to.equal('FormatError');
    }
  });
});

describe('kelf check on the command line', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-check-'));
    writeFileSync(join(folder, 'good.yaml'), '- {name: tty_write, needs: [kprobe]}\n');
    writeFileSync(join(folder, 'bad.yaml'), '- {name: load_elf_binary, needs: [unique]}\n');
    writeFileSync(join(folder, 'wrong.yaml'), '- {name: tty_write, needs: [kprob]}\n');
  });
  after(() => rmSync(folder, { recursive: true }));

  it('ends with 0, 1, 2 or 3', async () => {
    const run = async (file: string, list: string): Promise<number> => (await cli('check', file, '--require', join(folder, list))).code;
    expect(await run(FIXTURE('amd64'), 'good.yaml')).to.equal(0);
    expect(await run(FIXTURE('amd64'), 'bad.yaml')).to.equal(1);
    expect(await run(FIXTURE('amd64'), 'wrong.yaml')).to.equal(2);
    expect(await run('README.md', 'good.yaml')).to.equal(3);
    expect((await cli('check', FIXTURE('amd64'))).code).to.equal(2);
  });

  it('writes JUnit XML, and JSON', async () => {
    const report = join(folder, 'report.xml');
    const { stdout, code } = await cli('check', FIXTURE('amd64'), '--require', join(folder, 'bad.yaml'), '--junit', report, '--json');
    expect(code).to.equal(1);
    expect(JSON.parse(stdout)).to.include({ schema: 'kelf/check', ok: false });
    expect(readFileSync(report, 'utf8')).to.include('<failure type="ambiguous-name" message="several symbols share this name">');
  });
});

describe('JUnit XML', () => {
  const result: CheckResult = {
    ok: false,
    items: [
      { part: 'functions', name: 'a', needs: 'kprobe', outcome: 'passed', says: '', because: [], at: { file: 'l', line: 1, column: 1 } },
      {
        part: 'functions',
        name: 'b\u0001<&"',
        needs: 'btf',
        outcome: 'failed',
        says: 'one\ntwo\ud800',
        because: [],
        at: { file: 'l', line: 2, column: 1 },
      },
      {
        part: 'functions',
        name: 'mod\u0000:f',
        needs: 'symbol',
        outcome: 'open',
        says: '\u001b[31mnot read',
        because: [],
        at: { file: 'l\u0007', line: 3, column: 1 },
      },
      { part: 'limits', name: 'c', needs: 'at most 1', outcome: 'open', says: ']]>', because: [], at: { file: 'l', line: 3, column: 1 } },
    ],
  };

  const abi: AbiComparison = {
    ok: false,
    file: 'a\u0008.xml',
    compared: { symbols: 2, kinds: 2, crcs: 1, prototypes: 0, modules: 1 },
    uncompared: { crcs: 0, prototypes: 0, symbolsOfModules: 3, modules: 1 },
    against: 'exports',
    differences: [{ symbol: 's\u0002', module: 'm\ufffe', kind: 'crc', says: 'has\u007f the checksum 1' }],
  };

  it('counts, and has no character that XML has no place for', async () => {
    const xml = await toJUnit({ name: 'vmlinux', buildId: 'abcd' }, result, abi);
    expect(xml).to.include('<testsuites name="kelf check" tests="8" failures="2" errors="2">');
    expect(xml).to.include('<testsuite name="kelf check: abi on vmlinux" tests="4" failures="1" errors="0" skipped="1">');
    expect(xml).to.include('<testcase classname="abcd" name="m:s: crc">');
    expect(xml).to.include('<testcase classname="abcd" name="b&lt;&amp;&quot;: btf">');
    expect(xml).to.include('message="one two"');
    expect(xml).to.not.match(/[^\P{Cc}\n]|\p{Cs}/u);
  });

  it('is valid by fixtures/check/junit.xsd', async function () {
    const run = spawnSync('xmllint', ['--noout', '--schema', 'fixtures/check/junit.xsd', '-'], {
      input: await toJUnit({ name: 'vmlinux', release: '6.1' }, result, abi),
      encoding: 'utf8',
    });
    if (run.error !== undefined) {
      this.test!.title += ': skipped, xmllint is not installed';
      this.skip();
    }
    expect(run.stderr).to.equal('- validates\n');
  });
});
