import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { type Module, openModule } from 'kelf';
import { Btf } from 'kelf/btf';
import { FormatError } from 'kelf/elf';
import { BtfWriter } from '../../../support/btf-writer.js';
import { ModuleWriter, S390, signed, X86 } from '../../../support/module-writer.js';
import { mutate, random } from '../../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 20_000);

const kernel = new BtfWriter();
const int = kernel.int('int', 4, 1);
kernel.struct('task', 64, [['pid', int, 0]]);
const base = Btf.parse(kernel.bytes());

/** A small module with something of everything. */
function seed(target: typeof X86): Uint8Array {
  const { littleEndian } = target;
  const distilled = new BtfWriter({ littleEndian });
  const task = distilled.struct('task', 64, []);
  const split = new BtfWriter({ littleEndian, base: distilled });
  split.func('mod_read', split.funcProto(split.ptr(task), [['t', split.array(task, 1, 2)]]));
  split.struct('mine', 64, [['t', split.const(task), 0]]);
  const writer = new ModuleWriter(target)
    .info('license=GPL', 'depends=a,b', 'name=fuzz', 'vermagic=6.1.0')
    .code('.text', 64)
    .code('.init.text', 16)
    .code('.noinstr.text', 16)
    .function('mod_read', '.text', 0)
    .function('mod_write', '.text', 32, 16, 1)
    .function('mod_init', '.init.text', 0)
    .addresses('__mcount_loc', [['.text', 0], null, ['.text', 32], ['.init.text', 0]])
    .addresses('_kprobe_blacklist', [['.text', 32]])
    .exports('__ksymtab_gpl', [{ name: 'mod_read', offset: 0, namespace: 'NS' }], { prel32: target === X86, namespaces: true }, [1])
    .import('printk')
    .versions({ printk: 1 })
    .section({ name: '.BTF.base', type: 1, data: distilled.bytes() })
    .section({ name: '.BTF', type: 1, data: split.bytes() });
  return signed(writer.bytes(), 16);
}

const fixture = readFileSync(fileURLToPath(new URL('../../../../../fixtures/kernel/kelf-mod-arm64.ko', import.meta.url)));
const SEEDS = [seed(X86), seed(S390), fixture];

/** Everything that can be asked of a module. Each question may end in a FormatError, and must leave the others answerable. */
function readAll(bytes: Uint8Array): void {
  let opened: Module | undefined;
  attempt(() => {
    opened = openModule(bytes, { base, name: 'fuzz.ko' });
  });
  if (opened === undefined) return;
  const module = opened;
  attempt(() => void module.exports);
  attempt(() => void module.imports);
  attempt(() => void module.btf?.functions());
  attempt(() => {
    for (let row = 0; row < module.functions.count; row++) {
      const { extent, offset, name } = module.function(row);
      if (!(extent >= 0 && offset >= 0 && name !== '')) throw new Error(`a function '${name}' at ${offset} of ${extent} bytes`);
    }
  });
  attempt(() => {
    for (const { offset } of module.sites()) if (!(offset >= 0)) throw new Error(`a site at ${offset}`);
  });
  for (const { message } of module.diagnostics) if (typeof message !== 'string') throw new TypeError('no message');
}

function attempt(question: () => void): void {
  try {
    question();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
}

describe('openModule over damaged modules', function () {
  this.timeout(0);

  it(`throws nothing but FormatError in ${CASES} cases`, () => {
    const next = random(0x6d6f64);
    for (let i = 0; i < CASES; i++) {
      const bytes = mutate(SEEDS[i % SEEDS.length]!, next);
      try {
        readAll(bytes);
      } catch (error) {
        throw new Error(`case ${i}`, { cause: error });
      }
    }
  });

  it('reads the seeds themselves without a complaint', () => {
    for (const bytes of SEEDS.slice(0, 2)) {
      const module = openModule(bytes, { base, name: 'fuzz.ko' });
      expect(module.exports).to.have.length(1);
      expect(module.find('mod_read')[0]?.btf).to.have.length(1);
      expect(module.diagnostics).to.deep.equal([]);
    }
  });
});
