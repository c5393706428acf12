import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const ROOT = new URL('../../', import.meta.url);
/** Which folders each floor may import from, itself included. */
const FLOORS: Readonly<Record<string, readonly string[]>> = {
  elf: ['elf'],
  btf: ['btf', 'elf'],
  kallsyms: ['kallsyms', 'elf'],
  lib: ['lib', 'kallsyms', 'btf', 'elf'],
};

interface Import {
  readonly file: string;
  readonly target: string;
}

describe('the floors of the house', () => {
  for (const [floor, allowed] of Object.entries(FLOORS)) {
    const imports = importsOf(floor);

    it(`${floor}/ imports from ${allowed.join(', ')} only`, () => {
      expect(imports).to.not.have.length(0);
      const upwards = imports.filter(({ file, target }) => target.startsWith('.') && !allowed.includes(floorOf(file, target)));
      expect(upwards).to.deep.equal([]);
    });

    it(`${floor}/ imports from the files that hold what it needs, not from the index of a folder, which loads all of it`, () => {
      const own = imports.filter(({ file }) => !file.endsWith('/index.ts'));
      expect(own.filter(({ target }) => target.endsWith('/index.js'))).to.deep.equal([]);
    });

    if (floor !== 'lib') {
      it(`${floor}/ imports no module of Node and no package`, () => {
        expect(imports.filter(({ target }) => !target.startsWith('.'))).to.deep.equal([]);
      });
    }
  }
});

function importsOf(floor: string): Import[] {
  const folder = new URL(`${floor}/`, ROOT);
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .flatMap(name => {
      const text = readFileSync(new URL(name, folder), 'utf8');
      // Static imports, re-exports, and imports while running.
      const found = text.matchAll(/(?:^(?:import|export)\b[^;'"]*?\bfrom\s+|^import\s+|\bimport\(\s*)['"]([^'"]+)['"]/gm);
      return [...found].map(([, target]) => ({ file: `${floor}/${name}`, target: target! }));
    });
}

/** The folder at the root that a relative import leads to. */
function floorOf(file: string, target: string): string {
  const root = fileURLToPath(ROOT);
  return fileURLToPath(new URL(target, new URL(file, ROOT)))
    .slice(root.length)
    .split('/')[0]!;
}
