/**
 * BPF objects: what is in one, what becomes of it on a kernel, and finding them in other files.
 *
 * ```ts
 * const object = openBpfObject(bytes);              // or a path, in Node; every table is read when it is asked for
 * describeObject(object);                           // programs, maps, variables, relocations … as plain data
 * relocateCore(object, btf).outcomes;               // what each CO-RE relocation comes to with a kernel's BTF
 * const check = new Preflight(kernel).check(object);// whether its programs would load and attach
 * checkPasses([check]);                             // as `kelf bpf check` says it by its exit code
 * carve(source);                                    // the objects that a program, library or header carries
 * ```
 *
 * What opens paths in folders and starts threads, carveFiles(), is for Node alone and stands elsewhere.
 */
export { carve } from './carve/carve.js';
export type { ByteRange, Find, Form, FoundProgram } from './carve/find.js';
export { type AtomicOperation, decode, type Operation } from './code/decode.js';
export { type Instruction, Instructions, imm64 } from './code/insn.js';
export { type KernelNames, kernelNotation } from './code/kernel-notation.js';
export { type LlvmOptions, llvmNotation } from './code/llvm-notation.js';
export { describeObject, type MapDescription, type ObjectDescription, type ProgramDescription } from './describe.js';
export { type CodeLabel, type ListedInstruction, Listing, remarks } from './listing.js';
export { type CorePatch, POISON_IMM } from './load/core-patch.js';
export { type ImageContext, type ProgramImage, programImage } from './load/program-image.js';
export { type CoreOptions, type CoreOutcome, type CorePoison, type CoreReport, relocateCore } from './load/relocate-core.js';
export { type LoadedProgram, type ProgramTag, parseProgramList, programTags, type TagOptions } from './load/tag.js';
export { type MapType, mapType } from './names/map-types.js';
export { PROGRAM_TYPES, type ProgramType } from './names/program-types.js';
export {
  SECTION_DEFINITIONS,
  type SectionDefinition,
  type SectionMeaning,
  sectionMeaning,
  type TargetGrammar,
} from './names/section-names.js';
export type { BpfCoreRelocation } from './object/core-relocations.js';
export type { BpfVariable, DataKind, DataSection, DataSections } from './object/data.js';
export type { BpfExtern, KconfigExtern, KconfigType, KsymExtern } from './object/externs.js';
export type { BpfRefusal } from './object/file.js';
export { type MapSlot, slotsOf } from './object/map-slots.js';
export type { BpfMap, MapOrigin } from './object/maps.js';
export { BpfObject, type BpfObjectOptions } from './object/object.js';
export { type BpfFunction, type BpfProgram, isProgram } from './object/programs.js';
export { type BpfRelocation, describeRelocation, type RelocationMeaning } from './object/relocations.js';
export type { BpfStructOps } from './object/struct-ops.js';
export { type StructOpsMember, structOpsMembers } from './object/struct-ops-members.js';
export { formatValue, type ValueOptions } from './object/value.js';
export { openBpfObject } from './open.js';
export { type FoundObject, type FoundObjects, objectsIn, objectsOf } from './preflight/inputs.js';
export {
  checkPasses,
  type Finding,
  type FindingKind,
  NOT_TOLD,
  type ObjectCheck,
  type Outcome,
  Preflight,
  type ProgramCheck,
} from './preflight/preflight.js';
