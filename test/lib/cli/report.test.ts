import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { cli } from '../../support/cli.js';
import { withHostileNames } from '../../support/hostile-names.js';
import { random } from '../../support/mutate.js';
import { dataOfReport } from '../../support/report-page.js';

const AMD64 = fileURLToPath(new URL('../../../../fixtures/kernel/vmlinux-amd64', import.meta.url));
const BTF = fileURLToPath(new URL('../../../../fixtures/kernel/vmlinux-arm64.external-only.btf', import.meta.url));

describe('kelf report', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-report-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  async function report(file: string): Promise<string> {
    const out = join(folder, 'report.html');
    const { code, stdout, stderr } = await cli('report', file, '-o', out);
    expect({ code, stdout }, stderr).to.deep.equal({ code: 0, stdout: '' });
    return readFileSync(out, 'utf8');
  }

  it('has in it what kelf audit --json prints', async () => {
    const {
      $schema: _,
      schema: __,
      version: ___,
      ...audit
    } = JSON.parse((await cli('audit', AMD64, '--json')).stdout) as Record<string, unknown>;
    expect(dataOfReport(await report(AMD64)).audit).to.deep.equal(audit);
  });

  it('gives the verdicts of kelf trace', async () => {
    const { functions } = dataOfReport(await report(AMD64));
    const names = [...new Set(functions.name)].filter(name => /^\w+$/.test(name)).slice(0, 40);
    const { answers } = JSON.parse((await cli('trace', AMD64, ...names, '--json')).stdout) as {
      answers: { name: string; kprobe: { byName: { code: string } } }[];
    };
    const { codes, values } = functions.verdicts['kprobe']!;
    const shown = names.map(name => [name, values[codes[functions.name.indexOf(name)]!]!.code]);
    expect(shown).to.deep.equal(answers.map(({ name, kprobe }) => [name, kprobe.byName.code]));
    expect(new Set(shown.map(([, code]) => code)))
      .to.have.property('size')
      .greaterThan(1);
  });

  it('says of BTF alone what it lacks, and writes nothing', async () => {
    const out = join(folder, 'none.html');
    const { code, stderr } = await cli('report', BTF, '-o', out);
    expect(code).to.equal(4);
    expect(stderr).to.contain('--symbols FILE');
    expect(existsSync(out)).to.equal(false);
  });

  it('lets run its own script alone, and nothing be asked for', async () => {
    const html = await report(AMD64);
    const sourceOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const [, script = ''] = /<script type="module">([\s\S]*?)<\/script>/.exec(html)!;
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(html)!;
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
    expect(policy.split('; ')).to.deep.equal([
      "default-src 'none'",
      `script-src ${sourceOf(script)}`,
      `style-src ${sourceOf(style)}`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(script).to.not.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bimport\b/);
  });

  it('has the texts of a kernel packed and printable, whatever is in them', async () => {
    const file = join(folder, 'hostile');
    writeFileSync(file, withHostileNames(readFileSync(AMD64), random(7)));
    const texts: string[] = [];
    JSON.stringify(dataOfReport(await report(file)), (_key, value: unknown) => {
      if (typeof value === 'string') texts.push(value);
      return value;
    });
    expect(texts.filter(text => /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text))).to.deep.equal([]);
    expect(texts.some(text => text.includes('\\u202e'))).to.equal(true);
  });

  it('asks for a file to write', async () => {
    const { code, stderr } = await cli('report', AMD64);
    expect(code).to.equal(2);
    expect(stderr).to.contain('--out REPORT.html');
  });
});
