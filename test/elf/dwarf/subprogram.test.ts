import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { type Dwarf, ElfFile, MemorySource, openDwarf, type Subprogram } from 'kelf/elf';

const FIXTURES = new URL('../../../../fixtures/elf/', import.meta.url);

function open(name: string): Dwarf {
  const dwarf = openDwarf(ElfFile.open(new MemorySource(readFileSync(new URL(name, FIXTURES)), name)));
  if (dwarf === undefined) throw new Error(`${name} has no debug information`);
  return dwarf;
}

function one(found: readonly Subprogram[]): Subprogram {
  expect(found).to.have.length(1);
  return found[0]!;
}

// fixtures/elf/src/dwarf.c and dwarf-other.c, by gcc as DWARF 4 and 5, by clang, and with sections compressed in each way.
for (const name of ['dwarf-4.elf', 'dwarf-5.elf', 'dwarf-clang.elf', 'dwarf-5-zlib.elf', 'dwarf-5-zlib-gnu.elf', 'dwarf-5-zstd.elf']) {
  describe(`subprograms of ${name}`, () => {
    const dwarf = open(name);

    it('a name that two files define, each its own', () => {
      // gcc splits a function that it also inlines into an abstract instance and the code of it.
      const twins = dwarf.named('twin').filter(({ hasCode }) => hasCode);
      expect(twins.map(({ prototype }) => prototype)).to.deep.equal(['int twin(const struct point *p)', 'int twin(int a, int b)']);
      expect(twins.map(({ declared }) => `${declared?.file}:${declared?.line}`)).to.deep.equal(['dwarf.c:14', 'dwarf-other.c:3']);
      for (const twin of twins) {
        expect(twin.kind).to.be.oneOf(['definition', 'instance']);
        expect(twin.external).to.equal(false);
        expect(dwarf.subprogramAt(twin.address!)?.offset).to.equal(twin.offset);
      }
    });

    it('parameters: a pointer to a function, and more than are named', () => {
      const outer = one(dwarf.named('outer').filter(({ hasCode }) => hasCode));
      expect(outer.prototype).to.equal('int outer(const struct point *p, int (*op)(int), ...)');
      expect(outer.external).to.equal(true);
      expect(outer.variadic).to.equal(true);
      const [p, op] = outer.parameters;
      expect(p!.locations[0]).to.include({ kind: 'register', register: 5, text: 'DW_OP_reg5 rdi' });
      expect(op!.locations[0]).to.include({ kind: 'register', register: 4, text: 'DW_OP_reg4 rsi' });
    });

    it('an inlined function: where its code went', () => {
      const square = dwarf.named('square').filter(({ kind }) => kind === 'abstract');
      const into = square.flatMap(fn => fn.inlinedInto());
      const callers = [...new Set(into.map(({ caller }) => caller.name))].sort();
      expect(callers).to.include.members(['distance', 'other', 'outer']);
      expect(square.map(({ declared }) => declared?.file)).to.include('dwarf.h');
      for (const { caller, call, ranges } of into) {
        expect(call?.line).to.be.greaterThan(0);
        for (const { low } of ranges) expect(dwarf.subprogramAt(low)?.name).to.equal(caller.name);
      }
    });
  });
}
