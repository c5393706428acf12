/** What the line of /proc/version begins with (linux_banner in init/version.c). */
export const BANNER: Uint8Array = new TextEncoder().encode('Linux version ');

export function startsWith(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let i = 0; i < wanted.length; i++) if (bytes[at + i] !== wanted[i]) return false;
  return true;
}
