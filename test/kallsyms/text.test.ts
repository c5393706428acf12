import { expect } from 'chai';
import { FormatError } from 'kelf/elf';
import { parseFilterFunctions, parseKallsyms, parseKprobeBlacklist } from 'kelf/kallsyms';

const bytes = (...lines: string[]): Uint8Array => new TextEncoder().encode(lines.map(line => `${line}\n`).join(''));

function failure(parse: () => unknown): string {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return `${error.code} ${error.message}`;
  }
  return 'parsed';
}

describe('parseKallsyms', () => {
  it('reads addresses, letters, names and modules', () => {
    const symbols = parseKallsyms(
      bytes(
        'ffffffff81000000 T _stext',
        'ffffffff81000010 t tty_write',
        'ffffffffc0001000 t tty_write\t[kelf_mod]',
        'ffffffffc0002000 t ftrace_trampoline\t[__builtin__ftrace]',
      ),
      '/proc/kallsyms',
    );
    expect([...symbols]).to.deep.equal([
      { row: 0, name: '_stext', address: 0xffffffff81000000n, type: 'T' },
      { row: 1, name: 'tty_write', address: 0xffffffff81000010n, type: 't' },
      { row: 2, name: 'tty_write', address: 0xffffffffc0001000n, type: 't', module: 'kelf_mod' },
      { row: 3, name: 'ftrace_trampoline', address: 0xffffffffc0002000n, type: 't', module: '__builtin__ftrace' },
    ]);
    expect(symbols.source).to.equal('/proc/kallsyms');
  });

  it('reads a System.map: short addresses, no modules, a last line without its end', () => {
    const symbols = parseKallsyms(new TextEncoder().encode('c0300000 T _stext\n0 A percpu'), 'System.map');
    expect([...symbols].map(({ name, address }) => [name, address])).to.deep.equal([
      ['_stext', 0xc0300000n],
      ['percpu', 0n],
    ]);
  });

  it('reads names of any bytes but space and tab', () => {
    const symbols = parseKallsyms(bytes('1 t foo.isra.0', '2 t _RNvCs1_3ümläut', '3 r $x'), 'x');
    expect([...symbols].map(({ name }) => name)).to.deep.equal(['foo.isra.0', '_RNvCs1_3ümläut', '$x']);
  });

  it('leaves the bytes that it was given as they are', () => {
    const text = bytes('1 t one\t[two]');
    parseKallsyms(text, 'x');
    expect(text).to.deep.equal(bytes('1 t one\t[two]'));
  });

  it('reads an empty text as no symbols', () => {
    expect(parseKallsyms(new Uint8Array(0), 'x').count).to.equal(0);
  });

  it('says that addresses are hidden, and how to see them', () => {
    const says = failure(() => parseKallsyms(bytes('0000000000000000 T _stext', '0000000000000000 t tty_write'), '/proc/kallsyms'));
    expect(says).to.match(/^unsupported \/proc\/kallsyms: .*kernel\.kptr_restrict/);
  });

  it('passes over a prompt and messages in front, and the line ends of a serial console', () => {
    const log = [
      'root@board:~# cat /proc/kallsyms',
      '[   12.345678] random: crng init done',
      '',
      'a b: c',
      'c0008000 T _text',
      'c0008010 t f\t[m]',
    ];
    const symbols = parseKallsyms(new TextEncoder().encode(log.map(line => `${line}\r\n`).join('')), 'log');
    expect([...symbols].map(({ address, type, name, module }) => [address, type, name, module])).to.deep.equal([
      [0xc0008000n, 'T', '_text', undefined],
      [0xc0008010n, 't', 'f', 'm'],
    ]);
    expect(failure(() => parseKallsyms(bytes('$ cat map', '1 t fine', 'no symbol'), 'map'))).to.match(/^bad-value map: line 3 /);
    expect(failure(() => parseKallsyms(bytes('no', 'symbols', 'at all'), 'map'))).to.match(/^bad-value map: line 1 /);
  });

  for (const [what, line] of [
    ['no address', 'T _stext'],
    ['an address of 17 digits', 'fffffffff81000000 T _stext'],
    ['an address that is not hexadecimal', 'ffffffff8100000g T _stext'],
    ['no letter', 'ffffffff81000000 _stext'],
    ['no name', 'ffffffff81000000 T '],
    ['an empty line', ''],
    ['an address alone', 'ffffffff81000000'],
    ['a module that is not closed', 'ffffffff81000000 T _stext\t[mod'],
    ['a module that is not opened', 'ffffffff81000000 T _stext\tmod]'],
    ['words behind the name', 'ffffffff81000000 T _stext and more'],
    ['a bracket that is both', 'ffffffff81000000 T _stext\t]'],
  ] as const) {
    it(`refuses a line with ${what}, by its number`, () => {
      expect(failure(() => parseKallsyms(bytes('1 t fine', line, '3 t fine'), 'map'))).to.match(/^bad-value map: line 2 /);
    });
  }
});

describe('parseFilterFunctions', () => {
  const names = ({ count, nameOffset, strings, module }: ReturnType<typeof parseFilterFunctions>): (string | undefined)[][] =>
    Array.from({ length: count }, (_, row) => {
      const from = nameOffset[row]!;
      return [new TextDecoder().decode(strings.subarray(from, strings.indexOf(0, from))), module(row)];
    });

  it('reads names and modules', () => {
    const functions = parseFilterFunctions(bytes('tty_write', 'kelf_mod_write [kelf_mod]', '__ftrace_invalid_address___64'), 'x', false);
    expect(functions.address).to.equal(undefined);
    expect(names(functions)).to.deep.equal([
      ['tty_write', undefined],
      ['kelf_mod_write', 'kelf_mod'],
      ['__ftrace_invalid_address___64', undefined],
    ]);
  });

  it('reads the addresses of available_filter_functions_addrs', () => {
    const functions = parseFilterFunctions(bytes('ffffffff81000010 tty_write', 'ffffffffc0001004 open [mod]'), 'x', true);
    expect([...functions.address!.big]).to.deep.equal([0xffffffff81000010n, 0xffffffffc0001004n]);
    expect(names(functions)).to.deep.equal([
      ['tty_write', undefined],
      ['open', 'mod'],
    ]);
  });

  it('refuses a name where an address must be', () => {
    expect(failure(() => parseFilterFunctions(bytes('tty_write'), 'x', true))).to.equal(
      'bad-value x: line 1 has not an address in hexadecimal',
    );
  });
});

describe('parseKprobeBlacklist', () => {
  it('reads ranges and their symbols', () => {
    expect(parseKprobeBlacklist('0xffffffff81c00990-0xffffffff81c009b0\tasm_exc_divide_error\n0x10-0x20\tx y\n', 'x')).to.deep.equal([
      { name: 'asm_exc_divide_error', from: 0xffffffff81c00990n, to: 0xffffffff81c009b0n },
      { name: 'x y', from: 0x10n, to: 0x20n },
    ]);
    expect(parseKprobeBlacklist('', 'x')).to.deep.equal([]);
  });

  it('says that addresses are hidden', () => {
    expect(failure(() => parseKprobeBlacklist('0x0000000000000000-0x0000000000000000\ta\n', 'x'))).to.match(
      /^unsupported x: .*kptr_restrict/,
    );
  });

  for (const line of ['0x10-0x20 a', '10-20\ta', '0x10\ta', '0x10-0x20', '0x1-0x11111111111111111\ta']) {
    it(`refuses '${line}'`, () => {
      expect(failure(() => parseKprobeBlacklist(`0x1-0x2\tfine\n${line}\n`, 'x'))).to.equal(
        'bad-value x: line 2 is not 0xFROM-0xTO and a name',
      );
    });
  }
});
