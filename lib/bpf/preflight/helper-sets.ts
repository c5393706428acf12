import type { SectionDefinition } from '../names/section-names.js';

// Which helpers the verifier lets each kind of program call: the *_func_proto() functions of the kernel, as the verifiers of booted kernels
// answered for every helper (test/boot/helpers.c, and helper-sets.ts there, which makes the table).

/** What the verifier says to the call of a helper. */
export interface HelperRule {
  /**
   * `sleeps`: it may sleep, which the program must not. `target`: the function or hook that the program is loaded for decides. `unknown`:
   * the releases on either side that were asked differ, or none that is near was asked.
   */
  readonly answer: 'yes' | 'no' | 'sleeps' | 'target' | 'unknown';
  /** True where only programs under the GPL may call it. */
  readonly gplOnly: boolean;
  /** The releases that the answer rests on: `6.1`, `6.1 and 6.12`. */
  readonly releases: string;
}

/** The releases that were asked: Debian's kernels for clouds, on amd64. */
const ASKED = ['5.10', '6.1', '6.12', '6.16', '6.18', '6.19', '7.1', '7.3'];

/**
 * Kinds of program, as type:attach type, with `.s` for those that may sleep, and what they build on; then, for each release that brought a
 * change, numbers of enum bpf_func_id, with `-` for what is gone. Marks: `g` for the GPL only, `s` where it may sleep and the program must
 * not, `t` where the target decides. What a configuration leaves out is not told apart here: see helper-built.ts.
 */
const TABLE = `
base -
  5.10 1-3 5 6g 7-8 12 35g 42 87-89 112-115g 118 125 130-134 149 153-154
  6.1 93-94 105-106 158g 164 165g 169-172g 175g 177g 181-182 194-195 197-203 208-209
  6.12 14 80 120 123 210-211
  6.16 15-17 22g 37 55g 109 117 141 156-157 176g 180
traced base
  5.10 4g 14-16 22g 25g 36g 37 45g 55g 67g 80 109 117 120 141
  6.1 123 156-157 176g 180
socket_filter base
  5.10 25g 26 46-47 68 93-94 136-140
  6.1 160 178 196
  6.16 122 148s 191sg
kprobe tracepoint traced
  5.10 27g
  6.1 148s 173g 174 191sg
kprobe:TRACE_KPROBE_MULTI traced
  5.10 27g
  6.1 148s 173-174 191sg
kprobe:TRACE_KPROBE_SESSION kprobe:TRACE_UPROBE_MULTI traced
  5.10 27g
  6.1 148s 173g 174 191sg
  6.12 173
kprobe:TRACE_UPROBE_SESSION traced
  5.10 27g
  6.1 148s 173g 174 191sg
  6.16 173
sched_cls sched_act base
  5.10 9-11 13 17-21 23-24 25g 26 28-34 38-41 43 46-48 50 66 68 69g 79 83-86 93-99 100g 107-108 110g 124 135-140 151-152 155
  6.1 160 163g 178 192 196 204-207g
  6.16 122 148s 191sg
xdp xdp:none xdp:XDP_DEVMAP xdp:XDP_CPUMAP base
  5.10 23 25g 28 44 51 54 65 69g 84-86 93-94 99 100g 110g 136-140
  6.1 160 163g 178 188-190 196 204-207g
  6.16 148s 191sg
perf_event traced
  5.10 27 56g 119g
  6.1 148s 173g 174 191sg
cgroup_skb cgroup_skb:CGROUP_INET_EGRESS base
  5.10 25g 26 46-47 68 79 81 83-86 93-99 107-108 128-129 136-140
  6.1 160 178 196
  6.16 122 148s 191sg
cgroup_sock:CGROUP_INET_SOCK_CREATE base
  5.10 14-17 25g 46 80-81 93-94 107 122-123
  6.1 160 186-187
  6.12 37
  6.16 148s 191sg
  6.19 49 57
cgroup_sock:CGROUP_INET_SOCK_RELEASE cgroup_sock:CGROUP_INET4_POST_BIND cgroup_sock:CGROUP_INET6_POST_BIND base
  5.10 14-17 25g 46 80-81 93-94 107 122-123
  6.1 160 186-187
  6.12 37
  6.16 148s 191sg
lwt_in base
  5.10 17 24 25g 26 28 33-34 39 73 93-94 136-140
  6.1 160 178 196
  6.16 148s 191sg
lwt_out base
  5.10 17 24 25g 26 28 33-34 39 93-94 136-140
  6.1 160 178 196
  6.16 148s 191sg
lwt_xmit base
  5.10 9-11 13 17 20-21 23-24 25g 26 28-30 33-34 38-41 43 73 93-94 135-140
  6.1 160 178 196
  6.16 148s 191sg
lwt_seg6local base
  5.10 17 24 25g 26 28 33-34 39 74-76 93-94 136-140
  6.1 -39 160 178 196
  6.16 39 148s 191sg
  7.3 -39
sock_ops base
  5.10 25g 46 49 53 57 59 70 81 93-94 96 107-108 136-140 142-144
  6.1 122 160 178 196
  6.16 148s 191sg
sk_skb sk_skb:SK_SKB_STREAM_VERDICT base
  5.10 9 25g 26 38-39 43 46-47 50 52 72 84-86 93-94 99 136-140
  6.1 160 178 196
  6.16 148s 191sg
cgroup_device base
  5.10 15 25g 80-81 93-94
  6.1 14 16-17 123 186-187
  6.12 37
  6.16 148s 191sg
sk_msg base
  5.10 14-15 17 25g 60-63 71 80 90-91 93-94 107-108 123 136-140
  6.1 122 160 178 196
  6.16 148s 191sg
raw_tracepoint raw_tracepoint_writable traced
  5.10 27g
  6.1 148s 173g 191sg
  6.12 174
cgroup_sock_addr:CGROUP_INET4_BIND cgroup_sock_addr:CGROUP_INET6_BIND cgroup_sock_addr:CGROUP_UDP4_SENDMSG cgroup_sock_addr:CGROUP_UDP6_SENDMSG base
  5.10 14-17 25g 46 80-81 84-86 93-94 99 107-108 122-123 136-140
  6.1 49 57 160 178 186-187 196
  6.12 37
  6.16 148s 191sg
cgroup_sock_addr:CGROUP_INET4_CONNECT cgroup_sock_addr:CGROUP_INET6_CONNECT base
  5.10 14-17 25g 46 49 57 64 80-81 84-86 93-94 99 107-108 122-123 136-140
  6.1 160 178 186-187 196
  6.12 37
  6.16 148s 191sg
cgroup_sock_addr:CGROUP_UDP4_RECVMSG cgroup_sock_addr:CGROUP_UDP6_RECVMSG cgroup_sock_addr:CGROUP_INET4_GETPEERNAME cgroup_sock_addr:CGROUP_INET6_GETPEERNAME cgroup_sock_addr:CGROUP_INET4_GETSOCKNAME cgroup_sock_addr:CGROUP_INET6_GETSOCKNAME base
  5.10 14-17 25g 46 80-81 84-86 93-94 99 107-108 122-123 136-140
  6.1 49 57 160 178 196
  6.12 37
  6.16 148s 191sg
sk_reuseport sk_reuseport:SK_REUSEPORT_SELECT_OR_MIGRATE base
  5.10 26 68 82 93-94
  6.1 46 160
  6.16 148s 191sg
flow_dissector base
  5.10 26 93-94 136-140
  6.1 160 178 196
  6.16 148s 191sg
cgroup_sysctl base
  5.10 15 25g 80-81 93-94 101-106
  6.1 14 16-17 123 160 186-187
  6.12 37
  6.16 148s 191sg
cgroup_sockopt:CGROUP_GETSOCKOPT base
  5.10 15 25g 80-81 93-94 96 107-108
  6.1 14 16-17 122-123 186-187
  6.12 37
  6.16 148s 191sg
cgroup_sockopt:CGROUP_SETSOCKOPT base
  5.10 15 25g 80-81 93-94 96 107-108
  6.1 14 16-17 49 57 122-123 186-187
  6.12 37
  6.16 148s 191sg
tracing:TRACE_RAW_TP traced
  5.10 27g 111g 121g 136-140 147t
  6.1 46 107-108 148s 162 173g 178 188 191sg 196
  6.12 174
  7.1 183 185
tracing:TRACE_FENTRY tracing:TRACE_FEXIT traced
  5.10 27g 111g 121g 136-140 147t
  6.1 46 107-108 148s 162 173g 174 178 183-185 188 191sg 196
tracing:MODIFY_RETURN traced
  5.10 27g 111g 121g 136-140 147t
  6.1 46 107-108t 148s 162 173g 174 178 183-185 188 191sg 196
tracing:TRACE_ITER traced
  5.10 27g 49t 57t 111g 121g 126-127g 136-140 147t 150g
  6.1 46 107-108 147 148s 162 173g 178 188 191sg 196
tracing:TRACE_ITER.s traced
  5.10 27g 49t 57t 111g 121g 126-127g 136-140 147t 148 150g
  6.1 46 107-108 147 162 173g 178 188 191g 196
lsm:LSM_MAC traced
  5.10 4 6 22 25 27 35-36 45 55 67 107-108 111-115 121 136-140 145-146 147t
  6.1 46 148s 158-159 161t 162 165 169-178 183-185 188 191s 193t 196
sk_lookup base
  5.10 25g 86 93-94 124 136-140
  6.1 160 178 196
  6.16 148s 191sg
struct_ops@tcp_congestion_ops base
  5.10 6 35 93-94 107-108 112-116
  6.1 49 57 158 160 165 169-172 175 177
  6.16 22 55 148s 176 191s
kprobe.s traced
  6.1 27g 148 173g 174 191g
kprobe:TRACE_UPROBE_MULTI.s traced
  6.1 27g 148 173g 174 191g
  6.12 173
lsm:LSM_MAC.s traced
  6.1 4 6 22 25 27 35-36 45-46 55 67 107-108 111-115 121 136-140 145-146 147t 148 158-159 161t 162 165 169-178 183-185 188 191 193t 196
lsm:LSM_CGROUP traced
  6.1 4 6 22 25 27 35-36 45-46 49t 55 57t 67 81 107-108 111-115 121 136-140 145-146 147t 148s 158-159 161t 162 165 169-173 175-178 186-188 191s 193t 196
syscall traced
  6.1 27g 46 107-108t 111g 121g 136-140 147t 148 162 166-168 173g 178-179 188 191g 196
cgroup_sock_addr:CGROUP_UNIX_CONNECT cgroup_sock_addr:CGROUP_UNIX_SENDMSG base
  6.12 15-17 25g 37 46 49 57 81 84-86 99 107-108 122 136-140 160 178 186-187 196
  6.16 148s 191sg
cgroup_sock_addr:CGROUP_UNIX_RECVMSG base
  6.12 15-17 25g 37 46 49 57 81 84-86 99 107-108 122 136-140 160 178 196
  6.16 148s 191sg
cgroup_sock_addr:CGROUP_UNIX_GETPEERNAME cgroup_sock_addr:CGROUP_UNIX_GETSOCKNAME base
  6.12 15-17 25g 37 46 81 84-86 99 107-108 122 136-140 160 178 196
  6.16 49 57 148s 191sg
  7.3 -49 -57
netfilter base
  6.12
  6.16 148s 191sg
tracing:TRACE_FSESSION traced
  7.1 27g 46 107-108 111g 121g 136-140 147t 148s 162 173g 174 178 183-185 188 191sg 196
`;

/** By kind, then by the place of the release in ASKED: marks by number. Undefined where the kind could not be loaded. */
type Sets = ReadonlyMap<string, readonly (ReadonlyMap<number, string> | undefined)[]>;

const SETS: Sets = readTable();

function readTable(): Sets {
  const sets = new Map<string, (ReadonlyMap<number, string> | undefined)[]>();
  for (const part of TABLE.trim().split(/\n(?! )/)) {
    const [head, ...lines] = part.split('\n');
    const names = head!.split(' ');
    const parent = sets.get(names.pop()!);
    const changes = new Map(lines.map(line => line.trim().split(' ')).map(([release, ...tokens]) => [release!, tokens]));
    const own = new Map<number, string>();
    let known = false;
    const rows = ASKED.map((release, i) => {
      const tokens = changes.get(release);
      known ||= tokens !== undefined;
      for (const token of tokens ?? []) apply(own, token);
      return known ? new Map([...(parent?.[i] ?? []), ...own]) : undefined;
    });
    for (const name of names) sets.set(name, rows);
  }
  return sets;
}

/** `12`, `112-115g`, `-39`. */
function apply(set: Map<number, string>, token: string): void {
  const [, gone, from, to, marks] = /^(-?)(\d+)(?:-(\d+))?([a-z]*)$/.exec(token)!;
  for (let id = Number(from); id <= Number(to ?? from); id++) {
    if (gone === '-') set.delete(id);
    else set.set(id, marks!);
  }
}

/** The rule for a helper in programs of a section, on a release. @param release undefined where it is not known */
export function helperRule(definition: SectionDefinition, id: number, release: string | undefined): HelperRule {
  const asked = rowsOf(definition);
  if (asked === undefined) return ofAnyType(id, release);
  const { rows, sleepable } = asked;
  const all = rows.flatMap((row, i) => (row === undefined ? [] : [{ release: ASKED[i]!, marks: row.get(id) }]));
  // Where a later release took it away, stable ones may have too.
  const isGone = all.some(({ marks }, i) => marks === undefined && i > 0 && all[i - 1]!.marks !== undefined);
  const near = neighbours(all, release);
  const releases = near.map(each => each.release).join(' and ');
  const [first, ...rest] = near;
  const isNewer = release !== undefined && near.length === 1 && compare(release, first!.release) > 0;
  if (first === undefined || isGone || rest.some(({ marks }) => marks !== first.marks) || (isNewer && first.marks === undefined))
    return { answer: 'unknown', gplOnly: false, releases };
  const { marks } = first;
  const answer = marks === undefined ? 'no' : marks.includes('t') ? 'target' : marks.includes('s') && !sleepable ? 'sleeps' : 'yes';
  return { answer, gplOnly: marks?.includes('g') === true, releases };
}

/** Whether programs of a kind that was asked about could be loaded on the last release that was asked up to one; true of others. */
export function isLoaded(kind: string, release: string | undefined): boolean {
  const before = release === undefined ? -1 : ASKED.findLastIndex(asked => compare(asked, release) <= 0);
  const rows = SETS.get(kind);
  return rows === undefined || before < 0 || rows[before] !== undefined;
}

/** struct_ops and freplace: their target has a set of its own, in which what all have is sure to be. */
function ofAnyType(id: number, release: string | undefined): HelperRule {
  const all = SETS.get('base')!.map((row, i) => ({ release: ASKED[i]!, marks: row!.get(id) }));
  const near = neighbours(all, release);
  const has = near.length > 0 && near.every(({ marks }) => marks !== undefined && !marks.includes('s'));
  return { answer: has ? 'yes' : 'unknown', gplOnly: false, releases: near.map(each => each.release).join(' and ') };
}

function rowsOf(
  definition: SectionDefinition,
): { readonly rows: NonNullable<ReturnType<Sets['get']>>; readonly sleepable: boolean } | undefined {
  const rows = SETS.get(helperKind(definition));
  return rows === undefined ? undefined : { rows, sleepable: definition.sleepable };
}

/** The kind of program whose helpers the programs of a section have: `kprobe`, `kprobe:TRACE_KPROBE_MULTI`, `lsm:LSM_MAC.s`. */
export function helperKind({ type, attachType, sleepable }: SectionDefinition): string {
  const kinds = attachType === undefined ? [type] : [`${type}:${attachType}`, type];
  return [...(sleepable ? kinds.map(kind => `${kind}.s`) : []), ...kinds].find(kind => SETS.has(kind)) ?? type;
}

interface Asked {
  readonly release: string;
  readonly marks: string | undefined;
}

/** The last release that was asked up to one, and the first from it on; all where it is unknown. */
function neighbours(all: readonly Asked[], release: string | undefined): Asked[] {
  if (release === undefined) return [...all];
  const before = all.findLast(each => compare(each.release, release) <= 0);
  const after = all.find(each => compare(each.release, release) >= 0);
  return [...new Set([before, after])].filter(each => each !== undefined);
}

/** By major and minor number. */
function compare(a: string, b: string): number {
  const [majorA = 0, minorA = 0] = a.split('.').map(part => Number.parseInt(part, 10));
  const [majorB = 0, minorB = 0] = b.split('.').map(part => Number.parseInt(part, 10));
  return majorA - majorB || minorA - minorB;
}
