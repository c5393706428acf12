import { expect } from 'chai';
import type { Verdict } from 'kelf';
import { openBpfObject } from 'kelf/bpf';
import { PreflightModules } from '../../../../lib/bpf/preflight/modules.js';
import { structOpsVerdict } from '../../../../lib/bpf/preflight/struct-ops-check.js';
import { sampleObject } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { kernelOf } from '../../../support/kernel-writer.js';

/** The verdict on a `struct tcp_ops___v1` that sets `flags` and `init`, by what the kernel's BTF has. */
function verdict(btf: Uint8Array | undefined): Verdict {
  const kernel = kernelOf({ functions: [{ name: 'f' }], ...(btf === undefined ? {} : { btf }) });
  const object = openBpfObject(sampleObject());
  return structOpsVerdict(object, object.structOps[0]!, kernel, new PreflightModules(kernel));
}

function kernelBtf(registered: boolean, members: readonly string[]): Uint8Array {
  const btf = new BtfWriter();
  const int = btf.int('int', 4, 1);
  btf.struct(
    'tcp_ops',
    32,
    members.map((name, i) => [name, int, i * 64]),
  );
  if (registered) btf.struct('bpf_struct_ops_tcp_ops', 32, [['data', int, 0]]);
  return btf.bytes();
}

describe('A struct_ops on a kernel', () => {
  it('is accepted where the type is registered, without its flavour, and has the members that are set', () => {
    expect(verdict(kernelBtf(true, ['init', 'flags', 'more']))).to.include({ outcome: 'accepted', code: 'accepted' });
  });

  it('may not set a member that the kernel does not have', () => {
    expect(verdict(kernelBtf(true, ['flags']))).to.include({ outcome: 'refused', code: 'struct-ops-member', errno: 'EOPNOTSUPP' });
  });

  it('is not created where the type is not there, or is none for BPF', () => {
    expect(verdict(kernelBtf(false, ['init', 'flags']))).to.include({
      outcome: 'refused',
      code: 'no-struct-ops',
      errno: 'ENOENT',
      certainty: 'likely',
    });
    expect(verdict(new BtfWriter().bytes())).to.include({ outcome: 'refused', code: 'no-struct-ops' });
    expect(verdict(undefined)).to.include({ outcome: 'refused', code: 'no-btf', errno: 'EINVAL' });
  });
});
