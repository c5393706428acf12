/**
 * BTF: types, layout, C and JSON dumps, CO-RE relocations, the least BTF of an object.
 *
 * @module kelf/btf
 */
export { BtfBlob, type BtfOptions } from './blob.js';
export { Btf, type FunctionColumns } from './btf.js';
export { type CoreAmbiguity, type CoreCandidate, CoreError, CoreRelocator, type CoreResolution, type FoundType } from './core.js';
export { CoreTypes, essentialName } from './core-compat.js';
export type { CoreMatch } from './core-match.js';
export { breakOf, type CoreBreak, type CoreNear } from './core-near.js';
export {
  CORE_KINDS,
  type CoreAccessor,
  type CoreKind,
  type CoreSpec,
  corePath,
  coreRoot,
  coreSubject,
  formatCoreSpec,
  parseCoreSpec,
} from './core-spec.js';
export type { CoreValue } from './core-value.js';
export { encodeBlob, encodeBtf } from './encode.js';
export {
  BtfExt,
  type CoreRelocationColumns,
  type ExtRows,
  type ExtSection,
  type FuncInfoColumns,
  type LineInfoColumns,
  rowsOf,
  type SourceLine,
} from './ext.js';
export type { StringOffset, TypeId } from './ids.js';
export { KIND, KIND_NAMES, type Kind, type RecordKind } from './kinds.js';
export { type ModuleSpecs, minimalBtf, minimalSplitBtf } from './min.js';
export { type BpftoolRelease, printC } from './print/c.js';
export { type MemberDescription, TypeDescriber, type TypeDescription } from './print/describe.js';
export { printJson } from './print/json.js';
export { printRaw } from './print/raw.js';
export { formatType } from './print/struct.js';
export type { Sink } from './print/writer.js';
export { relocateBtf } from './relocate.js';
export { StringTable as BtfStrings } from './strings.js';
export type {
  ArrayType,
  BtfType,
  CompositeType,
  DatasecType,
  DeclTag,
  Enum64Type,
  EnumType,
  FloatType,
  FuncProtoType,
  FuncType,
  FwdType,
  IntType,
  Member,
  Parameter,
  ReferenceType,
  TypeTag,
  UnknownType,
  VarType,
  VoidType,
} from './types.js';
export { type BtfHeader, isBtf, type KindLayout, type Linkage } from './wire.js';
