import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { ElfFile, MemorySource, SHF } from 'kelf/elf';
import { isTextLetter, type KernelSymbols, parseKallsyms, symbolsFromElf } from 'kelf/kallsyms';
import { ElfWriter, type SymbolSpec } from '../support/elf-writer.js';

const fixture = (path: string): Buffer => readFileSync(fileURLToPath(new URL(`../../../fixtures/${path}`, import.meta.url)));
const table = (...lines: string[]): KernelSymbols => parseKallsyms(new TextEncoder().encode(lines.join('\n')), 'map');

describe('KernelSymbols', () => {
  const symbols = table(
    '1000 T _stext',
    '1000 T _text',
    '1010 t get_order',
    '1020 t watchdog',
    '1040 W sys_sync',
    '1040 T __do_sys_sync',
    '1060 t get_order',
    '2000 D watchdog',
    '5000 t module_open\t[first]',
    '5010 t get_order\t[first]',
    '4000 t module_close\t[second]',
  );

  it('finds every row of a name, lowest address first, and none', () => {
    expect(symbols.find('get_order')).to.deep.equal([2, 6, 9]);
    expect(symbols.find('watchdog')).to.deep.equal([3, 7]);
    expect(symbols.find('get_orde')).to.deep.equal([]);
    expect(symbols.find('')).to.deep.equal([]);
  });

  it('takes a name for its lowest address', () => {
    expect(symbols.lookup('get_order')).to.equal(2);
    expect(symbols.addressOf('get_order')).to.equal(0x1010n);
    expect(symbols.lookup('no_such')).to.equal(undefined);
    expect(symbols.addressOf('no_such')).to.equal(undefined);
  });

  it('names an address by the first symbol at or before it', () => {
    const names = [0x0fffn, 0x1000n, 0x100fn, 0x1010n, 0x1040n, 0x105fn, 0x1060n, 0x9999n].map(address => {
      const row = symbols.containing(address);
      return row === undefined ? undefined : symbols.name(row);
    });
    expect(names).to.deep.equal([undefined, '_stext', '_stext', 'get_order', 'sys_sync', 'sys_sync', 'get_order', 'get_order']);
    expect(symbols.containing(0x1060n)).to.equal(6);
  });

  it('lets a symbol end at the next higher address', () => {
    expect([0x1000n, 0x1008n, 0x1040n, 0x2000n, 0x5010n].map(address => symbols.endOf(address))).to.deep.equal([
      0x1010n,
      0x1010n,
      0x1060n,
      0x4000n,
      undefined,
    ]);
  });

  it('orders modules among each other, whose rows are not in the order of their addresses', () => {
    expect([...symbols.order]).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 10, 8, 9]);
    expect(symbols.containing(0x4800n)).to.equal(10);
    expect(symbols.module(10)).to.equal('second');
    expect(symbols.module(0)).to.equal(undefined);
  });

  it('gives the first alias of a row', () => {
    expect([0, 1, 2, 4, 5].map(row => symbols.firstAlias(row))).to.deep.equal([0, 0, 2, 4, 4]);
  });

  it('knows the highest address there is', () => {
    const high = table('fffffffffffffff0 t a', 'ffffffffffffffff t b');
    expect(high.containing(0xffffffffffffffffn)).to.equal(1);
    expect(high.endOf(0xfffffffffffffff0n)).to.equal(0xffffffffffffffffn);
    expect(high.endOf(0xffffffffffffffffn)).to.equal(undefined);
  });

  it('tells functions by their letters', () => {
    expect([...'tTwWvVdDbBrRaA'].filter(letter => isTextLetter(letter.charCodeAt(0))).join('')).to.equal('tTwW');
  });
});

describe('symbolsFromElf', () => {
  function fromElf(...symbols: SymbolSpec[]): string[] {
    const writer = new ElfWriter();
    const section = (name: string, type: number, flags: number) => ({ name, type, flags, address: 0x1000n, data: new Uint8Array(16) });
    const bytes = writer.file({
      type: 2,
      sections: [
        section('.text', 1, SHF.ALLOC | SHF.EXECINSTR),
        section('.data', 1, SHF.ALLOC | SHF.WRITE),
        section('.rodata', 1, SHF.ALLOC),
        section('.bss', 8, SHF.ALLOC | SHF.WRITE),
        section('.comment', 1, 0),
        ...writer.symbols(symbols),
      ],
    });
    const file = ElfFile.open(new MemorySource(bytes, 'vmlinux'));
    return [...symbolsFromElf(file, file.symbols!)].map(({ type, name, address }) => `${address.toString(16)} ${type} ${name}`);
  }
  const [local, global, weak] = [0, 1, 2];
  const [notype, object, func] = [0, 1, 2];

  it("gives nm's letters", () => {
    expect(
      fromElf(
        { name: 'a', value: 1n, section: 1, type: func, binding: local },
        { name: 'b', value: 2n, section: 1, type: func, binding: global },
        { name: 'c', value: 3n, section: 2, type: object, binding: local },
        { name: 'd', value: 4n, section: 3, type: object, binding: global },
        { name: 'e', value: 5n, section: 4, type: object, binding: local },
        { name: 'f', value: 6n, section: 1, type: func, binding: weak },
        { name: 'g', value: 7n, section: 2, type: object, binding: weak },
        { name: 'h', value: 8n, section: 1, type: notype, binding: global },
      ),
    ).to.deep.equal(['1 t a', '2 T b', '3 d c', '4 R d', '5 b e', '6 W f', '7 V g', '8 T h']);
  });

  it('drops what kallsyms drops', () => {
    const drop = [
      '$x',
      '$d.7',
      '.L12',
      '__efistub_strlen',
      '__kvm_nvhe_$x',
      '__pi_$x',
      '__crc_printk',
      '__kstrtab_printk',
      '__kstrtabns_printk',
    ];
    drop.push('L0', 'kallsyms_names', 'printk_from_arm', 'printk_from_thumb', 'printk_veneer', '__UNIQUE_ID_modinfo123', '__kcfi_typeid_f');
    const keep = [
      '__kvm_nvhe_hyp',
      '__pi_memcpy',
      'L01',
      'kallsyms_names_x',
      'kallsyms_lookup_name',
      '_veneer_',
      'from_arm',
      '__UNIQUE_ID_x',
    ];
    const at = (name: string, i: number): SymbolSpec => ({ name, value: BigInt(i + 1), section: 1, type: func });
    expect(fromElf(...[...drop, ...keep].map(at)).map(line => line.split(' ')[2])).to.deep.equal(keep);
  });

  it('drops undefined, absolute, section, file and debugging symbols', () => {
    expect(
      fromElf(
        { name: 'undefined', section: 0, binding: weak },
        { name: 'absolute', section: 0xfff1, binding: global },
        { name: 'section', section: 1, type: 3 },
        { name: 'file.c', section: 0xfff1, type: 4 },
        { name: 'debugging', section: 5 },
        { name: 'kept', section: 1, value: 1n },
      ),
    ).to.deep.equal(['1 t kept']);
  });

  it('orders aliases as scripts/kallsyms.c does: weak ones last, then what a linker script may have made, then by underscores and names', () => {
    const same = (name: string, binding: number): SymbolSpec => ({ name, value: 1n, section: 1, type: func, binding });
    expect(
      fromElf(
        same('weak', weak),
        same('__start_code', global),
        same('__memcpy', global),
        same('_memcpy', global),
        same('memcpy', global),
        same('amemcpy', local),
        { name: 'before', value: 0n, section: 1, type: func },
      ).map(line => line.split(' ')[2]),
    ).to.deep.equal(['before', 'amemcpy', 'memcpy', '_memcpy', '__memcpy', '__start_code', 'weak']);
  });

  for (const arch of ['amd64', 'arm64']) {
    it(`lists the ${arch} kernel as nm -n does, but for what kallsyms drops`, () => {
      const file = ElfFile.open(new MemorySource(fixture(`kernel/vmlinux-${arch}`), 'vmlinux'));
      const symbols = symbolsFromElf(file, file.symbols!);
      const ours = [...symbols].map(({ address, type, name }) => `${address.toString(16).padStart(16, '0')} ${type} ${name}`);
      const nm = fixture(`expected/kernel/vmlinux-${arch}.nm.txt`).toString().trimEnd().split('\n');
      // Undefined and absolute symbols, and mapping symbols
      const theirs = nm.filter(line => /^[0-9a-f]{16} [^aAN] /.test(line) && !/ (__kvm_nvhe_)?\$[xd]/.test(line));
      expect([...ours].sort()).to.deep.equal([...theirs].sort());
      expect(ours.length).to.be.greaterThan(150);
      for (let row = 1; row < symbols.count; row++) expect(symbols.address.big[row]! >= symbols.address.big[row - 1]!).to.equal(true);
      // Of sys_sync and two aliases the kernel shows the one that is not weak and has no underscores.
      expect(symbols.name(symbols.containing(symbols.addressOf('sys_fsync')!)!)).to.equal('sys_sync');
    });
  }
});
