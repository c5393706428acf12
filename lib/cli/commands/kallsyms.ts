import type { KernelSymbols } from '../../../kallsyms/symbols.js';
import { kallsymsReport, type ListedKernelSymbol } from '../../report/elf.js';
import { hex } from '../../report/json.js';
import { kernelId } from '../../report/report.js';
import { type Command, command, EXIT, JSON_OPTION, NDJSON_OPTION } from '../command.js';
import { withKernel } from '../with-kernel.js';

export const kallsyms: Command = command({
  usage: 'FILE [--json]',
  arity: [1, 1],
  about: `Prints the symbol table packed into a kernel image, as /proc/kallsyms shows it on that kernel when it runs at its link address (nokaslr). It needs
no .symtab: it finds the tables by their contents.`,
  examples: ['vmlinuz', 'vmlinuz --json'],
  options: {
    json: JSON_OPTION,
    ndjson: NDJSON_OPTION,
  },
  run: ({ args, options, out, note, write }) =>
    withKernel(args, {}, note, kernel => {
      const { symbols, pieces } = kernel;
      if (options.json === true || options.ndjson === true) {
        write(kallsymsReport, { kernel: kernelId(kernel), symbols: rowsOf(symbols) });
        return EXIT.ok;
      }
      const { address, type, nameOffset, strings } = symbols;
      for (let row = 0; row < symbols.count; row++) {
        // %px: as many digits as a pointer has.
        if (pieces.image?.is64 !== false) out.hex(address.high(row), 8);
        out.hex(address.low(row), 8).byte(0x20).letter(type[row]!).byte(0x20);
        out.name(strings.bytes, nameOffset[row]!).byte(0x0a);
      }
      return EXIT.ok;
    }),
});

function* rowsOf(symbols: KernelSymbols): Generator<ListedKernelSymbol> {
  for (const { address, type, name } of symbols) yield { address: hex(address), type, name };
}
