import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { expect } from 'chai';
import { cli } from '../support/cli.js';
import { dataOfReport } from '../support/report-page.js';

const AMD64 = fileURLToPath(new URL('../../../fixtures/kernel/vmlinux-amd64', import.meta.url));
/** Debian's, or another one. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** What is used of playwright-core: its own types want those of the DOM, which nothing else here has. */
interface Browser {
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(code: string): Promise<unknown>;
  waitForSelector(selector: string): Promise<unknown>;
  click(selector: string): Promise<void>;
  fill(selector: string, text: string): Promise<void>;
  innerText(selector: string): Promise<string>;
  on(event: string, listener: (what: { url(): string; text(): string; message: string }) => void): void;
  close(): Promise<void>;
}

const { chromium } = createRequire(import.meta.url)('playwright-core') as { chromium: { launch(options: object): Promise<Browser> } };

describe('the report in Chromium', () => {
  let folder = '';
  let file = '';
  let browser: Browser;
  let page: Page;
  let requests: string[];
  let complaints: string[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-browser-'));
    file = join(folder, 'report.html');
    expect((await cli('report', AMD64, '-o', file)).code).to.equal(0);
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });

  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    page = await browser.newPage();
    requests = [];
    complaints = [];
    page.on('request', request => requests.push(request.url()));
    page.on('console', message => complaints.push(message.text()));
    page.on('pageerror', error => complaints.push(error.message));
  });

  afterEach(() => page.close());

  async function open(path: string): Promise<void> {
    await page.goto(pathToFileURL(path).href);
    await page.waitForSelector('h1');
  }

  it('shows the banner, and asks for nothing beside its own file', async () => {
    await open(file);
    expect(await page.innerText('h1')).to.match(/^Linux version 6\.1\.0-kelf-amd64 /);
    await page.click('header a:nth-child(2)');
    await page.waitForSelector('tbody td.code a');
    expect(requests).to.deep.equal([pathToFileURL(file).href]);
    expect(complaints).to.deep.equal([]);
  });

  it('its policy stops requests', async () => {
    await open(file);
    expect(await page.evaluate("fetch('data:text/plain,x').then(() => 'asked', () => 'stopped')")).to.equal('stopped');
    expect(complaints.join('\n')).to.match(/Content Security Policy/);
  });

  it('finds a function by a part of its name, and shows the verdicts of kelf trace', async () => {
    const { answers } = JSON.parse((await cli('trace', AMD64, 'tty_write', '--json')).stdout) as {
      answers: [{ kprobe: { byName: { code: string } } }];
    };
    await open(file);
    await page.click('header a:nth-child(2)');
    await page.fill('input[type=search]', 'TTY_WRI');
    await page.click('td a >> text="tty_write"');
    await page.waitForSelector('h1 code');
    expect(await page.innerText('h1')).to.equal('tty_write');
    expect(await page.innerText('tr:has(th:text-is("kprobe"))')).to.contain(answers[0].kprobe.byName.code);
  });

  it('names of markup are text', async () => {
    const html = readFileSync(file, 'utf8');
    const data = dataOfReport(html);
    const name = '<img src=x onerror="globalThis.harmed=1"></script><script>globalThis.harmed=1</script>';
    const spoilt = { ...data, banner: name, functions: { ...data.functions, name: data.functions.name.map(() => name) } };
    const packed = deflateRawSync(JSON.stringify(spoilt)).toString('base64');
    const other = join(folder, 'hostile.html');
    writeFileSync(other, html.replace(/(id="data">)[^<]*/, `$1${packed}`));
    await open(other);
    expect(await page.innerText('h1')).to.equal(name);
    await page.click('header a:nth-child(2)');
    await page.waitForSelector('tbody td.code a');
    expect(await page.innerText('tbody td.code a')).to.equal(name);
    expect(await page.evaluate("[document.querySelectorAll('main img, main script').length, globalThis.harmed ?? 0]")).to.deep.equal([
      0, 0,
    ]);
    expect(requests).to.have.length(1);
    expect(complaints).to.deep.equal([]);
  });

  it('a damaged file is told of in a sentence', async () => {
    const other = join(folder, 'damaged.html');
    writeFileSync(other, readFileSync(file, 'utf8').replace(/(id="data">.{40})[^<]{400}/, '$1'));
    await page.goto(pathToFileURL(other).href);
    await page.waitForSelector('main p >> text=/can.t be shown/');
  });
});
