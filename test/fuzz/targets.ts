import { readFileSync } from 'node:fs';
import { Btf } from '../../btf/btf.js';
import { printC } from '../../btf/print/c.js';
import { TypeDescriber } from '../../btf/print/describe.js';
import { printRaw } from '../../btf/print/raw.js';
import { unpack } from '../../elf/compression/unpack.js';
import { openDwarf } from '../../elf/dwarf/dwarf.js';
import { ElfFile } from '../../elf/file.js';
import { describeNote } from '../../elf/note-description.js';
import { MemorySource } from '../../elf/source.js';
import { provenKallsyms } from '../../kallsyms/proof.js';
import { parseKallsyms } from '../../kallsyms/text.js';
import { auditKernel } from '../../lib/answers/audit.js';
import { readAbi } from '../../lib/answers/check/read-abi.js';
import { readRequirements } from '../../lib/answers/check/requirements.js';
import { moduleLists, moduleSummary } from '../../lib/answers/module.js';
import { carve } from '../../lib/bpf/carve/carve.js';
import { describeObject } from '../../lib/bpf/describe-object.js';
import { Listing } from '../../lib/bpf/listing.js';
import { relocateCore } from '../../lib/bpf/load/relocate-core.js';
import { programTags } from '../../lib/bpf/load/tag.js';
import { readBpfObject } from '../../lib/bpf/object/object.js';
import { moduleIn } from '../../lib/facts/module/module-in.js';
import { once } from '../../lib/facts/once.js';
import { piecesOfImage } from '../../lib/facts/pieces-of-image.js';
import { openKernelImage } from '../../lib/image/unwrap.js';
import { Kernel } from '../../lib/kernel.js';
import { sampleObject } from '../support/bpf-writer.js';
import { BtfWriter, everyKind } from '../support/btf-writer.js';
import { type KallsymsLayout, memoryOf, type PackedSymbol, packKallsyms } from '../support/kallsyms-writer.js';

/** A parser, files that it reads, and everything there is to ask it. */
export interface Target {
  readonly seeds: () => readonly Uint8Array[];
  /** Each question on its own: what one throws must not keep the next from being asked. */
  readonly questions: (bytes: Uint8Array) => Iterable<() => unknown>;
}

const fixture = (name: string): Uint8Array => readFileSync(new URL(`../../../fixtures/${name}`, import.meta.url));
const text = (words: string): Uint8Array => new TextEncoder().encode(words);
const all = (items: Iterable<unknown>): void => {
  for (const _ of items);
};

export const TARGETS: Readonly<Record<string, Target>> = {
  elf: {
    seeds: () => [fixture('kernel/kelf-mod-arm64.ko'), sampleObject()],
    *questions(bytes) {
      const file = ElfFile.open(new MemorySource(bytes, 'fuzz'));
      yield () => all(file.symbols ?? []);
      yield () => file.relocationTables().map(table => table.rows());
      yield () => file.notes.map(note => describeNote(note, file.littleEndian));
      yield () => file.sections.map(section => section.data());
      yield () => file.memory.read(file.sections[1]?.address ?? 0n, 64);
    },
  },
  dwarf: {
    seeds: () => ['dwarf-4.elf', 'dwarf-5.elf', 'dwarf-clang.elf'].map(name => fixture(`elf/${name}`)),
    *questions(bytes) {
      const dwarf = openDwarf(ElfFile.open(new MemorySource(bytes, 'fuzz')));
      if (dwarf === undefined) return;
      yield () => dwarf.named('twin').map(fn => [fn.prototype, fn.declared, fn.inlinedInto(8)]);
      for (const address of [0x400160n, 0x10001n, 0n]) yield () => dwarf.frames(address);
      for (const unit of dwarf.units()) yield () => [unit.name, unit.ranges, unit.lines?.rows.address.length, unit.subprograms.count];
    },
  },
  btf: {
    seeds: () => [everyKind(new BtfWriter()).bytes()],
    *questions(bytes) {
      const btf = Btf.parse(bytes);
      const describer = new TypeDescriber(btf);
      yield () => printRaw(btf, () => {});
      yield () => printC(btf, () => {});
      for (let id = btf.firstId; id < btf.count; id++) yield () => describer.describe(id);
    },
  },
  bpf: {
    seeds: () => [sampleObject(), sampleObject(false), fixture('bpf/tags.bpfel.o')],
    *questions(bytes) {
      const object = readBpfObject(bytes);
      yield () => describeObject(object);
      yield () => programTags(object);
      yield () => object.btf && relocateCore(object, object.btf);
      const listing = new Listing(object);
      for (const fn of object.functions) yield () => listing.kernelText(fn, listing.ofFunction(fn));
    },
  },
  module: {
    seeds: () => [fixture('kernel/kelf-mod-amd64.ko'), fixture('kernel/kelf-mod-arm64.ko')],
    *questions(bytes) {
      const module = moduleIn(new MemorySource(bytes, 'fuzz'));
      yield () => moduleSummary(module);
      for (const list of Object.values(moduleLists(module))) yield list;
    },
  },
  kernel: {
    seeds: () => [fixture('kernel/vmlinux-amd64')],
    *questions(bytes) {
      const kernel = new Kernel(piecesOfImage(openKernelImage(new MemorySource(bytes, 'fuzz')).file));
      yield () => auditKernel(kernel);
      yield () => kernel.attach('load_elf_binary');
      yield () => kernel.traceability('load_elf_binary');
    },
  },
  unpack: {
    seeds: () => ['gz', 'xz', 'zst', 'lz4', 'lzma', 'bz2', 'lzo'].flatMap(ending => packedFixture(ending)),
    *questions(bytes) {
      yield () => unpack(bytes, { name: 'fuzz', limit: 1 << 20, trailing: 'ignore' });
    },
  },
  kallsyms: {
    seeds: () => [text('ffffffff81000000 T _stext\nffffffff81000010 t a\t[mod]\n')],
    *questions(bytes) {
      const symbols = parseKallsyms(bytes, 'fuzz');
      yield () => all(symbols);
    },
  },
  'packed-kallsyms': {
    seeds: () => packedImages().map(({ bytes }) => bytes),
    *questions(bytes) {
      for (const { packed } of packedImages()) {
        yield () => all(provenKallsyms(memoryOf({ ...packed, address: PACKED_AT }, bytes), 'fuzz') ?? []);
      }
    },
  },
  carve: {
    seeds: () => [
      sampleObject(),
      text(`"${[...sampleObject().slice(0, 400)].map(byte => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`),
    ],
    *questions(bytes) {
      yield () => carve(new MemorySource(bytes, 'fuzz'));
    },
  },
  abi: {
    seeds: () => [
      text('version: 0x00000002\nelf_symbol {\n  id: 0x1\n  name: "a"\n  is_defined: true\n  symbol_type: FUNCTION\n  type_id: 0x2\n}\n'),
      text(
        '<abi-corpus path="vmlinux"><elf-function-symbols><elf-symbol name="a" type="func-type" is-defined="yes"/></elf-function-symbols></abi-corpus>',
      ),
      text('[abi_symbol_list]\n  a\n  b\n'),
    ],
    *questions(bytes) {
      yield () => readAbi(new TextDecoder().decode(bytes), 'fuzz');
    },
  },
  requirements: {
    seeds: () => [
      text('functions:\n  - name: a\n    needs: [kprobe, btf]\n    prototype: int a(int)\nlimits:\n  duplicates: 3\n'),
      text('{"functions": ["a"]}'),
    ],
    *questions(bytes) {
      yield () => readRequirements(new TextDecoder().decode(bytes), 'fuzz');
    },
  },
};

/** One of 64 and one of 32 bits, of today and of before 4.6. */
const PACKED_LAYOUTS: readonly KallsymsLayout[] = [
  { encoding: 'place-relative' },
  { encoding: 'absolute', bits: 32, align: 16, longLengths: false, wideCounts: true, addressesLast: false, sequences: false },
];
const PACKED_AT = 0xc000_8000n;
const TABLES = 0x800;

/** Kernels' packed symbols and a banner. */
const packedImages = once(() =>
  PACKED_LAYOUTS.map(layout => {
    const functions = Array.from({ length: 300 }, (_, i): PackedSymbol => ['t', `function_${i}`, PACKED_AT + BigInt(i)]);
    const banner: PackedSymbol = ['D', 'linux_banner', PACKED_AT + 0x400n];
    const packed = packKallsyms([...functions, banner], { relativeBase: PACKED_AT, ...layout }, PACKED_AT + BigInt(TABLES));
    const bytes = new Uint8Array(TABLES + packed.bytes.length + 0x100);
    bytes.set(packed.bytes, TABLES);
    bytes.set(text('Linux version 4.4.0 (kelf@test)'), 0x400);
    return { packed, bytes };
  }),
);

function packedFixture(ending: string): Uint8Array[] {
  try {
    return [fixture(`compressed/one.${ending}`)];
  } catch {
    return [];
  }
}

/** What a damaged input may be answered with; anything else is a fault. */
const EXPECTED = new Set(['FormatError', 'InputError', 'MissingError', 'RequirementsError', 'CoreError']);

/** Asks everything. @throws what is none of the errors that a damaged input has */
export async function run(target: Target, bytes: Uint8Array): Promise<void> {
  const questions = target.questions(bytes)[Symbol.iterator]();
  for (;;) {
    const next = await expected(() => questions.next());
    if (next === undefined || next.done) return;
    await expected(next.value);
  }
}

async function expected<T>(read: () => T): Promise<Awaited<T> | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Error && EXPECTED.has(error.name)) return undefined;
    throw error;
  }
}
