import { sha256 } from '../../../elf/compression/sha256.js';
import { sha1 } from './sha1.js';

interface Crypto {
  createHash(algorithm: 'sha1' | 'sha256'): { update(bytes: Uint8Array): { digest(): Uint8Array } };
}

/**
 * A digest of some bytes. Node's is several times as fast as what is written here; it is reached without an import, so that this loads in a
 * browser, which has no synchronous one.
 */
export function digestOf(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Uint8Array {
  const host = globalThis as { process?: { getBuiltinModule?(name: string): unknown } };
  const crypto = host.process?.getBuiltinModule?.('node:crypto') as Crypto | undefined;
  if (crypto !== undefined) return crypto.createHash(algorithm).update(bytes).digest();
  return algorithm === 'sha1' ? sha1(bytes) : sha256(bytes);
}
