import { expect } from 'chai';
import { glob } from '../../../lib/cli/glob.js';

describe('patterns of names', () => {
  const cases: readonly (readonly [pattern: string, matches: readonly string[], others: readonly string[]])[] = [
    ['tcp', ['tcp'], ['tcp_', 'xtcp']],
    ['tcp_*', ['tcp_', 'tcp_sock'], ['tcp', 'xtcp_']],
    ['*_sock', ['_sock', 'tcp_sock', 'a_sock_sock'], ['tcp_socks']],
    ['*a*b*', ['ab', 'xaxbx', 'aabb'], ['ba', 'a', '']],
    ['a*a', ['aa', 'aba'], ['a']],
    ['a??', ['abc', 'a\u{1f600}b'], ['ab', 'abcd']],
    ['[a-c]x', ['ax', 'cx'], ['dx', 'x']],
    ['[!a-c]x', ['dx'], ['ax']],
    ['[z-a]', [], ['z', 'a', '[z-a]']],
    ['a.b*', ['a.bc'], ['axbc']],
    ['*', ['', 'anything'], []],
    ['**x', ['x', 'yx'], ['xy']],
    ['[', ['['], ['x']],
  ];
  for (const [pattern, matches, others] of cases) {
    it(pattern, () => {
      for (const name of matches) expect(glob(pattern)(name), name).to.equal(true);
      for (const name of others) expect(glob(pattern)(name), name).to.equal(false);
    });
  }

  it('are looked for once at each place of a long name', () => {
    const name = 'a'.repeat(100_000);
    // By going back for each star, this would take longer than anyone waits.
    expect(glob('*a*a*a*a*a*b')(name)).to.equal(false);
    expect(glob('*a*a*a*a*a*')(name)).to.equal(true);
  });
});
