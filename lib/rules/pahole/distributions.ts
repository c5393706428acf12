/** The pahole that a distribution builds its kernels with, as in CONFIG_PAHOLE_VERSION: 120 for 1.20. */
export interface Distribution {
  readonly name: string;
  readonly pahole: number;
}

/** By the compiler that the banner names. */
const DISTRIBUTIONS: readonly (Distribution & { readonly compiler: RegExp })[] = [
  // Package dwarves of bullseye, bookworm and trixie; CONFIG_PAHOLE_VERSION of their later kernels says the same.
  { compiler: /\(Debian 10\.\d/, name: 'Debian 11', pahole: 120 },
  { compiler: /\(Debian 12\.\d/, name: 'Debian 12', pahole: 124 },
  { compiler: /\(Debian 14\.\d/, name: 'Debian 13', pahole: 130 },
];

/** The distribution that built a kernel, by its banner. */
export function distributionOf(banner: string | undefined): Distribution | undefined {
  return banner === undefined ? undefined : DISTRIBUTIONS.find(({ compiler }) => compiler.test(banner));
}
