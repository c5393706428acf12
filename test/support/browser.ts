import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** Debian's Chromium, or another one. */
export const CHROMIUM: string = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** What is used of playwright-core: its own types want those of the DOM, which nothing else here has. */
export interface Browser {
  newPage(options?: object): Promise<Page>;
  close(): Promise<void>;
}

export interface Page {
  goto(url: string): Promise<unknown>;
  reload(): Promise<unknown>;
  evaluate(code: string): Promise<unknown>;
  waitForSelector(selector: string, options?: object): Promise<unknown>;
  waitForFunction(code: string, argument?: unknown, options?: object): Promise<unknown>;
  click(selector: string): Promise<void>;
  fill(selector: string, text: string): Promise<void>;
  press(selector: string, key: string): Promise<void>;
  setInputFiles(selector: string, files: string | readonly string[]): Promise<void>;
  innerText(selector: string): Promise<string>;
  screenshot(options: object): Promise<Uint8Array>;
  setViewportSize(size: { readonly width: number; readonly height: number }): Promise<void>;
  emulateMedia(options: object): Promise<void>;
  on(event: string, listener: (what: { url(): string; text(): string; message: string }) => void): void;
  close(): Promise<void>;
}

const require = createRequire(import.meta.url);

export async function launch(args: readonly string[] = []): Promise<Browser> {
  const { chromium } = require('playwright-core') as { chromium: { launch(options: object): Promise<Browser> } };
  return chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', ...args] });
}

/** A page, what it asked the network for, and what the browser complained of. */
export interface Watched {
  readonly page: Page;
  readonly requests: string[];
  readonly complaints: string[];
}

export async function watched(browser: Browser, options: object = {}): Promise<Watched> {
  const page = await browser.newPage(options);
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', request => {
    // The worker is made of what the document has inlined.
    if (!request.url().startsWith('blob:')) requests.push(request.url());
  });
  page.on('console', message => complaints.push(message.text()));
  page.on('pageerror', error => complaints.push(error.message));
  return { page, requests, complaints };
}

/** What axe-core finds serious or critical, as `rule: element`. */
export async function seriousFindings(page: Page): Promise<string[]> {
  const { violations } = (await page.evaluate(
    `${readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')}; axe.run(document, { resultTypes: ['violations'] })`,
  )) as { violations: { id: string; impact: string; nodes: { html: string }[] }[] };
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return serious.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}

/** What tells a terminal something or moves text: nothing of it may be shown as it is. */
export const HIDDEN: RegExp = /[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|[^\P{Cc}\n\t]/u;
