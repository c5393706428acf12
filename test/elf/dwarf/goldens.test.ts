import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Dwarf, ElfFile, ET, MemorySource, openDwarf } from 'kelf/elf';

const FIXTURES = new URL('../../../../fixtures/', import.meta.url);
const FILES = readdirSync(new URL('elf/', FIXTURES)).filter(name => /^dwarf-.*\.(elf|o)$/.test(name));

function open(name: string): Dwarf {
  return openDwarf(ElfFile.open(new MemorySource(readFileSync(new URL(`elf/${name}`, FIXTURES)), name)))!;
}

function expected(name: string, part: string): string | undefined {
  const file = new URL(`expected/elf/${name}.${part}.txt`, FIXTURES);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** `<offset> name line external inline low` of each subprogram, from `readelf --debug-dump=info`: what its own entry says. */
function readelfSubprograms(text: string): string[] {
  return text
    .split(/^(?= <[0-9a-f]+><[0-9a-f]+>: )/m)
    .filter(entry => entry.includes('(DW_TAG_subprogram)'))
    .map(entry => {
      const offset = /^ <[0-9a-f]+><([0-9a-f]+)>/.exec(entry)![1]!;
      const value = (attribute: string) => new RegExp(`DW_AT_${attribute} *: (?:\\([^)]*\\): )?(\\S+)`).exec(entry)?.[1];
      const low = value('low_pc');
      return row(
        offset,
        value('name'),
        value('decl_line'),
        value('external') !== undefined,
        value('inline'),
        low === undefined ? undefined : BigInt(low),
      );
    });
}

function row(offset: string, name = '-', line = '-', external = false, inline = '-', low?: bigint): string {
  return `<${offset}> ${name} ${line} ${external ? 'external' : 'static'} ${inline} ${low === undefined ? '-' : `0x${low.toString(16)}`}`;
}

/** Without the places that sections of a relocatable file are given: the peers take all of them to begin at zero. */
function addressInFile(dwarf: Dwarf, distance: number): bigint {
  const address = dwarf.address(distance);
  if (dwarf.elf.header.type !== ET.REL) return address;
  const section = dwarf.elf.sections.find(({ index, allocated, size }) => {
    const start = dwarf.sectionAddress(index);
    return allocated && address >= start && address <= start + BigInt(size);
  });
  return section === undefined ? address : address - dwarf.sectionAddress(section.index);
}

function ownSubprograms(dwarf: Dwarf): string[] {
  const rows: string[] = [];
  for (const { subprograms: table } of dwarf.units()) {
    for (let i = 0; i < table.count; i++) {
      const line = table.declLine[i]!;
      const inline = table.inline[i]!;
      rows.push(
        row(
          table.offset[i]!.toString(16),
          dwarf.strings.get(table.name[i]!),
          line === 0xffff_ffff ? undefined : String(line),
          (table.flags[i]! & 1) !== 0,
          inline === 0xff ? undefined : String(inline),
          Number.isNaN(table.low[i]!) ? undefined : addressInFile(dwarf, table.low[i]!),
        ),
      );
    }
  }
  return rows;
}

/** `file line address` of each row, from `readelf --debug-dump=decodedline`; a sequence ends with `-`. */
function readelfLines(text: string): string[] {
  return [...text.matchAll(/^(\S+) +(\d+|-) +(0x[0-9a-f]+|0)(?: |$)/gm)].map(
    ([, file, line, address]) => `${line === '-' ? '-' : file} ${line} ${Number(address)}`,
  );
}

function ownLines(dwarf: Dwarf): string[] {
  const found: string[] = [];
  for (const { lines } of dwarf.units()) {
    const { address, line, sequenceLast } = lines!.rows;
    const ends = new Set(sequenceLast);
    for (let i = 0; i < address.length; i++) {
      const place = lines!.placeOf(i);
      const at = Number(addressInFile(dwarf, address[i]!));
      found.push(ends.has(i) ? `- - ${at}` : `${place?.path.split('/').at(-1)} ${line[i]} ${at}`);
    }
  }
  return found;
}

/** The frames of each address from `llvm-symbolizer --addresses`: the names of inlined functions, and every place. */
function symbolizerFrames(text: string): [address: bigint, frames: string[]][] {
  return text
    .trim()
    .split('\n\n')
    .map(block => {
      const [address, ...lines] = block.split('\n');
      const frames: string[] = [];
      for (
        let i = 0;
        i < lines.length;
        i += 2 // A directory of compilation that is relative, `.` here, it puts in front of itself.
      )
        frames.push(`${i + 2 < lines.length ? lines[i] : '*'} ${lines[i + 1]!.replace(/^(\.\/)+/, './')}`);
      return [BigInt(address!), frames];
    });
}

function ownFrames(dwarf: Dwarf, address: bigint): string[] {
  const frames = dwarf.frames(address).map(({ name, inlined, place }) => {
    const at = place === undefined ? '??:0:0' : `${place.path.replace(/^(\.\/)+/, './')}:${place.line}:${place.column}`;
    return `${inlined ? name : '*'} ${at}`;
  });
  return frames.length === 0 ? ['* ??:0:0'] : frames;
}

describe('debug information of real toolchains, as the peers print it', () => {
  for (const name of FILES) {
    const info = expected(name, 'info');
    if (info !== undefined) {
      it(`${name}: subprograms, as readelf`, () => {
        expect(ownSubprograms(open(name))).to.deep.equal(readelfSubprograms(info));
      });
    }
    const lines = expected(name, 'lines');
    if (lines !== undefined) {
      it(`${name}: lines, as readelf`, () => {
        expect(ownLines(open(name))).to.deep.equal(readelfLines(lines));
      });
    }
    const frames = expected(name, 'frames');
    if (frames !== undefined) {
      it(`${name}: frames of every address of .text, as llvm-symbolizer`, () => {
        const dwarf = open(name);
        for (const [address, theirs] of symbolizerFrames(frames))
          expect(ownFrames(dwarf, address), `0x${address.toString(16)}`).to.deep.equal(theirs);
      });
    }
  }

  it('sections packed in each way say the same as those that are not', () => {
    const plain = ownSubprograms(open('dwarf-5.elf'));
    for (const name of ['dwarf-5-zlib.elf', 'dwarf-5-zlib-gnu.elf', 'dwarf-5-zstd.elf'])
      expect(ownSubprograms(open(name)), name).to.deep.equal(plain);
  });
});
