import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type BpfMap, type BpfObject, describeRelocation, openBpfObject, slotsOf, structOpsMembers } from 'kelf/bpf';
import { FormatError } from 'kelf/elf';
import { bpfObject, CODE, DATA, insns, mapNumber, sampleObject } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';

const fixture = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/bpf/${name}`, import.meta.url));

function mapNamed(object: BpfObject, name: string): BpfMap {
  return object.maps.find(map => map.name === name)!;
}

describe('openBpfObject()', () => {
  for (const name of ['kelf.bpfel.o', 'kelf.bpfeb.o']) {
    describe(name, () => {
      const object = openBpfObject(fixture(name));

      it('finds the programs, and what libbpf makes of their sections', () => {
        expect(object.programs).to.have.length(13);
        const [multi, nothing] = ['on_any_tty', 'on_nothing'].map(name => object.programs.find(program => program.name === name)!);
        expect(multi!.meaning).to.deep.include({ target: 'tty_*', autoload: true });
        expect(multi!.meaning.definition).to.deep.include({ type: 'kprobe', attachType: 'TRACE_KPROBE_MULTI' });
        expect(multi!.instructionCount).to.equal(7);
        expect(nothing!.meaning).to.deep.include({ target: 'no_such_function', autoload: false });
        expect(object.license).to.equal('GPL');
        expect(object.version).to.equal(0x60100);
      });

      it('says which functions are loaded with a program', () => {
        const subprograms = Object.fromEntries(
          object.programs.map(program => [program.name, object.subprogramsOf(program).map(({ name }) => name)]),
        );
        expect(subprograms['on_load_elf']).to.deep.equal(['is_wanted']);
        expect(subprograms['on_load_elf_return'], 'a callback').to.deep.equal(['count_one']);
        expect(subprograms['on_switch'], 'a static function').to.deep.equal(['policy_of']);
        expect(subprograms['on_offset']).to.deep.equal([]);
        expect(object.subprograms.map(({ name }) => name)).to.have.members(['is_wanted', 'count_one', 'policy_of']);
      });

      it('reads map definitions', () => {
        expect(mapNamed(object, 'events')).to.deep.include({
          typeName: 'hash',
          key: 'u32',
          keySize: 4,
          value: 'struct event',
          valueSize: 32,
          maxEntries: 1024,
        });
        expect(mapNamed(object, 'outer_map').inner).to.deep.include({ name: 'outer_map.inner', typeName: 'array', valueSize: 8 });
        expect(slotsOf(object, mapNamed(object, 'outer_map')).map(({ index, map }) => [index, map?.name])).to.deep.equal([
          [1, 'inner_map'],
        ]);
        expect(slotsOf(object, mapNamed(object, 'tails')).map(({ index, program }) => [index, program?.name])).to.deep.equal([
          [0, 'called_by_tail'],
        ]);
      });

      it('names the maps of global data as the kernel will', () => {
        const names = object.maps.slice(5).map(({ name, kernelName, flags }) => [name, kernelName, flags]);
        expect(names).to.deep.equal([
          ['kelf.rodata', 'kelf.rodata', 0x480],
          ['kelf.data', 'kelf.data', 0x400],
          ['kelf.bss', 'kelf.bss', 0x400],
          ['.data.stats', '.data.stats', 0],
          ['kelf.kconfig', 'kelf.kconfig', 0x480],
        ]);
      });

      it('reads the values that variables start with', () => {
        const values = object.variables.map(variable => `${variable.declaration} = ${object.initialValue(variable)}`);
        expect(values).to.include('u32 sampling = 7');
        expect(values).to.include('struct config config = {.level = 3, .name = "kelf"}');
        expect(values).to.include('const char on_raw_switch.text[16] = "size %d, id %d\\n"');
        expect(values).to.include('u64 hits = 0');
      });

      it('tells what kind of extern each is', () => {
        expect(object.externs.map(({ name, kind, weak }) => [name, kind, weak])).to.deep.equal([
          ['LINUX_KERNEL_VERSION', 'kconfig', false],
          ['CONFIG_BPF_SYSCALL', 'kconfig', true],
          ['cpu_number', 'ksym', false],
          ['linux_banner', 'typeless-ksym', true],
          ['kelf_kfunc', 'kfunc', true],
        ]);
      });

      it('resolves relocations to what they mean', () => {
        const meanings = object.relocations.map(({ section, offset, meaning }) => `${section}+${offset}: ${describeRelocation(meaning)}`);
        expect(meanings).to.include('.text+8: only_pid (.rodata+0)');
        expect(meanings).to.include('kprobe/load_elf_binary+184: map events');
        expect(meanings).to.include('kprobe/load_elf_binary+120: call is_wanted');
        expect(meanings).to.include('kretprobe/load_elf_binary+8: function count_one');
        expect(meanings).to.include('tp_btf/sched_switch+120: call policy_of');
        expect(meanings).to.include('kprobe/copy_from_iter+0x10+64: kconfig CONFIG_BPF_SYSCALL (weak)');
        expect(meanings).to.include('?kprobe/no_such_function+72: kfunc kelf_kfunc (weak)');
        expect(meanings).to.include('.maps+96: program called_by_tail');
        expect(object.relocations.filter(({ meaning }) => meaning.kind === 'unknown')).to.deep.equal([]);
      });

      it('says where each CO-RE relocation is', () => {
        const relocation = object.coreRelocations.find(({ text }) => text.includes('iov_iter'))!;
        expect(relocation.text).to.equal('<byte_off> [65] struct iov_iter.count (0:0 @ offset 0)');
        expect(relocation.function?.name).to.equal('on_tty_write');
        expect(relocation.instruction).to.equal(1);
        expect(object.diagnostics).to.deep.equal([]);
      });
    });
  }

  for (const littleEndian of [true, false]) {
    describe(`an object by hand, ${littleEndian ? 'little' : 'big'} endian`, () => {
      const object = openBpfObject(sampleObject(littleEndian), { objectName: 'sample' });

      it('reads maps in maps, prog arrays, struct_ops and old maps', () => {
        expect(object.maps.map(({ name, typeName, origin }) => `${name} ${typeName} ${origin}`)).to.deep.equal([
          'one array btf',
          'many array_of_maps btf',
          'calls prog_array btf',
          'sample.rodata array rodata',
          'sample.data array data',
          'sample.kconfig array kconfig',
          'my_ops struct_ops struct_ops',
          'old hash legacy',
        ]);
        expect(mapNamed(object, 'old')).to.deep.include({ keySize: 4, valueSize: 8, maxEntries: 16 });
        expect(mapNamed(object, 'old').refusal).to.match(/libbpf 1\.0 and later refuse/);
        expect(slotsOf(object, mapNamed(object, 'many')).map(({ index, map }) => [index, map?.name])).to.deep.equal([[1, 'one']]);
        expect(slotsOf(object, mapNamed(object, 'calls')).map(({ index, program }) => [index, program?.name])).to.deep.equal([
          [0, 'on_read'],
        ]);
      });

      it('reads the members that a struct_ops sets', () => {
        const [ops] = object.structOps;
        expect(ops).to.deep.include({ name: 'my_ops', typeName: 'tcp_ops___v1', link: true, autocreate: true });
        expect(structOpsMembers(object, ops!)).to.deep.equal([
          { name: 'flags', index: 0, offset: 0, value: '3' },
          { name: 'init', index: 1, offset: 8, program: object.programs[1] },
        ]);
        expect(mapNamed(object, 'my_ops').flags).to.equal(1 << 13);
      });

      it('reads bit-fields, and pointers that a relocation fills', () => {
        const values = object.variables.map(variable => `${variable.name} = ${object.initialValue(variable)}`);
        expect(values).to.deep.equal([`config = {.level = -3, .name = "kelf"}`, 'start = &config']);
      });

      it('resolves an offset in a variable', () => {
        expect(
          describeRelocation(object.relocations.find(({ offset, section }) => section === 'kprobe/read' && offset === 24)!.meaning),
        ).to.equal('config+8 (.rodata+8)');
      });
    });
  }

  describe('names for the maps of global data', () => {
    const names = (objectName: string, ...sections: string[]): string[][] => {
      const bytes = bpfObject({ sections: sections.map(name => ({ name, ...DATA, data: new Uint8Array(4) })), symbols: [] });
      return openBpfObject(bytes, { objectName }).maps.map(({ name, kernelName }) => [name, kernelName]);
    };

    it("cut the object's name, not the section's", () => {
      expect(names('kprobe_multi_test', '.rodata', '.data')).to.deep.equal([
        ['kprobe_m.rodata', 'kprobe_m.rodata'],
        ['kprobe_m.data', 'kprobe_m.data'],
      ]);
    });

    it("are the section's alone where it has a name of its own, and are cut for the kernel", () => {
      expect(names('x', '.rodata.str1.1', '.data.a_long_name_of_a_section')).to.deep.equal([
        ['.rodata.str1.1', '.rodata.str1.1'],
        ['.data.a_long_name_of_a_section', '.data.a_long_na'],
      ]);
    });

    it('begin with the name of the file up to its first dot, of its first 15 characters', () => {
      expect(openBpfObject(sampleObject(), { name: '/tmp/opensnoop.bpf.o' }).objectName).to.equal('opensnoop');
      expect(openBpfObject(sampleObject(), { name: 'kprobe_multi_test.bpf.o' }).objectName).to.equal('kprobe_multi_te');
    });
  });

  describe('what libbpf would refuse is said, and the rest is read', () => {
    const messages = (object: BpfObject): string[] => {
      expect(object.programs.length + object.maps.length + object.relocations.length).to.be.greaterThan(0);
      return object.diagnostics.map(({ message }) => message);
    };
    const code = { name: 'xdp', ...CODE, data: insns(true, [0x95]) };
    const program = { name: 'f', type: 2, binding: 1, section: 1, size: 8n };

    it('pointers in data', () => {
      expect(messages(openBpfObject(sampleObject()))).to.include(
        'object: .data: has relocations, which libbpf does not apply: its pointers do not change',
      );
    });

    it('a map with a member that is not known', () => {
      const btf = new BtfWriter();
      const int = btf.int('int', 4, 1);
      const struct = btf.struct('', 16, [
        ['type', mapNumber(btf, int, 1), 0],
        ['colour', mapNumber(btf, int, 1), 64],
      ]);
      btf.datasec('.maps', 16, [[btf.var('m', struct), 0, 16]]);
      const object = openBpfObject(
        bpfObject({ btf, sections: [code, { name: '.maps', ...DATA, data: new Uint8Array(16) }], symbols: [program] }),
      );
      expect(messages(object)).to.deep.equal(["object: .maps: object: .BTF: map m: member 'colour' is unknown: libbpf refuses the object"]);
    });

    it('a static program', () => {
      const object = openBpfObject(bpfObject({ sections: [code], symbols: [{ ...program, binding: 0 }] }));
      expect(messages(object)[0]).to.match(/f is static/);
    });

    it('a function that ends behind its section', () => {
      const object = openBpfObject(bpfObject({ sections: [code], symbols: [program, { ...program, name: 'g', size: 16n }] }));
      expect(messages(object)[0]).to.match(/function g at 0, of 16 bytes/);
    });

    it('BTF that is damaged', () => {
      const bytes = bpfObject({ sections: [code, { name: '.BTF', type: 1, data: new Uint8Array(30) }], symbols: [program] });
      const object = openBpfObject(bytes);
      expect(messages(object)[0]).to.match(/\.BTF: .*first bytes of BTF/);
      expect(object.btf).to.equal(undefined);
    });

    it('an extern that BTF does not declare', () => {
      const object = openBpfObject(bpfObject({ sections: [code], symbols: [program, { name: 'missing', binding: 1 }] }));
      expect(messages(object)).to.deep.equal([
        'object: .symtab: missing is undefined, and there is no BTF that describes it: libbpf refuses the object',
      ]);
    });
  });

  it('takes an object for no machine, as old compilers wrote it', () => {
    const bytes = bpfObject({ machine: 0, sections: [{ name: 'xdp', ...CODE, data: insns(true, [0x95]) }], symbols: [] });
    expect(openBpfObject(bytes).programs).to.deep.equal([]);
  });

  it('refuses what is for another machine, or linked', () => {
    expect(() => openBpfObject(bpfObject({ machine: 62, sections: [], symbols: [] }))).to.throw(FormatError, 'not for BPF');
    expect(() => openBpfObject(bpfObject({ type: 2, sections: [], symbols: [] }))).to.throw(FormatError, 'relocatable');
  });
});
