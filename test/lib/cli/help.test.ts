import { expect } from 'chai';
import { COMMANDS } from '../../../lib/cli/commands.js';
import { cli } from '../../support/cli.js';

describe('kelf --help', () => {
  const listed = (text: string): string[] => [...text.matchAll(/^ {2}([a-z]+(?: [a-z]+)?) {2,}\S/gm)].map(([, name]) => name!);

  it('lists every command', async () => {
    const { code, stdout } = await cli('--help');
    expect({ code, listed: listed(stdout) }).to.deep.equal({ code: 0, listed: Object.keys(COMMANDS) });
  });

  it('lists the commands of a word that several begin with', async () => {
    for (const args of [['btf'], ['btf', '--help'], ['bpf', '-h']]) {
      const { code, stdout } = await cli(...args);
      const expected = Object.keys(COMMANDS).filter(name => name.startsWith(`${args[0]} `));
      expect({ code, listed: listed(stdout) }).to.deep.equal({ code: 0, listed: expected });
    }
  });

  it('is where a command that is none leads to', async () => {
    expect(await cli('btf', 'frob')).to.deep.include({
      code: 2,
      stderr: "kelf: no command 'btf frob'; 'kelf btf' lists the btf commands\n",
    });
    expect(await cli('frob')).to.deep.include({ code: 2, stderr: "kelf: no command 'frob'; 'kelf --help' lists them\n" });
  });
});
