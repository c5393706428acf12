import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { type Browser, HIDDEN, launch, type Page, seriousFindings, watched } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { partOfReport } from '../support/report-page.js';

const FIXTURES = fileURLToPath(new URL('../../../fixtures/', import.meta.url));
const AMD64 = join(FIXTURES, 'kernel/vmlinux-amd64');
const ARM64 = join(FIXTURES, 'kernel/vmlinux-arm64');
const BTF = join(FIXTURES, 'kernel/vmlinux-arm64.external-only.btf');
const OBJECT = join(FIXTURES, 'bpf/kelf.bpfel.o');
const VIEWS = ['', 'functions', 'sources', 'places', 'duplicates', 'structs', 'function/tty_write'];

describe('the report in Chromium', () => {
  let folder = '';
  let file = '';
  let browser: Browser;
  let page: Page;
  let requests: string[];
  let complaints: string[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-browser-'));
    file = await report('report', AMD64);
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    ({ page, requests, complaints } = await watched(browser));
  });

  afterEach(() => page.close());

  async function report(name: string, ...args: string[]): Promise<string> {
    const path = join(folder, `${name}.html`);
    const { code, stderr } = await cli('report', ...args, '-o', path);
    expect(code, stderr).to.equal(0);
    return path;
  }

  async function open(path: string, view = ''): Promise<void> {
    await page.goto(`${pathToFileURL(path).href}#/1/${view}`);
    await page.waitForSelector('h1');
  }

  it('shows the banner, and asks for nothing beside its own file', async () => {
    await open(file);
    expect(await page.innerText('h1')).to.match(/^Linux version 6\.1\.0-kelf-amd64 /);
    await page.waitForSelector('.mechanisms');
    await page.click('nav a:has-text("Functions")');
    await page.waitForSelector('tbody td.code a');
    expect(requests).to.deep.equal([pathToFileURL(file).href]);
    expect(complaints).to.deep.equal([]);
  });

  it('its policy stops requests', async () => {
    await open(file);
    expect(await page.evaluate("fetch('data:text/plain,x').then(() => 'asked', () => 'stopped')")).to.equal('stopped');
    expect(complaints.join('\n')).to.match(/Content Security Policy/);
  });

  it('finds a function by a part of its name, and shows what kelf trace and attach say', async () => {
    const { answers } = JSON.parse((await cli('trace', AMD64, 'tty_write', '--json')).stdout) as {
      answers: [{ fmodRet: { load: { code: string; because: { says: string }[] } } }];
    };
    const lines = (await cli('attach', AMD64, 'tty_write', '--as', 'kprobe_events')).stdout.trim().split('\n');
    await open(file);
    await page.click('nav a:has-text("Functions")');
    await page.fill('.tools input[type=search]', 'TTY_WRI');
    await page.click('td a >> text="tty_write"');
    await page.waitForSelector('h1 code');
    expect(await page.innerText('h1')).to.equal('tty_write');
    const { code, because } = answers[0].fmodRet.load;
    expect(await page.innerText('tr:has(th:text-matches("fmod_ret load"))')).to.contain(code);
    for (const { says } of because) expect(await page.innerText('main')).to.contain(says);
    for (const line of lines) expect(await page.innerText('main')).to.contain(line);
  });

  for (const [kind, view] of ['', ...VIEWS.slice(1)].entries())
    it(`axe-core finds nothing serious in ${VIEWS[kind] === '' ? 'the overview' : VIEWS[kind]}, light or dark`, async () => {
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await open(file, view);
        if (view === '') await page.waitForSelector('.mechanisms');
        expect(await seriousFindings(page)).to.deep.equal([]);
      }
      expect(complaints).to.deep.equal([]);
    });

  it('every view works on BTF alone, as far as BTF tells', async () => {
    const alone = await report('alone', BTF);
    for (const view of VIEWS.slice(0, -1)) {
      await open(alone, view);
      expect(await page.innerText('main'), view).to.have.length.greaterThan(40);
    }
    await open(alone, 'structs');
    await page.click('tbody td a');
    await page.waitForSelector('svg.struct');
    const [name] = partOfReport(readFileSync(alone, 'utf8'), '1/functions/name') as [string];
    await open(alone, `function/${name}`);
    expect(await page.innerText('main')).to.contain('symbols-unknown');
    expect(complaints).to.deep.equal([]);
  });

  it('shows what differs between two kernels, and objects on kernels', async () => {
    await open(await report('diff', '--diff', AMD64, ARM64));
    const { changes } = JSON.parse((await cli('diff', AMD64, ARM64, '--json')).stdout) as { changes: object[] };
    expect(await page.innerText('[role=status]')).to.match(new RegExp(` of ${changes.length.toLocaleString('en')}$`));
    expect(await seriousFindings(page)).to.deep.equal([]);
    await open(await report('check', '--check', OBJECT, '--kernel', AMD64, '--kernel', ARM64));
    const { objects } = JSON.parse((await cli('bpf', 'check', OBJECT, '-k', AMD64, '-k', ARM64, '--json')).stdout) as {
      objects: { kernels: { programs: { program: string; outcome: string }[] }[] }[];
    };
    const shown = (await page.evaluate(
      "[...document.querySelectorAll('.matrix tbody tr')].map(row => [...row.querySelectorAll('td')].map(cell => cell.textContent.split(':')[0]))",
    )) as string[][];
    const { kernels } = objects[0]!;
    expect(shown).to.deep.equal(kernels[0]!.programs.map((_, i) => kernels.map(({ programs }) => programs[i]!.outcome)));
    await page.click('.matrix td.refused a');
    await page.waitForSelector('.evidence li');
    expect(await seriousFindings(page)).to.deep.equal([]);
    expect(complaints).to.deep.equal([]);
  });

  it('names of markup are text, and those with control and bidirectional characters are printable', async () => {
    const html = readFileSync(file, 'utf8');
    const name = '<img src=x onerror="globalThis.harmed=1"></script><script>globalThis.harmed=1</script>\u202e\x1b[31m\u2028';
    const spoilt = JSON.parse(JSON.stringify(partOfReport(html, '1/overview')), (_, value: unknown) =>
      typeof value === 'string' ? `${name}${value}` : value,
    ) as object;
    const names = (partOfReport(html, '1/functions/name') as string[]).map(() => name);
    const put = (text: string, id: string, value: unknown): string =>
      text.replace(new RegExp(`(id="${id}">)[^<]*`), `$1${deflateRawSync(JSON.stringify(value)).toString('base64')}`);
    const other = join(folder, 'hostile.html');
    writeFileSync(other, put(put(html, '1/overview', { ...spoilt }), '1/functions/name', names));
    await open(other);
    expect(await page.innerText('h1')).to.contain('<img src=x');
    await page.waitForSelector('.mechanisms');
    for (const view of VIEWS.slice(1, -1)) {
      await open(other, view);
      expect(await page.innerText('main')).to.not.match(HIDDEN);
    }
    await open(other, 'functions');
    expect(await page.innerText('tbody td.code a')).to.contain('\\u202e\\x1b[31m\\u2028');
    expect(await page.evaluate("[document.querySelectorAll('main img, main script').length, globalThis.harmed ?? 0]")).to.deep.equal([
      0, 0,
    ]);
    await page.click('tbody td.code a');
    await page.waitForSelector('.note');
    expect(await page.innerText('main')).to.contain('no function is called <img');
    expect(requests.filter(url => url !== pathToFileURL(other).href && !url.startsWith(`${pathToFileURL(other).href}#`))).to.deep.equal([]);
    expect(complaints).to.deep.equal([]);
  });

  it('a damaged file is told of in a sentence', async () => {
    const other = join(folder, 'damaged.html');
    writeFileSync(other, readFileSync(file, 'utf8').replace(/(id="1\/overview">.{40})[^<]{40}/, '$1'));
    await page.goto(pathToFileURL(other).href);
    await page.waitForSelector('main h1:has-text("can’t be shown")');
  });
});
