import { baseName, type CFunction, type CType, isBaseWord } from './ctype.js';

/** A prototype that was written down: `ssize_t tty_write(struct file *, …)`. */
export interface WrittenPrototype {
  /** The function's name, where it was written. */
  readonly name: string | undefined;
  readonly type: CFunction;
}

/** What is wrong with a written prototype. */
export class PrototypeError extends Error {
  override readonly name: string = 'PrototypeError';
}

const LONGEST = 4096;
const DEEPEST = 16;
/** What says nothing of a type: storage, and the kernel's marks of address spaces, sections and calling. */
const IGNORED = new Set(
  `extern static inline __inline __inline__ register auto restrict __restrict __restrict__ asmlinkage __visible notrace noinline noinstr __init
  __exit __cold __must_check __sched __user __kernel __iomem __percpu __rcu __force __nocast __bitwise __always_inline`.split(/\s+/),
);
const CONST = new Set(['const', '__const', '__const__']);
const VOLATILE = new Set(['volatile', '__volatile__']);

/**
 * Reads a prototype in C: names of parameters and the type that is returned may be left out. `…` or `...` at the end leaves open what else
 * the function takes, so that it holds for variadic functions too.
 * @throws PrototypeError
 */
export function parsePrototype(text: string): WrittenPrototype {
  if (text.length > LONGEST) throw new PrototypeError(`is longer than ${LONGEST} characters`);
  return new PrototypeParser(text).prototype();
}

class PrototypeParser {
  readonly #tokens: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    const tokens = text.match(/\.\.\.|…|[A-Za-z_$][\w$]*|\d\w*|\S/g) ?? [];
    if (tokens.at(-1) === ';') tokens.pop();
    this.#tokens = tokens;
  }

  prototype(): WrittenPrototype {
    const returns = this.#startsWithName() ? undefined : this.#specifiers();
    const { name, type } = this.#declarator(returns ?? { kind: 'unknown' });
    if (this.#at < this.#tokens.length) throw this.#unexpected('the end');
    if (type.kind !== 'function') throw new PrototypeError('is not a prototype: expected a list of parameters in parentheses');
    return { name, type: returns === undefined ? { ...type, returns: undefined } : type };
  }

  /** `tty_write(struct file *, …)`: the name stands first, and nothing is said about what it returns. */
  #startsWithName(): boolean {
    const [first, second, third] = this.#tokens;
    return first !== undefined && /^[A-Za-z_]/.test(first) && !isBaseWord(first) && first !== 'void' && second === '(' && third !== '*';
  }

  get #token(): string | undefined {
    return this.#tokens[this.#at];
  }

  #take(token: string): boolean {
    if (this.#token !== token) return false;
    this.#at++;
    return true;
  }

  #expect(token: string): void {
    if (!this.#take(token)) throw this.#unexpected(`'${token}'`);
  }

  #unexpected(expected: string): PrototypeError {
    const token = this.#token;
    return new PrototypeError(`${expected} is expected, not ${token === undefined ? 'the end' : `'${token}'`}`);
  }

  /** `const struct file`, `unsigned long`, `ssize_t`. */
  #specifiers(): CType {
    const words: string[] = [];
    let type: CType | undefined;
    const bits = { const: false, volatile: false };
    for (let token = this.#token; token !== undefined && /^[A-Za-z_$]/.test(token); token = this.#token) {
      if (this.#qualifier(bits)) continue;
      if (token === 'struct' || token === 'union' || token === 'enum') {
        this.#at++;
        type = { kind: token, name: this.#identifier(`the name of the ${token}`) };
      } else if (isBaseWord(token) && type === undefined) {
        this.#at++;
        words.push(token);
      } else if (type === undefined && words.length === 0) {
        this.#at++;
        type = token === 'void' ? { kind: 'void' } : { kind: 'typedef', name: token };
      } else break;
    }
    if (words.length > 0) type = { kind: 'base', name: baseName(words.join(' ')) };
    if (type === undefined) throw this.#unexpected('a type');
    return bits.const || bits.volatile ? { kind: 'qualified', ...bits, of: type } : type;
  }

  /** Takes a qualifier, or a word that says nothing of the type. */
  #qualifier(bits: { const: boolean; volatile: boolean }): boolean {
    const token = this.#token;
    if (token === undefined) return false;
    if (CONST.has(token)) bits.const = true;
    else if (VOLATILE.has(token)) bits.volatile = true;
    else if (token === '__attribute__' || token === '__attribute') {
      this.#at++;
      this.#skipParentheses();
      return true;
    } else if (!IGNORED.has(token)) return false;
    this.#at++;
    return true;
  }

  #identifier(what: string): string {
    const token = this.#token;
    if (token === undefined || !/^[A-Za-z_$]/.test(token)) throw this.#unexpected(what);
    this.#at++;
    return token;
  }

  /** `*name`, `(*name)(int)`, `name[4]`, or without a name. */
  #declarator(base: CType): { name: string | undefined; type: CType } {
    if (++this.#depth > DEEPEST) throw new PrototypeError(`is nested deeper than ${DEEPEST} declarations`);
    let type = base;
    while (this.#take('*')) {
      type = { kind: 'pointer', to: type };
      const bits = { const: false, volatile: false };
      while (this.#qualifier(bits));
      if (bits.const || bits.volatile) type = { kind: 'qualified', ...bits, of: type };
    }
    let name: string | undefined;
    // A declarator in parentheses applies to what is after them: it is read when that is known.
    let inner: number | undefined;
    if (this.#token === '(' && /^[*(]$/.test(this.#tokens[this.#at + 1] ?? '')) {
      inner = this.#at + 1;
      this.#skipParentheses();
    } else if (this.#token !== undefined && /^[A-Za-z_$]/.test(this.#token)) name = this.#identifier('a name');
    type = this.#suffixes(type);
    if (inner !== undefined) {
      const end = this.#at;
      this.#at = inner;
      ({ name, type } = this.#declarator(type));
      this.#expect(')');
      this.#at = end;
    }
    this.#depth--;
    return { name, type };
  }

  #suffixes(type: CType): CType {
    if (this.#take('(')) {
      const { parameters, rest } = this.#parameters();
      return { kind: 'function', returns: this.#suffixes(type), parameters, rest };
    }
    if (!this.#take('[')) return type;
    const token = this.#token ?? '';
    const count = /^\d+$/.test(token) ? Number(token) : undefined;
    if (count !== undefined) this.#at++;
    this.#expect(']');
    return { kind: 'array', of: this.#suffixes(type), count };
  }

  #parameters(): Pick<CFunction, 'parameters' | 'rest'> {
    const parameters: { name: string | undefined; type: CType }[] = [];
    if (this.#take(')')) return { parameters, rest: 'no' };
    if (this.#token === 'void' && this.#tokens[this.#at + 1] === ')') {
      this.#at += 2;
      return { parameters, rest: 'no' };
    }
    do {
      if (this.#take('...') || this.#take('…')) {
        this.#expect(')');
        return { parameters, rest: 'open' };
      }
      parameters.push(this.#declarator(this.#specifiers()));
    } while (this.#take(','));
    if (!this.#take(')')) throw this.#unexpected("',' or ')'");
    return { parameters, rest: 'no' };
  }

  #skipParentheses(): void {
    this.#expect('(');
    for (let open = 1; open > 0; this.#at++) {
      if (this.#token === undefined) throw this.#unexpected("')'");
      if (this.#token === '(') open++;
      if (this.#token === ')') open--;
    }
  }
}
