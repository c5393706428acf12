/** Whether a text has a character that makes it a pattern. */
export function isPattern(text: string): boolean {
  return /[*?[]/.test(text);
}

/**
 * A test for names by a pattern of the shell: `*`, `?` and `[a-z]`, `[!a-z]`. A pattern without any of them is the name itself. What stands between
 * stars has one length: it is looked for from left to right, and never twice at one place, however long the names of a file are.
 */
export function glob(pattern: string): (name: string) => boolean {
  if (!isPattern(pattern)) return name => name === pattern;
  const pieces = ['']; // between stars
  for (const [found, not, set] of pattern.matchAll(/\[(!?)([^\]]+)\]|\*+|./gsu)) {
    if (found.startsWith('*')) pieces.push('');
    else pieces[pieces.length - 1] += set === undefined ? one(found) : `[${not === '!' ? '^' : ''}${set.replace(/[\\^[]/g, '\\$&')}]`;
  }
  const last = pieces.length - 1;
  const expressions = pieces.map((piece, i) => compile(`${i === 0 ? '^' : ''}${piece}${i === last ? '$' : ''}`));
  return name => {
    let at = 0;
    return expressions.every(expression => {
      expression.lastIndex = at;
      const found = expression.test(name);
      at = expression.lastIndex;
      return found;
    });
  };
}

/** A character of a pattern, outside of a set. */
function one(char: string): string {
  return char === '?' ? '.' : char.replace(/[\\^$.|+(){}[\]/]/, '\\$&');
}

/** Nothing matches a set that is none: `[z-a]` matches no name in the shell either. */
function compile(source: string): RegExp {
  try {
    return new RegExp(source, 'gsu');
  } catch {
    return /(?!)/g;
  }
}
