import { MemorySource } from '../../elf/source.js';
import { ElfTables } from '../../elf/tables.js';

/** What a terminal, a shell, tracefs, C or JSON would read as its own. */
const HAZARDS: readonly string[] = [
  '\n',
  '\r',
  '\t',
  '\x1b[31m',
  '\x07',
  '\x08',
  '\x7f',
  '\x9b2J',
  '\u202e',
  '\u2066',
  '\u200e',
  '\u2028',
  '\u2029',
  "'; id; '",
  '"); id();',
  '*/ x /*',
  '`id`',
  '$(id)',
  '\\',
  ' ',
  '|id',
  '\n# ',
];

/** Sections with names. That of section names is none of them: parsers would find nothing. */
const TABLES =
  /^\.(strtab|dynstr|BTF|modinfo|debug_str|debug_line_str|rodata.*|maps|comment)$|^(license|__ksymtab_strings|__tracepoints_strings)$/;

/**
 * A copy of an ELF file in which hazards overwrite parts of its names, in about one of `every`: the others are those by which parsers know what
 * they have.
 */
export function withHostileNames(file: Uint8Array, next: (limit: number) => number, every = 2): Uint8Array {
  const copy = file.slice();
  for (const { name, offset, size } of ElfTables.open(new MemorySource(file)).sections) {
    if (!TABLES.test(name)) continue;
    for (let at = offset; at < offset + size; ) {
      const nul = copy.indexOf(0, at);
      const end = nul < 0 || nul > offset + size ? offset + size : nul;
      if (isName(copy.subarray(at, end)) && next(every) === 0) spoil(copy.subarray(at, end), next);
      at = end + 1;
    }
  }
  return copy;
}

function isName(bytes: Uint8Array): boolean {
  return bytes.length >= 3 && bytes.every(byte => byte >= 32 && byte < 127);
}

function spoil(name: Uint8Array, next: (limit: number) => number): void {
  const hazards = HAZARDS.map(text => new TextEncoder().encode(text)).filter(({ length }) => length <= name.length);
  const hazard = hazards[next(hazards.length)]!;
  name.set(hazard, next(name.length - hazard.length + 1));
}
