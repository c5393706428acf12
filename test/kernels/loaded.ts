/**
 * Compares what libbpf-load.c said on a booted kernel with what `kelf bpf core` and `kelf bpf tag` say of that kernel's file.
 *
 *   npm run --silent build && npm run boot -- amd64 6.1 --run libbpf-load OBJECT… >said
 *   node dist/test/kernels/loaded.js KERNEL said OBJECT…
 *
 * Exit 1: a line of libbpf's log, or a tag, is another than kelf's.
 */
import { readFileSync } from 'node:fs';
import { Checks } from './check.js';
import { readLoaded, sameCore, sameTags } from './loader.js';

const [kernel, said, ...objects] = process.argv.slice(2);
if (kernel === undefined || said === undefined || objects.length === 0) {
  console.error('usage: loaded.js KERNEL SAID OBJECT…');
  process.exit(2);
}
const loaded = readLoaded(readFileSync(said, 'utf8'));
const checks = new Checks();
const check = checks.of(kernel);
await check('CO-RE of BPF objects: what libbpf logged on the booted kernel, line for line', [], () => sameCore(loaded, objects, kernel));
await check('tags of BPF programs that are exact: what the booted kernel showed', [], () => sameTags(loaded, objects, kernel));
checks.end();
