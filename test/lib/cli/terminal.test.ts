import { stripVTControlCharacters } from 'node:util';
import { expect } from 'chai';
import { UsageError } from '../../../lib/cli/command.js';
import { Output } from '../../../lib/cli/output.js';
import { linesOn, lookOf, whenColoured } from '../../../lib/cli/terminal.js';
import { cli, cliOn } from '../../support/cli.js';

const AMD64 = 'fixtures/kernel/vmlinux-amd64';
const ARM64 = 'fixtures/kernel/vmlinux-arm64';
const OBJECT = 'fixtures/bpf/kelf.bpfel.o';

const CALLS: readonly (readonly string[])[] = [
  ['audit', ARM64],
  ['trace', AMD64, 'tty_init', 'file_tty_write.isra.0', 'notify_die'],
  ['bpf', 'check', OBJECT, '--kernel', AMD64],
  ['diff', AMD64, ARM64],
];

const words = (text: string): string => text.replace(/\s+/g, ' ');
const fitted = (line: string, columns: number | undefined = 40): string[] => [...linesOn({ columns, colour: false }, [line])];
const coloured = (line: string): string => [...linesOn({ columns: undefined, colour: true }, [line])].join('');

describe('text on a terminal', () => {
  for (const call of CALLS)
    it(`${call.join(' ')}: fits its width, loses no word, and says the same without colour`, async () => {
      const piped = await cli(...call);
      const shown = await cliOn(80, ...call);
      const plain = await cliOn(80, ...call, '--color', 'never');
      expect(shown.code).to.equal(piped.code);
      expect(piped.stdout).to.not.include('\x1b');
      expect(piped.stdout.split('\n').some(line => line.length > 80)).to.equal(true);
      expect(shown.stdout).to.include('\x1b[');
      expect(stripVTControlCharacters(shown.stdout)).to.equal(plain.stdout);
      expect(plain.stdout.split('\n').filter(line => line.length > 80)).to.deep.equal([]);
      expect(words(plain.stdout)).to.equal(words(piped.stdout));
    });

  it('leaves JSON, dumps, C and lines for a shell as they are', async () => {
    for (const call of [
      ['audit', ARM64, '--json'],
      ['symbols', ARM64],
      ['btf', 'dump', ARM64],
      ['btf', 'show', ARM64, 'file'],
      ['attach', AMD64, 'tty_init'],
    ])
      expect((await cliOn(40, ...call)).stdout, call.join(' ')).to.equal((await cli(...call)).stdout);
  });

  it('continues a line under its last cell, or a little further in', () => {
    expect(fitted('  50  no-site  the function has no ftrace site: one, two')).to.deep.equal([
      '  50  no-site  the function has no',
      '               ftrace site: one, two',
    ]);
    expect(fitted(`  because of ${'word '.repeat(8)}`.trimEnd())).to.deep.equal([
      '  because of word word word word word',
      '    word word word',
    ]);
  });

  it('breaks a word that is longer than a line, and does it soon', () => {
    const lines = fitted(`name  ${'x'.repeat(100_000)}${' '.repeat(100_000)}y`);
    expect(lines.every(line => line.length <= 40)).to.equal(true);
    expect(lines.join('').replaceAll(' ', '')).to.equal(`name${'x'.repeat(100_000)}y`);
  });

  it('leaves a line whole where the columns are not known, or hardly any', () => {
    const line = 'word '.repeat(40);
    for (const columns of [0, 5, undefined]) expect([...linesOn({ columns, colour: false }, [line])]).to.deep.equal([line]);
  });

  it('colours outcomes in cells of their own and codes of reasons, no other words', () => {
    expect(coloured('  kprobe  no  EINVAL  no-ftrace-site: none')).to.equal(
      '  kprobe  \x1b[31mno\x1b[39m  EINVAL  \x1b[1mno-ftrace-site\x1b[22m: none',
    );
    expect(coloured('  fentry  yes (likely)')).to.equal('  fentry  \x1b[32myes\x1b[39m (likely)');
    expect(coloured('open  x')).to.equal('\x1b[33mopen\x1b[39m  x');
    for (const line of ['there is no open file', 'x  do_open, vfs-open', 'a  constructor']) expect(coloured(line)).to.equal(line);
  });
});

describe('colour', () => {
  const on = (when: string | undefined, env: NodeJS.ProcessEnv, columns?: number): boolean =>
    lookOf(
      new Output(
        () => {},
        () => columns,
      ),
      whenColoured(when),
      env,
    ).colour;

  it('is for a terminal, which NO_COLOR and a dumb one change', () => {
    expect(on(undefined, {}, 80)).to.equal(true);
    expect(on('auto', {}, 80)).to.equal(true);
    expect(on(undefined, {})).to.equal(false);
    expect(on(undefined, { NO_COLOR: '1' }, 80)).to.equal(false);
    expect(on(undefined, { NO_COLOR: '' }, 80)).to.equal(true);
    expect(on(undefined, { TERM: 'dumb' }, 80)).to.equal(false);
  });

  it('is for a pipe too with FORCE_COLOR', () => {
    expect(on(undefined, { FORCE_COLOR: '1' })).to.equal(true);
    expect(on(undefined, { FORCE_COLOR: '0' }, 80)).to.equal(false);
  });

  it('is as --color says, whatever the environment does', () => {
    expect(on('always', { NO_COLOR: '1' })).to.equal(true);
    expect(on('never', { FORCE_COLOR: '1' }, 80)).to.equal(false);
    expect(() => on('red', {})).to.throw(UsageError, /auto, always, never/);
  });
});
