/** A step of the build: writes kelf(1) to dist/man. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { manPage } from './shells.js';

const root = new URL('../../../', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as { version: string };
mkdirSync(new URL('dist/man/', root), { recursive: true });
writeFileSync(new URL('dist/man/kelf.1', root), await manPage(version));
