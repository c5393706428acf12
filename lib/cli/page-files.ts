import { readFileSync } from 'node:fs';
import { digestOf } from '../bpf/load/digest.js';
import type { PageParts } from '../web/html.js';
import { STYLE } from '../web/style.js';

/** Where the build puts the page: the script of report and site, and the site. */
export const PAGE_SCRIPT: URL = new URL('../../web/page.js', import.meta.url);
export const WORKER_SCRIPT: URL = new URL('../../web/worker.js', import.meta.url);
export const SITE_INDEX: URL = new URL('../../site/index.html', import.meta.url);

/** Script and style of every page. */
export function pageFrame(): Omit<PageParts, 'packed'> {
  const script = readFileSync(PAGE_SCRIPT, 'utf8');
  return { script, style: STYLE, sha256: text => digestOf('sha256', new TextEncoder().encode(text)) };
}
