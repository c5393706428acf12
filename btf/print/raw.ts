import type { BtfBlob } from '../blob.js';
import type { StringTable } from '../strings.js';
import { ELEMENT_WORDS, flagOfInfo, KIND, KIND_NAMES, kindOfInfo, LAST_KIND, LINKAGE_NAMES, RECORD_WORDS, vlenOfInfo } from '../wire.js';
import { ascii, type Literal, type Sink, Writer } from './writer.js';

/** `] INT '`, by kind number. */
const KINDS: readonly Literal[] = KIND_NAMES.map(name => ascii(`] ${name} '`));
/** ` (VAR '`, by kind number; bpftool calls void UNKNOWN. */
const TARGETS: readonly Literal[] = KIND_NAMES.map((name, number) => ascii(` (${number === 0 ? 'UNKNOWN' : name} '`));
const UNKNOWN = ascii("] UNKNOWN '");
const ANONYMOUS = ascii('(anon)');
const TYPE_ID = ascii("' type_id=");
const SIZE = ascii("' size=");
const SIZE_INSIDE = ascii(' size=');
const VLEN = ascii(' vlen=');
const BITS_OFFSET = ascii(' bits_offset=');
const BITFIELD_SIZE = ascii(' bitfield_size=');
const NR_BITS = ascii(' nr_bits=');
const INDEX_TYPE_ID = ascii(' index_type_id=');
const NR_ELEMS = ascii(' nr_elems=');
const RET_TYPE_ID = ascii("' ret_type_id=");
const LINKAGE = ascii(' linkage=');
const VAR_LINKAGE = ascii(', linkage=');
const COMPONENT = ascii(' component_idx=');
const VAL = ascii("' val=");
const MEMBER = ascii("\n\t'");
const SECINFO = ascii('\n\ttype_id=');
const OFFSET = ascii(' offset=');
const FWD_STRUCT = ascii("' fwd_kind=struct");
const FWD_UNION = ascii("' fwd_kind=union");
const ENUM_SIGNED = ascii("' encoding=SIGNED size=");
const ENUM_UNSIGNED = ascii("' encoding=UNSIGNED size=");
const LINKAGES: readonly Literal[] = LINKAGE_NAMES.map(ascii);
const UNKNOWN_LINKAGE = ascii('(unknown)');
/** ` encoding=…` of an INT, by its four bits: bpftool has names for one bit at most. */
const ENCODINGS: readonly Literal[] = Array.from({ length: 16 }, (_, bits) =>
  ascii(` encoding=${['(none)', 'SIGNED', 'CHAR', undefined, 'BOOL'][bits] ?? 'UNKN'}`),
);

const LL = ascii('LL');
const ULL = ascii('ULL');

const NEWLINE = 10;
const BRACKET = 91;
const QUOTE = 39;

/**
 * Prints the types of a blob, one a line and their members indented, byte for byte as `bpftool btf dump file FILE format raw` does. Those of the
 * base of a split blob are not printed.
 */
export function printRaw(blob: BtfBlob, sink: Sink): void {
  const out = new Writer(sink);
  for (let id = blob.firstId; id < blob.count; id++) printType(blob, id, out);
  out.flush();
}

function printType(blob: BtfBlob, id: number, out: Writer): void {
  const { words, strings } = blob;
  const at = blob.offsets[id - blob.firstId]!;
  const info = words[at + 1]!;
  const sizeOrType = words[at + 2]!;
  const kind = kindOfInfo(info);
  out.room();
  out.byte(BRACKET);
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
      out.put(LINKAGE);
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
      printEnumerators(words, at, kind === KIND.ENUM64, strings, out);
      break;
    default:
      printRare(blob, kind, at, out);
  }
  out.byte(NEWLINE);
}

/** Kinds that a kernel has few of, apart so that the function above stays small enough to be compiled early. */
function printRare(blob: BtfBlob, kind: number, at: number, out: Writer): void {
  const { words } = blob;
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
      out.put(VAR_LINKAGE);
      out.put(LINKAGES[words[tail]!] ?? UNKNOWN_LINKAGE);
      break;
    case KIND.DATASEC:
      out.put(SIZE);
      out.decimal(sizeOrType);
      printVariables(blob, at, out);
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
  else out.name(strings, offset);
}

function printMembers(words: Uint32Array, at: number, strings: StringTable, out: Writer): void {
  const info = words[at + 1]!;
  const vlen = vlenOfInfo(info);
  const bitfields = flagOfInfo(info);
  out.put(VLEN);
  out.decimal(vlen);
  for (let i = at + RECORD_WORDS, end = i + vlen * 3; i < end; i += 3) {
    const offset = words[i + 2]!;
    out.room();
    out.put(MEMBER);
    printName(strings, words[i]!, out);
    out.put(TYPE_ID);
    out.decimal(words[i + 1]!);
    out.put(BITS_OFFSET);
    if (!bitfields) out.decimal(offset);
    else {
      out.decimal(offset & 0xffffff);
      // bpftool shows the width only of what is a bit-field.
      if (offset >>> 24 !== 0) {
        out.put(BITFIELD_SIZE);
        out.decimal(offset >>> 24);
      }
    }
  }
}

function printParameters(words: Uint32Array, at: number, strings: StringTable, out: Writer): void {
  const vlen = vlenOfInfo(words[at + 1]!);
  out.put(VLEN);
  out.decimal(vlen);
  for (let i = at + RECORD_WORDS, end = i + vlen * 2; i < end; i += 2) {
    out.room();
    out.put(MEMBER);
    printName(strings, words[i]!, out);
    out.put(TYPE_ID);
    out.decimal(words[i + 1]!);
  }
}

function printEnumerators(words: Uint32Array, at: number, wide: boolean, strings: StringTable, out: Writer): void {
  const info = words[at + 1]!;
  const vlen = vlenOfInfo(info);
  const signed = flagOfInfo(info);
  const step = ELEMENT_WORDS[wide ? KIND.ENUM64 : KIND.ENUM]!;
  out.put(VLEN);
  out.decimal(vlen);
  for (let i = at + RECORD_WORDS, end = i + vlen * step; i < end; i += step) {
    out.room();
    out.put(MEMBER);
    printName(strings, words[i]!, out);
    out.put(VAL);
    const low = words[i + 1]!;
    if (wide) {
      out.wide(low, words[i + 2]!, signed);
      out.put(signed ? LL : ULL);
    } else if (signed) out.signed(low | 0);
    else out.decimal(low);
  }
}

function printVariables(blob: BtfBlob, at: number, out: Writer): void {
  const { words } = blob;
  const vlen = vlenOfInfo(words[at + 1]!);
  out.put(VLEN);
  out.decimal(vlen);
  for (let i = at + RECORD_WORDS, end = i + vlen * 3; i < end; i += 3) {
    out.room();
    out.put(SECINFO);
    out.decimal(words[i]!);
    out.put(OFFSET);
    out.decimal(words[i + 1]!);
    out.put(SIZE_INSIDE);
    out.decimal(words[i + 2]!);
    printVariableName(blob, words[i]!, out);
  }
}

/** ` (VAR 'name')`, with the kind and name of whatever the entry refers to. */
function printVariableName(blob: BtfBlob, id: number, out: Writer): void {
  out.put(TARGETS[blob.kindNumber(id)] ?? TARGETS[0]!);
  printName(blob.strings, blob.nameOffset(id), out);
  out.byte(QUOTE);
  out.byte(41);
}
