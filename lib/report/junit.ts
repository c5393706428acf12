import { printable } from '../../elf/escape.js';
import { writeXml, type XmlTree } from './write-xml.js';

/** A report for a server that shows tests: valid by the schema of Jenkins' xUnit plugin, junit-10.xsd; GitLab and GitHub's actions read it too. */
export interface JUnit {
  readonly name: string;
  readonly suites: readonly Suite[];
}

export interface Suite {
  readonly name: string;
  readonly properties: Readonly<Record<string, string | undefined>>;
  readonly cases: readonly Case[];
}

/** One that has neither a failure nor an error and is not skipped has passed. */
export interface Case {
  /** GitLab shows it as the suite. */
  readonly classname: string;
  readonly name: string;
  readonly failure?: Fault;
  readonly error?: Fault;
  readonly skipped?: Fault;
}

export interface Fault {
  readonly type: string;
  readonly message: string;
  /** A line each. */
  readonly lines?: readonly string[];
}

/** The document, as one text. */
export function junitLines({ name, suites }: JUnit): string[] {
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
