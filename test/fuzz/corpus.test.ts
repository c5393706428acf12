import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run, TARGETS } from './targets.js';

const CORPUS = fileURLToPath(new URL('../../../test/fuzz/corpus/', import.meta.url));

describe('what fuzzing kept', () => {
  for (const [name, target] of Object.entries(TARGETS)) {
    it(`is read, or refused by a FormatError: ${name}`, async () => {
      for (const bytes of target.seeds()) await run(target, bytes);
      for (const file of files(name)) await run(target, file);
    });
  }
});

/** None of a target that has none yet. */
function files(name: string): Uint8Array[] {
  const folder = `${CORPUS}${name}`;
  return readdirSync(CORPUS).includes(name) ? readdirSync(folder).map(file => readFileSync(`${folder}/${file}`)) : [];
}
