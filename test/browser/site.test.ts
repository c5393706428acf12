import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, ftruncateSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Browser, HIDDEN, launch, type Page, seriousFindings, watched } from '../support/browser.js';
import { cli } from '../support/cli.js';
import { withHostileNames } from '../support/hostile-names.js';
import { random } from '../support/mutate.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FIXTURES = join(ROOT, 'fixtures');
const AMD64 = join(FIXTURES, 'kernel/vmlinux-amd64');
const ARM64 = join(FIXTURES, 'kernel/vmlinux-arm64');
const BTF = join(FIXTURES, 'kernel/vmlinux-arm64.external-only.btf');
const MODULE = join(FIXTURES, 'kernel/kelf-mod-amd64.ko');
const OBJECT = join(FIXTURES, 'bpf/kelf.bpfel.o');

describe('the site in Chromium', () => {
  let server: ChildProcess;
  let url = '';
  let folder = '';
  let browser: Browser;
  let page: Page;
  let requests: string[];
  let complaints: string[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kelf-site-'));
    server = spawn(process.execPath, [join(ROOT, 'dist/cli/kelf.cjs'), 'serve'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(server.stdout!, 'data')) as [Buffer];
    url = line.toString().trim();
    browser = await launch();
  });

  after(async () => {
    await browser?.close();
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    ({ page, requests, complaints } = await watched(browser));
    await page.goto(url);
    await page.waitForSelector('.drop');
  });

  afterEach(async () => {
    // Of all that was done, the document was the one request, and the policy had nothing to stop.
    expect(requests).to.deep.equal([url]);
    expect(complaints).to.deep.equal([]);
    await page.close();
  });

  /** Chooses files, as a drop does, and waits for what is shown then. */
  async function give(...files: string[]): Promise<void> {
    await page.setInputFiles('#files', files);
    await page.waitForSelector('nav[aria-label="Open files"] a:nth-child(2), .problem');
  }

  async function ask(name: string): Promise<string> {
    await page.fill('form input', name);
    await page.press('form input', 'Enter');
    await page.waitForSelector(`h1 code:text-is("${name}")`);
    return page.innerText('main');
  }

  async function json<T>(...args: string[]): Promise<T> {
    return JSON.parse((await cli(...args, '--json')).stdout) as T;
  }

  it('is served on loopback, with its policy, and nothing else is', async () => {
    const response = await fetch(url);
    expect(new URL(url).hostname).to.equal('127.0.0.1');
    expect(response.headers.get('content-security-policy')).to.match(/^default-src 'none'; script-src 'sha256-[^ ']+'; style-src/);
    for (const path of ['../package.json', '%2e%2e/package.json', 'page.js', 'etc/passwd', '//etc/passwd'])
      expect((await fetch(`${url}${path}`)).status, path).to.equal(404);
    expect((await fetch(url, { method: 'POST' })).status).to.equal(404);
  });

  it('says of a function what kelf trace, why and attach say', async () => {
    await give(AMD64);
    await page.waitForSelector('h1:has-text("Linux version")');
    for (const name of ['tty_write', 'may_create', 'load_elf_binary']) {
      const shown = await ask(name);
      const { answers } = await json<{ answers: Record<string, Record<string, { code: string; because: { says: string }[] }>>[] }>(
        'trace',
        AMD64,
        name,
      );
      for (const mechanism of ['kprobe', 'kretprobe', 'fentry', 'fexit', 'fmodRet', 'kprobeMulti', 'fprobe', 'ftrace'])
        for (const { code, because } of Object.values(answers[0]![mechanism]!)) {
          if (code !== 'accepted') expect(shown, name).to.contain(code);
          for (const { says } of because) expect(shown, name).to.contain(says);
        }
      const why = await json<{ answers: { code: string; because: { says: string }[] }[] }>('why', AMD64, name);
      for (const { code, because } of why.answers)
        for (const says of [code, ...because.map(each => each.says)]) expect(shown).to.contain(says);
      for (const form of ['kprobe_events', 'perf', 'bpftrace'])
        for (const line of (await cli('attach', AMD64, name, '--as', form)).stdout.trim().split('\n')) expect(shown, form).to.contain(line);
    }
    expect(await seriousFindings(page)).to.deep.equal([]);
  });

  it('says of a place, a tracepoint and a name that nothing has what kelf trace says', async () => {
    await give(AMD64);
    const place = await json<{ places: { kprobe: { code: string } }[] }>('trace', AMD64, 'tty_write+0x4');
    expect(await ask('tty_write+0x4')).to.contain(place.places[0]!.kprobe.code);
    const none = await json<{ answers: { kprobe: { byName: { code: string; because: { says: string }[] } } }[] }>(
      'trace',
      AMD64,
      'ty_write',
    );
    expect(await ask('ty_write')).to.contain(none.answers[0]!.kprobe.byName.because[0]!.says);
    const event = await json<{ tracepoints: { event: { code: string } }[] }>('trace', AMD64, 'tracepoint:none');
    expect(await ask('tracepoint:none')).to.contain(event.tracepoints[0]!.event.code);
  });

  it('has the columns of the report', async () => {
    await give(AMD64);
    await page.waitForSelector('.mechanisms');
    await page.click('nav a:has-text("Functions")');
    await page.waitForSelector('tbody td.code a');
    const { symbols } = await json<{ symbols: { text: number } }>('audit', AMD64);
    expect(await page.innerText('[role=status]')).to.match(new RegExp(` of ${symbols.text}$`));
    for (const view of ['Directories', 'Places', 'Shared names', 'Structs']) {
      await page.click(`nav a:has-text("${view}")`);
      await page.waitForSelector(`nav a[aria-current]:has-text("${view}")`);
      await page.waitForSelector('main table, main .note');
    }
  });

  it('compares two kernels', async () => {
    await give(AMD64, ARM64);
    await page.waitForSelector('.matrix');
    const { changes } = await json<{ changes: object[] }>('diff', AMD64, ARM64);
    expect(await page.innerText('.tools [role=status]')).to.match(new RegExp(` of ${changes.length.toLocaleString('en')}$`));
  });

  it('checks an object on the kernels beside it', async () => {
    await give(OBJECT, AMD64);
    await page.waitForSelector('.matrix td');
    const { objects } = await json<{ objects: { kernels: { programs: { outcome: string }[] }[] }[] }>('bpf', 'check', OBJECT, '-k', AMD64);
    const shown = await page.evaluate("[...document.querySelectorAll('.matrix td')].map(cell => cell.textContent.split(':')[0])");
    expect(shown).to.deep.equal(objects[0]!.kernels[0]!.programs.map(({ outcome }) => outcome));
  });

  it('reads BTF alone, gives it symbols, and shows modules, objects and symbols by themselves', async () => {
    await give(BTF);
    await page.waitForSelector('.note:has-text("--symbols FILE")');
    const map = join(folder, 'System.map');
    writeFileSync(map, (await cli('kallsyms', AMD64)).stdout);
    await page.click('nav a:text-is("Files")');
    await give(map);
    await page.waitForSelector('nav[aria-label="Views"]');
    await page.waitForSelector('h2:has-text("In numbers")');
    for (const [file, title] of [
      [MODULE, 'module kelf_mod'],
      [OBJECT, 'BPF object kelf.bpfel.o'],
      [map, 'System.map'],
    ] as const) {
      await page.click('nav a:text-is("Files")');
      await give(file);
      // An object beside a kernel is checked on it first.
      await page.waitForSelector('nav[aria-label="Open files"] a[aria-current]:not(:first-child)');
      await page.click(`nav[aria-label="Open files"] a:text-is("${title.split(' ').at(-1)}")`);
      await page.waitForSelector(`h1:text-is("${title}")`);
      expect(await seriousFindings(page)).to.deep.equal([]);
    }
  });

  it('tells of what it can’t read in sentences', async () => {
    const damaged = join(folder, 'damaged');
    writeFileSync(damaged, readFileSync(AMD64).subarray(0, 5000));
    const empty = join(folder, 'empty');
    writeFileSync(empty, '');
    const noise = join(folder, 'noise.ko.xz');
    writeFileSync(noise, 'no module');
    const object = join(folder, 'damaged.o');
    writeFileSync(object, readFileSync(OBJECT).subarray(0, 700));
    for (const file of [damaged, empty, noise, object]) {
      await give(file);
      await page.waitForSelector('.problem');
      const shown = await page.innerText('.problem');
      expect(shown).to.contain(file.slice(folder.length + 1));
      expect(shown).to.not.contain('a fault of kelf');
    }
    expect(await seriousFindings(page)).to.deep.equal([]);
  });

  it('names of a hostile kernel do nothing', async () => {
    const file = join(folder, 'vmlinux-<img src=x onerror="globalThis.harmed=1">');
    writeFileSync(file, withHostileNames(readFileSync(AMD64), random(7)));
    await give(file);
    await page.waitForSelector('nav[aria-label="Views"]');
    for (const view of ['Overview', 'Functions', 'Directories', 'Places', 'Shared names', 'Structs']) {
      await page.click(`nav[aria-label="Views"] a:text-is("${view}")`);
      await page.waitForSelector(`nav a[aria-current]:has-text("${view}")`);
      await page.waitForSelector('main table, main .note');
      expect(await page.innerText('body')).to.not.match(HIDDEN);
    }
    await page.click('nav a:has-text("Functions")');
    const hrefs = (await page.evaluate("[...document.querySelectorAll('td.code a')].map(link => link.getAttribute('href'))")) as string[];
    for (const href of hrefs.filter(each => each.includes('%')).slice(0, 8)) {
      await page.evaluate(`location.hash = ${JSON.stringify(href)}`);
      await page.waitForSelector('h2, .note');
      expect(await page.innerText('body')).to.not.match(HIDDEN);
    }
    expect(await page.evaluate("[document.querySelectorAll('main img, main script').length, globalThis.harmed ?? 0]")).to.deep.equal([
      0, 0,
    ]);
  });

  it('is cancelled in the middle of a file, and goes on with another', async () => {
    // Of holes: it is searched from end to end, which takes some seconds.
    const large = join(folder, 'large');
    const fd = openSync(large, 'w');
    ftruncateSync(fd, 900_000_000);
    closeSync(fd);
    await page.setInputFiles('#files', large);
    await page.click('.busy button');
    await page.waitForSelector('.problem:has-text("Cancelled")');
    await give(AMD64);
    expect(await ask('tty_write')).to.contain('ftrace site');
  });
});
