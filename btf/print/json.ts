import type { BtfBlob } from '../blob.js';
import type { StringTable } from '../strings.js';
import { flagOfInfo, KIND, KIND_NAMES, kindOfInfo, LAST_KIND, LINKAGE_NAMES, RECORD_WORDS, vlenOfInfo } from '../wire.js';
import { ascii, type Literal, type Sink, Writer } from './writer.js';

/** `,"kind":"INT","name":"`, by kind number. */
const KINDS: readonly Literal[] = KIND_NAMES.map(name => ascii(`,"kind":"${name}","name":"`));
const UNKNOWN = ascii(',"kind":"UNKNOWN","name":"');
const START = ascii('{"types":[');
const END = ascii(']}\n');
const ID = ascii('{"id":');
const ANONYMOUS = ascii('(anon)');
const TYPE_ID = ascii('","type_id":');
const SIZE = ascii('","size":');
const SIZE_INSIDE = ascii(',"size":');
const VLEN = ascii(',"vlen":');
const MEMBERS = ascii(',"members":[');
const VALUES = ascii(',"values":[');
const PARAMS = ascii(',"params":[');
const VARS = ascii(',"vars":[');
const NAME = ascii('{"name":"');
const BITS_OFFSET = ascii(',"bits_offset":');
const BITFIELD_SIZE = ascii(',"bitfield_size":');
const NR_BITS = ascii(',"nr_bits":');
const INDEX_TYPE_ID = ascii(',"index_type_id":');
const NR_ELEMS = ascii(',"nr_elems":');
const RET_TYPE_ID = ascii('","ret_type_id":');
const COMPONENT = ascii(',"component_idx":');
const VAL = ascii('","val":');
const SECINFO = ascii('{"type_id":');
const OFFSET = ascii(',"offset":');
const FWD_STRUCT = ascii('","fwd_kind":"struct"');
const FWD_UNION = ascii('","fwd_kind":"union"');
const ENUM_SIGNED = ascii('","encoding":"SIGNED","size":');
const ENUM_UNSIGNED = ascii('","encoding":"UNSIGNED","size":');
const LINKAGES: readonly Literal[] = LINKAGE_NAMES.map(name => ascii(`,"linkage":"${name}"`));
const UNKNOWN_LINKAGE = ascii(',"linkage":"(unknown)"');
/** `,"encoding":"…"` of an INT, by its four bits: bpftool has names for one bit at most. */
const ENCODINGS: readonly Literal[] = Array.from({ length: 16 }, (_, bits) =>
  ascii(`,"encoding":"${['(none)', 'SIGNED', 'CHAR', undefined, 'BOOL'][bits] ?? 'UNKN'}"`),
);

const QUOTE = 34;
const COMMA = 44;
const CLOSE_LIST = 93;
const CLOSE = 125;

/**
 * Prints the types of a blob as one line of JSON, byte for byte as `bpftool -j btf dump file FILE` does. In names it escapes what JSON asks for, as
 * bpftool does since v7.2; older ones printed `\` as a newline and `'` as `\'`.
 */
export function printJson(blob: BtfBlob, sink: Sink): void {
  const out = new Writer(sink);
  out.put(START);
  for (let id = blob.firstId; id < blob.count; id++) printType(blob, id, out);
  out.put(END);
  out.flush();
}

function printType(blob: BtfBlob, id: number, out: Writer): void {
  const { words, strings } = blob;
  const at = blob.offsets[id - blob.firstId]!;
  const info = words[at + 1]!;
  const sizeOrType = words[at + 2]!;
  const kind = kindOfInfo(info);
  out.room();
  if (id > blob.firstId) out.byte(COMMA);
  out.put(ID);
  out.decimal(id);
  out.put(kind <= LAST_KIND ? KINDS[kind]! : UNKNOWN);
  printName(strings, words[at]!, out);
  switch (kind) {
    case KIND.PTR:
    case KIND.CONST:
    case KIND.VOLATILE:
    case KIND.RESTRICT:
    case KIND.TYPEDEF:
    case KIND.TYPE_TAG:
      out.put(TYPE_ID);
      out.decimal(sizeOrType);
      break;
    case KIND.FUNC:
      out.put(TYPE_ID);
      out.decimal(sizeOrType);
      out.put(LINKAGES[vlenOfInfo(info)] ?? UNKNOWN_LINKAGE);
      break;
    case KIND.FUNC_PROTO:
      out.put(RET_TYPE_ID);
      out.decimal(sizeOrType);
      printParameters(words, at, strings, out);
      break;
    case KIND.STRUCT:
    case KIND.UNION:
      out.put(SIZE);
      out.decimal(sizeOrType);
      printMembers(words, at, strings, out);
      break;
    case KIND.ENUM:
    case KIND.ENUM64:
      out.put(flagOfInfo(info) ? ENUM_SIGNED : ENUM_UNSIGNED);
      out.decimal(sizeOrType);
      if (kind === KIND.ENUM) printEnumerators(words, at, strings, out);
      else printWideEnumerators(words, at, strings, out);
      break;
    default:
      printRare(words, kind, at, out);
  }
  out.byte(CLOSE);
}

/** Kinds that a kernel has few of. */
function printRare(words: Uint32Array, kind: number, at: number, out: Writer): void {
  const sizeOrType = words[at + 2]!;
  const tail = at + RECORD_WORDS;
  switch (kind) {
    case KIND.INT: {
      const bits = words[tail]!;
      out.put(SIZE);
      out.decimal(sizeOrType);
      out.put(BITS_OFFSET);
      out.decimal((bits >>> 16) & 255);
      out.put(NR_BITS);
      out.decimal(bits & 255);
      out.put(ENCODINGS[(bits >>> 24) & 15]!);
      break;
    }
    case KIND.ARRAY:
      out.put(TYPE_ID);
      out.decimal(words[tail]!);
      out.put(INDEX_TYPE_ID);
      out.decimal(words[tail + 1]!);
      out.put(NR_ELEMS);
      out.decimal(words[tail + 2]!);
      break;
    case KIND.FWD:
      out.put(flagOfInfo(words[at + 1]!) ? FWD_UNION : FWD_STRUCT);
      break;
    case KIND.VAR:
      out.put(TYPE_ID);
      out.decimal(sizeOrType);
      out.put(LINKAGES[words[tail]!] ?? UNKNOWN_LINKAGE);
      break;
    case KIND.DATASEC:
      out.put(SIZE);
      out.decimal(sizeOrType);
      printVariables(words, at, out);
      break;
    case KIND.FLOAT:
      out.put(SIZE);
      out.decimal(sizeOrType);
      break;
    case KIND.DECL_TAG:
      out.put(TYPE_ID);
      out.decimal(sizeOrType);
      out.put(COMPONENT);
      out.signed(words[tail]! | 0);
      break;
    default:
      out.byte(QUOTE);
  }
}

function printName(strings: StringTable, offset: number, out: Writer): void {
  if (offset === 0) out.put(ANONYMOUS);
  else out.escapedName(strings, offset);
}

function printMembers(words: Uint32Array, at: number, strings: StringTable, out: Writer): void {
  const info = words[at + 1]!;
  const vlen = vlenOfInfo(info);
  const bitfields = flagOfInfo(info);
  const first = at + RECORD_WORDS;
  out.put(VLEN);
  out.decimal(vlen);
  out.put(MEMBERS);
  for (let i = first, end = i + vlen * 3; i < end; i += 3) {
    const offset = words[i + 2]!;
    out.room();
    if (i > first) out.byte(COMMA);
    out.put(NAME);
    printName(strings, words[i]!, out);
    out.put(TYPE_ID);
    out.decimal(words[i + 1]!);
    out.put(BITS_OFFSET);
    out.decimal(bitfields ? offset & 0xffffff : offset);
    if (bitfields && offset >>> 24 !== 0) {
      out.put(BITFIELD_SIZE);
      out.decimal(offset >>> 24);
    }
    out.byte(CLOSE);
  }
  out.byte(CLOSE_LIST);
}

function printParameters(words: Uint32Array, at: number, strings: StringTable, out: Writer): void {
  const vlen = vlenOfInfo(words[at + 1]!);
  const first = at + RECORD_WORDS;
  out.put(VLEN);
  out.decimal(vlen);
  out.put(PARAMS);
  for (let i = first, end = i + vlen * 2; i < end; i += 2) {
    out.room();
    if (i > first) out.byte(COMMA);
    out.put(NAME);
    printName(strings, words[i]!, out);
    out.put(TYPE_ID);
    out.decimal(words[i + 1]!);
    out.byte(CLOSE);
  }
  out.byte(CLOSE_LIST);
}

function printEnumerators(words: Uint32Array, at: number, strings: StringTable, out: Writer): void {
  const info = words[at + 1]!;
  const vlen = vlenOfInfo(info);
  const signed = flagOfInfo(info);
  const first = at + RECORD_WORDS;
  out.put(VLEN);
  out.decimal(vlen);
  out.put(VALUES);
  for (let i = first, end = i + vlen * 2; i < end; i += 2) {
    const value = words[i + 1]! | 0;
    out.room();
    if (i > first) out.byte(COMMA);
    out.put(NAME);
    printName(strings, words[i]!, out);
    out.put(VAL);
    // bpftool reads the value as signed before it prints an unsigned one with 64 bits: 0x80000001 becomes 18446744071562067969.
    if (value < 0 && !signed) out.text(BigInt.asUintN(64, BigInt(value)).toString());
    else out.signed(value);
    out.byte(CLOSE);
  }
  out.byte(CLOSE_LIST);
}

function printWideEnumerators(words: Uint32Array, at: number, strings: StringTable, out: Writer): void {
  const info = words[at + 1]!;
  const vlen = vlenOfInfo(info);
  const first = at + RECORD_WORDS;
  out.put(VLEN);
  out.decimal(vlen);
  out.put(VALUES);
  for (let i = first, end = i + vlen * 3; i < end; i += 3) {
    out.room();
    if (i > first) out.byte(COMMA);
    out.put(NAME);
    printName(strings, words[i]!, out);
    out.put(VAL);
    out.wide(words[i + 1]!, words[i + 2]!, flagOfInfo(info));
    out.byte(CLOSE);
  }
  out.byte(CLOSE_LIST);
}

function printVariables(words: Uint32Array, at: number, out: Writer): void {
  const vlen = vlenOfInfo(words[at + 1]!);
  const first = at + RECORD_WORDS;
  out.put(VLEN);
  out.decimal(vlen);
  out.put(VARS);
  for (let i = first, end = i + vlen * 3; i < end; i += 3) {
    out.room();
    if (i > first) out.byte(COMMA);
    out.put(SECINFO);
    out.decimal(words[i]!);
    out.put(OFFSET);
    out.decimal(words[i + 1]!);
    out.put(SIZE_INSIDE);
    out.decimal(words[i + 2]!);
    out.byte(CLOSE);
  }
  out.byte(CLOSE_LIST);
}
