import { expect } from 'chai';
import { cli } from '../../support/cli.js';

describe('kelf explain', () => {
  it('prints the page of a code, and as JSON the page with its title', async () => {
    const page = (await cli('explain', 'ambiguous-name')).stdout;
    expect(page).to.match(/^# ambiguous-name\n/);
    expect(JSON.parse((await cli('explain', 'ambiguous-name', '--json')).stdout)).to.deep.equal({
      $schema: 'kelf/schemas/reasons.1.json',
      schema: 'kelf/reasons',
      version: 1,
      reasons: [{ code: 'ambiguous-name', title: 'several symbols share this name', page }],
    });
  });

  it('lists all codes, the same ones as text and as JSON', async () => {
    const lines = (await cli('explain')).stdout.trimEnd().split('\n');
    const { reasons } = JSON.parse((await cli('explain', '--json')).stdout);
    expect(reasons.map(({ code }: { code: string }) => code)).to.deep.equal(lines.map(line => line.split(' ')[0]));
  });

  it('refuses a code there is not', async () => {
    expect((await cli('explain', 'constructor')).code).to.equal(2);
  });
});
