/** The mechanisms that verdicts are given for, by name each (what attaching a program to the name comes to), and what users call them. */
export const MECHANISM_WORDS = {
  kprobe: 'kprobe',
  kretprobe: 'kretprobe',
  fentry: 'fentry',
  fexit: 'fexit',
  fmodRet: 'fmod_ret',
  kprobeMulti: 'kprobe.multi',
} as const;
export type Mechanism = keyof typeof MECHANISM_WORDS;

export const MECHANISMS: readonly Mechanism[] = Object.keys(MECHANISM_WORDS) as Mechanism[];
