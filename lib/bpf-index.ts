/**
 * BPF objects: what is in one, how it loads on a kernel, and finding them in other files.
 *
 * ```ts
 * const object = openBpfObject(bytes);              // or a path, in Node; every table is read on first use
 * describeObject(object);                           // programs, maps, variables, relocations … as plain data
 * relocateCore(object, btf).outcomes;               // the result of each CO-RE relocation with a kernel's BTF
 * const check = new Preflight(kernel).check(object);// whether its programs would load and attach
 * kernelFeatures(kernel).helpers;                   // what a kernel has for BPF programs, each with its evidence
 * featuresFor(new Preflight(kernel), object);       // what of it an object needs
 * checkPasses([check]);                             // as `kelf bpf check` says it by its exit code
 * carve(source);                                    // the objects that a program, library or header carries
 * ```
 *
 * @module kelf/bpf
 */
export { type CarveOptions, carveFiles } from '#host';
export { carve } from './bpf/carve/carve.js';
export type { ByteRange, Carved, CarvedObject, Find, Form, FoundProgram } from './bpf/carve/find.js';
export { type AtomicOperation, decode, type Operation } from './bpf/code/decode-instruction.js';
export { type Instruction, Instructions, imm64 } from './bpf/code/insn.js';
export { type KernelNames, kernelNotation } from './bpf/code/kernel-notation.js';
export { type LlvmOptions, llvmNotation } from './bpf/code/llvm-notation.js';
export { describeObject, type MapDescription, type ObjectDescription, type ProgramDescription } from './bpf/describe-object.js';
export type {
  Feature,
  FeatureName,
  FeatureSection,
  Features,
  HelperFeature,
  HookFeature,
  KfuncFeature,
  TracepointFeature,
} from './bpf/features/feature.js';
export { featuresFor, type NeededFeature } from './bpf/features/for-object.js';
export { type FeatureGap, featureGaps, kernelFeatures } from './bpf/features/kernel-features.js';
export { type FeatureOptions, featureOptions } from './bpf/features/options.js';
export { type CodeLabel, type ListedInstruction, Listing, remarks } from './bpf/listing.js';
export { type CorePatch, POISON_IMM } from './bpf/load/core-patch.js';
export { type ImageContext, type ProgramImage, programImage } from './bpf/load/program-image.js';
export { type CoreOptions, type CoreOutcome, type CorePoison, type CoreReport, relocateCore } from './bpf/load/relocate-core.js';
export { type LoadedProgram, type ProgramTag, parseProgramList, programTags, type TagOptions } from './bpf/load/tag.js';
export type { Built } from './bpf/names/built.js';
export { type MapType, mapType } from './bpf/names/map-types.js';
export { PROGRAM_TYPES, type ProgramType } from './bpf/names/program-types.js';
export {
  SECTION_DEFINITIONS,
  type SectionDefinition,
  type SectionMeaning,
  sectionMeaning,
  type TargetGrammar,
} from './bpf/names/section-names.js';
export type { BpfRefusal } from './bpf/object/bpf-file.js';
export type { BpfCoreRelocation } from './bpf/object/core-relocations.js';
export type { BpfVariable, DataKind, DataSection, DataSections } from './bpf/object/data.js';
export type { BpfExtern, KconfigExtern, KconfigType, KsymExtern } from './bpf/object/externs.js';
export { formatValue, type ValueOptions } from './bpf/object/format-value.js';
export { type MapSlot, slotsOf } from './bpf/object/map-slots.js';
export type { BpfMap, MapOrigin } from './bpf/object/maps.js';
export { BpfObject, type BpfObjectOptions } from './bpf/object/object.js';
export { type BpfFunction, type BpfProgram, isProgram } from './bpf/object/programs.js';
export { type BpfRelocation, describeRelocation, type RelocationMeaning } from './bpf/object/relocations.js';
export type { BpfStructOps } from './bpf/object/struct-ops.js';
export { type StructOpsMember, structOpsMembers } from './bpf/object/struct-ops-members.js';
export { type FoundObject, type FoundObjects, objectsIn } from './bpf/preflight/inputs.js';
export { LIBBPF, LOADERS, type Loader } from './bpf/preflight/loaders.js';
export {
  type CheckOutcome,
  checkPasses,
  type Finding,
  type FindingKind,
  NOT_TOLD,
  type ObjectCheck,
  Preflight,
  type ProgramCheck,
} from './bpf/preflight/preflight.js';
export { objectsOf } from './open/bpf-objects.js';
export { openBpfObject } from './open/open-bpf-object.js';
