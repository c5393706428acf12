/** Bytes in so many characters at once: arguments of a call. A multiple of 3, so that pieces join. */
const PIECE = 3 * 8192;

/** Base64 of bytes. */
export function toBase64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE) text += btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE)));
  return text;
}
