import type { BtfBlob } from '../blob.js';
import { FlatTypes } from '../flat.js';
import type { StringOffset, TypeId } from '../ids.js';
import { KIND, RECORD_WORDS } from '../kinds.js';
import { vlenOfInfo } from '../wire.js';
import { BodyWriter } from './body.js';
import { MAX_NESTING, nestedTooDeeply, TypeOrder } from './order.js';
import { sortedTypes } from './sorted.js';
import { ascii, IN_C, type Sink, Writer } from './writer.js';

// In the command line's build, what another folder exports is looked up at each use.
const { ARRAY, CONST, DECL_TAG, ENUM, ENUM64, FUNC, FUNC_PROTO, FWD, INT, PTR, RESTRICT, STRUCT, TYPEDEF, TYPE_TAG, UNION, VOLATILE } =
  KIND;

const PROLOGUE = `#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif

`;
const KFUNC_MACROS = `#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif

#ifndef __weak
#define __weak __attribute__((weak))
#endif

#ifndef __bpf_fastcall
#if __has_attribute(bpf_fastcall)
#define __bpf_fastcall __attribute__((bpf_fastcall))
#else
#define __bpf_fastcall
#endif
#endif

`;
const KFUNCS = `
/* BPF kfuncs */
#ifndef BPF_NO_KFUNC_PROTOTYPES
`;
const EPILOGUE = `#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
`;

const encoder = new TextEncoder();

/** Types that GCC names in Arm's vector functions and does not define (btf_dump_emit_missing_aliases of libbpf). */
const ALIASES = Object.entries({
  __Poly8_t: 'unsigned char',
  __Poly16_t: 'unsigned short',
  __Poly64_t: 'unsigned long long',
  __Poly128_t: 'unsigned __int128',
}).map(([name, type]) => ({ name: encoder.encode(name), definition: `typedef ${type} ${name}` }));

/** What compilers know, and refuse to be told; and what old versions of GCC define as void, which is not a type of a variable. */
const COMPILERS_LIST = encoder.encode('__builtin_va_list');
const OLD_LIST = encoder.encode('__gnuc_va_list');
const OLD_LIST_DEFINED = 'typedef __builtin_va_list __gnuc_va_list';

const TYPEDEF_TEXT = ascii('typedef ');
const CLOSE = ascii(';\n\n');

/** A kernel's header is shorter than its BTF. Damaged blobs may repeat a struct inside another for as often as they have members. */
const MOST_OF_BLOB = 16;
const SPARE = 1 << 24;

/** The bpftool whose header is printed. */
export type BpftoolRelease = '7.1' | '7.8';

/**
 * Prints the types of a blob and its base as a C header, byte for byte as bpftool does (`bpftool btf dump file FILE format c`). That of 7.1,
 * Debian 12's, writes types in order of id, one-byte enums without an attribute, attributes that are no btf_type_tag as if they were. That of
 * 7.8 sorts them, says the sizes of enums, and has prototypes of kfuncs at the end (since 7.5).
 * @throws FormatError for types that C has no form for: cycles, unknown kinds
 */
export function printC(blob: BtfBlob, sink: Sink, as: BpftoolRelease = '7.1'): void {
  let length = 0;
  const most = SPARE + MOST_OF_BLOB * 4 * (blob.words.length + (blob.base?.words.length ?? 0));
  const types = new FlatTypes(blob);
  const count: Sink = bytes => {
    length += bytes.length;
    if (length > most) throw blob.errorAt(0, `the header takes more than ${most} bytes`, 'limit');
    sink(bytes);
  };
  const out = new Writer(types.strings, count, IN_C);
  const isNew = as === '7.8';
  const header = new HeaderWriter(blob, out, types, isNew);
  out.text(PROLOGUE);
  if (isNew) {
    out.text(KFUNC_MACROS);
    // It begins with the second one: its loop is that of ids, which begin with 1.
    header.define(sortedTypes(blob, types).subarray(1));
    header.declareKfuncs();
  } else header.define(types.kinds.keys());
  out.room();
  out.text(EPILOGUE);
  out.flush();
}

/** component_idx of a tag that is not of a parameter: -1. */
const OF_ITSELF = 0xffff_ffff;

const NEW = 0;
const BUSY = 1;
const DONE = 2;

/** Writes definitions, and before each the forward declarations that it needs (btf_dump_emit_type of libbpf and what it calls). */
class HeaderWriter extends BodyWriter {
  private readonly order: TypeOrder;
  private readonly states: Uint8Array;
  /** 1 where a forward declaration of a struct, or a typedef that others point to, has been written. */
  private readonly forwarded: Uint8Array;

  constructor(blob: BtfBlob, out: Writer, types: FlatTypes, isNew: boolean) {
    super(blob, out, types);
    this.modes = isNew;
    this.attributes = isNew;
    this.order = new TypeOrder(blob, types, this.work);
    this.states = new Uint8Array(blob.count);
    this.states[0] = DONE;
    this.forwarded = new Uint8Array(blob.count);
  }

  define(ids: Iterable<TypeId>): void {
    const { queue } = this.order;
    for (const id of ids) {
      const count = this.order.definitionsOf(id);
      for (let i = 0; i < count; i++) this.emit(queue[i]!, 0, 0);
    }
  }

  /** Prototypes of the functions that have the tag of a kfunc, by name (dump_btf_kfuncs() of bpftool). */
  declareKfuncs(): void {
    const { blob, words, out } = this;
    const kfuncs = this.taggedFunctions('bpf_kfunc');
    const fast = new Set(this.taggedFunctions('bpf_fastcall'));
    const text = (id: TypeId): string => blob.strings.text(words[this.records[id]!]!);
    out.text(KFUNCS);
    for (const id of kfuncs.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0))) {
      const at = this.records[id]!;
      out.room();
      out.text(fast.has(id) ? 'extern __bpf_fastcall ' : 'extern ');
      this.declare(words[at + 2]!, this.nameOrNone(words[at]!), 1, 0);
      out.text(' __weak __ksym;\n');
    }
    out.text('#endif\n\n');
  }

  private taggedFunctions(tag: string): TypeId[] {
    const { blob, words, kinds, records } = this;
    const found: TypeId[] = [];
    for (let id = 1; id < kinds.length; id++) {
      const at = records[id]!;
      if (kinds[id] !== DECL_TAG || words[at + RECORD_WORDS] !== OF_ITSELF) continue;
      if (kinds[words[at + 2]!] === FUNC && blob.strings.text(words[at]!) === tag) found.push(words[at + 2]!);
    }
    return found;
  }

  /** Writes what a type needs and, at the top level, where `container` is 0, the type. That is the struct or typedef that refers to it. */
  private emit(id: TypeId, container: number, depth: number): void {
    const { blob, words, states, out } = this;
    const state = states[id]!;
    if (state === DONE) return;
    if (depth > MAX_NESTING) throw nestedTooDeeply(blob, id);
    this.work.spend(1, id);
    const at = this.records[id]!;
    const kind = this.kinds[id]!;
    if (state === BUSY) {
      this.emitAgain(id, kind, container);
      return;
    }
    out.room();
    switch (kind) {
      case STRUCT:
      case UNION:
        this.emitComposite(id, at, container, depth + 1);
        return;
      case TYPEDEF:
        states[id] = BUSY;
        this.emit(words[at + 2]!, id, depth + 1);
        if (this.forwarded[id] === 0) this.putTypedef(id, words[at]!, words[at + 2]!);
        break;
      case PTR:
      case VOLATILE:
      case CONST:
      case RESTRICT:
      case TYPE_TAG:
        this.emit(words[at + 2]!, container, depth + 1);
        return;
      case ARRAY:
        this.emit(words[at + RECORD_WORDS]!, container, depth + 1);
        return;
      case FUNC_PROTO:
        this.emit(words[at + 2]!, container, depth + 1);
        this.emitEach(at, 2, container, depth + 1);
        return;
      case ENUM:
      case ENUM64:
        if (container === 0) {
          this.putBody(id, 0);
          out.put(CLOSE);
        }
        break;
      case FWD:
        this.putForward(id);
        out.put(CLOSE);
        break;
      case INT:
        this.putAliases(id, words[at]!);
        break;
      default:
        return;
    }
    states[id] = DONE;
  }

  /** The types of members or parameters. */
  private emitEach(at: number, step: number, container: number, depth: number): void {
    const { words, states } = this;
    let place = at + RECORD_WORDS + 1;
    for (let left = vlenOfInfo(words[at + 1]!); left > 0; left--, place += step)
      if (states[words[place]!] !== DONE) this.emit(words[place]!, container, depth);
  }

  private emitComposite(id: TypeId, at: number, container: number, depth: number): void {
    const named = this.words[at] !== 0;
    this.states[id] = BUSY;
    if (container === 0 || !named) this.emitEach(at, 3, named ? id : container, depth);
    else if (id !== container && this.forwarded[id] === 0) this.putStructForward(id);
    if (container === 0) {
      this.putBody(id, 0);
      this.out.put(CLOSE);
    }
    this.states[id] = container === 0 ? DONE : NEW;
  }

  /** A type that refers to itself: a declaration breaks the circle. */
  private emitAgain(id: TypeId, kind: number, container: number): void {
    if (this.forwarded[id] !== 0) return;
    const at = this.records[id]!;
    const name = this.words[at]!;
    this.out.room();
    if (kind === TYPEDEF) {
      this.putTypedef(id, name, this.words[at + 2]!);
      this.forwarded[id] = 1;
    } else if (id !== container && name !== 0) {
      // A struct's own members know it.
      this.putStructForward(id);
    }
  }

  private putStructForward(id: TypeId): void {
    this.putTag(id);
    this.out.put(CLOSE);
    this.forwarded[id] = 1;
  }

  private putTypedef(id: TypeId, name: StringOffset, target: number): void {
    const { out, blob } = this;
    if (blob.strings.equals(name, COMPILERS_LIST)) return;
    const copy = this.copyOf(id);
    if (target === 0 && copy === 1 && blob.strings.equals(name, OLD_LIST)) out.text(OLD_LIST_DEFINED);
    else {
      out.put(TYPEDEF_TEXT);
      this.declare(target, this.nameOrNone(name), copy, 0);
    }
    out.put(CLOSE);
  }

  private putAliases(id: TypeId, name: StringOffset): void {
    if (name === 0) return;
    this.copyOf(id);
    for (const alias of ALIASES) {
      if (!this.blob.strings.equals(name, alias.name)) continue;
      this.out.text(alias.definition);
      this.out.put(CLOSE);
    }
  }
}
