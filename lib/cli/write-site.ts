/** A step of the build: writes the site, one document, to dist/site. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { pageHtml } from '../web/html.js';
import { pageFrame, SITE_INDEX, WORKER_SCRIPT } from './page-files.js';

mkdirSync(new URL('.', SITE_INDEX), { recursive: true });
writeFileSync(SITE_INDEX, pageHtml({ ...pageFrame(), packed: [['worker', deflateRawSync(readFileSync(WORKER_SCRIPT), { level: 9 })]] }));
