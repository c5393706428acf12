import { expect } from 'chai';
import { bytesOfCode, loggedCode, programCounter } from '../../../../lib/answers/oops/logged-code.js';
import { kernelOfLog } from '../../../../lib/answers/oops/parse-log.js';

describe('The code in a kernel log', () => {
  it('is bytes on x86, and numbers elsewhere', () => {
    const bytes = (line: string, littleEndian: boolean): string =>
      Buffer.from(bytesOfCode(loggedCode(line)!, littleEndian)).toString('hex');
    expect(bytes('[ 1.0] Code: 48 89 <0f> 0b', true)).to.equal('48890f0b');
    expect(loggedCode('[ 1.0] Code: 48 89 <0f> 0b')!.marked).to.equal(2);
    expect(bytes('Code: d503201f aa0003e1 (d4210000)', true)).to.equal('1f2003d5e10300aa000021d4');
    expect(bytes('Code: 8082 (9002)', true)).to.equal('82800290');
    expect(bytes('Code: 60000000 <0fe00000>', false)).to.equal('600000000fe00000');
  });

  for (const line of [
    'Code: Unable to access opcode bytes at 0x0.',
    'Code: Bad RIP value.',
    'Code: 48 89',
    'Code: 48 890 <0f>',
    'Code: <0f> <0b>x',
    'Krnl Code: 0000000000113a2e: c0e5000',
    'Code: ',
    'Code: ?? ?? <0f>',
  ])
    it(`is none: ${line}`, () => {
      expect(loggedCode(line)).to.equal(undefined);
    });

  it('belongs to the kernel, or to a process', () => {
    expect(programCounter('RIP: 0010:f+0x1/0x2')).to.equal(true);
    expect(programCounter('RIP: 0033:0x7f00')).to.equal(false);
    expect(programCounter('pc : f+0x1/0x2')).to.equal(true);
    expect(programCounter('RSP: 0018:ffffc900')).to.equal(undefined);
  });
});

describe('The releases in a log', () => {
  for (const [line, release] of [
    ['[    0.0] Linux version 6.1.0-56-cloud-amd64 (x@y) (gcc-12 …) #1 SMP', '6.1.0-56-cloud-amd64'],
    ['CPU: 0 PID: 1 Comm: init Not tainted 6.1.0-56-cloud-amd64 #1  Debian 6.1.192-2', '6.1.0-56-cloud-amd64'],
    ['CPU: 1 UID: 0 PID: 9 Comm: a # b Tainted: G        W          6.12.48+deb13 #1 Debian', '6.12.48+deb13'],
    ['Comm: tainted x', undefined],
    ['Linux version is not said', undefined],
  ] as const)
    it(line, () => {
      expect(kernelOfLog([line]).releases).to.deep.equal(release === undefined ? [] : [release]);
    });
});
