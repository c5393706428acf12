import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { type Module, openModule } from 'kelf';
import { FormatError } from 'kelf/elf';
import { ARM32, ARM64, type KsymtabForm, type ModuleMachine, ModuleWriter, S390, signed, X86 } from '../../../support/module-writer.js';

const MACHINES: Readonly<Record<string, ModuleMachine>> = { X86, ARM64, S390, ARM32 };

function simple(target: ModuleMachine = X86): ModuleWriter {
  return new ModuleWriter(target)
    .info('license=GPL', 'depends=usbcore,hid-generic', 'alias=usb:v1', 'alias=usb:v2', 'name=my_mod', 'vermagic=6.1.0 SMP')
    .code('.text', 64)
    .code('.init.text', 32)
    .code('.exit.text', 16)
    .function('mod_read', '.text', 0)
    .function('mod_write', '.text', 32, 16, 1)
    .function('mod_init', '.init.text', 0)
    .function('mod_exit', '.exit.text', 0);
}

const open = (writer: ModuleWriter): Module => openModule(writer.bytes(), { name: 'my-mod.ko' });

const placesOf = (module: Module): string[] => [...module.sites()].map(({ section, offset }) => `${section}+${offset}`);

describe('a module', () => {
  it('has what .modinfo says', () => {
    const { name, modinfo } = open(simple());
    expect(name).to.equal('my_mod');
    expect(modinfo.get('license')).to.equal('GPL');
    expect(modinfo.get('version')).to.equal(undefined);
    expect(modinfo.depends).to.deep.equal(['usbcore', 'hid-generic']);
    expect(modinfo.all('alias')).to.deep.equal(['usb:v1', 'usb:v2']);
  });

  it('is named by struct module, or by its file, where .modinfo has no name', () => {
    const text = new Uint8Array(128);
    text.set(new TextEncoder().encode('from_struct'), 24);
    const bare = (): ModuleWriter => new ModuleWriter().info('license=GPL').code('.text', 16);
    const struct = bare().section({ name: '.gnu.linkonce.this_module', type: 1, flags: 3, data: text });
    expect(open(struct).name).to.equal('from_struct');
    expect(openModule(bare().bytes(), { name: '/lib/modules/6.1/kernel/snd-hda-core.ko.xz' }).name).to.equal('snd_hda_core');
  });

  it('has functions with their sections, phases and bindings', () => {
    const module = open(simple().addresses('__mcount_loc', [['.text', 0]]));
    const rows = Array.from({ length: module.functions.count }, (_, row) => module.function(row));
    expect(rows.map(({ name, section, offset, phase, binding, extent }) => [name, section, offset, phase, binding, extent])).to.deep.equal([
      ['mod_read', '.text', 0, 'core', 'local', 32],
      ['mod_write', '.text', 32, 'core', 'global', 32],
      ['mod_init', '.init.text', 0, 'init', 'local', 32],
      ['mod_exit', '.exit.text', 0, 'exit', 'local', 16],
    ]);
    expect(rows.map(({ file }) => file)).to.deep.equal(['module.c', undefined, 'module.c', 'module.c']);
    expect(rows.map(({ site }) => site)).to.deep.equal([0, undefined, undefined, undefined]);
  });

  for (const [name, target] of Object.entries(MACHINES)) {
    it(`has its ftrace sites by relocations, zeros left out (${name})`, () => {
      const table = target === ARM64 ? '__patchable_function_entries' : '__mcount_loc';
      const module = open(simple(target).addresses(table, [['.text', 32], null, ['.init.text', 0], ['.text', 0]]));
      const ip = target === ARM64 ? 4 : 0;
      expect(placesOf(module)).to.deep.equal([`.text+${ip}`, `.text+${32 + ip}`, `.init.text+${ip}`]);
      expect(module.mcount).to.deep.include({ section: table, count: 4, zeroRelocated: 1 });
      expect([...module.sites()].map(({ phase }) => phase)).to.deep.equal(['core', 'core', 'init']);
      expect(module.diagnostics).to.deep.equal([]);
    });
  }

  it('has its sites in __mcount_loc alone on x86, where the other table is padding', () => {
    const both = simple()
      .addresses('__mcount_loc', [['.text', 0]])
      .addresses('__patchable_function_entries', [['.text', 16]]);
    expect(placesOf(open(both))).to.deep.equal(['.text+0']);
    expect(placesOf(open(simple().addresses('__patchable_function_entries', [['.text', 16]])))).to.deep.equal([]);
  });

  it('has the sites of the first of several tables of one name, as the kernel reads them', () => {
    const twice = simple(ARM64)
      .addresses('__patchable_function_entries', [['.text', 0]])
      .section({ name: '__patchable_function_entries', type: 1, flags: 2, data: new Uint8Array(8) });
    const module = open(twice);
    expect(placesOf(module)).to.deep.equal(['.text+4']);
    expect(module.diagnostics.map(({ message }) => message)).to.deep.equal([
      'my-mod.ko: __patchable_function_entries: one more section is named the same; the kernel reads the first',
    ]);
  });

  const FORMS: readonly (readonly [string, ModuleMachine, KsymtabForm])[] = [
    ['PREL32 with namespaces', X86, { prel32: true, namespaces: true }],
    ['PREL32 without', ARM64, { prel32: true, namespaces: false }],
    ['addresses with namespaces', S390, { prel32: false, namespaces: true }],
    ['addresses of 32 bits', ARM32, { prel32: false, namespaces: true }],
    ['addresses without namespaces', X86, { prel32: false, namespaces: false }],
  ];
  for (const [what, target, form] of FORMS) {
    it(`exports by __ksymtab of the form: ${what}`, () => {
      const exported = [
        { name: 'mod_read', offset: 0 },
        { name: 'mod_write', offset: 32, namespace: 'MOD_INTERNAL' },
      ];
      const module = open(simple(target).exports('__ksymtab_gpl', exported, form, [0x12345678, 0xfedcba98]));
      const entry = { table: '__ksymtab_gpl', gpl: true, section: '.text' };
      expect(module.exports).to.deep.equal([
        { name: 'mod_read', ...entry, crc: 0x12345678, offset: 0 },
        { name: 'mod_write', ...entry, ...(form.namespaces ? { namespace: 'MOD_INTERNAL' } : {}), crc: 0xfedcba98, offset: 32 },
      ]);
      expect(module.diagnostics).to.deep.equal([]);
    });
  }

  it('takes GPL from __kflagstab where there is one table for all', () => {
    const writer = simple()
      .exports(
        '__ksymtab',
        [
          { name: 'mod_read', offset: 0 },
          { name: 'mod_write', offset: 32 },
        ],
        { prel32: true, namespaces: true },
      )
      .section({ name: '__kflagstab', type: 1, flags: 2, data: Uint8Array.of(0, 1) });
    expect(open(writer).exports.map(({ gpl }) => gpl)).to.deep.equal([false, true]);
  });

  it('imports with the checksums of __versions, and of the tables for long names', () => {
    const long = 'x'.repeat(60);
    const writer = simple()
      .import('printk', long, 'unversioned')
      .versions({ printk: 0xdeadbeef, module_layout: 1 })
      .section({ name: '__version_ext_crcs', type: 1, flags: 2, data: new ModuleWriter().elf.u32(7) })
      .section({ name: '__version_ext_names', type: 1, flags: 2, data: new TextEncoder().encode(`${long}\0`) });
    expect(open(writer).imports).to.deep.equal([
      { name: 'printk', weak: false, crc: 0xdeadbeef },
      { name: long, weak: false, crc: 7 },
      { name: 'unversioned', weak: false },
    ]);
  });

  it('names what keeps kprobes out', () => {
    const writer = simple()
      .code('.noinstr.text', 16)
      .function('mod_noinstr', '.noinstr.text', 0)
      .addresses('_kprobe_blacklist', [['.text', 32]]);
    const module = open(writer);
    expect(module.find('mod_noinstr')[0]).to.deep.include({ blacklist: '.noinstr.text' });
    expect(module.find('mod_write')[0]).to.deep.include({ blacklist: '_kprobe_blacklist' });
    expect(module.find('mod_read')[0]).to.not.have.property('blacklist');
  });

  it('is read from a signed file, and from a packed one', () => {
    const bytes = simple().bytes();
    expect(openModule(bytes).signature).to.equal(undefined);
    const module = openModule(signed(bytes, 681));
    expect(module.signature).to.deep.equal({ length: 681, form: 'PKCS#7' });
    expect(module.functions.count).to.equal(4);
    expect(openModule(gzipSync(signed(bytes, 681))).functions.count).to.equal(4);
    expect(() => openModule(gzipSync(bytes).subarray(0, 100), { name: 'cut.ko.gz' })).to.throw(FormatError, /^cut\.ko\.gz\+0x/);
  });

  it('is refused where the file is none', () => {
    const noInfo = new ModuleWriter().elf.file({ sections: [] });
    expect(() => openModule(noInfo, { name: 'a.o' })).to.throw(FormatError, 'a.o: the ELF file has no .modinfo: it is not a kernel module');
  });

  it('is read in spite of symbols that lie nowhere', () => {
    const module = open(simple().function('far', '.text', 4096));
    expect(module.functions.find('far')).to.deep.equal([]);
    expect(module.diagnostics.map(({ message }) => message)).to.deep.equal(['my-mod.ko: .symtab: 1 symbols have no name or no address']);
  });
});

describe('the modules of the fixtures', () => {
  const path = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/kernel/${name}`, import.meta.url));
  for (const [arch, ip] of [
    ['amd64', 0],
    ['arm64', 4],
  ] as const) {
    it(`${arch}: sites are those of the relocations that readelf prints`, () => {
      const module = openModule(path(`kelf-mod-${arch}.ko`));
      const text = readFileSync(path(`../expected/kernel/kelf-mod-${arch}.ko.relocations.txt`), 'utf8');
      const table = text.slice(text.search(/\.rela(__mcount_loc|__patchable_function_entries)'/)).split('\nRelocation')[0]!;
      const rows = [...table.matchAll(/(?:_64|_ABS64) +[0-9a-f]+ (\S+) \+ ([0-9a-f]+)/g)];
      const expected = rows.map(([, section, offset]) => `${section}+${Number.parseInt(offset!, 16) + ip}`);
      expect(expected).to.have.length(5);
      expect(placesOf(module).toSorted()).to.deep.equal(expected.toSorted());
      expect([...module.sites()].every(({ row }) => row !== undefined)).to.equal(true);
    });

    it(`${arch}: blacklist, phases and imports`, () => {
      const module = openModule(path(`kelf-mod-${arch}.ko`));
      expect(module.find('kelf_mod_notify')[0]).to.deep.include({ blacklist: '_kprobe_blacklist', phase: 'core', binding: 'global' });
      expect(module.find('kelf_mod_handler')[0]).to.deep.include({ blacklist: '.kprobes.text', binding: 'local' });
      expect(module.find('init_module')[0]).to.deep.include({ section: '.init.text', phase: 'init' });
      expect(module.find('cleanup_module')[0]).to.deep.include({ section: '.exit.text', phase: 'exit' });
      expect(module.imports.map(({ name }) => name)).to.include.members(['_printk', 'redirected_tty_write', 'kelf_sink']);
      expect(module.modinfo.get('vermagic')).to.match(/ SMP preempt mod_unload /);
      expect(module.diagnostics).to.deep.equal([]);
    });
  }
});
