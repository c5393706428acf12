import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Kernel, openKernel } from 'kelf';
import { openBpfObject, Preflight } from 'kelf/bpf';
import { Btf } from 'kelf/btf';
import { ElfFile, isFormatError, MemorySource } from 'kelf/elf';
import { bpfCheckReport } from '../../../../lib/report/bpf-check.js';
import { sampleObject } from '../../../support/bpf-writer.js';
import { BtfWriter } from '../../../support/btf-writer.js';
import { featuresBtf } from '../../../support/features.js';
import { kernelOf } from '../../../support/kernel-writer.js';
import { mutate, random } from '../../../support/mutate.js';

const CASES = Number(process.env['KELF_FUZZ_CASES'] ?? 800);
/** The object that clang made is larger, and its kernel is. */
const LARGE = Math.ceil(CASES / 50);
const fixture = (name: string): string => fileURLToPath(new URL(`../../../../../fixtures/${name}`, import.meta.url));

interface Part {
  readonly from: number;
  readonly to: number;
}

/** The sections of an object that are looked at, and its table of them. */
function partsOf(object: Uint8Array): Part[] {
  const { sections, header } = ElfFile.open(new MemorySource(object));
  return [
    ...sections
      .filter(({ size, name, type }) => size > 0 && type !== 8 && !name.startsWith('.debug') && !name.startsWith('.rel.debug'))
      .map(({ offset, size }) => ({ from: Number(offset), to: Number(offset) + Number(size) })),
    { from: header.shoff, to: header.shoff + header.shnum * header.shentsize },
  ];
}

function damage(bytes: Uint8Array, { from, to }: Part, next: (below: number) => number): Uint8Array {
  const damaged = bytes.slice();
  damaged.set(mutate(damaged.slice(from, to), next).subarray(0, to - from), from);
  return damaged;
}

/** Reads, checks and prints. @throws Error for anything but a FormatError */
function check(preflight: () => Preflight, object: Uint8Array, number: number): void {
  try {
    const answer = preflight().check(openBpfObject(object));
    const kernels = [{ kernel: { name: 'vmlinux' }, ...answer }];
    bpfCheckReport.text({ loader: 'libbpf', objects: [{ path: 'object', offset: 0, kernels }], notTold: '' });
  } catch (error) {
    if (!isFormatError(error)) throw new Error(`case ${number}`, { cause: error });
  }
}

/** A kernel that has what the made-up object asks for, so that each rule has something to compare with. */
function richBtf(): Uint8Array {
  const btf = new BtfWriter();
  const int = btf.int('int', 4, 1);
  const regs = btf.struct('pt_regs', 24, [
    ['gone', int, 0],
    ['di', int, 64],
    ['si', int, 128],
  ]);
  const proto = btf.funcProto(int, [['ctx', btf.ptr(regs)]]);
  for (const name of ['read', 'bpf_kfunc', 'bpf_lsm_read', 'bpf_iter_read']) btf.func(name, proto, 1);
  btf.struct('tcp_ops', 16, [
    ['flags', int, 0],
    ['init', btf.ptr(proto), 64],
  ]);
  btf.struct('bpf_struct_ops_tcp_ops', 16, []);
  return featuresBtf(btf);
}

/** Any part of the object may be damaged: names of sections lead to questions about the kernel, types to externs, code to helpers. */
describe('Preflight with damaged input', function () {
  this.timeout(0);

  it(`${CASES} cases of a made-up object: findings, or a FormatError`, () => {
    const functions = ['read', 'bpf_lsm_read', '__x64_sys_read', 'register_ftrace_direct', 'register_fprobe'].map(name => ({
      name,
      site: 0,
    }));
    const kernel = kernelOf({ functions, btf: richBtf(), config: { CONFIG_BPF: 'y' }, data: ['array_map_ops', '__tracepoint_read'] });
    const preflight = new Preflight(kernel);
    const objects = [true, false].map(littleEndian => sampleObject(littleEndian));
    const parts = objects.map(partsOf);
    const next = random(7);
    for (let i = 0; i < CASES; i++) {
      const which = i & 1;
      let damaged = objects[which]!;
      // One case in four is damaged twice: a fault that is met first hides others.
      for (let times = next(4) === 0 ? 2 : 1; times > 0; times--)
        damaged = damage(damaged, parts[which]![next(parts[which]!.length)]!, next);
      check(() => preflight, damaged, i);
    }
  });

  it(`${LARGE} cases of damaged BTF of the kernel`, () => {
    const bytes = richBtf();
    const object = sampleObject();
    const { pieces } = kernelOf({ functions: [{ name: 'read', site: 0 }], config: { CONFIG_BPF: 'y' } });
    const next = random(8);
    for (let i = 0; i < LARGE; i++) {
      const damaged = damage(bytes, { from: 0, to: bytes.length }, next);
      check(() => new Preflight(new Kernel({ ...pieces, btf: () => ({ btf: Btf.parse(damaged), source: '.BTF' }) })), object, i);
    }
  });

  it(`${LARGE} cases of an object by clang`, async () => {
    const kernel = await openKernel(fixture('kernel/vmlinux-amd64'));
    try {
      const preflight = new Preflight(kernel);
      const object = new Uint8Array(readFileSync(fixture('bpf/kelf.bpfel.o')));
      const parts = partsOf(object);
      const next = random(9);
      for (let i = 0; i < LARGE; i++) check(() => preflight, damage(object, parts[next(parts.length)]!, next), i);
    } finally {
      kernel.close();
    }
  });
});
