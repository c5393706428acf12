import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Log } from 'sarif';
import { cli } from '../../support/cli.js';

const fixture = (name: string): string => `fixtures/${name}`;
const AMD64 = fixture('kernel/vmlinux-amd64');
const ARM64 = fixture('kernel/vmlinux-arm64');
const LIST = 'fixtures/check/tools.yaml';

describe('a gate', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-gate-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (name: string, text: string): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };

  it('checks several kernels in one call, and goes on behind one that it can not read', async () => {
    const broken = file('broken', 'no kernel');
    const { code, stdout } = await cli('check', AMD64, broken, ARM64, '--require', LIST, '--json');
    const { ok, kernels } = JSON.parse(stdout) as { ok: boolean; kernels: { kernel: { name: string }; unreadable?: string }[] };
    expect({ code, ok }).to.deep.equal({ code: 3, ok: false });
    expect(kernels.map(({ kernel, unreadable }) => [kernel.name, unreadable !== undefined])).to.deep.equal([
      [AMD64, false],
      [broken, true],
      [ARM64, false],
    ]);
  });

  it('takes what belongs to one kernel for one alone', async () => {
    const { code, stderr } = await cli('check', AMD64, ARM64, '--require', LIST, '--config', fixture('kernel/config-amd64'));
    expect({ code, stderr }).to.deep.equal({ code: 2, stderr: 'kelf: --config is for one FILE: check the kernels one by one\n' });
  });

  it('writes SARIF with the place in the list that asks', async () => {
    const { code, stdout } = await cli('check', AMD64, '--require', LIST, '--format', 'sarif');
    const [run] = (JSON.parse(stdout) as Log).runs;
    expect(code).to.equal(1);
    expect(run!.tool.driver.rules).to.deep.equal([
      {
        id: 'ambiguous-name',
        shortDescription: { text: 'several symbols share this name' },
        help: { text: 'kelf explain ambiguous-name' },
      },
    ]);
    expect(run!.results!.map(({ level, locations }) => [level, locations])).to.deep.equal([
      ['error', [{ physicalLocation: { artifactLocation: { uri: LIST }, region: { startLine: 9, startColumn: 11 } } }]],
    ]);
  });

  it('writes annotations of GitHub, where a name can end neither the line nor the property', async () => {
    const list = file('a,b:c%.yaml', '- nothing\n');
    const { stdout } = await cli('check', AMD64, '--require', list, '--format', 'github');
    const lines = stdout.trimEnd().split('\n');
    expect(lines).to.have.length(2);
    expect(lines[0]).to.match(/^::error file=[^,:]*a%2Cb%3Ac%25\.yaml,line=1,col=3,title=nothing%3A symbol \([^,:]*\)::no-symbol: /);
    expect(lines[1]).to.equal('kelf check: 0 of 1 passed, 1 failed');
  });

  it('writes several formats at once', async () => {
    const paths = { sarif: join(folder, 'a.sarif'), junit: join(folder, 'a.xml'), markdown: join(folder, 'a.md') };
    const outs = Object.entries(paths).flatMap(([name, path]) => ['--out', `${name}=${path}`]);
    const { stdout } = await cli('bpf', 'check', fixture('bpf/kelf.bpfel.o'), '-k', AMD64, '--format', 'json', ...outs);
    expect(JSON.parse(stdout)).to.include({ schema: 'kelf/bpf-check' });
    expect(JSON.parse(readFileSync(paths.sarif, 'utf8'))).to.include({ version: '2.1.0' });
    expect(readFileSync(paths.junit, 'utf8')).to.include('<testsuites name="kelf bpf check"');
    expect(readFileSync(paths.markdown, 'utf8')).to.match(/^## kelf bpf check\n\n\| suite \| cases \|\n/);
  });

  for (const [args, message] of [
    [['--format', 'xml'], "--format: no format 'xml'; there are text, json, junit, sarif, github, markdown"],
    [['--out', 'sarif'], "--out: 'sarif' is not of the form NAME=FILE, as sarif=kelf.sarif"],
    [['--out', 'sarif=a', '--out', 'sarif=b'], '--out: sarif is asked for twice'],
    [['--format', 'github', '--json'], '--json and --github both write to stdout: give one of them'],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { code, stderr } = await cli('check', AMD64, '--require', LIST, ...args);
      expect(code).to.equal(2);
      expect(stderr).to.include(message);
    });
  }

  describe('with a baseline', () => {
    const checkWith = (text: string): ReturnType<typeof cli> =>
      cli('check', AMD64, '--require', LIST, '--baseline', file('baseline.yaml', text));

    it('passes where all failures are known', async () => {
      const { code, stdout } = await checkWith('- {case: "load_elf_binary: *", code: ambiguous-name, reason: compat, until: 9999-12-31}\n');
      expect(code).to.equal(0);
      expect(stdout).to.match(/^known until 9999-12-31: load_elf_binary: unique \([^)]+\): compat$/m);
    });

    it('fails again when the day is over, and says so', async () => {
      const { code, stderr } = await checkWith('- {case: "load_elf_binary: *", reason: compat, until: 2020-02-29}\n');
      expect(code).to.equal(1);
      expect(stderr).to.match(/baseline\.yaml:1:3: 'load_elf_binary: \*' expired on 2020-02-29$/m);
    });

    it('does not take another reason or another suite for the known one', async () => {
      const text = `- {case: "*", code: no-symbol, reason: r, until: 9999-12-31}\n- {case: "*", suite: "*arm64", reason: r, until: 9999-12-31}\n`;
      const { code, stderr } = await checkWith(text);
      expect(code).to.equal(1);
      expect(stderr.match(/matches no failure: remove it/g)).to.have.length(2);
    });

    it('tells each mistake of the file with its place', async () => {
      const { code, stderr } = await checkWith('- {case: a, until: 2027-02-30, kernel: b}\n- c\n');
      expect(code).to.equal(2);
      expect(stderr.replaceAll(`${folder}/`, '').trimEnd().split('\n')).to.deep.equal([
        "kelf: baseline.yaml:1:32: unknown key 'kernel': there are case, suite, code, reason, until",
        "kelf: baseline.yaml:1:3: a known failure without 'reason'",
        "kelf: baseline.yaml:1:3: 'until' has to be a day as 2027-01-31, not '2027-02-30'",
        "kelf: baseline.yaml:2:3: a map with 'case', 'reason' and 'until' is expected",
      ]);
    });
  });
});
