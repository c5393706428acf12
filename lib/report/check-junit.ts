import type { CheckItem, CheckResult } from '../answers/check/check.js';
import type { AbiComparison } from '../answers/check/compare-abi.js';
import { evidenceLine } from './text.js';
import { writeXml, type XmlTree } from './xml.js';

/** What identifies the kernel in a JUnit report. */
export interface JUnitKernel {
  readonly name: string;
  readonly release?: string;
  readonly buildId?: string;
}

/**
 * The results as JUnit XML, the form that Jenkins, GitLab and GitHub's actions read (valid by the schema of Jenkins' xUnit plugin, junit-10.xsd).
 * A requirement is a test case; one that can't be told is an error. `classname` is the kernel's build id or file, since GitLab shows it as the
 * suite.
 */
export function toJUnit(kernel: JUnitKernel, result: CheckResult | undefined, abi?: AbiComparison): Promise<string> {
  const classname = kernel.buildId ?? kernel.name;
  const parts = (['functions', 'limits'] as const).map(part => ({
    name: part,
    cases: (result?.items ?? []).filter(item => item.part === part).map(item => itemCase(classname, item)),
  }));
  const suites = [...parts, ...(abi === undefined ? [] : [{ name: 'abi', cases: abiCases(classname, abi) }])].filter(
    ({ cases }) => cases.length > 0,
  );
  const properties = [
    { '@name': 'file', '@value': kernel.name },
    ...(kernel.release === undefined ? [] : [{ '@name': 'release', '@value': kernel.release }]),
    ...(kernel.buildId === undefined ? [] : [{ '@name': 'build-id', '@value': kernel.buildId }]),
  ];
  const all = suites.flatMap(({ cases }) => cases);
  return writeXml({
    testsuites: {
      '@name': 'kelf check',
      ...counts(all),
      testsuite: suites.map(({ name, cases }) => ({
        '@name': `kelf check: ${name}`,
        ...counts(cases),
        '@skipped': String(cases.filter(({ skipped }) => skipped !== undefined).length),
        properties: { property: properties },
        testcase: cases,
      })),
    },
  });
}

function counts(cases: readonly XmlTree[]): Record<string, string> {
  const having = (what: string): string => String(cases.filter(one => one[what] !== undefined).length);
  return { '@tests': String(cases.length), '@failures': having('failure'), '@errors': having('error') };
}

function itemCase(classname: string, { name, needs, outcome, says, code, errno, fix, because, at }: CheckItem): XmlTree {
  const testcase = { '@classname': classname, '@name': `${name}: ${needs}` };
  if (outcome === 'passed') return testcase;
  const text = [
    ...because.map(evidenceLine),
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
    `required at ${at.file}:${at.line}:${at.column}`,
  ].join('\n');
  const fault = { '@type': code ?? needs, '@message': [errno, says].filter(Boolean).join(' '), '#text': text };
  return { ...testcase, ...(outcome === 'failed' ? { failure: fault } : { error: fault }) };
}

/** A case for each difference, one for each kind that has none, and a skipped one for what was not compared. */
function abiCases(classname: string, { differences, compared, uncompared, file }: AbiComparison): XmlTree[] {
  const kinds = { missing: compared.symbols, kind: compared.kinds, crc: compared.crcs, prototype: compared.prototypes };
  const fine = Object.entries(kinds).filter(([kind, count]) => count > 0 && differences.every(difference => difference.kind !== kind));
  return [
    ...differences.map(({ symbol, module, kind, says }) => ({
      '@classname': classname,
      '@name': `${module === undefined ? '' : `${module}:`}${symbol}: ${kind}`,
      failure: { '@type': kind, '@message': says, '#text': `required by ${file}` },
    })),
    ...fine.map(([kind, count]) => ({ '@classname': classname, '@name': `${count} symbols: no difference of ${kind}` })),
    ...(uncompared.modules === 0
      ? []
      : [
          {
            '@classname': classname,
            '@name': `${uncompared.symbolsOfModules} symbols of modules`,
            skipped: { '@type': 'modules', '@message': 'not compared: --modules DIR reads the modules of the kernel' },
          },
        ]),
  ];
}
