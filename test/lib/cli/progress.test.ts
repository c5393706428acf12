import { expect } from 'chai';
import { Progress } from '../../../lib/cli/progress.js';

/** A stream that keeps what is written. */
function stream(isTTY: boolean): { readonly written: string[]; readonly stream: NodeJS.WriteStream } {
  const written: string[] = [];
  return { written, stream: { isTTY, write: (text: string) => written.push(text) > 0 } as unknown as NodeJS.WriteStream };
}

describe('the progress bar', () => {
  /** A clock that the test moves. */
  let now = 0;
  const clock = (): number => now;
  beforeEach(() => {
    now = 0;
  });

  it('shows on a terminal, after a second, and is taken away', () => {
    const { written, stream: tty } = stream(true);
    const progress = new Progress('reading modules', tty, clock);
    now = 900;
    progress.update(10, 60);
    expect(written).to.deep.equal([]);
    now = 1100;
    progress.update(20, 60);
    expect(written).to.deep.equal(['\rreading modules [##########                    ] 20/60']);
    now = 1120;
    progress.update(30, 60);
    expect(written).to.have.length(1);
    progress.end();
    expect(written.at(-1)).to.equal('\r\x1b[K');
  });

  it('leaves a pipe alone, and a terminal for short work', () => {
    const pipe = stream(false);
    const piped = new Progress('reading', pipe.stream, clock);
    const tty = stream(true);
    const short = new Progress('reading', tty.stream, clock);
    short.update(1, 1);
    now = 5000;
    piped.update(1, 2);
    piped.end();
    short.end();
    expect([...pipe.written, ...tty.written]).to.deep.equal([]);
  });
});
