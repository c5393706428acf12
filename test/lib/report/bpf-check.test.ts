import { expect } from 'chai';
import { type CheckOutcome, checkPasses, type Finding, type ObjectCheck } from 'kelf/bpf';
import { bpfCheckReport } from '../../../lib/report/bpf-check.js';
import { faultOfCase, passes } from '../../../lib/report/gate.js';

const finding = (outcome: 'accepted' | 'refused' | 'open'): Finding => ({
  kind: 'map',
  subject: 'map m',
  verdict: { code: outcome === 'accepted' ? 'accepted' : 'map-refused', outcome, certainty: 'proven', because: [] },
});

/** An object with a finding of its own, and programs of these outcomes, each autoloaded or not. */
function checkOf(own: Finding, programs: readonly (readonly [outcome: CheckOutcome, autoload: boolean])[]): ObjectCheck {
  return {
    programs: programs.map(([outcome, autoload], i) => ({
      program: `p${i}`,
      section: autoload ? 'xdp' : '?xdp',
      autoload,
      outcome: own.verdict.outcome === 'refused' ? 'fails' : outcome,
      findings: [],
    })),
    findings: [own],
  };
}

describe('kelf bpf check as a gate', () => {
  const outcomes: readonly CheckOutcome[] = ['passes', 'open', 'fails'];
  const programs = outcomes.flatMap(outcome => [true, false].map(autoload => [outcome, autoload] as const));
  const lists = [[], ...programs.map(one => [one]), ...programs.flatMap(one => programs.map(two => [one, two]))];
  const gateOf = (check: ObjectCheck) =>
    bpfCheckReport.gate!({
      loader: 'libbpf',
      notTold: '',
      objects: [{ path: 'a.bpf.o', offset: 0, kernels: [{ kernel: { name: 'vmlinux' }, ...check }] }],
    });

  for (const own of ['accepted', 'open', 'refused'] as const) {
    it(`passes where checkPasses() says so: an object of which a map is ${own}`, () => {
      for (const list of lists) {
        const check = checkOf(finding(own), list);
        expect(passes(gateOf(check)), JSON.stringify(check)).to.equal(checkPasses([check]));
      }
    });
  }

  it('has a case for the object where no program that is loaded tells of it', () => {
    const [suite] = gateOf(checkOf(finding('refused'), [['passes', false]])).suites;
    expect(suite!.cases.map(one => [one.name, faultOfCase(one)?.type])).to.deep.equal([
      ['the object', 'map-refused'],
      ['p0 (?xdp)', undefined],
    ]);
  });
});
