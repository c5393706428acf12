import { existsSync } from 'node:fs';
import { isFormatError } from '../../elf/errors.js';
import { buildId, readNotes } from '../../elf/note.js';
import { HOST_LITTLE_ENDIAN, Words } from '../../elf/words.js';
import type { KernelSymbols } from '../../kallsyms/symbols.js';
import { InputError, MissingError } from '../errors.js';
import { AreaSet } from '../facts/areas.js';
import type { FtraceState } from '../facts/ftrace-sites.js';
import type { KprobeBlacklist } from '../facts/kprobe-blacklist.js';
import type { McountTable } from '../facts/mcount.js';
import { piecesOfImage } from '../facts/pieces-of-image.js';
import { openKernelImage } from '../image/unwrap.js';
import { openSource } from './source.js';

/** What the file that was booted tells about the running kernel, at the addresses where that runs. */
export interface BootImage {
  readonly path: string;
  ftrace(): FtraceState;
  blacklist(): KprobeBlacklist | undefined;
  mcount(): McountTable | undefined;
  banner(): string | undefined;
}

/** Where distributions keep it. */
const PATHS: readonly string[] = ['/boot/vmlinuz-', '/boot/Image-', '/boot/vmlinux-'];

/**
 * Opens `/boot/vmlinuz-RELEASE`. It is the running kernel's if the build ids are the same, or, where the kernel shows none
 * (/sys/kernel/notes), the releases. What it was linked with moves as a whole when the kernel is placed at random (KASLR): by how much,
 * `_stext` tells.
 * @param root in front of every path
 * @param refused called with the reason why an existing file can't be used
 */
export function openBootImage(
  root: string,
  release: string,
  notes: Uint8Array | undefined,
  symbols: KernelSymbols,
  refused: (line: string) => void,
): BootImage | undefined {
  const path = [...PATHS.map(path => `${root}${path}${release}`), `${root}/lib/modules/${release}/vmlinuz`].find(path => existsSync(path));
  if (path === undefined) return undefined;
  try {
    const { file, form } = openKernelImage(openSource(path));
    const pieces = piecesOfImage(file, { form });
    const running = notes === undefined ? undefined : buildId(readNotes(notes, HOST_LITTLE_ENDIAN, 4, '/sys/kernel/notes', () => {}));
    const ids = [running, file.buildId];
    const same = ids.includes(undefined) ? pieces.banner()?.split(' ')[2] === release : ids[0] === ids[1];
    if (!same) {
      refused(`${path} is from a different build than the running kernel: kelf does not read it`);
      return undefined;
    }
    const [linked, runs] = [pieces.symbols().addressOf('_stext'), symbols.addressOf('_stext')];
    if (linked === undefined || runs === undefined) return undefined;
    const distance = runs - linked;
    return {
      path,
      ftrace: () => movedSites(pieces.ftrace(), distance, path),
      blacklist: () => {
        const found = pieces.blacklist();
        const areas = found?.ranges.areas.map(({ name, from, to }) => ({ name, from: from + distance, to: to + distance }));
        return areas === undefined ? undefined : { source: `${path}: _kprobe_blacklist`, ranges: new AreaSet(areas) };
      },
      mcount: () => {
        const table = pieces.mcount();
        if (table === undefined) return undefined;
        return { ...table, start: table.start + distance, stop: table.stop + distance, relocated: moved(table.relocated, distance) };
      },
      banner: () => pieces.banner(),
    };
  } catch (error) {
    if (!isFormatError(error) && !(error instanceof MissingError) && !(error instanceof InputError)) throw error;
    refused(error.message);
    return undefined;
  }
}

/** Zeros stay: they are no addresses. */
function moved(words: Words, distance: bigint): Words {
  const result = new Words(words.length);
  for (let i = 0; i < words.length; i++) result.big[i] = words.big[i] === 0n ? 0n : words.big[i]! + distance;
  return result;
}

function movedSites(sites: FtraceState, distance: bigint, path: string): FtraceState {
  return typeof sites === 'string' ? sites : { source: `${path}: ${sites.source}`, ip: moved(sites.ip, distance) };
}
