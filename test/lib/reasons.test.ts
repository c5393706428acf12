import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { REASONS } from 'kelf';
import { EXIT } from '../../lib/cli/command.js';
import { explain } from '../../lib/cli/commands/explain.js';
import { handOver } from '../../lib/cli/hand-over.js';
import { Output } from '../../lib/cli/output.js';

// The pages are read where `kelf explain` reads them: beside dist, at the package's root.
const PAGES = new URL('../../../docs/reasons/', import.meta.url);

async function explained(...args: string[]): Promise<{ code: number | undefined; text: string }> {
  const parts: Uint8Array[] = [];
  const out = new Output(bytes => parts.push(bytes.slice()));
  const code = await explain.run({ args, options: {}, out, note: () => {}, write: handOver({}, out) });
  out.flush();
  return { code, text: Buffer.concat(parts).toString('utf8') };
}

describe('kelf explain', () => {
  it('has a page for every reason code, and no other pages', () => {
    const pages = readdirSync(PAGES).map(name => name.replace(/\.md$/, ''));
    expect(pages.sort()).to.deep.equal(Object.keys(REASONS).sort());
  });

  for (const code of Object.keys(REASONS)) {
    it(`prints the page of ${code}`, async () => {
      const page = await explained(code);
      expect(page.code).to.equal(EXIT.ok);
      expect(page.text).to.equal(readFileSync(new URL(`${code}.md`, PAGES), 'utf8'));
      expect(page.text.split('\n')[0]).to.equal(`# ${code}`);
    });
  }

  it('lists every code with its title where none is named', async () => {
    const { text } = await explained();
    const listed = text.trimEnd().split('\n');
    expect(listed.map(line => line.split(/ {2,}/))).to.deep.equal(Object.entries(REASONS));
  });

  it('refuses what is no code', async () => {
    let message = 'accepted';
    try {
      await explained('no-such-code');
    } catch (error) {
      message = (error as Error).message;
    }
    expect(message).to.contain("no reason code 'no-such-code'");
  });

  it('links from page to page only where there is one', () => {
    for (const code of Object.keys(REASONS)) {
      const page = readFileSync(new URL(`${code}.md`, PAGES), 'utf8');
      for (const [, target] of page.matchAll(/\]\(([^)]+)\)/g)) {
        expect(
          Object.keys(REASONS).map(name => `${name}.md`),
          `${code}.md links to ${target}`,
        ).to.include(target);
      }
    }
  });
});
