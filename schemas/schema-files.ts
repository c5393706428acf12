import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { schemaPath } from '../lib/report/report.js';
import { SchemaOfTypes } from './from-type.js';
import { type Answer, answersOf } from './reports.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The schema files by name, made from the types of this checkout. */
export function schemaFiles(): Map<string, string> {
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const program = ts.createProgram(ts.sys.readDirectory(`${ROOT}lib/report`, ['.ts']), options);
  const byPath = new Map<string, Answer[]>();
  for (const answer of answersOf(program)) byPath.set(schemaPath(answer), [...(byPath.get(schemaPath(answer)) ?? []), answer]);
  return new Map(
    [...byPath].map(([path, answers]) => [basename(path), `${JSON.stringify(documentOf(program, path, answers), null, 1)}\n`]),
  );
}

/** @param answers several where a command has an answer for each of its questions */
function documentOf(program: ts.Program, path: string, answers: readonly Answer[]): object {
  const types = new SchemaOfTypes(program.getTypeChecker());
  const documents = answers.map(({ schema, version, type }) => {
    const { properties, required = [], ...rest } = types.members(type, schema);
    const taken = ['$schema', 'schema', 'version'].find(name => name in (properties ?? {}));
    if (taken !== undefined) throw new Error(`${schema}: its own ${taken} hides that of the document`);
    return {
      ...rest,
      properties: { $schema: { const: path }, schema: { const: schema }, version: { const: version }, ...properties },
      required: ['$schema', 'schema', 'version', ...required],
    };
  });
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: path,
    title: answers[0]!.schema,
    ...(documents.length === 1 ? documents[0] : { anyOf: documents }),
    ...(Object.keys(types.defs).length === 0 ? {} : { $defs: types.defs }),
  };
}
