import { build } from 'esbuild';

/*
 * The page, a script for report and site, and the worker of the site: kelf as a browser has it. What tsc wrote is bundled for the worker, where
 * `#host` of package.json is the one without Node; the page is checked with the types of the DOM and bundled as it is written.
 */
const options = { bundle: true, minify: true, platform: 'browser', target: 'es2023', legalComments: 'none', charset: 'utf8', logLevel: 'warning' };
await build({ ...options, entryPoints: ['lib/web/page/main.ts'], outfile: 'dist/web/page.js', format: 'esm' });
await build({
  ...options,
  entryPoints: ['dist/lib/web/worker.js'],
  outfile: 'dist/web/worker.js',
  format: 'iife',
  // The code of Node's floor is not in it: nothing is looked for beside a module.
  logOverride: { 'empty-import-meta': 'silent' },
});
