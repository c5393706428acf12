import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isInstalled } from '../kernels/check.js';
import { type GuestFile, initramfs } from './initramfs.js';

export type Arch = 'amd64' | 'arm64' | 'ppc64el' | 'riscv64' | 's390x';

/** What a machine needs: programs, and Debian's packages that have them. */
interface Machine {
  readonly qemu: string;
  readonly qemuPackage: string;
  /** The compiler where the host is of another architecture. */
  readonly crossCompiler: string;
  readonly crossPackage: string;
  /** `process.arch` of a host whose own compiler will do. */
  readonly node: string;
  readonly options: readonly string[];
  /** Of the kernel's command line. */
  readonly parameters: string;
  /** How what the guest says comes out: see guest/out.c. */
  readonly output: (file: string) => string[];
}

const MACHINES: Readonly<Record<Arch, Machine>> = {
  amd64: {
    qemu: 'qemu-system-x86_64',
    qemuPackage: 'qemu-system-x86',
    crossCompiler: 'x86_64-linux-gnu-gcc',
    crossPackage: 'gcc-x86-64-linux-gnu',
    node: 'x64',
    options: ['-machine', 'q35', '-cpu', 'max'],
    // An emulated timer is late where the host is busy, and the kernel would take it for a broken one.
    parameters: 'console=ttyS0 no_timer_check',
    output: device,
  },
  arm64: {
    qemu: 'qemu-system-aarch64',
    qemuPackage: 'qemu-system-arm',
    crossCompiler: 'aarch64-linux-gnu-gcc',
    crossPackage: 'gcc-aarch64-linux-gnu',
    node: 'arm64',
    options: ['-machine', 'virt', '-cpu', 'cortex-a57'],
    parameters: 'console=ttyAMA0',
    output: device,
  },
  ppc64el: {
    qemu: 'qemu-system-ppc64',
    qemuPackage: 'qemu-system-ppc',
    crossCompiler: 'powerpc64le-linux-gnu-gcc',
    crossPackage: 'gcc-powerpc64le-linux-gnu',
    node: 'ppc64',
    // Emulation has none of the mitigations that the machine offers by default.
    options: ['-machine', 'pseries,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off'],
    parameters: 'console=hvc0',
    output: device,
  },
  riscv64: {
    qemu: 'qemu-system-riscv64',
    qemuPackage: 'qemu-system-misc',
    crossCompiler: 'riscv64-linux-gnu-gcc',
    crossPackage: 'gcc-riscv64-linux-gnu',
    node: 'riscv64',
    options: ['-machine', 'virt'],
    parameters: 'console=ttyS0',
    output: device,
  },
  s390x: {
    qemu: 'qemu-system-s390x',
    qemuPackage: 'qemu-system-misc',
    crossCompiler: 's390x-linux-gnu-gcc',
    crossPackage: 'gcc-s390x-linux-gnu',
    node: 's390x',
    options: ['-machine', 's390-ccw-virtio', '-cpu', 'max'],
    parameters: 'console=ttyS0',
    output: terminal,
  },
};

/** No address is moved; probes are taken away without waiting; whatever fails ends qemu instead of waiting for a key. */
const COMMAND_LINE = 'nokaslr quiet panic=-1 rcupdate.rcu_expedited=1';
const SOURCES = fileURLToPath(new URL('../../../test/boot/guest', import.meta.url));
/** What the guest can say in all. */
const SHARED_BYTES = 128 << 20;
/** `struct header` of guest/out.c: the name, 56 bytes, and the size. */
const SECTION_HEADER = 64;

export const ARCHES = Object.keys(MACHINES) as readonly Arch[];

/** What is missing on this machine, a sentence for each. */
export function missingTools(arch: Arch): string[] {
  const machine = MACHINES[arch];
  const needed = [
    [machine.qemu, machine.qemuPackage],
    compiler(arch) === 'gcc' ? ['gcc', 'gcc and libc6-dev'] : [machine.crossCompiler, machine.crossPackage],
  ] as const;
  return needed.flatMap(([program, from]) => (isInstalled(program) ? [] : [`${program} is not installed (Debian: ${from})`]));
}

function compiler(arch: Arch): string {
  return process.arch === MACHINES[arch].node ? 'gcc' : MACHINES[arch].crossCompiler;
}

/** What is asked in one boot. */
export interface Asking {
  readonly arch: Arch;
  /** The kernel's image. */
  readonly kernel: string;
  /** Lines of /ask: see guest/init.c. */
  readonly questions: readonly string[];
  /** What questions need beside the guest's program. */
  readonly files?: readonly GuestFile[];
  /** A line of the guest's console. */
  readonly onLine: (line: string) => void;
}

/** Boots the kernel with our PID 1, and gives what that said: the texts by their names. Those that are whole are given also where the guest died. */
export async function askGuest({ arch, kernel, questions, files = [], onLine }: Asking): Promise<Map<string, Buffer>> {
  const machine = MACHINES[arch];
  const folder = mkdtempSync(join(tmpdir(), 'kelf-boot-'));
  const clean = (): void => rmSync(folder, { recursive: true });
  process.once('exit', clean);
  try {
    const [archive, shared] = [join(folder, 'initramfs'), join(folder, 'shared')];
    const ask = { path: 'ask', bytes: Buffer.from(`${questions.join('\n')}\n`) };
    writeFileSync(archive, initramfs([{ path: 'init', bytes: build(arch, join(folder, 'init')) }, ask, ...files]));
    const options = [
      ...machine.options,
      ...['-accel', 'tcg', '-smp', '1', '-nodefaults', '-nic', 'none', '-display', 'none', '-no-reboot', '-m', '2G'],
      ...machine.output(shared),
      ...['-kernel', kernel, '-initrd', archive, '-append', `${machine.parameters} ${COMMAND_LINE}`],
    ];
    await run(machine.qemu, options, onLine);
    return sections(readFileSync(shared));
  } finally {
    process.off('exit', clean);
    clean();
  }
}

/** A PCI device whose memory is the file. */
function device(file: string): string[] {
  writeFileSync(file, '');
  truncateSync(file, SHARED_BYTES);
  const memory = `memory-backend-file,id=shared,share=on,mem-path=${file},size=${SHARED_BYTES}`;
  return [...['-serial', 'stdio'], ...['-object', memory, '-device', 'ivshmem-plain,memdev=shared']];
}

/** Two consoles of s390x: that of lines is the kernel's, the other writes the file. */
function terminal(file: string): string[] {
  return [
    ...['-chardev', 'stdio,id=lines', '-device', 'sclplmconsole,chardev=lines'],
    ...['-chardev', `file,id=said,path=${file}`, '-device', 'sclpconsole,chardev=said'],
  ];
}

/** The guest's PID 1. */
function build(arch: Arch, path: string): Buffer {
  const sources = readdirSync(SOURCES).filter(name => name.endsWith('.c'));
  const { status } = spawnSync(compiler(arch), ['-O2', '-Wall', '-static', '-o', path, ...sources], {
    cwd: SOURCES,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error(`${compiler(arch)} can't build the guest's program: is its static C library there?`);
  return readFileSync(path);
}

/** Runs qemu to its end, behind other work; it ends with this process. */
async function run(qemu: string, options: readonly string[], onLine: (line: string) => void): Promise<void> {
  const child = spawn(qemu, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  if (child.pid !== undefined) setPriority(child.pid, 10);
  const stop = (): void => {
    child.kill();
  };
  process.once('exit', stop);
  try {
    const ended = new Promise<number | null>((resolve, reject) => child.on('error', reject).on('close', resolve));
    for await (const line of createInterface({ input: child.stdout })) onLine(line);
    const code = await ended;
    if (code !== 0) onLine(`${qemu} ended with ${code}`);
  } finally {
    process.off('exit', stop);
  }
}

/** The sections of the shared memory that another follows: the last one of a guest that did not come to its end is cut off. */
function sections(shared: Buffer): Map<string, Buffer> {
  const found = new Map<string, Buffer>();
  let last: string | undefined;
  for (let at = 0; at + SECTION_HEADER <= shared.length && shared[at] !== 0; ) {
    last = shared.toString('latin1', at, shared.indexOf(0, at));
    const size = Number(shared.readBigUInt64LE(at + SECTION_HEADER - 8));
    found.set(last, Buffer.from(shared.subarray(at + SECTION_HEADER, at + SECTION_HEADER + size)));
    // The next one begins at a multiple of eight.
    at = (at + SECTION_HEADER + size + 7) & ~7;
  }
  if (last !== undefined) found.delete(last);
  return found;
}
