import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openKernel, openSource } from 'kelf';
import { ElfFile, openDwarf } from 'kelf/elf';
import { btfOfSubprogram } from '../../../../lib/answers/attach/dwarf-btf.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/elf/${name}`, import.meta.url));
const NAMES = ['twin', 'outer', 'distance', 'other'];

describe('the prototype of a function by its debug information', () => {
  for (const name of [
    'dwarf-4.elf',
    'dwarf-5.elf',
    'dwarf-5.o',
    'dwarf-64.elf',
    'dwarf-clang.elf',
    'dwarf-i386.elf',
    'dwarf-4-powerpc64.o',
  ]) {
    it(`is the one that the source has: ${name}`, () => {
      const elf = ElfFile.open(openSource(fixture(name)));
      const dwarf = openDwarf(elf)!;
      const subprograms = NAMES.flatMap(name => dwarf.named(name)).filter(({ prototyped }) => prototyped);
      expect(subprograms).to.have.lengthOf.at.least(4);
      for (const subprogram of subprograms) {
        const { btf, id } = btfOfSubprogram(subprogram, elf.is64 ? 8 : 4);
        expect(btf.prototype(id)).to.equal(subprogram.prototype);
      }
    });
  }

  it('gives the arguments of a kernel without BTF, of each of two functions of a name its own', async () => {
    const kernel = await openKernel(fixture('dwarf-clang.elf'));
    const recipes = kernel.attach('twin').functions;
    expect(recipes.map(({ signature }) => [signature?.prototype, signature?.source])).to.deep.equal([
      ['int twin(const struct point *p)', 'DWARF'],
      ['int twin(int a, int b)', 'DWARF'],
    ]);
    expect(recipes[1]!.signature!.arguments.map(({ fetch }) => fetch.map(({ from, type }) => `${from}:${type}`))).to.deep.equal([
      ['%di:s32'],
      ['%si:s32'],
    ]);
  });

  it('says how BTF is made of it, where that is asked for', async () => {
    const kernel = await openKernel(fixture('dwarf-5.elf'));
    expect(kernel.missingBtf('outer').because[0]!.says).to.match(
      /; the file has DWARF: pahole --btf_encode_detached=vmlinux\.btf makes BTF/,
    );
  });
});
