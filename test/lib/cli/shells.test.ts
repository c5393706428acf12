import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { expect } from 'chai';
import { COMMON_OPTIONS, type OptionTable, parseArgsConfig } from '../../../lib/cli/command.js';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { manPage } from '../../../lib/cli/shells.js';
import { cli } from '../../support/cli.js';

const optionsOf = async (name: string): Promise<OptionTable> => ({ ...(await COMMANDS[name]![1]()).options, ...COMMON_OPTIONS });
const flagsOf = (options: OptionTable): string[] =>
  Object.entries(options).flatMap(([name, { short }]) => [...(short === undefined ? [] : [`-${short}`]), `--${name}`]);

describe('help, completions and the man page', () => {
  it('have two examples of each command, which parse', async () => {
    for (const [name, [, load]] of Object.entries(COMMANDS))
      for (const example of (await load()).examples) {
        const args = example.replace(/ < .*/, '').match(/'[^']*'|\S+/g) ?? [];
        const options = parseArgsConfig(await optionsOf(name));
        expect(() => parseArgs({ args, options, allowPositionals: true }), `${name} ${example}`).to.not.throw();
      }
  });

  it('fit 80 columns', async () => {
    for (const args of [[], ...Object.keys(COMMANDS).map(name => name.split(' '))])
      for (const line of (await cli(...args, '--help')).stdout.split('\n')) expect(line.length, line).to.be.at.most(80);
  });

  it('complete, in bash, the commands and the options of each', async function () {
    const { stdout: script } = await cli('completion', 'bash');
    const asked = ['kelf ', ...Object.keys(COMMANDS).map(name => `kelf ${name} -`)];
    const calls = asked.map(line => {
      const words = line.split(' ');
      return `COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _kelf; echo "\${COMPREPLY[*]}"`;
    });
    const { stdout, error } = spawnSync('bash', ['-c', [script, ...calls].join('\n')], { encoding: 'utf8' });
    if (error !== undefined) this.skip();
    const [commands, ...options] = stdout
      .trimEnd()
      .split('\n')
      .map(line => line.split(' '));
    expect(commands).to.have.members([...new Set(Object.keys(COMMANDS).map(name => name.split(' ')[0]!))]);
    for (const [i, name] of Object.keys(COMMANDS).entries()) expect(options[i], name).to.deep.equal(flagsOf(await optionsOf(name)));
  });

  it('are the same in zsh, fish and kelf(1)', async () => {
    const zsh = (await cli('completion', 'zsh')).stdout;
    const fish = (await cli('completion', 'fish')).stdout;
    const man = await manPage('0');
    for (const name of Object.keys(COMMANDS)) {
      const [first, second] = name.split(' ');
      const flags = flagsOf(await optionsOf(name));
      const inZsh = zsh.split(`  '${name}'${second === undefined ? "' '*" : ''})\n`)[1]!.split(';;')[0]!;
      expect(
        [...inZsh.matchAll(/'\*?(--?[\w-]+)=?\[/g)].map(([, flag]) => flag),
        name,
      ).to.deep.equal(flags);
      const condition = second === undefined ? `from ${first}; and not ` : `from ${first}; and __fish_seen_subcommand_from ${second}'`;
      const inFish = fish.split('\n').filter(line => line.includes(condition) && line.includes(' -l '));
      const both = inFish.flatMap(line => {
        const [, long, short] = / -l ([\w-]+)(?: -s (\w))?/.exec(line)!;
        return [...(short === undefined ? [] : [`-${short}`]), `--${long}`];
      });
      expect(both, name).to.deep.equal(flags);
      const section = man
        .split(`.SS kelf ${name.replaceAll('-', '\\-')} `)[1]!
        .split('.SS')[0]!
        .replaceAll('\\-', '-');
      const inMan = [...section.matchAll(/^\.B (.*)$/gm)].flatMap(([, line]) => line!.split(', ').map(flag => flag.split(' ')[0]!));
      expect(
        inMan.filter(flag => flag.startsWith('-')),
        name,
      ).to.deep.equal(flags);
    }
  });

  it('refuse a shell that there is none for', async () => {
    expect((await cli('completion', 'csh')).code).to.equal(2);
  });
});

describe('--quiet', () => {
  it('leaves notes out, and not errors', async () => {
    const object = new URL('../../../../fixtures/bpf/', import.meta.url).pathname;
    const vmlinux = new URL('../../../../fixtures/kernel/vmlinux-amd64', import.meta.url).pathname;
    const loud = await cli('info', vmlinux);
    expect(loud.stderr).to.not.equal('');
    expect(await cli('info', vmlinux, '-q')).to.deep.equal({ ...loud, stderr: '' });
    expect((await cli('info', object, '--quiet')).stderr).to.match(/^kelf: .* is a directory/);
  });
});
