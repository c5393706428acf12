import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { openBpfObject } from 'kelf/bpf';
import { SECTION_DEFINITIONS } from '../../../../lib/bpf/names/section-names.js';
import { KernelFeatures, probably } from '../../../../lib/bpf/preflight/features.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { featuresBtf } from '../../../support/features.js';
import { kernelOf } from '../../../support/kernel-writer.js';

const OBJECT = fileURLToPath(new URL('../../../../../fixtures/bpf/kelf.bpfel.o', import.meta.url));

const features = (...data: string[]): KernelFeatures =>
  new KernelFeatures(kernelOf({ functions: [{ name: 'f' }], btf: featuresBtf(), data }));

describe('KernelFeatures', () => {
  it('tells program types that the kernel does not know from those it was built without', () => {
    expect(features().programType('socket_filter').outcome).to.equal('accepted');
    expect(features().programType('kprobe')).to.include({ outcome: 'refused', code: 'program-type-not-built', errno: 'EINVAL' });
    expect(features().programType('xdp')).to.include({ outcome: 'refused', code: 'unknown-program-type' });
  });

  it('knows program types that are newer than its table by name', () => {
    const writer = new BtfWriter();
    writer.enum('bpf_prog_type', 4, [['BPF_PROG_TYPE_NEWER', 200]]);
    const kernel = new KernelFeatures(kernelOf({ functions: [{ name: 'f' }], btf: writer.bytes() }));
    expect(kernel.programType('newer').code).to.equal('accepted');
    expect(kernel.programType('newest').code).to.equal('unknown-program-type');
  });

  it('goes by what tells the helpers of a type where nothing else does', () => {
    const writer = new BtfWriter();
    writer.enum('bpf_prog_type', 4, [['BPF_PROG_TYPE_XDP', 6]]);
    const btf = writer.bytes();
    const of = (...names: string[]): object =>
      new KernelFeatures(kernelOf({ functions: names.map(name => ({ name })), btf })).programType('xdp');
    expect(of('xdp_func_proto')).to.include({ code: 'accepted', certainty: 'proven' });
    expect(of('f')).to.include({ code: 'build-unknown' });
  });

  it('takes the end of an enum for no attach type', () => {
    expect(features().attachType(SECTION_DEFINITIONS.get('cgroup_skb/ingress')!)!.outcome).to.equal('accepted');
    expect(features().attachType(SECTION_DEFINITIONS.get('cgroup_skb/egress')!)).to.include({
      outcome: 'refused',
      code: 'unknown-attach-type',
    });
    expect(features().attachType(SECTION_DEFINITIONS.get('kprobe')!)).to.equal(undefined);
  });

  it('leaves open what is asked for only when the program is attached', () => {
    expect(features().attachType(SECTION_DEFINITIONS.get('tcx/ingress')!)).to.include({ outcome: 'open', certainty: 'open' });
  });

  it('does not take an enumerator for a program type that was built, but for likely', () => {
    const writer = new BtfWriter();
    writer.enum('bpf_prog_type', 4, [['BPF_PROG_TYPE_LSM', 29]]);
    const btf = writer.bytes();
    const kernel = new KernelFeatures(kernelOf({ functions: [{ name: 'f' }], btf }));
    const verdict = kernel.programType('lsm');
    expect(verdict).to.include({ outcome: 'open', code: 'build-unknown' });
    expect(verdict.because.at(-1)!.says).to.match(/CONFIG_BPF_LSM of .config, or the symbol lsm_verifier_ops would settle it$/);
    expect(probably(verdict)).to.include({ outcome: 'accepted', certainty: 'likely' });
    const configured = (value: Readonly<Record<string, string>>): KernelFeatures =>
      new KernelFeatures(kernelOf({ functions: [{ name: 'f' }], btf, config: value }));
    expect(configured({ CONFIG_BPF_LSM: 'y' }).programType('lsm')).to.include({ outcome: 'accepted', certainty: 'likely' });
    expect(configured({ CONFIG_BPF: 'y' }).programType('lsm')).to.include({ outcome: 'refused', code: 'program-type-not-built' });
    const listed = (...data: string[]): string => {
      return new KernelFeatures(kernelOf({ functions: [{ name: 'f' }], btf, data: ['array_map_ops', ...data] })).programType('lsm').code;
    };
    expect([listed('lsm_verifier_ops'), listed()]).to.deep.equal(['accepted', 'program-type-not-built']);
    expect(kernel.attachType(SECTION_DEFINITIONS.get('fentry')!)!.code).to.equal('features-unknown');
  });

  it('knows attach types by number, for names change, and newer ones than it knows by name', () => {
    const writer = new BtfWriter();
    // 24 is BPF_TRACE_FENTRY.
    writer.enum('bpf_attach_type', 4, [
      ['BPF_RENAMED', 24],
      ['BPF_NEWER', 200],
    ]);
    const kernel = new KernelFeatures(kernelOf({ functions: [{ name: 'f' }], btf: writer.bytes() }));
    const fentry = SECTION_DEFINITIONS.get('fentry')!;
    expect(kernel.attachType(fentry)!.outcome).to.equal('accepted');
    expect(kernel.attachType({ ...fentry, attachType: 'NEWER' })!.outcome).to.equal('accepted');
    expect(kernel.attachType({ ...fentry, attachType: 'NEWEST' })!.outcome).to.equal('refused');
  });

  it('looks for the operations of a map type where data symbols are listed', () => {
    const [map] = openBpfObject(OBJECT).maps;
    const xsk = { ...map!, type: 17, typeName: 'xskmap' };
    expect(features().map({ ...map!, type: 1, typeName: 'hash' }).outcome).to.equal('accepted');
    expect(features().map({ ...map!, type: 27, typeName: 'ringbuf' }).code).to.equal('unknown-map-type');
    // Without data, a function that is called by its address alone is likely not to be there.
    expect(features().map(xsk)).to.include({ code: 'map-type-not-built', certainty: 'likely' });
    expect(features('array_map_ops').map(xsk)).to.include({ code: 'map-type-not-built', certainty: 'proven' });
    expect(features('array_map_ops', 'xsk_map_ops').map(xsk).outcome).to.equal('accepted');
  });

  it('knows the flags of maps by their enum, where there is one', () => {
    const [map] = openBpfObject(OBJECT).maps;
    const hash = { ...map!, origin: 'btf', type: 1, typeName: 'hash', flags: (1 << 10) | (1 << 14) } as const;
    const writer = new BtfWriter();
    writer.enum('', 4, [['OTHER', 1]]);
    writer.enum('', 4, [
      ['BPF_F_NO_PREALLOC', 1],
      ['BPF_F_MMAPABLE', 1 << 10],
    ]);
    const flagged = new KernelFeatures(kernelOf({ functions: [{ name: 'f' }], btf: featuresBtf(writer) }));
    const verdict = flagged.map(hash);
    expect(verdict).to.include({ outcome: 'refused', code: 'unknown-map-flag', errno: 'EINVAL' });
    expect(verdict.because[0]!.says).to.match(/has no BPF_F_PATH_FD$/);
    expect(flagged.map({ ...hash, flags: 1 << 10 }).outcome).to.equal('accepted');
    // libbpf takes them from maps of its own.
    expect(flagged.map({ ...hash, origin: 'data' }).outcome).to.equal('accepted');
    expect(features().map(hash).outcome).to.equal('accepted');
  });

  it('knows helpers by their enumerators', () => {
    expect(features().helper(1).outcome).to.equal('accepted');
    expect(features().helper(5)).to.include({ outcome: 'refused', code: 'unknown-helper' });
  });

  it('answers nothing without the enums', () => {
    const kernel = new KernelFeatures(kernelOf({ functions: [{ name: 'f' }] }));
    expect(kernel.unknown).to.include({ outcome: 'open', code: 'features-unknown' });
    expect(kernel.helper(1).outcome).to.equal('open');
    expect(features().unknown).to.equal(undefined);
  });
});
