import { FormatError } from '../../../elf/errors.js';
import type { AbiSymbol, KernelAbi } from './kernel-abi.js';

/** Reads a list of symbols: `[abi_symbol_list]` and the like, indented names below headings. @throws FormatError */
export function readSymbolList(text: string, file: string): KernelAbi {
  const symbols = new Map<string, AbiSymbol>();
  let offset = 0;
  for (const line of text.split('\n')) {
    const name = line.replace(/[#;].*/, '').trim();
    if (name !== '' && !/^\[[^\]]*\]$/.test(name)) {
      if (!/^[A-Za-z_.$][\w.$]*$/.test(name)) {
        throw new FormatError('bad-value', { name: file, offset }, 'is neither ABIXML, STG nor a list of symbols: a line is not a name');
      }
      symbols.set(name, { name });
    }
    offset += line.length + 1;
  }
  if (symbols.size === 0) throw new FormatError('bad-value', { name: file }, 'names no symbols');
  return { file, form: 'list', symbols, modules: new Map() };
}
