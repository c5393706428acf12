import { readFileSync, rmSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * The command line in a few CommonJS files, from what tsc wrote: node takes as long to load eighty modules as most commands take to work, and 5 ms
 * to start its loader of ES modules. Parts are still loaded when they are entered: commands by import(), rooms by require(). The library is not bundled.
 */

const dist = fileURLToPath(new URL('dist/', import.meta.url));
const out = `${dist}cli`;

/** `./open/unwrap.js`, as lib/rooms.ts has it, is `room-open-unwrap.cjs` here. */
const nameOfRoom = path => `room-${path.replace(/^[./]+|\.js$/g, '').replaceAll('/', '-')}`;
const ROOMS = `${dist}lib/rooms.js`;
const REQUIRE = /require\('(\.[^']+)'\)/g;
const rooms = [...readFileSync(ROOMS, 'utf8').matchAll(REQUIRE)].map(([, path]) => path);

/**
 * What is found beside a module, such as a worker or a page of docs/, is found from where the module was; rooms are here. A path is no URL: the
 * one to a project may have a `#` or a `%` in it.
 */
const placeOf = id => `new URL(${JSON.stringify(id === ROOMS ? '' : posix.relative(out, id))}, require('node:url').pathToFileURL(__filename)).href`;

export default {
  input: {
    kelf: `${dist}lib/cli/main.js`,
    ...Object.fromEntries(rooms.map(path => [nameOfRoom(path), posix.join(dist, 'lib', path)])),
  },
  output: {
    dir: out,
    format: 'cjs',
    entryFileNames: '[name].cjs',
    chunkFileNames: '[name].cjs',
    dynamicImportInCjs: false,
    // What most commands need, in a file each.
    manualChunks: { command: [`${dist}lib/cli/command.js`], elf: [`${dist}elf/file.js`], btf: [`${dist}btf/btf.js`], kernel: [`${dist}lib/cli/kernel.js`] },
  },
  external: id => !id.startsWith('.') && !id.startsWith('/'),
  // Loops in asm.js are to stay as they are, down to what looks useless.
  treeshake: false,
  plugins: [
    {
      name: 'places',
      // What an earlier build named otherwise.
      buildStart: () => rmSync(out, { recursive: true, force: true }),
      transform: (code, id) =>
        id === ROOMS ? { code: code.replace(REQUIRE, (_, path) => `require('./${nameOfRoom(path)}.cjs')`), map: null } : null,
      resolveImportMeta: (property, { moduleId }) => (property === 'url' ? placeOf(moduleId) : null),
    },
  ],
};
