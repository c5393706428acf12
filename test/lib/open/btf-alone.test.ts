import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type Kernel, type OpenKernelOptions, openKernel, openSource } from 'kelf';
import { Btf } from 'kelf/btf';
import { ElfFile, EM, FormatError, MemorySource } from 'kelf/elf';
import { machineOfBtf } from '../../../lib/facts/pieces-of-btf.js';
import { elfAround } from '../../../lib/image/elf-around.js';
import { kernelsIn } from '../../../lib/image/unwrap.js';
import { BtfWriter } from '../../support/btf-writer.js';
import { ElfWriter } from '../../support/elf-writer.js';
import { tarOf } from '../../support/tar-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../fixtures/${name}`, import.meta.url));
const image = ElfFile.open(openSource(fixture('kernel/vmlinux-amd64')));
const btf = image.section('.BTF')!.data();

/** The lines of /proc/kallsyms of the same kernel. */
async function kallsyms(): Promise<Uint8Array> {
  using kernel = await openKernel(fixture('kernel/vmlinux-amd64'));
  const lines = [...kernel.symbols].map(({ address, type, name }) => `${address.toString(16).padStart(16, '0')} ${type} ${name}\n`);
  return new TextEncoder().encode(lines.join(''));
}

const open = (bytes: Uint8Array, options: OpenKernelOptions = {}): Promise<Kernel> =>
  openKernel(bytes, { name: '6.1.0-1-x.btf', ...options });

describe('a kernel of which there is the BTF alone', () => {
  it('is opened raw, packed, in an archive, and in an ELF file without code', async () => {
    const elf = new ElfWriter().file({ machine: EM.X86_64, sections: [{ name: '.BTF', type: 1, data: btf }] });
    for (const bytes of [
      btf,
      gzipSync(btf),
      tarOf([{ name: 'a.btf', bytes: btf }]),
      gzipSync(tarOf([{ name: 'a.btf', bytes: btf }])),
      elf,
    ]) {
      const kernel = await open(bytes);
      expect(kernel.btf!.functions().length).to.equal(Btf.parse(btf).functions().length);
      expect(kernel.symbolsMissing).to.match(/is BTF alone/);
      expect(kernel.machine).to.equal(EM.X86_64);
      expect(kernel.release).to.equal('6.1.0-1-x');
    }
  });

  it('is not a raw image that has BTF: what puts ELF headers around it gives it no .text', async () => {
    const bytes = new Uint8Array(0x4000 + btf.length);
    bytes.set(btf, 0x4000);
    const parts = [{ name: '.BTF', type: 1, offset: 0x4000, size: btf.length }];
    const raw = {
      bytes,
      machine: EM.AARCH64,
      is64: true,
      littleEndian: true,
      base: 0xffff_8000_8000_0000n,
      memorySize: bytes.length,
      parts,
    };
    using kernel = await openKernel(elfAround(raw, 'Image'));
    expect(kernel.image?.section('.BTF')?.size).to.equal(btf.length);
    expect(kernel.symbolsMissing).to.not.match(/BTF alone/);
  });

  it('tells what BTF tells, and leaves the rest open with the file that would settle it', async () => {
    const kernel = await open(btf);
    const found = kernel.traceability('tty_write');
    expect(found.functions).to.deep.equal([]);
    for (const { outcome, code, because } of [found.kprobe.byName, found.ftrace.byName, found.fentry.load, found.fentry.attach]) {
      expect([outcome, code]).to.deep.equal(['open', 'symbols-unknown']);
      expect(because.at(-1)!.says).to.match(/--symbols FILE/);
    }
    const { outcome, code } = kernel.traceability('nowhere').fentry.load;
    expect([outcome, code]).to.deep.equal(['refused', 'no-btf-func']);
    expect(kernel.traceability('nowhere').kprobe.byName.code).to.equal('symbols-unknown');
    expect(kernel.missingBtf('tty_write').code).to.equal('btf-present');
    expect(kernel.missingBtf('nowhere')).to.deep.include({ code: 'symbols-unknown', certainty: 'open' });
    expect(kernel.place('tty_write+0x4')!.kprobe.code).to.equal('symbols-unknown');
    expect(() => kernel.symbols).to.throw('BTF alone');
  });

  it('answers by name and address where its symbols and the list of ftrace are given', async () => {
    const kernel = await open(btf, { symbols: await kallsyms(), filterFunctions: new TextEncoder().encode('tty_write\n') });
    using whole = await openKernel(fixture('kernel/vmlinux-amd64'));
    const verdicts = (asked: Kernel): string[] => {
      const { kprobe, kretprobe, fentry, fmodRet, ftrace } = asked.traceability('tty_write');
      return [kprobe.byName, kretprobe.byName, fentry.load, fentry.attach, fmodRet.attach, ftrace.byName].map(({ code }) => code);
    };
    expect(verdicts(kernel)).to.deep.equal(verdicts(whole));
    // The blacklist is in the image.
    expect(kernel.traceability('tty_write').kprobe.byName.certainty).to.equal('likely');
    expect(kernel.traceability('redirected_tty_write').ftrace.byName).to.deep.include({ outcome: 'refused', code: 'no-ftrace-site' });
  });

  it('refuses symbols that are not of the image they are given beside', async () => {
    const moved = new TextEncoder().encode('ffffffffaa000000 T _stext\nffffffffaa000000 t tty_write\n');
    const kernel = await openKernel(fixture('kernel/vmlinux-amd64'), { symbols: moved });
    expect(() => kernel.symbols).to.throw(FormatError, /as it is linked: _stext is not in the image/);
    const own = await openKernel(fixture('kernel/vmlinux-amd64'), { symbols: await kallsyms() });
    expect(own.traceability('tty_write').kprobe.byName.outcome).to.equal('accepted');
  });

  it('of an archive with several is each of them; one question asks one', async () => {
    const archive = tarOf(['a', 'b'].map(name => ({ name: `${name}.btf`, bytes: btf })));
    expect(kernelsIn(new MemorySource(archive, 'all.tar')).map(({ name }) => name)).to.deep.equal(['all.tar: a.btf', 'all.tar: b.btf']);
    expect(kernelsIn(new MemorySource(gzipSync(archive), 'all.tar.gz')).length).to.equal(2);
    const single = new MemorySource(btf, 'x.btf');
    expect(kernelsIn(single)).to.deep.equal([single]);
    const error = await open(archive).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(String(error)).to.match(/the archive has 2 files: a\.btf, b\.btf/);
  });

  it('names its architecture by the registers it saves', () => {
    const machine = (member: string, words = 8, type = 'pt_regs'): number => {
      const writer = new BtfWriter();
      const long = writer.int('long unsigned int', words);
      writer.struct(type, words, [[member, long, 0]]);
      return machineOfBtf(Btf.parse(writer.bytes()));
    };
    expect(machine('orig_ax')).to.equal(EM.X86_64);
    expect(machine('orig_ax', 4)).to.equal(EM.I386);
    expect(machine('orig_x0')).to.equal(EM.AARCH64);
    expect(machine('uregs', 4)).to.equal(EM.ARM);
    expect(machine('orig_gpr2')).to.equal(EM.S390);
    expect(machine('orig_gpr3', 8, 'user_pt_regs')).to.equal(EM.PPC64);
    expect(machine('epc', 4)).to.equal(EM.RISCV);
    expect(machine('nothing')).to.equal(0);
  });
});
