import { fstatSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { printable } from '../../elf/escape.js';
import { OutputError } from '../errors.js';

const CHUNK = 1 << 16;
const SPACE = 32;
const ZERO = 48;
const DELETE = 127;
const LETTER_X = 120;
const QUESTION = 63;
const HEX = new Uint8Array([48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 97, 98, 99, 100, 101, 102]);

/**
 * Text for a stream, gathered as bytes: dumps of a kernel are tens of megabytes, and neither JavaScript strings nor one write a line is fast
 * enough for them. Everything is ASCII or bytes of the input; `text` encodes UTF-8.
 */
export class Output {
  /** Of the terminal that it writes to, 0 where they are not known; of a file or a pipe, nothing. */
  readonly columns: () => number | undefined;
  readonly #write: (bytes: Uint8Array) => void;
  #bytes = new Uint8Array(CHUNK * 2);
  #length = 0;

  constructor(write: (bytes: Uint8Array) => void, columns: () => number | undefined = () => undefined) {
    this.#write = write;
    this.columns = columns;
  }

  /** Any string. For the few; rows of a dump use the methods below. */
  text(text: string): this {
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#reserve(text.length * 3);
    this.#length += encoder.encodeInto(text, this.#bytes.subarray(this.#length)).written;
    return this;
  }

  line(text = ''): this {
    return this.text(text).byte(10);
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  /** Bytes `start` to `end` of `source`, as they are. */
  copy(source: Uint8Array, start = 0, end: number = source.length): this {
    // What fills a chunk goes out as it is, behind what was gathered.
    if (end - start >= CHUNK) {
      this.flush();
      this.#write(source.subarray(start, end));
      return this;
    }
    this.#reserve(end - start);
    const target = this.#bytes;
    let length = this.#length;
    // Names are short: a loop beats the call that `set` with a subarray costs.
    if (end - start < 64) for (let i = start; i < end; i++) target[length++] = source[i]!;
    else {
      target.set(source.subarray(start, end), length);
      length += end - start;
    }
    this.#length = length;
    return this;
  }

  /** A NUL-terminated name of the input, from `start`, as {@link printable} has it. */
  name(source: Uint8Array, start: number): this {
    let at = start;
    for (; at < source.length; at++) {
      const byte = source[at]!;
      if (byte < SPACE || byte >= DELETE) break;
      this.byte(byte);
    }
    if (at >= source.length || source[at] === 0) return this;
    const end = source.indexOf(0, at);
    return this.text(printable(decoder.decode(source.subarray(at, end < 0 ? source.length : end))));
  }

  /** A letter of the input: what is none is `?`. */
  letter(byte: number): this {
    return this.byte(byte > SPACE && byte < DELETE ? byte : QUESTION);
  }

  /** The low `digits * 4` bits of a 32-bit word as that many hexadecimal digits. */
  hex(value: number, digits: number): this {
    this.#reserve(digits);
    for (let shift = (digits - 1) * 4; shift >= 0; shift -= 4) this.#bytes[this.#length++] = HEX[(value >>> shift) & 15]!;
    return this;
  }

  /** A 64-bit value, by its halves, as `0x…` without leading zeros. */
  address(low: number, high: number): this {
    this.byte(ZERO).byte(LETTER_X);
    return high === 0 ? this.hex(low, digits(low)) : this.hex(high, digits(high)).hex(low, 8);
  }

  flush(): void {
    const length = this.#length;
    if (length === 0) return;
    // Before the write: what could not be written once is not tried again at the end.
    this.#length = 0;
    this.#write(this.#bytes.subarray(0, length));
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#bytes.length) return;
    this.flush();
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(length);
  }
}

/** Whether the reader of a pipe has gone. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

/** How many hexadecimal digits a 32-bit word has. */
function digits(word: number): number {
  return word === 0 ? 1 : 8 - (Math.clz32(word) >>> 2);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * An Output that writes to a file descriptor, and waits where a pipe's reader is slower than we are. It throws an OutputError; a pipe that its
 * reader has closed is no such error, and stays the EPIPE of the system.
 */
export function outputTo(fd: number): Output {
  return new Output(
    bytes => {
      for (let done = 0; done < bytes.length; ) {
        try {
          done += writeSync(fd, bytes, done);
        } catch (error) {
          // Node sets pipes of a child process non-blocking.
          const { code } = error as NodeJS.ErrnoException;
          if (code === 'EPIPE') throw error;
          if (code !== 'EAGAIN') throw new OutputError('writing the output failed', error as Error);
          Atomics.wait(idle, 0, 0, 1);
        }
      }
    },
    () => columnsOf(fd),
  );
}

/** Node loads its sockets to tell a terminal, and makes a stream to tell its columns: not for a file or a pipe, whose time that would cost. */
function columnsOf(fd: number): number | undefined {
  return fd === 1 && fstatSync(fd).isCharacterDevice() && isatty(fd) ? (process.stdout.columns ?? 0) : undefined;
}

const idle = new Int32Array(new SharedArrayBuffer(4));
