import { expect } from 'chai';
import { compareAbi, type Kernel, openKernel, readAbi, readRequirements, toJUnit } from 'kelf';
import { declareType } from '../../../../lib/answers/check/ctype.js';
import { parsePrototype } from '../../../../lib/answers/check/written-prototype.js';
import { mutate, random } from '../../../support/mutate.js';

/** The number of cases of each parser. Libraries in JavaScript read YAML and XML, slowly: fewer where no number is given. */
const casesOf = (few: number): number => Number(process.env['KELF_FUZZ_CASES'] ?? few);

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const YAML = `needs: &all [kprobe, "fentry"]
functions:
  - vfs_read
  - name: tty_write
    needs: *all
    prototype: {file: "ssize_t tty_write(struct file *, const char (*f)(int [4]), …)", kiocb: 'tty_write(struct kiocb *, ...)'}
  - nf_conntrack:nf_ct_get
limits: {duplicates: 3, without-btf: {pahole-static: 0}}
`;

const JSON_LIST = JSON.stringify({
  needs: ['kprobe'],
  functions: ['vfs_read', { name: 'tty_write', needs: ['btf'], prototype: ['int tty_write(void)'] }],
  limits: { duplicates: 3, 'without-btf': { 'pahole-static': 0 } },
});

const PROTOTYPE = `static __must_check const struct file *const (*f(unsigned long int a[4], enum e, union u **, int (*cb)(void *, ...), ssize_t b))
  (volatile char __user *, struct pt_regs *__attribute__((unused)) regs, …);`;

/** A group of a kernel and a module with an element of every kind that is read. */
const ABI = `<abi-corpus-group version='2.1'><abi-corpus path='vmlinux'>
<elf-function-symbols><elf-symbol name='tty_write' is-defined='yes' crc='0x1d24c881'/><elf-symbol name='_printk' crc='0'/></elf-function-symbols>
<elf-variable-symbols><elf-symbol name='jiffies' type='object-type' is-defined='yes'/></elf-variable-symbols>
<abi-instr path='a.c'><type-decl name='char' id='a'/><type-decl name='void' id='v'/><type-decl is-anonymous='yes' name='x' id='n'/>
<class-decl name='kiocb' is-struct='yes' id='s'><member-type><union-decl name='&lt;u&gt;' is-anonymous='yes' id='u'/></member-type></class-decl>
<pointer-type-def type-id='s' id='p'/><qualified-type-def type-id='a' const='yes' volatile='no' id='q'/><typedef-decl name='t' type-id='t2' id='t'/>
<typedef-decl name='ssize_t' type-id='t' id='t2'/><array-type-def type-id='q' id='r'><subrange length='4'/></array-type-def><enum-decl name='e' id='e'/>
<function-type id='f'><parameter type-id='r'/><return type-id='v'/></function-type><pointer-type-def type-id='f' id='pf'/>
<function-decl name='tty_write' elf-symbol-id='tty_write'><parameter type-id='p' name='a'/><parameter type-id='pf'/><return type-id='t2'/></function-decl>
<function-decl name='printk' elf-symbol-id='_printk@V'><parameter type-id='q'/><parameter is-variadic='yes'/><return type-id='v'/></function-decl>
</abi-instr></abi-corpus><abi-corpus path='a/kelf-mod.ko'><elf-function-symbols><elf-symbol name='kelf_mod_open'/></elf-function-symbols></abi-corpus>
</abi-corpus-group>`;

/** A function with a type of every kind that is read. */
const STG = `version: 2
special {\n  id: 0x1\n  kind: VOID\n}\nspecial {\n  id: 0x2\n  kind: VARIADIC\n}\nprimitive {\n  id: 0x3\n  name: "int"\n}
pointer_reference {\n  id: 0x4\n  pointee_type_id: 0x5\n}\nqualified {\n  id: 0x5\n  qualifier: CONST\n  qualified_type_id: 0x6\n}
struct_union {\n  id: 0x6\n  kind: STRUCT\n  name: "kiocb"\n  definition {\n    bytesize: 8\n  }\n}\nenumeration {\n  id: 0x7\n  name: "e"\n}
typedef {\n  id: 0x8\n  name: "t"\n  referred_type_id: 0x9\n}\narray {\n  id: 0x9\n  number_of_elements: 4\n  element_type_id: 0x3\n}
function {\n  id: 0xa\n  return_type_id: 0x8\n  parameter_id: 0x4\n  parameter_id: 0x7\n  parameter_id: 0x9\n  parameter_id: 0x2\n}
elf_symbol {\n  id: 0xb\n  name: "tty_write"\n  is_defined: true\n  symbol_type: FUNCTION\n  crc: 0x1d24c881\n  type_id: 0xa\n}\n`;

/** Runs cases of damage to a text: each is read, or refused with the error of that name; some are either. */
async function fuzz(seed: number, text: string, cases: number, refusal: string, read: (text: string) => unknown): Promise<void> {
  const [next, bytes] = [random(seed), bytesOf(text)];
  // What is not damaged is read.
  await read(text);
  let fine = 0;
  for (let i = 0; i < cases; i++) {
    try {
      await read(new TextDecoder().decode(mutate(bytes, next)));
      fine++;
    } catch (error) {
      if ((error as Error).name !== refusal) throw new Error(`case ${i}: ${(error as Error).stack}`);
    }
  }
  expect(fine).to.be.greaterThan(0).and.lessThan(cases);
}

describe('Damaged files of kelf check', () => {
  for (const [seed, form, text] of [
    [1, 'YAML', YAML],
    [2, 'JSON', JSON_LIST],
  ] as const) {
    it(`a list in ${form} is read, or refused with the place`, () =>
      fuzz(seed, text, casesOf(400), 'RequirementsError', damaged => readRequirements(damaged, 'list')));
  }

  it('a prototype in C is read and declared again, or refused', () =>
    fuzz(3, PROTOTYPE, casesOf(10_000), 'PrototypeError', damaged => declareType(parsePrototype(damaged).type)));

  it('an ABI is compared, or refused', async () => {
    await using kernel: Kernel = await openKernel('fixtures/kernel/vmlinux-amd64');
    await fuzz(4, ABI, casesOf(1000), 'FormatError', async damaged => compareAbi(kernel, await readAbi(damaged, 'abi')));
  });

  it('an ABI in STG is compared, or refused', async () => {
    await using kernel: Kernel = await openKernel('fixtures/kernel/vmlinux-amd64');
    await fuzz(6, STG, casesOf(2000), 'FormatError', async damaged => compareAbi(kernel, await readAbi(damaged, 'abi.stg')));
  });

  it('a list of symbols is compared, or refused, and the report has no character that XML has no place for', async () => {
    await using kernel: Kernel = await openKernel('fixtures/kernel/vmlinux-amd64');
    const list = '[abi_symbol_list]\n# required by kelf-mod.ko\n  tty_write\n  _printk\n  gone\n';
    await fuzz(5, list, casesOf(400), 'FormatError', async damaged => {
      const abi = compareAbi(kernel, await readAbi(damaged, damaged));
      expect(await toJUnit({ name: damaged }, undefined, abi)).to.not.match(/[^\P{Cc}\t\n\r]|\p{Cs}/u);
    });
  });
});
