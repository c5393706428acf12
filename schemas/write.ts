import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { schemaFiles } from './schema-files.js';

// `npm run schemas`: writes the JSON Schema of every answer beside the sources, where a change of an answer shows in the diff.

const folder = fileURLToPath(new URL('../../schemas/', import.meta.url));
for (const name of readdirSync(folder)) if (name.endsWith('.json')) rmSync(folder + name);
for (const [name, text] of schemaFiles()) writeFileSync(folder + name, text);
