import type { ByteSource } from '../../../elf/source.js';

/** What follows a signed module's ELF file (scripts/sign-file, kernel/module/signing.c). */
export interface ModuleSignature {
  /** Bytes of the signature itself. */
  readonly length: number;
  /** id_type of `struct module_signature`: `PKCS#7` for 2; kernels since 4.3 take no other. */
  readonly form: string;
}

/** MODULE_SIG_STRING of include/linux/module_signature.h. */
const MAGIC = new TextEncoder().encode('~Module signature appended~\n');
/** `struct module_signature`: algo, hash, id_type, signer_len, key_id_len, three bytes of padding, sig_len in big endian. */
const TRAILER = 12;
const FORMS: readonly string[] = ['PGP', 'X.509', 'PKCS#7'];

/** The signature at the end of a module; undefined if there is none. The ELF file ends before it. */
export function readSignature(source: ByteSource): ModuleSignature | undefined {
  const end = source.size - MAGIC.length;
  if (end < TRAILER) return undefined;
  const bytes = source.read(end - TRAILER, TRAILER + MAGIC.length);
  if (!MAGIC.every((byte, i) => bytes[TRAILER + i] === byte)) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8);
  return { length, form: FORMS[bytes[2]!] ?? `id type ${bytes[2]}` };
}
