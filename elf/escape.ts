/**
 * The one place where a name from a file becomes text for a terminal, a shell line, tracefs or C: a name is bytes that somebody chose, and each
 * of these reads some of them as its own.
 */

/**
 * What tells a terminal something, or moves what is beside it: C0, DEL and C1; format characters, the bidirectional ones among them; line and
 * paragraph separators; halves of surrogate pairs (Unicode's categories Cc, Cf, Zl, Zp, Cs).
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;
/** Nearly every name. */
const ASCII = /^[ -~]*$/;

/** With such characters written as `\x1b` and `\u202e`: a row stays a row, and tells the reader's terminal nothing. */
export function printable(text: string): string {
  return ASCII.test(text) ? text : text.replace(UNPRINTABLE, escaped);
}

/** JSON with them written as `\u001b`, which every reader of JSON takes for the same text. */
export function printableJson(json: string): string {
  return ASCII.test(json) ? json : json.replace(UNPRINTABLE, char => [...units(char)].map(unit => `\\u${hex(unit, 4)}`).join(''));
}

/**
 * Whether a name may stand in a shell line, in a file of tracefs, and in a string of C: symbols, sections and modules of kernels are made of
 * these characters (`foo.isra.0`, `foo$hash`).
 */
export function isPlainName(name: string): boolean {
  return /^[A-Za-z0-9_.$][A-Za-z0-9_.$-]*$/.test(name);
}

/** A name in C: other characters than those of identifiers, symbols and `unsigned int` are written by their numbers: `a_27_` for `a'`. */
export function identifier(name: string): string {
  return name.replace(/[^A-Za-z0-9_.$ ]/gu, char => `_${char.codePointAt(0)!.toString(16)}_`);
}

/** What is inside quotes in C. */
export function quotedInC(text: string): string {
  return printable(text).replace(/["\\]/g, char => `_${char.codePointAt(0)!.toString(16)}_`);
}

function escaped(char: string): string {
  const code = char.codePointAt(0)!;
  if (code < 0x100) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\u{${hex(code, 5)}}`;
}

function* units(char: string): Generator<number> {
  for (let i = 0; i < char.length; i++) yield char.charCodeAt(i);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
