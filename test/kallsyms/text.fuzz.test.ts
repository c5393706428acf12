import { FormatError } from 'kelf/elf';
import { type KernelSymbols, parseFilterFunctions, parseKallsyms, parseKprobeBlacklist } from 'kelf/kallsyms';
import { mutate, random } from '../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 20_000);

const KALLSYMS =
  'ffffffff81000000 T _stext\nffffffff81000000 T _text\nffffffff81000010 t foo.isra.0\nffffffffc0001000 t foo\t[mod]\n0 A percpu';
const FILTER = 'ffffffff81000010 foo.isra.0\nffffffffc0001000 foo [mod]\n';
const BLACKLIST = '0xffffffff81c00990-0xffffffff81c009b0\tasm_exc\n0x10-0x20\tb\n';

/** Everything there is to do with symbols. */
function useAll(symbols: KernelSymbols): void {
  for (const { name, address, row } of symbols) {
    // A name that is not UTF-8 cannot be asked for.
    if (/^\p{ASCII}*$/u.test(name) && !symbols.find(name).includes(row)) throw new Error(`row ${row} is not found by its name`);
    symbols.containing(address);
    symbols.endOf(address);
    symbols.firstAlias(row);
  }
}

function tolerant(parse: () => void): void {
  try {
    parse();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

describe('damaged texts of symbols', () => {
  const encoder = new TextEncoder();
  const texts: [string, Uint8Array, (bytes: Uint8Array) => void][] = [
    ['kallsyms', encoder.encode(KALLSYMS), bytes => useAll(parseKallsyms(bytes, 'x'))],
    ['available_filter_functions_addrs', encoder.encode(FILTER), bytes => parseFilterFunctions(bytes, 'x', true)],
    ['available_filter_functions', encoder.encode(FILTER), bytes => parseFilterFunctions(bytes, 'x', false)],
    ['kprobes/blacklist', encoder.encode(BLACKLIST), bytes => parseKprobeBlacklist(new TextDecoder().decode(bytes), 'x')],
  ];
  for (const [what, bytes, parse] of texts) {
    it(`give a result or a FormatError: ${what}`, () => {
      for (let length = 0; length <= bytes.length; length++) tolerant(() => parse(bytes.slice(0, length)));
      const next = random(bytes.length);
      for (let i = 0; i < CASES / texts.length; i++) {
        const damaged = mutate(bytes, next);
        // Separators in other places: what flipped bits seldom make
        if (next(2) === 0 && damaged.length > 0) damaged[next(damaged.length)] = [10, 32, 9, 91, 93, 0][next(6)]!;
        try {
          tolerant(() => parse(damaged));
        } catch (error) {
          throw new Error(`case ${i}: ${Buffer.from(damaged).toString('hex')}`, { cause: error });
        }
      }
    });
  }
});
