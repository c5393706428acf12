import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type PackedAnswers, unpackAnswer } from '../../../lib/web/packed-answers.js';
import type { Column, FunctionAnswers, Overview, Problem, ShortVerdict, StructData, StructRows } from '../../../lib/web/page-data.js';
import { cli } from '../../support/cli.js';
import { partOfReport } from '../../support/report-page.js';

const FIXTURES = fileURLToPath(new URL('../../../../fixtures/', import.meta.url));
const AMD64 = join(FIXTURES, 'kernel/vmlinux-amd64');
const ARM64 = join(FIXTURES, 'kernel/vmlinux-arm64');
const BTF = join(FIXTURES, 'kernel/vmlinux-arm64.external-only.btf');
const OBJECT = join(FIXTURES, 'bpf/kelf.bpfel.o');

describe('kelf report', () => {
  let folder = '';
  let html = '';
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-report-'));
    html = await report(AMD64);
  });
  after(() => rmSync(folder, { recursive: true }));

  async function report(...args: string[]): Promise<string> {
    const out = join(folder, 'report.html');
    const { code, stdout, stderr } = await cli('report', ...args, '-o', out);
    expect({ code, stdout }, stderr).to.deep.equal({ code: 0, stdout: '' });
    return readFileSync(out, 'utf8');
  }

  async function json(...args: string[]): Promise<unknown> {
    return JSON.parse((await cli(...args, '--json')).stdout);
  }

  it('has in it what kelf audit and kelf info print', async () => {
    expect(partOfReport(html, '1/audit')).to.deep.equal(await json('audit', AMD64));
    const lines = (await cli('info', AMD64)).stdout.trim().split('\n');
    const { facts } = partOfReport(html, '1/overview') as Overview;
    const squeezed = (text: string): string => text.replace(/\s+/g, ' ').trim();
    expect(facts.map(cells => squeezed(cells.join(' ')))).to.deep.equal(lines.map(squeezed));
  });

  it('says of each function what kelf trace, why and attach print', async () => {
    const packed = partOfReport(html, '1/answers/0') as PackedAnswers;
    const names = packed.answers.map(([name]) => name);
    expect(names).to.include.members(['tty_write', 'load_elf_binary']);
    for (const name of names.filter(each => /^\w+$/.test(each)).slice(0, 60)) {
      const { trace, why, attach } = unpackAnswer(packed, names.indexOf(name)) as unknown as FunctionAnswers;
      expect(trace, name).to.deep.equal(await json('trace', AMD64, name));
      expect(why, name).to.deep.equal(await json('why', AMD64, name, '--no-dwarf'));
      const whole = (await json('attach', AMD64, name)) as {
        answers: { functions: { lines: Record<string, unknown>; signature?: object }[] }[];
      };
      for (const { functions } of whole.answers)
        for (const recipe of functions) {
          delete recipe.lines['bpf-c'];
          const { prototype, source } = (recipe.signature ?? {}) as Record<string, unknown>;
          if (recipe.signature !== undefined) recipe.signature = { prototype, source };
        }
      expect(attach, name).to.deep.equal(whole);
    }
  });

  it('gives the verdicts of kelf trace in columns', async () => {
    const names = partOfReport(html, '1/functions/name') as string[];
    const { codes, values } = partOfReport(html, '1/functions/kprobe') as Column<ShortVerdict>;
    const asked = [...new Set(names)].filter(name => /^\w+$/.test(name)).slice(0, 40);
    const { answers } = (await json('trace', AMD64, ...asked)) as { answers: { name: string; kprobe: { byName: { code: string } } }[] };
    const shown = asked.map(name => [name, values[codes[names.indexOf(name)]!]!.code]);
    expect(shown).to.deep.equal(answers.map(({ name, kprobe }) => [name, kprobe.byName.code]));
    expect(new Set(shown.map(([, code]) => code)))
      .to.have.property('size')
      .greaterThan(1);
  });

  it('has each struct as kelf btf show has it', async () => {
    const { id, name, holes, unused } = partOfReport(html, '1/structs') as StructRows;
    const structs = partOfReport(html, '1/structs/0') as StructData[];
    expect(structs.map(struct => struct.id)).to.deep.equal(id.slice(0, structs.length));
    const { types } = (await json('btf', 'show', AMD64, ...name.slice(0, 20), '--kind', 'struct')) as { types: StructData[] };
    for (const { name: shown, members, padding } of types) {
      const row = name.indexOf(shown);
      expect(
        structs[row]!.members.map(({ offset, size, hole }) => [offset, size, hole]),
        shown,
      ).to.deep.equal(members.map(({ offset, size, hole }) => [offset, size, hole]));
      const sizes = members.flatMap(({ hole = 0 }) => (hole > 0 ? [hole] : []));
      expect([holes[row], unused[row]], shown).to.deep.equal([sizes.length, sizes.reduce((sum, hole) => sum + hole, padding)]);
    }
  });

  it('tells of BTF alone what BTF tells', async () => {
    const page = await report(BTF);
    const names = partOfReport(page, '1/functions/name') as string[];
    expect(names.length).to.be.greaterThan(5);
    expect((partOfReport(page, '1/structs') as StructRows).id.length).to.be.greaterThan(5);
    expect((partOfReport(page, '1/audit') as Problem).problem).to.contain('--symbols FILE');
    const packed = partOfReport(page, '1/answers/0') as PackedAnswers;
    const { trace } = unpackAnswer(packed, 0) as unknown as FunctionAnswers;
    expect(trace).to.deep.equal(await json('trace', BTF, packed.answers[0]![0]));
  });

  it('of two kernels has what kelf diff prints', async () => {
    const page = await report('--diff', AMD64, ARM64);
    expect(partOfReport(page, '1/document')).to.deep.equal(await json('diff', AMD64, ARM64));
  });

  it('of objects has what kelf bpf check prints', async () => {
    const page = await report('--check', OBJECT, '--kernel', AMD64, '--kernel', ARM64);
    expect(partOfReport(page, '1/document')).to.deep.equal(await json('bpf', 'check', OBJECT, '--kernel', AMD64, '--kernel', ARM64));
  });

  it('lets run its own script alone, and nothing be asked for', () => {
    const sourceOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const [, script = ''] = /<script type="module">([\s\S]*?)<\/script>/.exec(html)!;
    const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(html)!;
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html)!;
    expect(policy.split('; ')).to.deep.equal([
      "default-src 'none'",
      `script-src ${sourceOf(script)}`,
      `style-src ${sourceOf(style)}`,
      'worker-src blob:',
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(script).to.not.match(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|\bimport\b/);
  });

  it('is told what to make of its arguments', async () => {
    const out = join(folder, 'none.html');
    const wrong: readonly (readonly [string[], RegExp])[] = [
      [[AMD64], /--out REPORT\.html/],
      [[AMD64, ARM64, '-o', out], /--diff OLD NEW/],
      [['--diff', AMD64, '-o', out], /two kernels/],
      [['--check', OBJECT, '-o', out], /--kernel KERNEL/],
      [['--diff', AMD64, ARM64, '--btf', BTF, '-o', out], /--btf is for the report of one kernel/],
      [[AMD64, '--kernel', ARM64, '-o', out], /--kernel is for --check/],
    ];
    for (const [args, says] of wrong) {
      const { code, stderr } = await cli('report', ...args);
      expect(code, args.join(' ')).to.equal(2);
      expect(stderr).to.match(says);
    }
    expect(existsSync(out)).to.equal(false);
  });
});
