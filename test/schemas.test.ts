import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { schemaFiles } from '../schemas/schema-files.js';

const folder = fileURLToPath(new URL('../../schemas/', import.meta.url));

describe('the JSON Schemas', () => {
  it('are those of the types: npm run schemas writes them', () => {
    const there = readdirSync(folder).filter(name => name.endsWith('.json'));
    expect(new Map(there.map(name => [name, readFileSync(folder + name, 'utf8')]))).to.deep.equal(schemaFiles());
  });
});
