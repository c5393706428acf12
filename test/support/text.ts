/** The text that a printer gives to its sink. */
export function textOf(print: (sink: (bytes: Uint8Array) => void) => void): string {
  const parts: Uint8Array[] = [];
  print(bytes => parts.push(bytes.slice()));
  return Buffer.concat(parts).toString('utf8');
}
