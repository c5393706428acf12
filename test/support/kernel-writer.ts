import { Kernel, parseConfig } from 'kelf';
import { ElfFile, EM, MemorySource, SHF, STB, STT } from 'kelf/elf';
import { piecesOfImage } from '../../lib/facts/pieces-of-image.js';
import { ElfWriter, join, type SectionSpec, type SymbolSpec } from './elf-writer.js';

/** A function of a kernel to write; 32 bytes each, one behind the other. */
export interface FunctionSpec {
  readonly name: string;
  /** Its ftrace site, from its first byte; none where not given. */
  readonly site?: number;
  readonly binding?: 'local' | 'global' | 'weak';
  /** The source file of a local one. */
  readonly file?: string;
  readonly init?: boolean;
  /** A label as assembly makes them, STT_NOTYPE. */
  readonly label?: boolean;
  /** Its st_size, where a gap follows it. */
  readonly size?: bigint;
  /** Stands where the one before it stands. */
  readonly alias?: boolean;
}

export interface KernelSpec {
  /** `_end` is behind .text: the rest is linked elsewhere. */
  readonly textAlone?: boolean;
  readonly machine?: number;
  readonly release?: string;
  readonly functions: readonly FunctionSpec[];
  /** Names of data symbols. */
  readonly data?: readonly string[];
  /** A linker that makes .data executable, so that its symbols have the letter of text, between `_sdata` and `_edata`. */
  readonly executableData?: boolean;
  /** What the banner says of the compiler. */
  readonly compiler?: string;
  /** Names of functions on the kprobe blacklist. */
  readonly blacklist?: readonly string[];
  readonly btf?: Uint8Array;
  /** Names of functions that ALLOW_ERROR_INJECTION marks; no list where not given. */
  readonly errorInjection?: readonly string[];
  /** BTF ids in the set `btf_id_deny`. */
  readonly denied?: readonly number[];
  /** BTF ids in the set `bpf_mptcp_fmodret_ids`, which has flags beside each. */
  readonly modifiable?: readonly number[];
  /** Sets of BTF ids, as words of 32 bits, by their labels: `__BTF_ID__set8__NAME`. */
  readonly idSets?: Readonly<Record<string, readonly number[]>>;
  /** Writes zeros for the words of __mcount_loc: nothing fills them. */
  readonly zeroTable?: boolean;
  /** No __mcount_loc at all. */
  readonly noTable?: boolean;
  /** Addresses of instructions with an entry in __jump_table and .static_call_sites: names of functions. */
  readonly jumpLabels?: readonly string[];
  readonly staticCalls?: readonly string[];
  /** The same inside of functions. */
  readonly staticCallsAt?: readonly { readonly name: string; readonly offset: number }[];
  /** Traps of kCFI, which `.kcfi_traps` lists. */
  readonly cfiTraps?: readonly { readonly name: string; readonly offset: number }[];
  /** Addresses of alternatives of five bytes that become nothing: names of functions, and the distance from their beginnings. */
  readonly erased?: readonly { readonly name: string; readonly offset: number }[];
  /** The first bytes of functions of .text. */
  readonly code?: Readonly<Record<string, readonly number[]>>;
  /** Labels at the beginning of functions of .text: `__noinstr_text_start`. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly config?: Readonly<Record<string, string>>;
}

export const TEXT = 0xffffffff81000000n;
const INIT = 0xffffffff82000000n;
const DATA = 0xffffffff83000000n;
const TABLES = 0xffffffff84000000n;
/** Bytes of a function. */
export const SIZE = 32n;

/** A kernel of a few functions. */
export function kernelOf(spec: KernelSpec): Kernel {
  const { config: options } = spec;
  const text = options && Object.entries(options).map(([name, value]) => `${name}=${value}`);
  const config = text && { config: parseConfig(text.join('\n'), 'config') };
  return new Kernel(piecesOfImage(ElfFile.open(new MemorySource(imageOf(spec), 'vmlinux')), config));
}

/** The same as a linked ELF file without segments: what no toolchain makes on demand. */
export function imageOf(spec: KernelSpec): Uint8Array {
  const { machine = EM.X86_64 } = spec;
  const writer = new ElfWriter();
  const [text, init, data, tables] = [1, 2, 3, 4];
  const addresses = new Map<string, bigint>();
  const symbols: SymbolSpec[] = [];
  const words: bigint[] = [];
  const next = { text: TEXT, init: INIT };
  let file: string | undefined;
  for (const {
    name,
    site,
    binding = 'global',
    file: of,
    init: isInit = false,
    label = false,
    alias = false,
    size = SIZE,
  } of spec.functions) {
    const area = isInit ? 'init' : 'text';
    const value = alias ? next[area] - SIZE : next[area];
    if (!alias) next[area] += SIZE;
    if (of !== file) symbols.push({ name: of ?? '', type: STT.FILE, section: 0xfff1 });
    file = of;
    const bindings = { local: STB.LOCAL, global: STB.GLOBAL, weak: STB.WEAK };
    symbols.push({
      name,
      value,
      size,
      type: label ? STT.NOTYPE : STT.FUNC,
      binding: bindings[binding],
      section: isInit ? init : text,
    });
    if (!addresses.has(name)) addresses.set(name, value);
    if (site !== undefined) words.push(value + BigInt(site));
  }
  const label = (name: string, value: bigint, section: number): void => {
    symbols.push({ name, value, binding: STB.GLOBAL, section });
  };
  label('_stext', TEXT, text);
  label('_etext', next.text, text);
  label('__init_begin', INIT, init);
  label('__init_end', next.init + SIZE, init);
  label('_end', spec.textAlone === true ? next.text : TABLES + 0x10000n, tables);
  (spec.data ?? ['jiffies']).forEach((name, i) => {
    symbols.push({ name, value: DATA + BigInt(i * 8), size: 8n, type: STT.OBJECT, binding: STB.LOCAL, section: data });
  });

  if (spec.executableData === true) {
    label('_sdata', DATA, data);
    label('_edata', DATA + 4096n, data);
  }

  const parts: Uint8Array[] = [];
  let at = TABLES;
  const table = (start: string, stop: string | undefined, make: (address: bigint) => Uint8Array): void => {
    label(start, at, tables);
    const bytes = make(at);
    const padded = join(bytes, new Uint8Array(-bytes.length & 7));
    if (stop !== undefined) label(stop, at + BigInt(bytes.length), tables);
    parts.push(padded);
    at += BigInt(padded.length);
  };
  const of = (name: string): bigint => addresses.get(name)!;
  for (const [name, at] of Object.entries(spec.labels ?? {})) label(name, of(at), text);
  const banner = `Linux version ${spec.release ?? '6.1.0-test'} (kelf@test) (${spec.compiler ?? 'gcc'}) #1\n\0`;
  table('linux_banner', undefined, () => new TextEncoder().encode(banner));
  if (spec.noTable !== true)
    table('__start_mcount_loc', '__stop_mcount_loc', () => writer.u64(...(spec.zeroTable === true ? words.map(() => 0n) : words.sort())));
  table('__start_kprobe_blacklist', '__stop_kprobe_blacklist', () => writer.u64(...(spec.blacklist ?? []).map(of)));
  if (spec.errorInjection !== undefined) {
    const entries = spec.errorInjection.flatMap(name => [of(name), 0n]);
    table('__start_error_injection_whitelist', '__stop_error_injection_whitelist', () => writer.u64(...entries));
  }
  const distance = (from: bigint, to: bigint): number => Number(BigInt.asUintN(32, to - from));
  table('__start___jump_table', '__stop___jump_table', start =>
    join(...(spec.jumpLabels ?? []).map((name, i) => join(writer.u32(distance(start + BigInt(i * 16), of(name)), 0), writer.u64(0n)))),
  );
  table('__start_static_call_sites', '__stop_static_call_sites', start =>
    join(
      ...[...(spec.staticCalls ?? []).map(of), ...(spec.staticCallsAt ?? []).map(({ name, offset }) => of(name) + BigInt(offset))].map(
        (address, i) => writer.u32(distance(start + BigInt(i * 8), address), 0),
      ),
    ),
  );
  table('__start___kcfi_traps', '__stop___kcfi_traps', start =>
    join(...(spec.cfiTraps ?? []).map(({ name, offset }, i) => writer.u32(distance(start + BigInt(i * 4), of(name) + BigInt(offset))))),
  );
  // struct alt_instr since 6.3: the instruction, what replaces it, the feature, and the lengths of both
  table('__alt_instructions', '__alt_instructions_end', start =>
    join(
      ...(spec.erased ?? []).map(({ name, offset }, i) =>
        join(writer.u32(distance(start + BigInt(i * 14), of(name) + BigInt(offset)), 0, 117), Uint8Array.of(5, 0)),
      ),
    ),
  );
  const { modifiable } = spec;
  if (modifiable !== undefined)
    table('bpf_mptcp_fmodret_ids', undefined, () => writer.u32(modifiable.length, 0, ...modifiable.flatMap(id => [id, 0])));
  if (spec.denied !== undefined) table('btf_id_deny', undefined, () => writer.u32(spec.denied!.length, ...spec.denied!));

  for (const [name, words] of Object.entries(spec.idSets ?? {})) table(name, undefined, () => writer.u32(...words));

  const section = (name: string, address: bigint, flags: number, bytes: Uint8Array): SectionSpec => ({
    name,
    type: 1,
    flags: SHF.ALLOC | flags,
    address,
    data: bytes,
  });
  const code = new Uint8Array(Number(next.text - TEXT) + 16).fill(0x90);
  for (const [name, first] of Object.entries(spec.code ?? {})) code.set(first, Number(of(name) - TEXT));
  return writer.file({
    type: 2,
    machine,
    sections: [
      section('.text', TEXT, SHF.EXECINSTR, code),
      section('.init.text', INIT, SHF.EXECINSTR, new Uint8Array(Number(next.init - INIT) + 16).fill(0x90)),
      section('.data', DATA, SHF.WRITE | (spec.executableData === true ? SHF.EXECINSTR : 0), new Uint8Array(4096)),
      section('.init.data', TABLES, SHF.WRITE, join(...parts)),
      ...writer.symbols(symbols),
      ...(spec.btf === undefined ? [] : [{ name: '.BTF', type: 1, data: spec.btf }]),
    ],
  });
}
