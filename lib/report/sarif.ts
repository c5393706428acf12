import type { Log, PhysicalLocation, ReportingDescriptor, Result } from 'sarif';
import { printable } from '../../elf/escape.js';
import { isReasonCode, REASONS } from '../reasons.js';
import { type Case, type CasePlace, type Fault, type Gate, outcomeOf } from './gate.js';
import { toJson } from './json.js';

/**
 * SARIF 2.1.0 (OASIS), which code scanning of GitHub, GitLab and editors read. What closes the gate is an error; what is skipped is a result of kind
 * `open`, which the standard gives the level `none`.
 */
export function sarifLines({ suites }: Gate): string[] {
  const found = suites.flatMap(suite =>
    suite.cases.flatMap(one => {
      const outcome = outcomeOf(one);
      return outcome === undefined ? [] : [{ suite: suite.name, one, ...outcome }];
    }),
  );
  const ids = [...new Set(found.map(({ fault }) => ruleId(fault)))];
  const results = found.map(
    ({ suite, one, outcome, fault }): Result => ({
      ruleId: ruleId(fault),
      ruleIndex: ids.indexOf(ruleId(fault)),
      ...(outcome === 'skipped' ? { kind: 'open', level: 'none' } : { kind: 'fail', level: 'error' }),
      message: { text: printable(`${one.name} (${suite}): ${fault.message}`) },
      ...(one.at === undefined ? {} : { locations: [{ physicalLocation: location(one.at) }] }),
      partialFingerprints: { 'case/v1': fingerprint(suite, one) },
      properties: { outcome, because: fault.lines?.map(printable) ?? [] },
    }),
  );
  const log: Log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver: { name: 'kelf', rules: ids.map(rule) } }, columnKind: 'unicodeCodePoints', results }],
  };
  return [toJson(log)];
}

function ruleId({ type }: Fault): string {
  return printable(type === '' ? 'check' : type);
}

function rule(id: string): ReportingDescriptor {
  if (!isReasonCode(id)) return { id };
  return { id, shortDescription: { text: REASONS[id] }, help: { text: `kelf explain ${id}` } };
}

/** A scanner tells by it that a result is the one of an earlier run: it has no line of the list, which moves. */
function fingerprint(suite: string, { name }: Case): string {
  return printable(`${suite}: ${name}`);
}

function location({ file, line, column }: CasePlace): PhysicalLocation {
  const region = line === undefined ? {} : { region: { startLine: line, ...(column === undefined ? {} : { startColumn: column }) } };
  return { artifactLocation: { uri: uriOf(file) }, ...region };
}

/** RFC 3986: a relative reference for a relative path, else `file://`. */
function uriOf(path: string): string {
  const encoded = printable(path).split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${encoded}` : encoded;
}
