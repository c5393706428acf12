import type { Finding } from '../bpf/preflight/preflight.js';
import { REASONS } from '../reasons.js';
import { isUnreadable, type KernelColumn } from './preflight.js';
import { evidenceLine } from './text.js';
import { writeXml, type XmlTree } from './xml.js';

/** An object, and what was checked of it on each kernel. */
export interface CheckedObject {
  readonly name: string;
  readonly columns: readonly KernelColumn[];
}

/**
 * A suite for each object and kernel, a case for each program (valid by the schema of Jenkins' xUnit plugin, junit-10.xsd). What can't be told, and
 * what is not loaded by itself, is skipped.
 */
export function preflightJUnit(objects: readonly CheckedObject[]): Promise<string> {
  const suites = objects.flatMap(({ name, columns }) =>
    columns.map(({ kernel, release, check }) => {
      const on = release ?? kernel;
      const properties = [
        { '@name': 'object', '@value': name },
        { '@name': 'kernel', '@value': kernel },
      ];
      if (isUnreadable(check)) {
        const error = { '@type': 'unreadable', '@message': check.unreadable };
        return {
          name: `${name} on ${on}`,
          cases: [{ '@classname': `${name} on ${on}`, '@name': 'read', error }] as readonly XmlTree[],
          properties,
        };
      }
      const refused: readonly Finding[] = check.findings.filter(({ verdict }) => verdict.outcome === 'refused');
      // No program would tell of it.
      const ofObject =
        check.programs.length === 0 && refused.length > 0
          ? [{ ...failureOf(refused), '@classname': `${name} on ${on}`, '@name': 'the object' }]
          : [];
      const ofPrograms = check.programs.map(({ program, section, outcome, autoload, findings }): XmlTree => {
        const testcase = { '@classname': `${name} on ${on}`, '@name': `${program} (${section})` };
        if (outcome === 'passes') return testcase;
        const wanted = outcome === 'fails' ? 'refused' : 'open';
        const against = [...findings, ...check.findings].filter(({ verdict }) => verdict.outcome === wanted);
        const message = against.map(says).join('; ');
        if (outcome === 'open' || !autoload)
          return { ...testcase, skipped: { '@type': outcome, '@message': autoload ? message : `not loaded by itself: ${message}` } };
        return { ...testcase, ...failureOf(against) };
      });
      return { name: `${name} on ${on}`, cases: [...ofObject, ...ofPrograms] as readonly XmlTree[], properties };
    }),
  );
  return writeXml({
    testsuites: {
      '@name': 'kelf bpf check',
      ...counts(suites.flatMap(({ cases }) => cases)),
      testsuite: suites.map(({ name, cases, properties }) => ({
        '@name': name,
        ...counts(cases),
        '@skipped': String(cases.filter(({ skipped }) => skipped !== undefined).length),
        properties: { property: properties },
        testcase: cases,
      })),
    },
  });
}

function failureOf(against: readonly Finding[]): { readonly failure: XmlTree } {
  const text = against.flatMap(({ verdict }) => verdict.because.map(evidenceLine)).join('\n');
  return { failure: { '@type': against[0]!.verdict.code, '@message': against.map(says).join('; '), '#text': text } };
}

function says({ subject, verdict }: Finding): string {
  return `${subject}: ${verdict.code}: ${REASONS[verdict.code]}`;
}

function counts(cases: readonly XmlTree[]): Record<string, string> {
  const failures = cases.filter(({ failure }) => failure !== undefined).length;
  const errors = cases.filter(({ error }) => error !== undefined).length;
  return { '@tests': String(cases.length), '@failures': String(failures), '@errors': String(errors) };
}
