import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Dwarf, ElfFile, FormatError, MemorySource, openDwarf, type Subprogram, type Unit } from 'kelf/elf';
import { mutate, random } from '../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 2_000);
const FIXTURES = new URL('../../../../fixtures/elf/', import.meta.url);
const SEEDS = [
  'dwarf-4.elf',
  'dwarf-5.elf',
  'dwarf-clang.elf',
  'dwarf-64.elf',
  'dwarf-i386.elf',
  'dwarf-s390x.elf',
  'dwarf-5.o',
  'dwarf-4-powerpc64.o',
].map(name => readFileSync(new URL(name, FIXTURES)));

/** The bytes of .debug_* and of their relocations, which are what is damaged: elf.fuzz.test.ts does so to the rest. */
function debugRanges(bytes: Uint8Array): { readonly start: number; readonly end: number }[] {
  const { sections } = ElfFile.open(new MemorySource(bytes));
  return sections.filter(({ name }) => name.includes('.debug_')).map(({ offset, size }) => ({ start: offset, end: offset + size }));
}

function damaged(
  bytes: Uint8Array,
  ranges: readonly { readonly start: number; readonly end: number }[],
  next: (limit: number) => number,
): Uint8Array {
  const copy = Uint8Array.from(bytes);
  const { start, end } = ranges[next(ranges.length)]!;
  const part = mutate(copy.subarray(start, end), next);
  copy.set(part.subarray(0, end - start), start);
  return copy;
}

/** Everything that can be asked. Each question may end in a FormatError, and must leave the others answerable. */
function readAll(bytes: Uint8Array): void {
  const dwarf = openDwarf(ElfFile.open(new MemorySource(bytes, 'fuzz')));
  if (dwarf === undefined) return;
  attempt(() => void dwarf.named('twin'));
  for (const address of [0x400160n, 0x10001n, 0n, 2n ** 64n - 1n]) attempt(() => void dwarf.frames(address));
  let units = 0;
  for (const unit of dwarf.units()) {
    units++;
    readUnit(dwarf, unit);
  }
  // A unit takes eleven bytes at least.
  expect(units).to.be.lessThan(bytes.length / 11);
}

function readUnit(dwarf: Dwarf, unit: Unit): void {
  attempt(() => void [unit.name, unit.compDir, unit.producer, unit.language]);
  attempt(() => void unit.ranges);
  attempt(() => {
    const { lines } = unit;
    for (let row = 0; row < (lines?.rows.address.length ?? 0); row++) lines!.placeOf(row);
  });
  attempt(() => {
    const { inlined } = unit;
    for (let row = 0; row < inlined.count; row++) attempt(() => void inlined.rangesOf(row));
  });
  attempt(() => {
    const { subprograms } = unit;
    for (let row = 0; row < subprograms.count; row++) {
      const fn = dwarf.subprogram(subprograms.offset[row]!);
      if (fn !== undefined) readSubprogram(fn);
    }
  });
}

function readSubprogram(fn: Subprogram): void {
  for (const question of [
    () => fn.name,
    () => fn.linkageName,
    () => [fn.kind, fn.external, fn.prototyped, fn.noreturn, fn.inline, fn.callingConvention],
    () => fn.declared,
    () => [fn.address, fn.ranges],
    () => fn.parameters,
    () => fn.prototype,
    () => fn.additions,
    () => fn.inlinedInto(),
  ])
    attempt(() => void question());
}

/** Milliseconds of this process: a busy machine takes nothing away from them. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function attempt(question: () => void): void {
  try {
    question();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

describe('damaged debug information', function () {
  this.timeout(Math.max(60_000, CASES * 50));

  it(`${CASES} cases: read, or a FormatError, in bounded time`, () => {
    const parts = SEEDS.map(debugRanges);
    let slowest = 0;
    for (let i = 0; i < CASES; i++) {
      const which = i % SEEDS.length;
      const bytes = damaged(SEEDS[which]!, parts[which]!, random(i + 1));
      const start = cpuTime();
      try {
        readAll(bytes);
      } catch (error) {
        throw new Error(`case ${i} of seed ${which}`, { cause: error });
      }
      slowest = Math.max(slowest, cpuTime() - start);
    }
    // A case takes a millisecond; a second means that something grows without bound.
    expect(slowest).to.be.lessThan(1_000);
  });
});
