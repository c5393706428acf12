import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Argv } from './measure.js';

export type Arch = 'amd64' | 'arm64';

/** A program that prints the same from the same file, or answers the same. */
export interface Peer {
  /** The programs that must be there, its own first. */
  readonly programs: readonly string[];
  /** How its command reads in the table: V is the kernel. */
  readonly title: string;
  command(vmlinux: string, arch: Arch): Argv;
}

/** A command of kelf, and its peers: the bench compares with the first, which the target is about, and with the one that takes least. */
export interface Case {
  readonly name: string;
  readonly kelf: Argv;
  /** What follows the file. */
  readonly names?: Readonly<Record<Arch, Argv>>;
  readonly peers: readonly Peer[];
  /** The largest ratio kelf ÷ the first peer that is good enough, by kernel; a kernel that is not named here is measured all the same. */
  readonly target: Partial<Record<Arch, number>>;
  /** The kernels to measure on. */
  readonly on: readonly Arch[];
}

/** One whose command is a program, its options, and the kernel. */
function peer(program: string, ...options: string[]): Peer {
  return { programs: [program], title: [program, ...options, 'V'].join(' '), command: v => [program, ...options, v] };
}

/** One that is asked about an address. */
function resolver(program: string, option: string): Peer {
  return { programs: [program], title: `${program} ${option} V ADDRESS`, command: (v, arch) => [program, option, v, ...ADDRESS[arch]] };
}

/** bpftool, which has the format behind the file. */
function bpftool(...format: string[]): Peer {
  const words = ['bpftool', 'btf', 'dump', 'file'];
  return { programs: ['bpftool'], title: [...words, 'V', ...format].join(' '), command: v => [...words, v, ...format] };
}

const BOTH: readonly Arch[] = ['amd64', 'arm64'];

/** An address inside of __sys_bpf(): on amd64 three functions are inlined there. */
const ADDRESS: Readonly<Record<Arch, Argv>> = { amd64: ['0xffffffff81200456'], arm64: ['0xffff800008230510'] };

export const CASES: readonly Case[] = [
  { name: 'symbols', kelf: ['symbols'], peers: [peer('nm'), peer('llvm-nm'), peer('readelf', '-sW')], target: { amd64: 1.0 }, on: BOTH },
  { name: 'btf dump raw', kelf: ['btf', 'dump', '--format', 'raw'], peers: [bpftool('format', 'raw')], target: { amd64: 1.0 }, on: BOTH },
  { name: 'btf dump c', kelf: ['btf', 'dump', '--format', 'c'], peers: [bpftool('format', 'c')], target: { amd64: 1.8 }, on: BOTH },
  {
    name: 'btf dump json',
    kelf: ['btf', 'dump', '--format', 'json'],
    peers: [{ programs: ['bpftool'], title: 'bpftool -j btf dump file V', command: v => ['bpftool', '-j', 'btf', 'dump', 'file', v] }],
    target: { amd64: 2.0 },
    on: BOTH,
  },
  {
    name: 'relocs',
    kelf: ['relocs'],
    peers: [peer('llvm-readelf', '-r'), peer('readelf', '-rW')],
    target: { arm64: 0.6 },
    // An x86 vmlinux has 1.9 million relocations in .rela.debug_info and the like: hundreds of megabytes of text, which nobody asks for.
    on: ['arm64'],
  },
  {
    name: 'duplicates',
    kelf: ['duplicates'],
    peers: [
      {
        programs: ['nm', 'awk', 'sort', 'uniq'],
        title: 'nm V, awk, sort, uniq -d in a pipe',
        command: v => ['sh', '-c', `nm "$0" | awk '$2=="t"||$2=="T"{print $3}' | sort | uniq -d`, v],
      },
    ],
    target: { amd64: 1.0 },
    on: BOTH,
  },
  {
    name: 'addr',
    kelf: ['addr'],
    names: ADDRESS,
    peers: [resolver('eu-addr2line', '-ife'), resolver('llvm-symbolizer', '-e'), resolver('addr2line', '-ife')],
    target: { amd64: 1.5 },
    on: BOTH,
  },
  // pahole makes the whole BTF of what kelf reads the functions of.
  {
    name: 'why --all',
    kelf: ['why', '--all'],
    peers: [peer('pahole', '-F', 'dwarf', '-J', '--btf_encode_detached=/dev/null')],
    target: { amd64: 1.0 },
    on: ['amd64'],
  },
];

/** A command that no peer has: its limits are absolute. */
export interface Alone {
  readonly name: string;
  readonly kelf: Argv;
  /** What follows the file. */
  readonly names?: Argv;
  /** Its exit code, where that tells of findings. */
  readonly exit?: number;
  /** Beside the vmlinux; `Image.gz` is the arm64 Image, packed for the measurement. */
  readonly file: 'vmlinux' | 'vmlinuz' | 'Image.gz';
  readonly memory: boolean;
  readonly target: Partial<Record<Arch, { readonly milliseconds: number; readonly mebibytes?: number }>>;
  readonly on: readonly Arch[];
}

/** Debian's libbpf-tools as fixtures/fetch-bpf-tools.sh leaves them: executables with BPF objects in them. */
const BPF_TOOLS = join(process.env['KELF_BPF_TOOLS'] ?? fileURLToPath(new URL('../../fixtures/bpf-tools', import.meta.url)), 'programs');
const BPF_PROGRAMS: Argv = existsSync(BPF_TOOLS) ? readdirSync(BPF_TOOLS).map(name => join(BPF_TOOLS, name)) : [];

export const ALONE: readonly Alone[] = [
  { name: 'audit', kelf: ['audit'], file: 'vmlinux', memory: true, target: { amd64: { milliseconds: 800, mebibytes: 200 } }, on: BOTH },
  // With DWARF: inlined everywhere, so that all of .debug_info is searched; and a clone, whose unit alone is read.
  {
    name: 'why exit_mm',
    kelf: ['why'],
    names: ['exit_mm'],
    file: 'vmlinux',
    memory: true,
    target: { amd64: { milliseconds: 500, mebibytes: 250 } },
    on: BOTH,
  },
  // The name ends 99 longer ones, and is one of parameters and members in hundreds of units.
  {
    name: 'why handle',
    kelf: ['why'],
    names: ['handle'],
    file: 'vmlinux',
    memory: true,
    target: { amd64: { milliseconds: 500, mebibytes: 250 } },
    on: ['amd64'],
  },
  { name: 'duplicates --sources', kelf: ['duplicates', '--sources'], file: 'vmlinux', memory: true, target: {}, on: BOTH },
  {
    name: 'why set_bringup_idt_handler',
    kelf: ['why'],
    names: ['set_bringup_idt_handler', '--pahole-version', '1.24'],
    file: 'vmlinux',
    memory: true,
    target: { amd64: { milliseconds: 500, mebibytes: 250 } },
    on: ['amd64'],
  },
  {
    name: 'why --all',
    kelf: ['why', '--all'],
    file: 'vmlinux',
    memory: true,
    target: { amd64: { milliseconds: 20000, mebibytes: 1536 } },
    on: BOTH,
  },
  // Every object of them on one kernel; some are found to fail there.
  ...(BPF_PROGRAMS.length === 0
    ? []
    : [
        {
          name: 'bpf check libbpf-tools',
          kelf: ['bpf', 'check', ...BPF_PROGRAMS, '--kernel'],
          file: 'vmlinux',
          memory: true,
          exit: 1,
          target: { amd64: { milliseconds: 3000 }, arm64: { milliseconds: 3000 } },
          on: BOTH,
        } as const,
      ]),
  // Debian's arm64 vmlinuz is a raw Image.
  {
    name: 'kallsyms vmlinuz',
    kelf: ['kallsyms'],
    file: 'vmlinuz',
    memory: false,
    target: { amd64: { milliseconds: 1500 }, arm64: { milliseconds: 600 } },
    on: BOTH,
  },
  {
    name: 'kallsyms Image.gz',
    kelf: ['kallsyms'],
    file: 'Image.gz',
    memory: false,
    target: { arm64: { milliseconds: 1500 } },
    on: ['arm64'],
  },
];

/** The built command. */
export const KELF: string = fileURLToPath(new URL('../cli/kelf.cjs', import.meta.url));
