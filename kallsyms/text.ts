import { expectBytes, expectString } from '../elf/arguments.js';
import { FormatError } from '../elf/errors.js';
import { Words } from '../elf/words.js';
import { KernelSymbols } from './symbols.js';

const NEWLINE = 10;
const RETURN = 13;
const TAB = 9;
const SPACE = 32;
/** nm's letter for a symbol of unknown type. */
const QUESTION = 63;
const OPEN = '['.charCodeAt(0);
const CLOSE = ']'.charCodeAt(0);

/** What a terminal's log has before the first symbol: a prompt, the command, messages. */
const MOST_LINES_BEFORE = 32;

/**
 * Reads `/proc/kallsyms` or a `System.map`: a line is an address, a letter, a name and, for a module's symbol, a tab and `[module]`. What
 * stands before the first such line in the log of a terminal is passed over.
 * @throws FormatError for a line of another form, and if all addresses are zero: the kernel hides them
 */
export function parseKallsyms(bytes: Uint8Array, source: string): KernelSymbols {
  expectBytes(bytes, 'bytes');
  const lines = new Lines(bytes, source);
  const { strings } = lines;
  const count = lines.count - lines.passOver(MOST_LINES_BEFORE);
  const address = new Words(count);
  const type = new Uint8Array(count);
  const nameOffset = new Uint32Array(count);
  const module = new Uint32Array(count);
  const modules = new ModuleNames();
  let hidden = true;
  for (let row = 0; row < count; row++) {
    lines.next();
    if (!lines.address(address, row)) lines.fail('an address in hexadecimal');
    hidden &&= address.low(row) === 0 && address.high(row) === 0;
    if (strings[lines.at + 1] !== SPACE) lines.fail('a letter and a name');
    type[row] = strings[lines.at]!;
    nameOffset[row] = lines.at + 2;
    module[row] = modules.indexOf(lines.nameAndModule(lines.at + 2));
  }
  if (count > 0 && hidden) {
    throw new FormatError(
      'unsupported',
      { name: source },
      'all addresses are zero: the kernel hides them (sysctl kernel.kptr_restrict); read it as root with kernel.kptr_restrict=0 or 1',
    );
  }
  return new KernelSymbols(source, { address, type, nameOffset, strings, module, modules: modules.names });
}

/** The functions that ftrace can filter by, in the order of the file: `set_ftrace_filter` takes the line's number too. */
export interface FilterFunctions {
  readonly source: string;
  readonly count: number;
  /** Addresses of the ftrace sites; only in `available_filter_functions_addrs` (6.5 and later). */
  readonly address?: Words;
  /** Where each name begins in `strings`, NUL-terminated. */
  readonly nameOffset: Uint32Array;
  readonly strings: Uint8Array;
  /** For each row the module, or undefined for the kernel itself. */
  module(row: number): string | undefined;
}

/**
 * Reads tracefs' `available_filter_functions` (`NAME [MODULE]`) or `available_filter_functions_addrs` (`ADDRESS NAME [MODULE]`).
 * @throws FormatError for a line of another shape
 */
export function parseFilterFunctions(bytes: Uint8Array, source: string, withAddresses: boolean): FilterFunctions {
  expectBytes(bytes, 'bytes');
  const lines = new Lines(bytes, source);
  const { count, strings } = lines;
  const address = new Words(withAddresses ? count : 0);
  const nameOffset = new Uint32Array(count);
  const module = new Uint32Array(count);
  const modules = new ModuleNames();
  for (let row = 0; row < count; row++) {
    lines.next();
    if (withAddresses && !lines.address(address, row)) lines.fail('an address in hexadecimal');
    nameOffset[row] = lines.at;
    module[row] = modules.indexOf(lines.nameAndModule(lines.at));
  }
  return {
    source,
    count,
    ...(withAddresses ? { address } : {}),
    nameOffset,
    strings,
    module: row => modules.names[module[row]! - 1],
  };
}

/** A range of `kprobes/blacklist`; `to` is after its last byte. */
export interface BlacklistRange {
  readonly name: string;
  readonly from: bigint;
  readonly to: bigint;
}

/**
 * Reads debugfs' `kprobes/blacklist`: `0xFROM-0xTO`, a tab, the symbol.
 * @throws FormatError for a line of another shape, and where all addresses are zero
 */
export function parseKprobeBlacklist(text: string, source: string): BlacklistRange[] {
  expectString(text, 'text');
  const ranges = text.split('\n').flatMap((line, i) => {
    if (line === '') return [];
    const match = /^0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\t(.*)$/.exec(line);
    if (match === null) throw new FormatError('bad-value', { name: source }, `line ${i + 1} is not 0xFROM-0xTO and a name`);
    return [{ name: match[3]!, from: BigInt(`0x${match[1]}`), to: BigInt(`0x${match[2]}`) }];
  });
  if (ranges.length > 0 && ranges.every(({ from, to }) => from === 0n && to === 0n)) {
    throw new FormatError('unsupported', { name: source }, 'all addresses are zero: the kernel hides them (sysctl kernel.kptr_restrict)');
  }
  return ranges;
}

/** The names of modules, numbered from 1 in the order they are met. */
class ModuleNames {
  readonly names: string[] = [];
  readonly #numbers = new Map<string, number>();

  indexOf(name: string): number {
    if (name === '') return 0;
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.names.push(name);
      this.#numbers.set(name, number);
    }
    return number;
  }
}

/** Steps through lines of a copy of the text, in which each name is then ended by NUL in place: the copy is the table of names. */
class Lines {
  readonly strings: Uint8Array;
  readonly count: number;
  /** Where what is read next begins. */
  at = 0;
  #line = 0;
  #end = 0;
  #next = 0;
  readonly #source: string;

  constructor(bytes: Uint8Array, source: string) {
    this.#source = source;
    this.strings = new Uint8Array(bytes.length + 1);
    this.strings.set(bytes);
    if (bytes.length > 0 && bytes[bytes.length - 1] !== NEWLINE) this.strings[bytes.length] = NEWLINE;
    let count = 0;
    for (let at = this.strings.indexOf(NEWLINE); at >= 0; at = this.strings.indexOf(NEWLINE, at + 1)) count++;
    this.count = count;
  }

  next(): void {
    this.at = this.#next;
    this.#line++;
    const end = this.strings.indexOf(NEWLINE, this.at);
    this.#next = end + 1;
    // The log of a serial console.
    this.#end = end > this.at && this.strings[end - 1] === RETURN ? end - 1 : end;
  }

  /** Passes over lines up to the first that begins as a symbol does, at most so many; how many. None where all are others. */
  passOver(most: number): number {
    for (let lines = 0, at = 0; lines <= Math.min(most, this.count - 1); lines++) {
      if (this.#isSymbol(at)) {
        this.#next = at;
        this.#line = lines;
        return lines;
      }
      at = this.strings.indexOf(NEWLINE, at) + 1;
    }
    return 0;
  }

  /** Up to sixteen digits, a space, a letter and a space. */
  #isSymbol(start: number): boolean {
    let at = start;
    while (hexDigit(this.strings[at] ?? 0) >= 0) at++;
    const { strings } = this;
    return at > start && at - start <= 16 && strings[at] === SPACE && isLetter(strings[at + 1] ?? 0) && strings[at + 2] === SPACE;
  }

  /** Reads 1 to 16 hexadecimal digits and a space into a row. */
  address(column: Words, row: number): boolean {
    let low = 0;
    let high = 0;
    let at = this.at;
    for (; at < this.#end; at++) {
      const digit = hexDigit(this.strings[at]!);
      if (digit < 0) break;
      high = (high << 4) | (low >>> 28);
      low = (low << 4) | digit;
    }
    const digits = at - this.at;
    if (digits < 1 || digits > 16 || this.strings[at] !== SPACE) return false;
    column.set(row, low, high);
    this.at = at + 1;
    return true;
  }

  /** Ends the name that begins at `start`, and gives the module in brackets after it; '' if there is none. */
  nameAndModule(start: number): string {
    const { strings } = this;
    let end = start;
    while (end < this.#end && strings[end] !== TAB && strings[end] !== SPACE) end++;
    if (end === start) this.fail('a name');
    let module = '';
    if (end < this.#end) {
      let open = end;
      while (strings[open] === TAB || strings[open] === SPACE) open++;
      const close = this.#end - 1;
      if (strings[open] !== OPEN || strings[close] !== CLOSE || close <= open)
        this.fail('a module in brackets, or nothing, after the name');
      module = new TextDecoder().decode(strings.subarray(open + 1, close));
    }
    strings[end] = 0;
    return module;
  }

  fail(expected: string): never {
    throw new FormatError('bad-value', { name: this.#source }, `line ${this.#line} has not ${expected}`);
  }
}

function isLetter(code: number): boolean {
  const lower = code | 0x20;
  return (lower >= 97 && lower <= 122) || code === QUESTION;
}

function hexDigit(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
