import { expect } from 'chai';
import { type AbiComparison, compareAbi, openKernel, readAbi } from 'kelf';

/** The nodes that a function of the fixture's kernel is made of, as stg writes them. */
const STG = `version: 0x00000002
root_id: 0x84ea5130
special {
  id: 0x48b5725f
  kind: VOID
}
special {
  id: 0xa52a0930
  kind: VARIADIC
}
pointer_reference {
  id: 0x01
  kind: POINTER
  pointee_type_id: 0x02
}
pointer_reference {
  id: 0x03
  kind: POINTER
  pointee_type_id: 0x04
}
pointer_reference {
  id: 0x05
  kind: POINTER
  pointee_type_id: 0x06
}
typedef {
  id: 0x07
  name: "ssize_t"
  referred_type_id: 0x08
}
qualified {
  id: 0x06
  qualifier: CONST
  qualified_type_id: 0x09
}
primitive {
  id: 0x08
  name: "long"
  encoding: SIGNED_INTEGER
  bytesize: 0x00000008
}
primitive {
  id: 0x09
  name: "char"
  encoding: UNSIGNED_CHARACTER
  bytesize: 0x00000001
}
primitive {
  id: 0x0a
  name: "int"
}
struct_union {
  id: 0x02
  kind: STRUCT
  name: "kiocb"
  definition {
    bytesize: 48
    member_id: 0x35a4a5a7
  }
}
struct_union {
  id: 0x04
  kind: STRUCT
  name: "iov_iter"
}
function {
  id: 0x10
  return_type_id: 0x07
  parameter_id: 0x01
  parameter_id: 0x03
}
function {
  id: 0x11
  return_type_id: 0x0a
  parameter_id: 0x05
  parameter_id: 0xa52a0930
}
elf_symbol {
  id: 0x20
  name: "redirected_tty_write"
  is_defined: true
  symbol_type: FUNCTION
  crc: 0x601b0da8
  type_id: 0x10
  full_name: "redirected_tty_write"
}
elf_symbol {
  id: 0x21
  name: "_printk"
  is_defined: true
  symbol_type: FUNCTION
  type_id: 0x11
  full_name: "_printk"
}
elf_symbol {
  id: 0x22
  name: "elsewhere"
  symbol_type: FUNCTION
}
interface {
  id: 0x84ea5130
  symbol_id: 0x20
  symbol_id: 0x21
}
`;

async function compare(text: string): Promise<AbiComparison> {
  await using kernel = await openKernel('fixtures/kernel/vmlinux-amd64');
  return compareAbi(kernel, await readAbi(text, 'abi.stg'));
}

describe('An ABI in STG', () => {
  it('is compared: symbols, and prototypes', async () => {
    const { differences, compared, uncompared } = await compare(STG);
    expect(differences).to.deep.equal([]);
    // This kernel has no checksums.
    expect([compared, uncompared.crcs]).to.deep.equal([{ symbols: 2, kinds: 2, crcs: 0, prototypes: 2, modules: 0 }, 1]);
  });

  it('that was changed differs', async () => {
    const changed = STG.replace('"_printk"', '"_gone"')
      .replace('name: "iov_iter"', 'name: "iovec"')
      .replace('FUNCTION\n  crc', 'OBJECT\n  crc');
    expect((await compare(changed)).differences).to.deep.equal([
      { symbol: 'redirected_tty_write', kind: 'kind', says: 'is a function, not a variable' },
      {
        symbol: 'redirected_tty_write',
        kind: 'prototype',
        says: "parameter 2 is 'struct iov_iter *iter', not 'struct iovec *'; the ABI has ssize_t redirected_tty_write(struct kiocb *, struct iovec *)",
      },
      { symbol: '_gone', kind: 'missing', says: 'is not there; modules were not read' },
    ]);
  });

  it('of older files has nodes of their own for void and variable arguments', async () => {
    const old = STG.replace(
      /special {\n {2}id: (\w+)\n {2}kind: (\w+)/g,
      (_, id: string, kind: string) => `${kind.toLowerCase()} {\n  id: ${id}`,
    );
    const { differences, compared } = await compare(old);
    expect([differences, compared.prototypes]).to.deep.equal([[], 2]);
  });

  it('that is malformed is a FormatError', async () => {
    for (const text of ['version: 0x00000002\n', 'version: 2\nfunction {\n', 'version: 2\n}\n', 'version: 2\nwhat is this\n']) {
      const error = await readAbi(text, 'abi.stg').then(
        () => undefined,
        (error: Error) => error,
      );
      expect(error?.name, text).to.equal('FormatError');
    }
  });
});
