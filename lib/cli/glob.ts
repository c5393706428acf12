/** A test for names by a pattern of the shell: `*`, `?` and `[a-z]`, `[!a-z]`. A pattern without any of them is the name itself. */
export function glob(pattern: string): (name: string) => boolean {
  if (!/[*?[]/.test(pattern)) return name => name === pattern;
  const source = pattern.replace(/\[(!?)([^\]]+)\]|\*+|\?|[\\^$.|+(){}[\]]/g, (found, not: string | undefined, set: string | undefined) => {
    if (set !== undefined) return `[${not === '!' ? '^' : ''}${set.replace(/[\\^[]/g, '\\$&')}]`;
    if (found.startsWith('*')) return '.*';
    return found === '?' ? '.' : `\\${found}`;
  });
  const expression = compile(source) ?? /$^/;
  return name => expression.test(name);
}

/** Undefined for a set that is none: `[z-a]` matches no name in the shell either. */
function compile(source: string): RegExp | undefined {
  try {
    return new RegExp(`^${source}$`, 'su');
  } catch {
    return undefined;
  }
}
