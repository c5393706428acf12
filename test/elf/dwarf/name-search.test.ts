import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Dwarf, ElfFile, ET, MemorySource, openDwarf, Subprogram } from 'kelf/elf';
import { ElfWriter, join } from '../../support/elf-writer.js';
import { random } from '../../support/mutate.js';

const FIXTURES = new URL('../../../../fixtures/elf/', import.meta.url);

function open(bytes: Uint8Array, name: string): Dwarf {
  const dwarf = openDwarf(ElfFile.open(new MemorySource(bytes, name)));
  if (dwarf === undefined) throw new Error(`${name} has no debug information`);
  return dwarf;
}

describe('subprograms by name', () => {
  for (const name of readdirSync(FIXTURES).filter(name => /^dwarf-.*\.(elf|o)$/.test(name))) {
    it(`${name}: as many as a look at every unit finds`, () => {
      const dwarf = open(readFileSync(new URL(name, FIXTURES)), name);
      const byName = new Map<string, number[]>();
      for (const unit of dwarf.units()) {
        const { subprograms } = unit;
        for (let row = 0; row < subprograms.count; row++) {
          const text = new Subprogram(dwarf, unit, row).name;
          if (text !== undefined) byName.set(text, [...(byName.get(text) ?? []), subprograms.offset[row]!]);
        }
      }
      expect(byName.size).to.be.greaterThan(2);
      for (const [text, offsets] of byName) expect(dwarf.named(text).map(({ offset }) => offset)).to.deep.equal(offsets);
      expect(dwarf.named('no_such_function')).to.deep.equal([]);
    });
  }

  const ENTRY = { strp: 2, string: 3 } as const;
  /** Bytes in front of the first subprogram of a unit: the header, the entry of the unit. */
  const HEAD = 12;
  /** .debug_info is gone through in pieces of so many bytes. */
  const PIECE = 1 << 18;
  const text = (value: string): Uint8Array => new TextEncoder().encode(value);

  for (const littleEndian of [true, false]) {
    const writer = new ElfWriter(64, littleEndian);
    // A unit without attributes; subprograms named in .debug_str, and in place.
    const abbrev = Uint8Array.of(1, 0x11, 1, 0, 0, 2, 0x2e, 0, 3, 0x0e, 0, 0, 3, 0x2e, 0, 3, 0x08, 0, 0, 0);

    /** A unit of DWARF 4 with one subprogram, filled up with zeros. */
    const unit = (code: number, name: Uint8Array, length: number): Uint8Array => {
      const bytes = new Uint8Array(length);
      bytes.set(join(writer.u32(length - 4), writer.u16(4), writer.u32(0), Uint8Array.of(8, 1, code), name, Uint8Array.of(0)));
      return bytes;
    };
    const dwarf = (strings: Uint8Array, units: readonly Uint8Array[]): Dwarf =>
      open(
        writer.file({
          type: ET.EXEC,
          sections: [
            { name: '.debug_info', type: 1, data: join(...units) },
            { name: '.debug_abbrev', type: 1, data: abbrev },
            { name: '.debug_str', type: 1, data: strings },
          ],
        }),
        'some.elf',
      );
    const order = littleEndian ? 'little-endian' : 'big-endian';

    for (const count of [1, 4, 5, 300]) {
      it(`${order}: a name that ends ${count} longer ones, referred to across the pieces`, () => {
        // 70,000 bytes in front, so that the offsets have more than sixteen bits.
        const longer = Array.from({ length: count }, (_, i) => `${i}_in`);
        const strings = join(new Uint8Array(70_000), ...longer.map(name => text(`${name}\0`)));
        const places = longer.map((_, i) => 70_000 + longer.slice(0, i + 1).join(' ').length - 'in'.length);
        const next = random(count);
        const units: Uint8Array[] = [];
        for (let at = 0, i = 0; i < 12; i++) {
          // Behind each fourth unit, the reference begins three, two, one bytes in front of the next piece.
          const fill = PIECE - (at % PIECE) - HEAD - 4 + (i >> 2);
          const length = i % 4 === 3 && fill > 64 ? fill : 64 + next(500);
          units.push(unit(ENTRY.strp, writer.u32(places[next(places.length)]!), length));
          at += length;
        }
        const found = dwarf(strings, units).named('in');
        expect(found.map(({ offset }) => offset)).to.deep.equal(units.map((_, i) => sum(units.slice(0, i)) + HEAD));
      });
    }

    it(`${order}: a name in place, across two pieces`, () => {
      const units = [unit(ENTRY.string, text('first\0'), PIECE - HEAD - 3), unit(ENTRY.string, text('second_function\0'), 64)];
      const found = dwarf(new Uint8Array(1), units).named('second_function');
      expect(found.map(({ offset }) => offset)).to.deep.equal([PIECE - 3]);
    });
  }
});

function sum(parts: readonly Uint8Array[]): number {
  return parts.reduce((all, { length }) => all + length, 0);
}
