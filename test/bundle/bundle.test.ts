import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import * as esbuild from 'esbuild';
import { openKernel } from 'kelf';
import { describeObject, openBpfObject, Preflight } from 'kelf/bpf';
import * as vite from 'vite';
import { answersOf } from './answers.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const FIXTURES = join(ROOT, 'fixtures');
const HERE = fileURLToPath(new URL('./', import.meta.url));
/** Debian's, or another one. */
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** What is used of playwright-core: its own types want those of the DOM, which nothing else here has. */
interface Playwright {
  readonly chromium: { launch(options: object): Promise<{ newPage(): Promise<Page>; close(): Promise<void> }> };
}

interface Page {
  goto(url: string): Promise<unknown>;
  evaluate(code: string): Promise<unknown>;
}

const { chromium } = createRequire(import.meta.url)('playwright-core') as Playwright;

describe('kelf in a bundle', () => {
  let folder: string;
  let expected: string;

  before(() => {
    // As in a program of somebody's: kelf is a package there.
    folder = mkdtempSync(join(tmpdir(), 'kelf-bundle-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/kelf'));
    for (const name of ['program', 'answers', 'browser-worker'])
      writeFileSync(
        join(folder, `${name}.mjs`),
        readFileSync(join(HERE, `${name}.js`), 'utf8').replace("'./answers.js'", "'./answers.mjs'"),
      );
    expected = run('program.mjs');
    expect(Object.keys(JSON.parse(expected) as object)).to.have.length.greaterThan(12);
  });

  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(program: string): string {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, program), FIXTURES], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    expect(stderr).to.equal('');
    expect(status).to.equal(0);
    return stdout;
  }

  for (const format of ['esm', 'cjs'] as const) {
    it(`by esbuild, for Node, ${format}: answers as it does unbundled`, async () => {
      const outfile = join(folder, `esbuild.${format === 'esm' ? 'mjs' : 'cjs'}`);
      // CommonJS has no await at the top level.
      const input = format === 'esm' ? join(folder, 'program.mjs') : join(folder, 'program-cjs.mjs');
      if (format === 'cjs') {
        const [imports, body] = splitImports(readFileSync(join(folder, 'program.mjs'), 'utf8'));
        writeFileSync(input, `${imports}\n(async () => {\n${body}\n})();\n`);
      }
      // The package yaml is CommonJS in Node: in a bundle of ES modules esbuild has no require() for what it asks of Node.
      const banner = { js: `import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);` };
      const { warnings } = await esbuild.build({
        ...(format === 'esm' ? { banner } : {}),
        entryPoints: [input],
        outfile,
        bundle: true,
        platform: 'node',
        format,
        logLevel: 'silent',
      });
      expect(warnings.filter(({ id }) => id !== 'empty-import-meta').map(({ text }) => text)).to.deep.equal([]);
      expect(run(outfile.slice(folder.length))).to.equal(expected);
    });
  }

  it('by esbuild: what a program does not ask for is left out', async () => {
    const outfile = join(folder, 'small.mjs');
    const contents = `import { openKernel } from 'kelf';
const kernel = await openKernel(process.argv[2] + '/kernel/vmlinux-amd64');
console.log(kernel.traceability('tty_write').kprobe.byName.outcome);`;
    const stdin = { contents, resolveDir: folder };
    await esbuild.build({ stdin, outfile, bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' });
    expect(run('small.mjs')).to.equal('accepted\n');
    const bundled = readFileSync(outfile, 'utf8');
    for (const left of ['node_modules/yaml/', 'node_modules/fast-xml-parser/', 'lib/bpf/', 'lib/report/'])
      expect(bundled).not.to.include(left);
  });

  it('by Vite, for Node: answers as it does unbundled', async () => {
    const warnings: string[] = [];
    await vite.build({
      configFile: false,
      root: folder,
      logLevel: 'silent',
      customLogger: { ...vite.createLogger('silent'), warn: message => void warnings.push(message) },
      ssr: { noExternal: true },
      build: { ssr: join(folder, 'program.mjs'), outDir: join(folder, 'vite'), minify: false },
    });
    expect(warnings).to.deep.equal([]);
    const output = ['program.js', 'program.mjs'].find(name => existsSync(join(folder, 'vite', name)))!;
    writeFileSync(join(folder, 'vite/package.json'), '{"type":"module"}');
    expect(run(`vite/${output}`)).to.equal(expected);
  });

  it('in a worker of Chromium: answers as in Node', async function () {
    if (!existsSync(CHROMIUM)) {
      console.log(`      skipped: no ${CHROMIUM}; CHROMIUM names another`);
      this.skip();
    }
    const outfile = join(folder, 'worker.js');
    const entryPoints = [join(folder, 'browser-worker.mjs')];
    await esbuild.build({ entryPoints, outfile, bundle: true, platform: 'browser', format: 'esm', logLevel: 'silent' });
    const answer = JSON.parse(await askInBrowser(readFileSync(outfile))) as Record<string, unknown>;
    expect(answer['error']).to.equal(undefined);
    const kernel = await openKernel(readFileSync(join(FIXTURES, 'kernel/vmlinux-amd64')), { name: 'vmlinux' });
    const object = openBpfObject(readFileSync(join(FIXTURES, 'bpf/kelf.bpfel.o')), { name: 'kelf.bpfel.o' });
    const own = {
      answers: answersOf(kernel),
      object: describeObject(object),
      check: new Preflight(kernel).check(object),
      path: 'InputError',
    };
    expect(answer).to.deep.equal(JSON.parse(JSON.stringify(own, (_, item: unknown) => (typeof item === 'bigint' ? String(item) : item))));
  });
});

/** The lines of a module that import, and the rest. */
function splitImports(code: string): [imports: string, body: string] {
  const end = code.lastIndexOf("from './answers.mjs';") + "from './answers.mjs';".length;
  return [code.slice(0, end), code.slice(end)];
}

/** Runs the worker in a page, hands it two files of the fixtures as Blobs, and gives what it posts back. */
async function askInBrowser(worker: Uint8Array): Promise<string> {
  const files: Readonly<Record<string, readonly [type: string, body: string | Uint8Array]>> = {
    '/': ['text/html', '<!doctype html><title>kelf</title>'],
    '/worker.js': ['text/javascript', worker],
    '/kernel': ['application/octet-stream', readFileSync(join(FIXTURES, 'kernel/vmlinux-amd64'))],
    '/object': ['application/octet-stream', readFileSync(join(FIXTURES, 'bpf/kelf.bpfel.o'))],
  };
  const server = createServer(({ url = '' }, response) => {
    const [type, body] = files[url] ?? ['text/plain', ''];
    response.writeHead(files[url] === undefined ? 404 : 200, { 'content-type': type }).end(body);
  });
  await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    // The page's own code: it knows the DOM, which this project's types do not.
    return (await page.evaluate(`(async () => {
      const [kernel, object] = await Promise.all(['/kernel', '/object'].map(async url => (await fetch(url)).blob()));
      const worker = new Worker('/worker.js', { type: 'module' });
      const answered = new Promise((resolve, reject) => {
        worker.onmessage = event => resolve(event.data);
        worker.onerror = event => reject(new Error(event.message));
      });
      worker.postMessage({ kernel, object });
      return answered;
    })()`)) as string;
  } finally {
    await browser.close();
    server.close();
  }
}
