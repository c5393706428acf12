/** Whether a kernel's release is at least MAJOR.MINOR; undefined where it is not known. */
export function atLeast(release: string | undefined, major: number, minor: number): boolean | undefined {
  const match = /^(\d+)\.(\d+)/.exec(release ?? '');
  return match === null ? undefined : Number(match[1]) > major || (Number(match[1]) === major && Number(match[2]) >= minor);
}
