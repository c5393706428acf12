import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { compareAbi, type Kernel, openKernel, readAbi, readRequirements } from 'kelf';
import { mutate, random } from '../../support/mutate.js';

/** Libraries in JavaScript read these, slowly: a tenth of the cases of the parsers. */
const CASES = Math.ceil(Number(process.env['KELF_FUZZ_CASES'] ?? 20_000) / 10);

const LIST = new TextEncoder().encode(`needs: &all [kprobe, "fentry"]
functions:
  - vfs_read
  - name: tty_write
    needs: *all
    prototype: {file: "ssize_t tty_write(struct file *, const char (*f)(int [4]), …)", kiocb: 'tty_write(struct kiocb *, ...)'}
limits: {duplicates: 3, without-btf: {pahole-static: 0}}
`);

describe('Damaged files of kelf check', () => {
  it('a list is read, or refused with the place', async () => {
    const next = random(1);
    let read = 0;
    for (let i = 0; i < CASES; i++) {
      const text = new TextDecoder().decode(mutate(LIST, next));
      try {
        await readRequirements(text, 'list.yaml');
        read++;
      } catch (error) {
        expect((error as Error).name, `case ${i}: ${(error as Error).stack}`).to.equal('RequirementsError');
      }
    }
    expect(read).to.be.greaterThan(0).and.lessThan(CASES);
  });

  it('an ABI is compared, or refused', async () => {
    const whole = readFileSync('fixtures/check/vmlinux-amd64.abi.xml', 'utf8');
    // A part of it: symbols, then the first unit.
    const seed = new TextEncoder().encode(`${whole.slice(0, whole.indexOf('</abi-instr>'))}</abi-instr></abi-corpus>`);
    await using kernel: Kernel = await openKernel('fixtures/kernel/vmlinux-amd64');
    const next = random(2);
    let read = 0;
    const cases = Math.ceil(CASES / 20);
    for (let i = 0; i < cases; i++) {
      const text = new TextDecoder().decode(mutate(seed, next));
      try {
        compareAbi(kernel, await readAbi(text, 'abi.xml'));
        read++;
      } catch (error) {
        expect((error as Error).name, `case ${i}: ${(error as Error).stack}`).to.equal('FormatError');
      }
    }
    expect(read).to.be.greaterThan(0).and.lessThan(cases);
  });
});
