import type { CoreKind } from '../../../btf/core-spec.js';
import { SHF, STB, STT } from '../../../elf/constants.js';
import type { ElfSymbol } from '../../../elf/symbol.js';
import { CALL, INSN_BYTES, OPCODE } from '../code/insn.js';
import { SECTION_DEFINITIONS, type SectionDefinition, type SectionMeaning } from '../names/section-names.js';
import type { BpfRefusal } from '../object/bpf-file.js';
import type { BpfMap } from '../object/maps.js';
import type { BpfObject } from '../object/object.js';
import type { BpfProgram } from '../object/programs.js';

/** What loads an object: their rules differ before the kernel sees anything. */
export interface Loader {
  /** As `--loader` names it. */
  readonly name: 'libbpf' | 'cilium' | 'aya';
  /** As messages name it. */
  readonly title: string;
  /** What it refuses, of the object as a whole. */
  refusals(object: BpfObject): readonly BpfRefusal[];
  /** What a program's section means to it. */
  meaning(program: BpfProgram): SectionMeaning;
  /** The license that the kernel is handed. */
  license(object: BpfObject): string | undefined;
  /** A map as the kernel is asked for it. */
  filled(map: BpfMap): BpfMap;
  /** Whether it makes the maps of the old section `maps`. */
  readonly makesLegacyMaps: boolean;
  /** Kinds of CO-RE relocations that it does not know: it then refuses the object. */
  readonly unknownCore: readonly CoreKind[];
}

export const LIBBPF: Loader = {
  name: 'libbpf',
  title: 'libbpf',
  refusals: object => [
    ...object.refusals,
    ...object.maps.flatMap(({ name, refusal }): BpfRefusal[] =>
      refusal === undefined ? [] : [{ part: `map ${name}`, says: refusal, errno: 'EOPNOTSUPP' }],
    ),
  ],
  meaning: ({ meaning }) => meaning,
  license: ({ license }) => license,
  filled: map => map,
  makesLegacyMaps: false,
  unknownCore: [],
};

/** cilium/ebpf, as of 0.22: elf_reader.go, map.go. */
const CILIUM: Loader = {
  name: 'cilium',
  title: 'cilium/ebpf',
  refusals: object => refusalsOfCilium(object),
  meaning: ({ section, meaning }) => ({ ...meaning, ...byPrefix(section.replace(/^\?/, '')) }),
  license: ({ license }) => license,
  filled: map => filledByCilium(map),
  makesLegacyMaps: true,
  unknownCore: [],
};

/** aya, as of aya-obj 0.2 in 2026: obj.rs, bpf.rs. */
const AYA: Loader = {
  name: 'aya',
  title: 'aya',
  refusals: object => refusalsOfAya(object),
  meaning: ({ meaning }) => meaning,
  license: object => (object.elf.section('license') === undefined ? 'GPL' : object.license),
  // libbpf's rule for perf_event_array is one of map-rules.ts; aya has it too.
  filled: map => map,
  makesLegacyMaps: true,
  // RelocationKind of aya-obj has the twelve that there were before BPF_CORE_TYPE_MATCHES.
  unknownCore: ['type_matches'],
};

export const LOADERS: readonly Loader[] = [LIBBPF, CILIUM, AYA];

/** matchSectionName(): names without `+` match whatever goes on from them, as `xdp_prog`. */
function byPrefix(section: string): Pick<SectionMeaning, 'definition' | 'target'> {
  const exact = SECTION_DEFINITIONS.get(section);
  if (exact !== undefined) return { definition: exact, target: undefined };
  const slash = section.indexOf('/');
  const head = slash < 0 ? section : section.slice(0, slash);
  const withTarget = SECTION_DEFINITIONS.get(head);
  if (withTarget?.takesTarget === true) return { definition: withTarget, target: slash < 0 ? undefined : section.slice(slash + 1) };
  const prefixes = [...SECTION_DEFINITIONS.values()].filter(({ name, takesTarget }) => !takesTarget && section.startsWith(name));
  const definition = prefixes.reduce<SectionDefinition | undefined>(
    (best, each) => (best === undefined || each.name.length > best.name.length ? each : best),
    undefined,
  );
  return { definition, target: undefined };
}

/** MapSpec.fixupMagicFields() */
function filledByCilium(map: BpfMap): BpfMap {
  switch (map.typeName) {
    case 'array_of_maps':
    case 'hash_of_maps':
      return {
        ...map,
        valueSize: map.valueSize === 0 ? 4 : map.valueSize,
        ...(map.inner === undefined ? {} : { inner: filledByCilium(map.inner) }),
      };
    case 'perf_event_array':
      return { ...map, keySize: map.keySize === 0 ? 4 : map.keySize, valueSize: map.valueSize === 0 ? 4 : map.valueSize };
    case 'cpumap':
      // The number of processors.
      return { ...map, maxEntries: Math.max(map.maxEntries, 1) };
    default:
      return map;
  }
}

/** Sections that elfCode knows: LoadCollectionSpecFromReader(). */
const DATA_OF_CILIUM = /^(\.bss$|\.data|\.rodata)/;

function refusalsOfCilium(object: BpfObject): BpfRefusal[] {
  const { elf, symbols, functions } = object;
  const refusals = new Map<string, BpfRefusal>();
  const refuse = (part: string, says: string): void => void refusals.set(`${part}: ${says}`, { part, says });
  if (elf.section('.struct_ops') !== undefined) refuse('.struct_ops', 'only .struct_ops.link is supported');
  for (const { name, section, typed } of functions)
    if (!typed) refuse(section, `no instructions found for symbol ${name}: it has no size (taken before 0.21)`);
  const kept = new Map(elf.sections.map(section => [section.index, kindForCilium(section)]));
  for (const { section, sectionIndex, offset, symbol, symbolIndex, meaning } of object.relocations) {
    if (kept.get(sectionIndex) === undefined) continue;
    const row = symbols[symbolIndex];
    const kind = row === undefined || row.sectionIndex === 0 ? 'undefined' : kept.get(row.sectionIndex);
    const isCall = meaning.kind === 'extern' && meaning.call;
    if (isCall && meaning.extern === undefined) refuse(section, `unsatisfied program reference: ${symbol}`);
    if (row === undefined || kind === undefined) refuse(section, `reference to ${symbol} in a section that is not supported`);
    else if ((elf.sections[sectionIndex]!.flags & SHF.EXECINSTR) !== 0) {
      const says = ofCode(object, sectionIndex, offset, kind, row);
      if (says !== undefined) refuse(section, `${says}: ${symbol}`);
    } else if (meaning.kind === 'unknown' && section === '.maps') refuse(section, meaning.reason);
  }
  const unsized = new Set(symbols.filter(({ size }) => size === 0n).map(({ name }) => name));
  for (const { name, section, origin } of object.maps)
    if (origin === 'legacy' && unsized.has(name)) refuse(section, `map ${name}: missing type (its symbol has no size)`);
  return [...refusals.values()];
}

const SHT_PROGBITS = 1;

type KindForCilium = 'map' | 'data' | 'program' | 'struct_ops' | 'undefined';

function kindForCilium({ name, type, size, flags }: BpfObject['elf']['sections'][number]): KindForCilium | undefined {
  if (/^(license|version)/.test(name)) return undefined;
  if (name.startsWith('maps') || name === '.maps') return 'map';
  if (DATA_OF_CILIUM.test(name)) return 'data';
  if (type !== SHT_PROGBITS || size === 0) return undefined;
  if ((flags & SHF.EXECINSTR) !== 0) return 'program';
  return name === '.struct_ops.link' ? 'struct_ops' : undefined;
}

/** elfCode.relocateInstruction() */
function ofCode(
  object: BpfObject,
  sectionIndex: number,
  offset: number,
  kind: KindForCilium,
  { binding, type }: ElfSymbol,
): string | undefined {
  const index = offset / INSN_BYTES;
  const code = object.attempt('code', () => object.instructions(sectionIndex));
  if (code === undefined || !Number.isInteger(index) || index >= code.count) return undefined;
  const isCall = code.code[index] === OPCODE.CALL;
  if (kind === 'map') return binding === STB.GLOBAL ? undefined : binding === STB.LOCAL ? 'a static map' : 'a weak map';
  if (kind === 'data') return type === STT.NOTYPE && binding !== STB.LOCAL ? 'data whose symbol has no type' : undefined;
  if (kind !== 'program') return undefined;
  if (isCall && code.src[index] !== CALL.SUBPROGRAM) return 'the call is not that of a subprogram';
  if (!isCall && code.code[index] !== OPCODE.LD_IMM64) return 'neither a call nor a load instruction';
  if (type === STT.SECTION || binding === STB.GLOBAL) return undefined;
  return isCall && binding === STB.WEAK ? undefined : 'a function that is not global, by its own symbol';
}

/** EbpfSectionKind::from_name() and ProgramSection::from_str() of aya-obj. */
function refusalsOfAya(object: BpfObject): BpfRefusal[] {
  const programs = object.elf.sections.filter(
    ({ name, flags, size }) =>
      (flags & SHF.EXECINSTR) !== 0 && size > 0 && !/^(license|version|maps|\.maps|\.text|\.bss|\.data|\.rodata)/.test(name),
  );
  return programs
    .filter(({ name }) => !AYA_SECTION.test(name))
    .map(({ name }): BpfRefusal => ({ part: name, says: 'invalid program section: aya has no program of this kind' }));
}

const SOCKET_ADDRESS = '(bind|connect|getpeername|getsockname|sendmsg|recvmsg)[46]';
const AYA_SECTION = new RegExp(
  `^(kprobe|kretprobe|u(ret)?probe(\\.multi)?(\\.s)?|tp_btf|tracepoint|tp|socket|sk_msg|sockops|classifier|lirc_mode2|perf_event|raw_tp|raw_tracepoint|lsm(\\.s)?|lsm_cgroup|fentry(\\.s)?|fexit(\\.s)?|flow_dissector|freplace|sk_lookup|iter(\\.s)?)(/|$)|^xdp(\\.frags)?(/(cpumap|devmap)(/|$)|$)|^sk_skb/(stream_parser|stream_verdict)(/|$)|^sk_reuseport(/migrate(/|$)|$)|^cgroup_skb/(ingress|egress)(/|$)|^cgroup/(skb|sysctl|dev|getsockopt|setsockopt|sock|post_bind4|post_bind6|sock_create|sock_release|${SOCKET_ADDRESS})(/|$)`,
);
