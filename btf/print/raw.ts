import type { BtfBlob } from '../blob.js';
import { KIND_NAMES } from '../wire.js';
import { CHOICE, type Dialect, ENCODINGS, LINKAGES, printLines } from './lines.js';
import type { Sink } from './writer.js';

const REFERENCE = ' type_id={type}\n';
/** The width, and what stands before it, only where there is one. */
const MEMBERS = [
  ' size={size} vlen={vlen}',
  "\n\t'{name}' type_id={memberType} bits_offset={memberOffset} bitfield_size={memberWidth}",
  '\n',
] as const;
const ENUM = ' encoding={sign} size={size} vlen={vlen}';

/** bpftool's raw form. */
const RAW: Dialect = {
  start: "[{id}] KIND '{name}'",
  kinds: {
    INT: ' size={size} bits_offset={bitsOffset} nr_bits={bits} encoding={encoding}\n',
    PTR: REFERENCE,
    ARRAY: ' type_id={elementType} index_type_id={indexType} nr_elems={elements}\n',
    STRUCT: MEMBERS,
    UNION: MEMBERS,
    ENUM: [ENUM, "\n\t'{name}' val={value}", '\n'],
    FWD: ' fwd_kind={forward}\n',
    TYPEDEF: REFERENCE,
    VOLATILE: REFERENCE,
    CONST: REFERENCE,
    RESTRICT: REFERENCE,
    FUNC: ' type_id={type} linkage={linkage}\n',
    FUNC_PROTO: [' ret_type_id={type} vlen={vlen}', "\n\t'{name}' type_id={memberType}", '\n'],
    VAR: ' type_id={type}, linkage={variableLinkage}\n',
    DATASEC: [
      ' size={size} vlen={vlen}',
      "\n\ttype_id={variable} offset={variableOffset} size={variableSize} ({kind} '{variableName}')",
      '\n',
    ],
    FLOAT: ' size={size}\n',
    DECL_TAG: ' type_id={type} component_idx={component}\n',
    TYPE_TAG: REFERENCE,
    ENUM64: [ENUM, "\n\t'{name}' val={wideValue}{suffix}", '\n'],
    UNKNOWN: '\n',
  },
  choices: {
    sign: { by: CHOICE.FLAG, literals: ['UNSIGNED', 'SIGNED'], other: '' },
    suffix: { by: CHOICE.FLAG, literals: ['ULL', 'LL'], other: '' },
    forward: { by: CHOICE.FLAG, literals: ['struct', 'union'], other: '' },
    encoding: { by: CHOICE.ENCODING, literals: ENCODINGS, other: '' },
    linkage: { by: CHOICE.VLEN, literals: LINKAGES, other: '(unknown)' },
    variableLinkage: { by: CHOICE.WORD, literals: LINKAGES, other: '(unknown)' },
    // bpftool calls void UNKNOWN.
    kind: { by: CHOICE.TARGET, literals: KIND_NAMES.map((name, number) => (number === 0 ? 'UNKNOWN' : name)), other: 'UNKNOWN' },
  },
  anonymous: '(anon)',
  separator: '',
  escape: false,
};

/**
 * Prints the types of a blob, one a line and their members indented, byte for byte as `bpftool btf dump file FILE format raw` does. Those of the
 * base of a split blob are not printed.
 */
export function printRaw(blob: BtfBlob, sink: Sink): void {
  printLines(blob, RAW, '', '', sink);
}
