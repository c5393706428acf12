import type { CheckItem, CheckResult } from '../answers/check/check.js';
import type { AbiComparison, AbiDifference } from '../answers/check/compare-abi.js';
import { type Case, type Gate, type KnownFailure, type Suite, withKnown } from './gate.js';
import { junitLines } from './junit.js';
import type { KernelId, Report } from './report.js';
import { count, evidenceLine, knownLines } from './text.js';

/** What was checked of one kernel. */
export interface CheckedKernel extends CheckResult {
  readonly kernel: KernelId;
  readonly abi?: AbiComparison;
}

/** In the place of a result where the kernel can't be read. */
interface UnreadableKernel {
  readonly kernel: KernelId;
  readonly ok: false;
  readonly unreadable: string;
}

export interface CheckModel {
  /** Every requirement is met on every kernel. */
  readonly ok: boolean;
  readonly kernels: readonly (CheckedKernel | UnreadableKernel)[];
  /** The failures that a baseline expects. */
  readonly known?: readonly KnownFailure[];
}

/** `kelf check`. */
export const checkReport: Report<CheckModel> = { schema: 'kelf/check', version: 2, text: checkLines, gate: checkGate };

/** More differences of an ABI than these are counted; --json has them all. */
const MOST_DIFFERENCES = 40;

function checkLines({ kernels, known = [] }: CheckModel): string[] {
  return [
    ...kernels.flatMap(checked => ('unreadable' in checked ? [`unreadable: ${checked.unreadable}`] : kernelLines(checked))),
    ...knownLines(known),
  ];
}

function kernelLines({ kernel, items, abi }: CheckedKernel): string[] {
  const of = (outcome: CheckItem['outcome']): CheckItem[] => items.filter(item => item.outcome === outcome);
  const [failed, open, passed] = [of('failed'), of('open'), of('passed')];
  const variants = passed.filter(({ variant }) => variant !== undefined);
  return [
    ...[...failed, ...open].flatMap(itemLines),
    ...variants.map(({ name, variant }) => `${name}: the prototype is ${variant}`),
    ...(abi === undefined ? [] : abiLines(abi)),
    ...(items.length === 0
      ? []
      : [`${kernel.name}: ${passed.length} of ${items.length} requirements met, ${failed.length} failed, ${open.length} open`]),
  ];
}

function itemLines({ name, needs, outcome, says, code, errno, fix, because, at }: CheckItem): string[] {
  const reason = [errno, code === undefined ? says : `${code}: ${says}`].filter(Boolean).join('  ');
  return [
    `${outcome}  ${name}: ${needs}: ${reason}`,
    ...because.slice(0, 4).map(evidence => `  ${evidenceLine(evidence)}`),
    ...(fix === undefined ? [] : [`  fix: ${fix}`]),
    `  required at ${at.file}:${at.line}:${at.column}`,
  ];
}

/** What breaks whoever uses a symbol comes first: a checksum differs with any type that it is made of. */
const KINDS: readonly AbiDifference['kind'][] = ['missing', 'kind', 'prototype', 'crc'];

function abiLines({ file, differences, compared, uncompared, against }: AbiComparison): string[] {
  const more = differences.length - MOST_DIFFERENCES;
  const of = (kind: AbiDifference['kind']): AbiDifference[] => differences.filter(difference => difference.kind === kind);
  const counts = KINDS.flatMap(kind => (of(kind).length === 0 ? [] : `${of(kind).length} ${kind}`));
  const inModules = compared.modules === 0 ? '' : ` and those of ${count(compared.modules, 'module')}`;
  return [
    ...KINDS.flatMap(of)
      .slice(0, MOST_DIFFERENCES)
      .map(({ symbol, module, kind, says }) => `failed  ${module === undefined ? '' : `${module}:`}${symbol}: ${kind}: ${says}`),
    ...(more > 0 ? [`and ${more} more differences`] : []),
    `${file}: ${compared.symbols} symbols compared with the kernel's ${against}${inModules}, ${compared.crcs} checksums, ${compared.prototypes} prototypes: ${differences.length} differences${counts.length === 0 ? '' : ` (${counts.join(', ')})`}`,
    ...(uncompared.crcs + uncompared.prototypes === 0
      ? []
      : [`  not compared: ${uncompared.crcs} checksums and ${uncompared.prototypes} prototypes that the kernel's files lack`]),
    ...(uncompared.modules === 0
      ? []
      : [`  not compared: ${uncompared.symbolsOfModules} symbols in ${count(uncompared.modules, 'module')}: pass --modules DIR`]),
  ];
}

/** A requirement is a test case; one that can't be told is an error. `classname` is the kernel's build id or file. */
function checkGate({ kernels, known }: CheckModel): Gate {
  return withKnown({ name: 'kelf check', suites: kernels.flatMap(suitesOf) }, known);
}

function suitesOf(checked: CheckModel['kernels'][number]): Suite[] {
  const { kernel } = checked;
  const classname = kernel.buildId ?? kernel.name;
  const properties = { file: kernel.name, release: kernel.release, 'build-id': kernel.buildId };
  const suite = (part: string, cases: readonly Case[]): Suite[] =>
    cases.length === 0 ? [] : [{ name: `kelf check: ${part} on ${kernel.release ?? kernel.name}`, properties, cases }];
  if ('unreadable' in checked)
    return suite('the file', [{ classname, name: 'read', error: { type: 'unreadable', message: checked.unreadable } }]);
  const { items, abi } = checked;
  return [
    ...(['functions', 'limits'] as const).flatMap(part =>
      suite(
        part,
        items.filter(item => item.part === part).map(item => itemCase(classname, item)),
      ),
    ),
    ...(abi === undefined ? [] : suite('abi', abiCases(classname, abi))),
  ];
}

function itemCase(classname: string, { name, needs, outcome, says, code, errno, fix, because, at }: CheckItem): Case {
  const testcase = { classname, name: `${name}: ${needs}`, at };
  if (outcome === 'passed') return testcase;
  const lines = [
    ...because.map(evidenceLine),
    ...(fix === undefined ? [] : [`fix: ${fix}`]),
    `required at ${at.file}:${at.line}:${at.column}`,
  ];
  const fault = { type: code ?? needs, message: [errno, says].filter(Boolean).join(' '), lines };
  return { ...testcase, ...(outcome === 'failed' ? { failure: fault } : { error: fault }) };
}

/** A case for each difference, one for each kind that has none, and a skipped one for what was not compared. */
function abiCases(classname: string, { differences, compared, uncompared, file }: AbiComparison): Case[] {
  const kinds = { missing: compared.symbols, kind: compared.kinds, crc: compared.crcs, prototype: compared.prototypes };
  const fine = Object.entries(kinds).filter(([kind, count]) => count > 0 && differences.every(difference => difference.kind !== kind));
  return [
    ...differences.map(({ symbol, module, kind, says }) => ({
      classname,
      name: `${module === undefined ? '' : `${module}:`}${symbol}: ${kind}`,
      failure: { type: kind, message: says, lines: [`required by ${file}`] },
      at: { file },
    })),
    ...fine.map(([kind, count]) => ({ classname, name: `${count} symbols: no difference of ${kind}` })),
    ...(uncompared.modules === 0
      ? []
      : [
          {
            classname,
            name: `${uncompared.symbolsOfModules} symbols of modules`,
            skipped: { type: 'modules', message: 'not compared: pass --modules DIR' },
          },
        ]),
  ];
}

/** The results of `checkKernel()` and `compareAbi()` as JUnit XML, the form that Jenkins, GitLab and GitHub's actions read. */
export function toJUnit(kernel: KernelId, result: CheckResult | undefined, abi?: AbiComparison): string {
  const checked = { kernel, ok: true, items: [], ...result, ...(abi === undefined ? {} : { abi }) };
  return `${junitLines({ name: 'kelf check', suites: suitesOf(checked) }).join('\n')}\n`;
}
