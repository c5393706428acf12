import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { expect } from 'chai';

const ROOT = new URL('../../', import.meta.url);

/**
 * The house from the ground up: each entry is a floor, the folders and files that stand on it. A file imports from its own place and from the floors
 * below, and no two files import each other, however far around. docs/architecture.md says what each is for.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['elf'],
  ['btf', 'kallsyms'],
  // What an answer is made of: errors, evidence, reasons, the kernel's changes.
  ['lib/reasons.ts', 'lib/errors.ts', 'lib/similar-names.ts'],
  ['lib/evidence.ts'],
  ['lib/messages.ts'],
  ['lib/releases.ts'],
  ['lib/arch'],
  ['lib/image'],
  ['lib/facts'],
  ['lib/rules'],
  ['lib/answers'],
  ['lib/bpf'],
  ['lib/kernel.ts'],
  ['lib/fleet'],
  ['lib/node'],
  ['lib/browser'],
  ['lib/open'],
  ['lib/dataset'],
  ['lib/report'],
  ['lib/web'],
  ['lib/index.ts', 'lib/bpf-index.ts'],
  ['lib/cli'],
];

/** Floors that only Node has. */
const NODE_ONLY: readonly string[] = ['lib/node', 'lib/cli'];

/** The packages of each floor that has any. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  'lib/facts': ['lru-cache'],
  'lib/answers': ['fast-xml-parser', 'yaml'],
  'lib/fleet': ['hyparquet', 'hyparquet-writer'],
  // sarif: types alone, which hold the shape of what is written.
  'lib/report': ['fast-xml-parser', 'sarif'],
  'lib/node': ['lru-cache'],
};

/** What `#host` stands for: lib/node in Node, lib/browser elsewhere. */
const HOST = 'lib/node/host.ts';

interface Import {
  readonly file: string;
  /** A file of the house, a module of Node or a package. */
  readonly target: string;
}

const imports = ['elf', 'btf', 'kallsyms', 'lib'].flatMap(importsOf);
const inside = imports.filter(({ target }) => target.endsWith('.ts'));

describe('the floors of the house', () => {
  it('every file stands on one of them', () => {
    expect(imports.filter(({ file }) => floorOf(file) < 0).map(({ file }) => file)).to.deep.equal([]);
  });

  for (const [floor, places] of FLOORS.entries()) {
    it(`${places.join(', ')}: imports from its own place and from below`, () => {
      const own = inside.filter(({ file }) => floorOf(file) === floor);
      if (!places.every(place => place.endsWith('.ts'))) expect(own).to.not.have.length(0);
      const upwards = own.filter(
        ({ file, target }) => floorOf(target) > floor || (floorOf(target) === floor && placeOf(file) !== placeOf(target)),
      );
      // The stand-in for Node's floor is of its types.
      expect(upwards.map(show)).to.deep.equal([]);
    });
  }

  it('no file imports itself, however far around', () => {
    expect(circles(inside)).to.deep.equal([]);
  });

  it('Node is known on the floors that have it alone, and packages where they are listed', () => {
    const outside = imports.filter(({ target }) => !target.endsWith('.ts'));
    const strange = outside.filter(({ file, target }) => {
      const place = placeOf(file);
      return target.startsWith('node:') ? !NODE_ONLY.includes(place) : !(PACKAGES[place] ?? []).includes(target);
    });
    expect(strange.map(show)).to.deep.equal([]);
  });

  it('imports are static, but for the commands of the command line', () => {
    const late = imports.filter(({ file }) => !file.startsWith('lib/cli/') && /\bimport\(\s*['"]|\brequire\(/.test(code(file)));
    expect([...new Set(late.map(({ file }) => file))]).to.deep.equal([]);
  });

  it('a file imports from the file that has what it needs, not from the index of a folder', () => {
    expect(inside.filter(({ file, target }) => target.endsWith('/index.ts') && !file.endsWith('index.ts')).map(show)).to.deep.equal([]);
  });
});

function show({ file, target }: Import): string {
  return `${file} -> ${target}`;
}

function importsOf(folder: string): Import[] {
  return readdirSync(new URL(`${folder}/`, ROOT), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .flatMap(name => {
      const file = `${folder}/${name}`;
      // Imports, re-exports, and imports while running.
      const found = code(file).matchAll(/(?:^(?:import|export)\b[^;'"]*?\bfrom\s+|^import\s+|\bimport\(\s*)['"]([^'"]+)['"]/gm);
      return [...found].map(([, target]) => ({ file, target: resolve(file, target!) }));
    });
}

function code(file: string): string {
  return readFileSync(new URL(file, ROOT), 'utf8');
}

function resolve(file: string, target: string): string {
  if (target === '#host') return HOST;
  return target.startsWith('.') ? posix.join(posix.dirname(file), target).replace(/\.js$/, '.ts') : target;
}

/** The folder or file of the plan that a file belongs to. */
function placeOf(file: string): string {
  return FLOORS.flat().find(place => file === place || file.startsWith(`${place}/`)) ?? '';
}

function floorOf(file: string): number {
  const place = placeOf(file);
  return FLOORS.findIndex(places => places.includes(place));
}

/** Files that lead to each other: strongly connected, by Tarjan's algorithm. */
function circles(edges: readonly Import[]): string[][] {
  const targets = new Map<string, string[]>();
  for (const { file, target } of edges) targets.set(file, [...(targets.get(file) ?? []), target]);
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file)!);
    stack.push(file);
    for (const target of targets.get(file) ?? []) {
      if (!index.has(target)) visit(target);
      if (stack.includes(target)) low.set(file, Math.min(low.get(file)!, low.get(target)!));
    }
    if (low.get(file) !== index.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const file of targets.keys()) if (!index.has(file)) visit(file);
  return found;
}
