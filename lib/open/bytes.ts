/** What the line of /proc/version begins with (linux_banner in init/version.c). */
export const BANNER: Uint8Array = new TextEncoder().encode('Linux version ');

export function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}

/** Where a run of bytes stands at or behind `from`; -1 where it does not. */
export function indexOfBytes(bytes: Uint8Array, wanted: Uint8Array, from = 0): number {
  for (let at = bytes.indexOf(wanted[0]!, from); at >= 0; at = bytes.indexOf(wanted[0]!, at + 1))
    if (startsWith(bytes, at, wanted)) return at;
  return -1;
}
