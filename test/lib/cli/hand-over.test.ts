import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { handOver } from '../../../lib/cli/hand-over.js';
import { Output } from '../../../lib/cli/output.js';
import { FORMATS, type Format, type Report } from '../../../lib/report/report.js';

interface Probes {
  readonly kernel: string;
  readonly probes: Iterable<{ readonly name: string; readonly address: string }>;
}

const PROBES: Probes = {
  kernel: 'vmlinux',
  probes: [
    { name: 'do_exit', address: '0xffffffff81000010' },
    { name: 'tty_write', address: '0xffffffff81000020' },
  ],
};

const report: Report<Probes> = {
  schema: 'kelf/probes',
  version: 1,
  text: ({ kernel, probes }) => Array.from(probes, ({ name, address }) => `${kernel} ${name} ${address}`),
  gate: ({ kernel, probes }) => ({
    name: 'kelf probes',
    suites: [{ name: kernel, properties: { kernel }, cases: Array.from(probes, ({ name }) => ({ classname: kernel, name })) }],
  }),
};

function written<M extends object>(one: Report<M>, model: M, options: object, formats = FORMATS): string {
  const parts: Uint8Array[] = [];
  const out = new Output(bytes => parts.push(bytes.slice()));
  handOver({ ...options }, out, formats)(one, model);
  out.flush();
  return Buffer.concat(parts).toString('utf8');
}

describe('a report', () => {
  it('is text where nothing else is asked for', () => {
    expect(written(report, PROBES, {})).to.equal('vmlinux do_exit 0xffffffff81000010\nvmlinux tty_write 0xffffffff81000020\n');
  });

  it('is its model under its schema with --json', () => {
    const text = written(report, PROBES, { json: true });
    expect(text.split('\n')).to.have.lengthOf(2);
    expect(JSON.parse(text)).to.deep.equal({ $schema: 'kelf/schemas/probes.1.json', schema: 'kelf/probes', version: 1, ...PROBES });
  });

  it('has a row a line where it is a table, none or many, made as they are written', () => {
    const table = { ...report, rows: 'probes' };
    const rows = function* (): Generator<{ name: string; address: string }> {
      yield* PROBES.probes;
    };
    expect(written(table, { kernel: 'vmlinux', probes: rows() }, { json: true }).split('\n')).to.deep.equal([
      '{"$schema":"kelf/schemas/probes.1.json","schema":"kelf/probes","version":1,"kernel":"vmlinux","probes":[',
      '{"name":"do_exit","address":"0xffffffff81000010"},',
      '{"name":"tty_write","address":"0xffffffff81000020"}',
      ']}',
      '',
    ]);
    expect(JSON.parse(written(table, { kernel: 'vmlinux', probes: [] }, { json: true })).probes).to.deep.equal([]);
  });

  it('writes addresses as text in JSON, and maps as objects', () => {
    const model = { address: 0xffff_ffff_8100_0010n, fills: new Map([['R_X86_64_64', 2]]), rows: new Set([1]).values() };
    const odd: Report<typeof model> = { schema: 'kelf/odd', version: 1, text: () => [] };
    expect(written(odd, model, { json: true })).to.equal(
      '{"$schema":"kelf/schemas/odd.1.json","schema":"kelf/odd","version":1,"address":"0xffffffff81000010","fills":{"R_X86_64_64":2},"rows":[1]}\n',
    );
  });

  it('goes to a file beside the text, or with - to stdout in place of it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'kelf-'));
    try {
      const file = join(folder, 'report.xml');
      expect(written(report, PROBES, { junit: file })).to.equal(written(report, PROBES, {}));
      const xml = readFileSync(file, 'utf8');
      expect(xml).to.include('<testsuite name="vmlinux" tests="2" failures="0" errors="0" skipped="0">');
      expect(written(report, PROBES, { junit: '-' })).to.equal(xml);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('is refused twice on stdout', () => {
    const out = new Output(() => {});
    expect(() => handOver({ json: true, junit: '-' }, out)).to.throw('--json and --junit - both write to stdout: give one of them');
  });

  it('is written in a new format by one more line of FORMATS, asked for by the option of its name', () => {
    const yaml: Format = ({ schema }, model) => [`schema: ${schema}`, ...Object.keys(model).map(key => `${key}: …`)];
    const formats = { ...FORMATS, yaml };
    expect(written(report, PROBES, { yaml: true }, formats)).to.equal('schema: kelf/probes\nkernel: …\nprobes: …\n');
    expect(written(report, PROBES, {}, formats)).to.equal(written(report, PROBES, {}));
  });
});
