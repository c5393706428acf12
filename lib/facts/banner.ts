/** The compiler that a kernel's banner names: what is in its second parentheses. */
export function compilerOf(banner: string | undefined): string | undefined {
  return /\((?:[^()]|\([^()]*\))*\) \(((?:[^()]|\([^()]*\))*)\)/.exec(banner ?? '')?.[1];
}

/** What a banner says from `#` on: the number of the build, its options and its date. A release alone has none. */
export function versionOf(banner: string | undefined): string | undefined {
  return /#.*/s.exec(banner ?? '')?.[0];
}
