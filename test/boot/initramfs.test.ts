import { expect } from 'chai';
import { initramfs } from './initramfs.js';

describe('the archive that the guest boots from', () => {
  it('has folders before their files, each entry at a multiple of four, and an end', () => {
    const archive = initramfs([
      { path: 'init', bytes: Buffer.from('program') },
      { path: 'run/deep/file', bytes: Buffer.from('12345') },
    ]);
    expect(entries(archive)).to.deep.equal([
      { path: 'run', mode: '40755', text: '' },
      { path: 'run/deep', mode: '40755', text: '' },
      { path: 'init', mode: '100755', text: 'program' },
      { path: 'run/deep/file', mode: '100755', text: '12345' },
      { path: 'TRAILER!!!', mode: '0', text: '' },
    ]);
  });
});

function entries(archive: Buffer): { path: string; mode: string; text: string }[] {
  const found: { path: string; mode: string; text: string }[] = [];
  for (let at = 0; at < archive.length; ) {
    expect(archive.toString('latin1', at, at + 6)).to.equal('070701');
    const field = (index: number): number => Number.parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const [mode, size, nameSize] = [field(1), field(6), field(11)];
    const data = (at + 110 + nameSize + 3) & ~3;
    found.push({
      path: archive.toString('latin1', at + 110, at + 109 + nameSize),
      mode: mode.toString(8),
      text: archive.toString('latin1', data, data + size),
    });
    at = (data + size + 3) & ~3;
  }
  return found;
}
