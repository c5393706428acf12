import type { BtfBlob } from '../blob.js';
import { CHOICE, type Dialect, ENCODINGS, LINKAGES, printLines } from './lines.js';
import type { Sink } from './writer.js';

const REFERENCE = ',"type_id":{type}}';
/** The width, and what stands before it, only where there is one. */
const MEMBER = '{"name":"{name}","type_id":{memberType},"bits_offset":{memberOffset},"bitfield_size":{memberWidth}}';
const MEMBERS = ',"size":{size},"vlen":{vlen},"members":[';
const ENUM = ',"encoding":"{sign}","size":{size},"vlen":{vlen},"values":[';
const END = ']}';

/** bpftool's JSON. */
const JSON_LINES: Dialect = {
  start: '{"id":{id},"kind":"KIND","name":"{name}"',
  kinds: {
    INT: ',"size":{size},"bits_offset":{bitsOffset},"nr_bits":{bits},"encoding":"{encoding}"}',
    PTR: REFERENCE,
    ARRAY: ',"type_id":{elementType},"index_type_id":{indexType},"nr_elems":{elements}}',
    STRUCT: [MEMBERS, MEMBER, END],
    UNION: [MEMBERS, MEMBER, END],
    // bpftool reads the value as signed before it prints an unsigned one with 64 bits: 0x80000001 becomes 18446744071562067969.
    ENUM: [ENUM, '{"name":"{name}","val":{widenedValue}}', END],
    FWD: ',"fwd_kind":"{forward}"}',
    TYPEDEF: REFERENCE,
    VOLATILE: REFERENCE,
    CONST: REFERENCE,
    RESTRICT: REFERENCE,
    FUNC: ',"type_id":{type},"linkage":"{linkage}"}',
    FUNC_PROTO: [',"ret_type_id":{type},"vlen":{vlen},"params":[', '{"name":"{name}","type_id":{memberType}}', END],
    VAR: ',"type_id":{type},"linkage":"{variableLinkage}"}',
    DATASEC: [',"size":{size},"vlen":{vlen},"vars":[', '{"type_id":{variable},"offset":{variableOffset},"size":{variableSize}}', END],
    FLOAT: ',"size":{size}}',
    DECL_TAG: ',"type_id":{type},"component_idx":{component}}',
    TYPE_TAG: REFERENCE,
    ENUM64: [ENUM, '{"name":"{name}","val":{wideValue}}', END],
    UNKNOWN: '}',
  },
  choices: {
    sign: { by: CHOICE.FLAG, literals: ['UNSIGNED', 'SIGNED'], other: '' },
    forward: { by: CHOICE.FLAG, literals: ['struct', 'union'], other: '' },
    encoding: { by: CHOICE.ENCODING, literals: ENCODINGS, other: '' },
    linkage: { by: CHOICE.VLEN, literals: LINKAGES, other: '(unknown)' },
    variableLinkage: { by: CHOICE.WORD, literals: LINKAGES, other: '(unknown)' },
  },
  anonymous: '(anon)',
  separator: ',',
  escape: true,
};

/**
 * Prints the types of a blob as one line of JSON, byte for byte as `bpftool -j btf dump file FILE` does. In names it escapes what JSON asks for, as
 * bpftool does since v7.2; older ones printed `\` as a newline and `'` as `\'`.
 */
export function printJson(blob: BtfBlob, sink: Sink): void {
  printLines(blob, JSON_LINES, '{"types":[', ']}\n', sink);
}
