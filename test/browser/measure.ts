import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, launch, type Page } from '../support/browser.js';

/*
 * How long the site takes for a kernel, what memory its process has, and how long its main thread is busy at once:
 *
 *   node dist/test/browser/measure.js vmlinux vmlinuz
 */

const SITE = new URL('../../site/index.html', import.meta.url).href;
const VIEWS = ['Functions', 'Directories', 'Places', 'Shared names', 'Structs'];

/** The most memory that a process of a page has had, in MB. */
function mostMemory(): number {
  const peaks = readdirSync('/proc').map(pid => {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) return 0;
      return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
    } catch {
      return 0;
    }
  });
  return Math.round(Math.max(...peaks));
}

async function longTasks(page: Page): Promise<string> {
  return `longest task of the main thread ${Math.max(0, ...((await page.evaluate('long.splice(0)')) as number[]))} ms`;
}

async function measure(browser: Browser, file: string): Promise<void> {
  const page = await browser.newPage();
  await page.goto(SITE);
  await page.evaluate(
    "globalThis.long = []; new PerformanceObserver(list => list.getEntries().forEach(entry => long.push(Math.round(entry.duration)))).observe({ type: 'longtask' })",
  );
  const empty = mostMemory();
  const start = performance.now();
  const say = async (what: string): Promise<void> => {
    const took = Math.round(performance.now() - start);
    console.log(`  ${what}: after ${took} ms; ${mostMemory() - empty} MB beside the ${empty} of the empty page; ${await longTasks(page)}`);
  };
  console.log(file);
  await page.setInputFiles('#files', resolve(file));
  await page.waitForSelector('form input');
  await page.fill('form input', 'tty_write');
  await page.press('form input', 'Enter');
  await page.waitForSelector('h1 code');
  await say('the first answer, about tty_write');
  await page.click('nav a:text-is("Overview")');
  await page.waitForSelector('.mechanisms', { timeout: 600_000 });
  await say('the overview');
  for (const view of VIEWS) {
    await page.click(`nav a:text-is("${view}")`);
    await page.waitForSelector(`nav a[aria-current]:text-is("${view}")`);
    await page.waitForSelector('.busy', { state: 'detached', timeout: 600_000 });
    await page.waitForSelector('h1');
    await say(view);
  }
  await page.close();
}

const files = process.argv.slice(2);
if (files.length === 0) console.log(`${fileURLToPath(import.meta.url)} KERNEL…`);
for (const file of files) {
  const browser = await launch();
  await measure(browser, file);
  await browser.close();
}
