import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { arch } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { Btf } from '../../btf/btf.js';
import { HOST_LITTLE_ENDIAN } from '../../elf/words.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { parseKallsyms, parseKprobeBlacklist } from '../../kallsyms/text.js';
import { ARCHITECTURES } from '../arch/arch-of.js';
import { AreaSet } from '../facts/areas.js';
import { type KernelConfig, PROC_CONFIG, parseConfig } from '../facts/config.js';
import type { FtraceState } from '../facts/ftrace-sites.js';
import type { KprobeBlacklist } from '../facts/kprobe-blacklist.js';
import { sitesOfList } from '../facts/listed-sites.js';
import { once } from '../facts/once.js';
import type { KernelPieces } from '../facts/pieces.js';
import { type BootImage, openBootImage } from './boot-image.js';

/**
 * Why the running kernel can't be audited, or undefined if it can: `/sys/kernel/btf/vmlinux` and `/proc/kallsyms` can be read, and the
 * latter has addresses. (Without CAP_SYSLOG the kernel writes zeros for them, as kernel.kptr_restrict and kernel.perf_event_paranoid say:
 * kallsyms_show_value.)
 */
export function obstacleToRunningKernel(): string | undefined {
  for (const path of ['/sys/kernel/btf/vmlinux', '/proc/kallsyms']) {
    try {
      closeSync(openSync(path, 'r'));
    } catch (error) {
      return `${path} can't be read (${(error as NodeJS.ErrnoException).code})`;
    }
  }
  return showsAddresses('/proc/kallsyms')
    ? undefined
    : '/proc/kallsyms shows no addresses: the kernel hides them from everyone but root, and with kernel.kptr_restrict=2 from root too';
}

/** Whether an address in a file like /proc/kallsyms is not zero. Reads no further than to the first, which mostly is the first of all. */
export function showsAddresses(path: string): boolean {
  const fd = openSync(path, 'r');
  try {
    const chunk = Buffer.alloc(1 << 16);
    // Zeros and then another digit at a line's beginning are an address that is not zero, even where the chunk ends within it. One that two
    // chunks share may be missed; its neighbours are not.
    for (let before = '\n', length = 0; (length = readSync(fd, chunk)) > 0; before = '') {
      if (/\n0*[1-9a-f]/i.test(before + chunk.toString('latin1', 0, length))) return true;
    }
    return false;
  } finally {
    closeSync(fd);
  }
}

/**
 * The pieces of the running kernel: what it tells about itself under /proc and /sys, and, for what it does not tell, the file in /boot that
 * it was booted from. Each source that is missing is one of the notes.
 * @param root in front of every path
 */
export function piecesOfRunningKernel(root = ''): KernelPieces {
  const notes: string[] = [];
  const optional = (paths: readonly string[]): { path: string; bytes: Uint8Array } | undefined => {
    for (const path of paths) {
      const bytes = tryRead(root + path);
      if (bytes !== undefined && bytes.length > 0) return { path: root + path, bytes };
    }
    return undefined;
  };
  const release = once(() => tryRead(`${root}/proc/sys/kernel/osrelease`)?.toString().trim());
  const boot = once((): BootImage | undefined => {
    const version = release();
    if (version === undefined) return undefined;
    return openBootImage(root, version, tryRead(`${root}/sys/kernel/notes`), readSymbols(), line => notes.push(line));
  });
  /** What the file in /boot has instead of what can't be read, said in a line; or what is weaker without it. */
  const instead = <T>(missing: string, what: string, read: (image: BootImage) => T | undefined, weakens: string): T | undefined => {
    const image = boot();
    const found = image === undefined ? undefined : read(image);
    notes.push(`${root}${missing} can't be read: ${found === undefined ? weakens : `${what} taken from ${image!.path}`}`);
    return found;
  };
  let symbols: KernelSymbols | undefined;
  const readSymbols = (): KernelSymbols => {
    symbols ??= parseKallsyms(readFileSync(`${root}/proc/kallsyms`), `${root}/proc/kallsyms`);
    return symbols;
  };
  return {
    name: 'the running kernel',
    machine: ARCHITECTURES.find(({ node }) => node === arch())?.machine ?? 0,
    littleEndian: HOST_LITTLE_ENDIAN,
    form: ['running'],
    notes,
    symbols: readSymbols,
    imageSymbols: () => undefined,
    labels: name => readSymbols().addressOf(name),
    mcount: () => boot()?.mcount(),
    ftrace: (): FtraceState => {
      const config = liveConfig(root);
      if (config !== undefined && config.get('CONFIG_DYNAMIC_FTRACE') === undefined) return 'none';
      const addresses = optional(tracefs('available_filter_functions_addrs'));
      if (addresses !== undefined) return sitesOfList(addresses.bytes, addresses.path, readSymbols);
      const names = optional(tracefs('available_filter_functions'));
      if (names !== undefined) {
        notes.push('kelf takes ftrace sites from names alone (available_filter_functions_addrs: 6.5 and later)');
        return sitesOfList(names.bytes, names.path, readSymbols);
      }
      const weakens = 'it is unknown what ftrace can trace (as root: mount -t tracefs tracefs /sys/kernel/tracing)';
      return instead('/sys/kernel/tracing/available_filter_functions', 'ftrace sites are', image => image.ftrace(), weakens) ?? 'unknown';
    },
    blacklist: once((): KprobeBlacklist | undefined => {
      const path = '/sys/kernel/debug/kprobes/blacklist';
      const found = optional([path]);
      const weakens = 'the kernel may refuse kprobes that kelf says it accepts';
      if (found === undefined) return instead(path, 'the kprobe blacklist is', image => image.blacklist(), weakens);
      const ranges = parseKprobeBlacklist(new TextDecoder().decode(found.bytes), found.path);
      return { source: found.path, ranges: new AreaSet(ranges) };
    }),
    btf: () => ({
      btf: Btf.parse(readFileSync(`${root}/sys/kernel/btf/vmlinux`), { name: '/sys/kernel/btf/vmlinux' }),
      source: '/sys/kernel/btf/vmlinux',
    }),
    config: once(() => liveConfig(root)),
    banner: () => tryRead(`${root}/proc/version`)?.toString().trimEnd() ?? boot()?.banner(),
    close: () => {},
  };
}

function tracefs(name: string): string[] {
  return [`/sys/kernel/tracing/${name}`, `/sys/kernel/debug/tracing/${name}`];
}

function liveConfig(root: string): KernelConfig | undefined {
  const packed = tryRead(root + PROC_CONFIG);
  if (packed !== undefined) return parseConfig(gunzipSync(packed).toString(), PROC_CONFIG);
  const release = tryRead(`${root}/proc/sys/kernel/osrelease`)?.toString().trim();
  const path = `${root}/boot/config-${release}`;
  const text = release === undefined || !existsSync(path) ? undefined : tryRead(path);
  return text === undefined ? undefined : parseConfig(text.toString(), path);
}

function tryRead(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}
