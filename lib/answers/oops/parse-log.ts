/** A place that a line of a log names. */
export interface LogPlace {
  /** `do_exit+0x1c/0xb90`, or `0xffffffff8134a38b` where the line has an address alone. */
  readonly query: string;
  readonly name?: string;
  readonly offset?: number;
  readonly size?: number;
  /** `[xfs]` behind it. */
  readonly module?: string;
  /** `[xfs 2dd1f0…]`: CONFIG_STACKTRACE_BUILD_ID prints the module's build id. */
  readonly moduleBuildId?: string;
  /** `? ` in front, or `(unreliable)` behind: found on the stack, perhaps of an earlier call. */
  readonly unreliable?: true;
}

/** Longer names than KSYM_NAME_LEN (include/linux/kallsyms.h) are of no symbol. */
const LONGEST_NAME = 512;
const NAME = /^[\w.$]$/;
const HEX = /^[0-9a-f]$/i;

/**
 * The places of a line: `NAME+0x1c/0x20` as sprint_symbol() prints it (kernel/kallsyms.c), whatever the architecture writes around it; without
 * one, the bare address. Reads each character a bounded number of times.
 */
export function placesOf(line: string): LogPlace[] {
  const places: LogPlace[] = [];
  let from = 0;
  for (let plus = line.indexOf('+0x'); plus >= 0; plus = line.indexOf('+0x', plus + 3)) {
    const start = beginOfName(line, plus, from);
    const slash = endOfHex(line, plus + 3);
    const end = line.startsWith('/0x', slash) ? endOfHex(line, slash + 3) : slash;
    if (start === plus || slash === plus + 3 || end <= slash + 3) continue;
    const offset = Number.parseInt(line.slice(plus + 3, slash), 16);
    const size = Number.parseInt(line.slice(slash + 3, end), 16);
    const unreliable = line.startsWith('? ', start - 2) || line.startsWith(' (unreliable)', end);
    places.push({
      query: line.slice(start, end),
      name: line.slice(start, plus),
      offset,
      size,
      ...moduleBehind(line, end),
      ...(unreliable ? { unreliable } : {}),
    });
    from = end;
  }
  return places.length > 0 ? places : bareAddress(line);
}

function beginOfName(line: string, end: number, from: number): number {
  let start = end;
  while (start > from && end - start < LONGEST_NAME && NAME.test(line[start - 1]!)) start--;
  return start;
}

function endOfHex(line: string, from: number): number {
  let end = from;
  while (end < line.length && end - from <= 16 && HEX.test(line[end]!)) end++;
  return end;
}

/** ` [xfs]`, ` [xfs 2dd1f0…]`, ` [xfs(O)]`; `[<address>]` begins with what no name has. */
function moduleBehind(line: string, end: number): Pick<LogPlace, 'module' | 'moduleBuildId'> {
  if (!line.startsWith(' [', end)) return {};
  // Of a line without `]`, no more than that of each place.
  const [inside, more] = line.slice(end + 2, end + 2 * LONGEST_NAME).split(']', 2);
  if (more === undefined) return {};
  const [name = '', buildId] = inside!.split(' ');
  const module = name.replace(/\([A-Z+-]*\)$/, '');
  if (!/^[\w-]+$/.test(module)) return {};
  return { module, ...(buildId !== undefined && /^[0-9a-f]{16,64}$/.test(buildId) ? { moduleBuildId: buildId } : {}) };
}

/** What stands in front of an address of kernel code. RIP of code segment 0x33 is that of a process. */
const IN_FRONT = ['RIP: 0010:', 'pc : ', 'lr : ', 'epc : ', ' ra : ', 'PC is at ', 'LR is at '];

/** An address without a name: `[<ffffffff8134a38b>]`, `RIP: 0010:0xffffffff8134a38b`, `pc : 0xffff800080010000`, or alone in its line. */
function bareAddress(line: string): LogPlace[] {
  const bracket = line.indexOf('[<');
  const starts = [bracket < 0 ? -1 : bracket + 2, ...IN_FRONT.map(text => behind(line, text)), aloneAt(line)];
  const found = new Set<string>();
  for (const start of starts) {
    if (start < 0) continue;
    const digits = start + (line.startsWith('0x', start) ? 2 : 0);
    const end = endOfHex(line, digits);
    if (end - digits === 8 || end - digits === 16) found.add(`0x${line.slice(digits, end)}`);
  }
  return [...found].map(query => ({ query }));
}

function behind(line: string, text: string): number {
  const at = line.indexOf(text);
  return at < 0 ? -1 : at + text.length;
}

/** Where the last word of a line of a trace begins, if it is an address behind a blank, a question mark or the time. */
function aloneAt(line: string): number {
  const text = line.trimEnd();
  const start = text.lastIndexOf(' ') + 1;
  const before = text.slice(0, start).trimEnd().at(-1);
  return text.startsWith('0x', start) && (before === undefined || before === ']' || before === '?') ? start : -1;
}

/** What a log says of the kernel that wrote it. */
export interface LogKernel {
  /** How far KASLR moved it: "Kernel Offset:" of a panic, KERNELOFFSET of vmcoreinfo. Several where the log has several boots. */
  readonly offsets: readonly bigint[];
  readonly buildIds: readonly string[];
  readonly releases: readonly string[];
}

export function kernelOfLog(lines: readonly string[]): LogKernel {
  const offsets = new Set<bigint>();
  const buildIds = new Set<string>();
  const releases = new Set<string>();
  for (const line of lines) {
    const offset = hexBehind(line, 'Kernel Offset: 0x') ?? hexBehind(line, 'KERNELOFFSET=');
    if (offset !== undefined) offsets.add(BigInt(`0x${offset}`));
    else if (line.includes('Kernel Offset: disabled')) offsets.add(0n);
    const at = behind(line, 'BUILD-ID=');
    // dump_stack_print_info() (lib/dump_stack.c) ends its line with the id under CONFIG_STACKTRACE_BUILD_ID.
    const id = at >= 0 ? line.slice(at).trim() : line.includes('Comm: ') ? line.trimEnd().slice(line.trimEnd().lastIndexOf(' ') + 1) : '';
    if (/^[0-9a-f]{40}$/.test(id)) buildIds.add(id);
    const release = releaseOf(line);
    if (release !== undefined) releases.add(release);
  }
  return { offsets: [...offsets], buildIds: [...buildIds], releases: [...releases] };
}

/** `Linux version 6.1.0-56-amd64 (…`, the first line of a log; `Comm: init Tainted: G W 6.1.0-56-amd64 #1 Debian …` of a trace. */
function releaseOf(line: string): string | undefined {
  const banner = behind(line, 'Linux version ');
  if (banner >= 0) return firstWord(line.slice(banner, banner + LONGEST_RELEASE));
  const tainted = line.indexOf('ainted', Math.max(0, line.indexOf('Comm: ')));
  const number = tainted < 0 || !line.includes('Comm: ') ? -1 : line.indexOf(' #', tainted);
  const before = number < 0 ? '' : line.slice(Math.max(0, number - LONGEST_RELEASE), number).trimEnd();
  return firstWord(before.slice(before.lastIndexOf(' ') + 1));
}

/** __NEW_UTS_LEN (include/uapi/linux/utsname.h), and some room. */
const LONGEST_RELEASE = 80;

function firstWord(text: string): string | undefined {
  const word = text.split(' ', 1)[0]!;
  return /^[0-9]+\.[0-9]+[-+.\w~]*$/.test(word) ? word : undefined;
}

function hexBehind(line: string, text: string): string | undefined {
  const at = behind(line, text);
  const digits = at < 0 ? '' : line.slice(at, endOfHex(line, at));
  return digits === '' || digits.length > 16 ? undefined : digits;
}
