/** The compiler that a kernel's banner names: what is in its second parentheses. */
export function compilerOf(banner: string | undefined): string | undefined {
  return /\((?:[^()]|\([^()]*\))*\) \(((?:[^()]|\([^()]*\))*)\)/.exec(banner ?? '')?.[1];
}
