import { printable } from '../../elf/escape.js';
import type { Case, Fault, Gate } from './gate.js';
import { writeXml, type XmlTree } from './write-xml.js';

/** JUnit XML, as one text: valid by the schema of Jenkins' xUnit plugin, junit-10.xsd; GitLab and GitHub's actions read it too. */
export function junitLines({ name, suites }: Gate): string[] {
  const all = suites.flatMap(({ cases }) => cases);
  return [
    writeXml({
      testsuites: {
        '@name': name,
        ...counts(all, 'failure', 'error'),
        testsuite: suites.map(({ name, properties, cases }) => ({
          '@name': name,
          ...counts(cases, 'failure', 'error', 'skipped'),
          properties: {
            property: Object.entries(properties).flatMap(([name, value]) =>
              value === undefined ? [] : { '@name': name, '@value': value },
            ),
          },
          testcase: cases.map(({ classname, name, failure, error, skipped }) => ({
            '@classname': classname,
            '@name': name,
            failure: faultTree(failure),
            error: faultTree(error),
            skipped: faultTree(skipped),
          })),
        })),
      },
    }),
  ];
}

const COUNTED = { failure: '@failures', error: '@errors', skipped: '@skipped' } as const;

function counts(cases: readonly Case[], ...outcomes: readonly (keyof typeof COUNTED)[]): XmlTree {
  const having = outcomes.map(outcome => [COUNTED[outcome], String(cases.filter(one => one[outcome] !== undefined).length)]);
  return { '@tests': String(cases.length), ...Object.fromEntries(having) };
}

function faultTree(fault: Fault | undefined): XmlTree | undefined {
  return fault && { '@type': fault.type, '@message': fault.message, '#text': fault.lines?.map(printable).join('\n') };
}
