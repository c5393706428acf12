import { FormatError } from '../../../elf/errors.js';
import { readAbiXml } from './abixml.js';
import type { KernelAbi } from './kernel-abi.js';
import { isStg, readStg } from './stg.js';
import { readSymbolList } from './symbol-list.js';

/** Larger files are refused; abidw of a whole arm64 kernel prints 5 MB. */
const LARGEST = 64 << 20;

/**
 * Reads an ABI: ABIXML of libabigail (`abidw`, android/abi_gki_*.xml), a corpus or a group of them; STG (android/abi_gki_*.stg); or a plain
 * list of symbols, a name a line, `[sections]` and `#` comments between them.
 * @param name of the file, for messages
 * @throws FormatError
 */
export async function readAbi(text: string, name: string): Promise<KernelAbi> {
  if (text.length > LARGEST) throw new FormatError('limit', { name }, `is larger than ${LARGEST >> 20} MiB`);
  if (isStg(text)) return readStg(text, name);
  return /^\s*</.test(text) ? readAbiXml(text, name) : readSymbolList(text, name);
}
