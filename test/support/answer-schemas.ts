import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv2020 } from 'ajv/dist/2020.js';

type Json = { readonly [key: string]: unknown };

/** The schemas as the package has them, but that an object has no member without a place in them: one that is forgotten is to show. */
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true, strictRequired: false });
const folder = fileURLToPath(new URL('../../../schemas/', import.meta.url));
for (const file of readdirSync(folder))
  if (file.endsWith('.json')) ajv.addSchema(closed(JSON.parse(readFileSync(folder + file, 'utf8'))) as Json);

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const all = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, closed(part)]));
  return value && 'properties' in value && 'type' in value && !('additionalProperties' in value)
    ? { ...all, additionalProperties: false }
    : all;
}

/** @throws Error where a document that kelf printed is not as the schema that it names */
export function expectAnswer(text: string): void {
  const document = JSON.parse(text) as { readonly $schema: string };
  const validate = ajv.getSchema(document.$schema);
  if (validate === undefined) throw new Error(`no schema ${document.$schema}`);
  if (!validate(document))
    throw new Error(`${document.$schema}: ${ajv.errorsText(validate.errors)}; npm run schemas writes the schemas anew`);
}
