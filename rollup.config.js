import { readFileSync, rmSync } from 'node:fs';
import { dirname, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

/*
 * The command line in a few CommonJS files, from what tsc wrote: node takes as long to load eighty modules as most commands take to work, and 5 ms
 * to start its loader of ES modules. A folder becomes a file, and a command too. The library's imports are all static; here the import of another
 * file becomes a require() that runs when something of it is first used, so that no command loads what only others need. The library itself is
 * not bundled.
 */

const dist = fileURLToPath(new URL('dist/', import.meta.url));
const out = `${dist}cli`;

/** Modules that are files of their own: their folders are needed by more than need them. */
const APART = [
  'btf/core-compat',
  'btf/ext',
  'btf/relocate',
  'elf/relocation-names',
  'kallsyms/elf',
  'kallsyms/locate',
  'lib/cli/shells',
  'lib/facts/definitions',
  'lib/facts/tracepoint-table',
  'lib/image/read-btf',
  'lib/kernel',
];

/**
 * Modules of other folders that a dump of BTF goes through for each type. What is in one file is called as it is, which costs V8 half of what a look
 * into another file's exports does; and a dump loads no more than this.
 */
const DUMP = [
  ...['blob', 'flat', 'ids', 'kinds', 'layout', 'scan', 'strings', 'wire'].map(name => `btf/${name}`),
  ...['body', 'c', 'declaration', 'json', 'lines', 'name-counts', 'order', 'raw', 'writer'].map(name => `btf/print/${name}`),
];

/** What every command goes through before its own file is read. */
const START = [
  ...['errors', 'escape'].map(name => `elf/${name}`),
  ...['errors', 'node/paths', 'report/json'].map(name => `lib/${name}`),
  ...['command', 'commands', 'gate', 'hand-over', 'main', 'output'].map(name => `lib/cli/${name}`),
];

/** What of lib/report is for one command: all but what writes tables, JSON and JUnit. */
const REPORT = /^lib\/report\/(?!report$|json$|junit$|tables$|text$|write-xml$)/;

/** `part-elf-dwarf` for what is in elf/dwarf; a command for itself, and its report. Rollup makes the name of a variable of it, partElfDwarf: nothing else is called so. */
function fileOf(id) {
  const path = posix.relative(dist, id).replace(/\.js$/, '');
  if (DUMP.includes(path)) return 'part-btf-dump';
  if (START.includes(path)) return 'part-start';
  const part = path.startsWith('lib/cli/commands/') || REPORT.test(path) || APART.includes(path) ? path : dirname(path);
  return `part-${part.replace(/^lib\//, '').replaceAll('/', '-')}`;
}

/** What is found beside a module, such as a worker or a page of docs/, is found from where the module was. A path is no URL: it may have a `#`. */
const placeOf = id => `new URL(${JSON.stringify(posix.relative(out, id))}, require('node:url').pathToFileURL(__filename)).href`;

const { imports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));

/** `var x = require('./y.cjs');`, by which rollup writes `x.name` for what a file takes of another, of a package and of Node. */
const REQUIRE = /^(?:var|const) (\w+) = require\('([^']+)'\);\n/gm;
/** `require('./y.cjs');`, for what loading `y` does: nothing. */
const BARE_REQUIRE = /^require\('\.\/[^']+'\);\n/gm;

function requiredLate(code) {
  const names = [];
  const head = code.replace(BARE_REQUIRE, '').replace(REQUIRE, (_, name, path) => {
    names.push(name);
    return `let ${name}$; const ${name}$$ = () => (${name}$ = require('${path}'));\n`;
  });
  if (names.length === 0) return code;
  return head.replace(new RegExp(`(?<![\\w$/#]|(?<!\\.\\.)\\.)(${names.join('|')})\\.(?!cjs)`, 'g'), (_, name) => `(${name}$ ?? ${name}$$()).`);
}

export default {
  input: { kelf: `${dist}lib/cli/main.js` },
  output: {
    dir: out,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    dynamicImportInCjs: false,
    hoistTransitiveImports: false,
    manualChunks: fileOf,
  },
  external: id => !id.startsWith('.') && !id.startsWith('/') && !id.startsWith('#'),
  // What is imported is there for its names: loading a module does nothing, but for the one that runs the command.
  treeshake: { moduleSideEffects: id => id.endsWith('/lib/cli/main.js') },
  // Helpers of tsc ask for `this`; files that need each other's functions get them when they are called.
  onwarn: (warning, warn) => ['THIS_IS_UNDEFINED', 'CIRCULAR_CHUNK'].includes(warning.code) || warn(warning),
  plugins: [
    {
      name: 'command-line',
      // What an earlier build named otherwise.
      buildStart: () => rmSync(out, { recursive: true, force: true }),
      resolveId: id => (id in imports ? fileURLToPath(new URL(imports[id].node, import.meta.url)) : null),
      resolveImportMeta: (property, { moduleId }) => (property === 'url' ? placeOf(moduleId) : null),
      // Without comments, which are half of what Node would read and scan at each start.
      renderChunk: async code => ({ code: (await transform(requiredLate(code), { legalComments: 'none' })).code, map: null }),
    },
  ],
};
