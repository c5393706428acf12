import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { cli } from '../../support/cli.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));

const AMD64 = fixture('kernel/vmlinux-amd64');
const folder = mkdtempSync(join(tmpdir(), 'kelf-ndjson-'));
const log = join(folder, 'log');

/** A call of each command that has `--ndjson`, and the lists of its document. */
const CALLS: Readonly<Record<string, readonly [args: readonly string[], ...lists: string[]]>> = {
  trace: [[AMD64, 'cpu_max_leaf', 'do_*', 'tracepoint:sched_switch', '_stext+0x1'], 'answers', 'places', 'tracepoints'],
  why: [[AMD64, 'cpu_max_leaf', 'schedule'], 'answers'],
  'why --all': [[AMD64], 'functions'],
  attach: [[AMD64, 'schedule'], 'answers'],
  addr: [[AMD64, 'schedule', 'nothing'], 'answers'],
  duplicates: [[AMD64], 'duplicates'],
  tracepoints: [[AMD64], 'tracepoints'],
  diff: [[AMD64, fixture('kernel/vmlinux-arm64')], 'changes'],
  oops: [[AMD64, log], 'lines'],
  module: [[fixture('kernel/kelf-mod-amd64.ko')], 'modules'],
  kallsyms: [[AMD64], 'symbols'],
  symbols: [[AMD64], 'symbols'],
  relocs: [[fixture('kernel/kelf-mod-amd64.ko')], 'relocations'],
  sections: [[AMD64], 'sections'],
  segments: [[AMD64], 'segments'],
  notes: [[AMD64], 'notes'],
  'btf list': [[AMD64], 'types'],
  'btf find': [[AMD64, '*'], 'types'],
};

describe('--ndjson', () => {
  before(() => writeFileSync(log, ' tty_write+0x4/0x20\n nothing\n'));
  after(() => rmSync(folder, { recursive: true }));

  for (const [command, [args, ...lists]] of Object.entries(CALLS))
    it(`has a line for each thing that --json lists: ${command}`, async () => {
      const call = [...command.split(' '), ...args];
      const { stdout, code } = await cli(...call, '--json');
      const document = JSON.parse(stdout) as Record<string, object[]>;
      const { kernel } = document;
      const things = lists.flatMap(list => document[list] ?? []);
      expect(things).to.not.be.empty;
      const lines = await cli(...call, '--ndjson');
      expect(lines.code).to.equal(code);
      expect(
        lines.stdout
          .trim()
          .split('\n')
          .map(line => JSON.parse(line)),
      ).to.deep.equal(things.map(thing => ({ ...(kernel && { kernel }), ...thing })));
    });

  it('is tried with every command that has it', async () => {
    const having: string[] = [];
    for (const [name, [, load]] of Object.entries(COMMANDS)) if ('ndjson' in (await load()).options) having.push(name);
    expect(Object.keys(CALLS).filter(name => name !== 'why --all')).to.have.members(having);
  });
});
