// The numbers of DWARF 5, §7, and of the GNU extensions that gcc writes. Only those that the reader looks at.

/** DW_TAG_*, §7.5.3. */
export const DW_TAG: {
  readonly array_type: 0x01;
  readonly class_type: 0x02;
  readonly enumeration_type: 0x04;
  readonly formal_parameter: 0x05;
  readonly lexical_block: 0x0b;
  readonly member: 0x0d;
  readonly pointer_type: 0x0f;
  readonly reference_type: 0x10;
  readonly compile_unit: 0x11;
  readonly structure_type: 0x13;
  readonly subroutine_type: 0x15;
  readonly typedef: 0x16;
  readonly union_type: 0x17;
  readonly unspecified_parameters: 0x18;
  readonly inlined_subroutine: 0x1d;
  readonly module: 0x1e;
  readonly subrange_type: 0x21;
  readonly base_type: 0x24;
  readonly const_type: 0x26;
  readonly subprogram: 0x2e;
  readonly volatile_type: 0x35;
  readonly restrict_type: 0x37;
  readonly namespace: 0x39;
  readonly unspecified_type: 0x3b;
  readonly partial_unit: 0x3c;
  readonly rvalue_reference_type: 0x42;
  readonly atomic_type: 0x47;
  readonly skeleton_unit: 0x4a;
} = {
  array_type: 0x01,
  class_type: 0x02,
  enumeration_type: 0x04,
  formal_parameter: 0x05,
  lexical_block: 0x0b,
  member: 0x0d,
  pointer_type: 0x0f,
  reference_type: 0x10,
  compile_unit: 0x11,
  structure_type: 0x13,
  subroutine_type: 0x15,
  typedef: 0x16,
  union_type: 0x17,
  unspecified_parameters: 0x18,
  inlined_subroutine: 0x1d,
  module: 0x1e,
  subrange_type: 0x21,
  base_type: 0x24,
  const_type: 0x26,
  subprogram: 0x2e,
  volatile_type: 0x35,
  restrict_type: 0x37,
  namespace: 0x39,
  unspecified_type: 0x3b,
  partial_unit: 0x3c,
  rvalue_reference_type: 0x42,
  atomic_type: 0x47,
  skeleton_unit: 0x4a,
};

/** DW_AT_*, §7.5.4. */
export const DW_AT: {
  readonly sibling: 0x01;
  readonly location: 0x02;
  readonly name: 0x03;
  readonly byte_size: 0x0b;
  readonly stmt_list: 0x10;
  readonly low_pc: 0x11;
  readonly high_pc: 0x12;
  readonly language: 0x13;
  readonly comp_dir: 0x1b;
  readonly const_value: 0x1c;
  readonly inline: 0x20;
  readonly producer: 0x25;
  readonly prototyped: 0x27;
  readonly upper_bound: 0x2f;
  readonly abstract_origin: 0x31;
  readonly artificial: 0x34;
  readonly calling_convention: 0x36;
  readonly count: 0x37;
  readonly data_member_location: 0x38;
  readonly decl_column: 0x39;
  readonly decl_file: 0x3a;
  readonly decl_line: 0x3b;
  readonly declaration: 0x3c;
  readonly encoding: 0x3e;
  readonly external: 0x3f;
  readonly specification: 0x47;
  readonly type: 0x49;
  readonly entry_pc: 0x52;
  readonly ranges: 0x55;
  readonly call_column: 0x57;
  readonly call_file: 0x58;
  readonly call_line: 0x59;
  readonly linkage_name: 0x6e;
  readonly str_offsets_base: 0x72;
  readonly addr_base: 0x73;
  readonly rnglists_base: 0x74;
  readonly noreturn: 0x87;
  readonly loclists_base: 0x8c;
  readonly MIPS_linkage_name: 0x2007;
} = {
  sibling: 0x01,
  location: 0x02,
  name: 0x03,
  byte_size: 0x0b,
  stmt_list: 0x10,
  low_pc: 0x11,
  high_pc: 0x12,
  language: 0x13,
  comp_dir: 0x1b,
  const_value: 0x1c,
  inline: 0x20,
  producer: 0x25,
  prototyped: 0x27,
  upper_bound: 0x2f,
  abstract_origin: 0x31,
  artificial: 0x34,
  calling_convention: 0x36,
  count: 0x37,
  data_member_location: 0x38,
  decl_column: 0x39,
  decl_file: 0x3a,
  decl_line: 0x3b,
  declaration: 0x3c,
  encoding: 0x3e,
  external: 0x3f,
  specification: 0x47,
  type: 0x49,
  entry_pc: 0x52,
  ranges: 0x55,
  call_column: 0x57,
  call_file: 0x58,
  call_line: 0x59,
  linkage_name: 0x6e,
  str_offsets_base: 0x72,
  addr_base: 0x73,
  rnglists_base: 0x74,
  noreturn: 0x87,
  loclists_base: 0x8c,
  MIPS_linkage_name: 0x2007,
};

/** DW_FORM_*, §7.5.6, and the GNU forms of split and alternate files. */
export const DW_FORM: {
  readonly addr: 0x01;
  readonly block2: 0x03;
  readonly block4: 0x04;
  readonly data2: 0x05;
  readonly data4: 0x06;
  readonly data8: 0x07;
  readonly string: 0x08;
  readonly block: 0x09;
  readonly block1: 0x0a;
  readonly data1: 0x0b;
  readonly flag: 0x0c;
  readonly sdata: 0x0d;
  readonly strp: 0x0e;
  readonly udata: 0x0f;
  readonly ref_addr: 0x10;
  readonly ref1: 0x11;
  readonly ref2: 0x12;
  readonly ref4: 0x13;
  readonly ref8: 0x14;
  readonly ref_udata: 0x15;
  readonly indirect: 0x16;
  readonly sec_offset: 0x17;
  readonly exprloc: 0x18;
  readonly flag_present: 0x19;
  readonly strx: 0x1a;
  readonly addrx: 0x1b;
  readonly ref_sup4: 0x1c;
  readonly strp_sup: 0x1d;
  readonly data16: 0x1e;
  readonly line_strp: 0x1f;
  readonly ref_sig8: 0x20;
  readonly implicit_const: 0x21;
  readonly loclistx: 0x22;
  readonly rnglistx: 0x23;
  readonly ref_sup8: 0x24;
  readonly strx1: 0x25;
  readonly strx2: 0x26;
  readonly strx3: 0x27;
  readonly strx4: 0x28;
  readonly addrx1: 0x29;
  readonly addrx2: 0x2a;
  readonly addrx3: 0x2b;
  readonly addrx4: 0x2c;
  readonly GNU_addr_index: 0x1f01;
  readonly GNU_str_index: 0x1f02;
  readonly GNU_ref_alt: 0x1f20;
  readonly GNU_strp_alt: 0x1f21;
} = {
  addr: 0x01,
  block2: 0x03,
  block4: 0x04,
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  string: 0x08,
  block: 0x09,
  block1: 0x0a,
  data1: 0x0b,
  flag: 0x0c,
  sdata: 0x0d,
  strp: 0x0e,
  udata: 0x0f,
  ref_addr: 0x10,
  ref1: 0x11,
  ref2: 0x12,
  ref4: 0x13,
  ref8: 0x14,
  ref_udata: 0x15,
  indirect: 0x16,
  sec_offset: 0x17,
  exprloc: 0x18,
  flag_present: 0x19,
  strx: 0x1a,
  addrx: 0x1b,
  ref_sup4: 0x1c,
  strp_sup: 0x1d,
  data16: 0x1e,
  line_strp: 0x1f,
  ref_sig8: 0x20,
  implicit_const: 0x21,
  loclistx: 0x22,
  rnglistx: 0x23,
  ref_sup8: 0x24,
  strx1: 0x25,
  strx2: 0x26,
  strx3: 0x27,
  strx4: 0x28,
  addrx1: 0x29,
  addrx2: 0x2a,
  addrx3: 0x2b,
  addrx4: 0x2c,
  GNU_addr_index: 0x1f01,
  GNU_str_index: 0x1f02,
  GNU_ref_alt: 0x1f20,
  GNU_strp_alt: 0x1f21,
};

/** DW_UT_*, §7.5.1. */
export const DW_UT: {
  readonly compile: 1;
  readonly type: 2;
  readonly partial: 3;
  readonly skeleton: 4;
  readonly split_compile: 5;
  readonly split_type: 6;
} = { compile: 1, type: 2, partial: 3, skeleton: 4, split_compile: 5, split_type: 6 };
