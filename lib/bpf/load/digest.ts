import { builtIn } from '../../../elf/built-in.js';
import { sha256 } from '../../../elf/compression/sha256.js';
import { sha1 } from './sha1.js';

interface Crypto {
  createHash(algorithm: 'sha1' | 'sha256'): { update(bytes: Uint8Array): { digest(): Uint8Array } };
}

/** A digest of some bytes. Node's is several times as fast as what is written here; a browser has no synchronous one. */
export function digestOf(algorithm: 'sha1' | 'sha256', bytes: Uint8Array): Uint8Array {
  const crypto = builtIn<Crypto>('node:crypto');
  if (crypto !== undefined) return crypto.createHash(algorithm).update(bytes).digest();
  return algorithm === 'sha1' ? sha1(bytes) : sha256(bytes);
}
