export {
  collectInThreads,
  findModules,
  obstacleToRunningKernel,
  openSource,
  type ReadModulesOptions,
  readModules,
  type SourceOptions,
} from '#host';
export { type SourceOfFunction, sourceOfFunction } from './answers/address/source-place.js';
export type { AddressAnswer, AddressProblem, SymbolPlace } from './answers/address/symbolize.js';
export { type AttachAnswer, Attaching } from './answers/attach/attaching.js';
export type { Fetch } from './answers/attach/fetch.js';
export { Names } from './answers/attach/names.js';
export type { ProbePlace } from './answers/attach/place.js';
export { ATTACH_FORMS, type AttachForm, Recipe } from './answers/attach/recipe.js';
export type { ProbeKind, RecipeFacts } from './answers/attach/recipe-facts.js';
export type { AttachArgument, Signature } from './answers/attach/signature.js';
export { type Audit, auditKernel, type Tally } from './answers/audit.js';
export { type CheckItem, type CheckResult, checkKernel } from './answers/check/check.js';
export { type AbiComparison, type AbiDifference, compareAbi } from './answers/check/compare-abi.js';
export type { CFunction, CType } from './answers/check/ctype.js';
export type { AbiSymbol, KernelAbi } from './answers/check/kernel-abi.js';
export type { LimitName } from './answers/check/limits.js';
export type { MechanismName } from './answers/check/mechanisms.js';
export { RequirementsError, type RequirementsProblem } from './answers/check/problems.js';
export { readAbi } from './answers/check/read-abi.js';
export {
  type PrototypeVariant,
  type RequiredFunction,
  type RequiredLimit,
  type Requirements,
  readRequirements,
} from './answers/check/requirements.js';
export type { WrittenPrototype } from './answers/check/written-prototype.js';
export type { ListPlace } from './answers/check/yaml.js';
export { type DuplicateGroup, duplicates } from './answers/duplicates.js';
export { type MissingBtfOfAll, type MissingBtfOfAllOptions, type MissingFunction, missingBtfOfAll } from './answers/missing-btf/all.js';
export { BtfAbsence, type MissingBtf, type MissingBtfOptions } from './answers/missing-btf/missing-btf.js';
export type { LoadedVerdicts, ModuleTraceability, NameInModules } from './answers/trace/in-modules.js';
export type { Lead, NameLeads } from './answers/trace/name-leads.js';
export { type SyscallSymbol, syscallSymbols } from './answers/trace/syscall.js';
export { type FunctionTraceability, type PlaceAnswer, Traceability, type TraceabilityAnswer } from './answers/trace/traceability.js';
export { type TracepointAnswer, tracepointAnswer } from './answers/trace/tracepoint.js';
export type { CallingConvention, CallRegister, SyscallEntry } from './arch/calling-convention.js';
export type { Part, Passing } from './arch/pass.js';
export type { Value } from './arch/value.js';
export { carve } from './bpf/carve/carve.js';
export type { ByteRange, Find, Form, FoundProgram } from './bpf/carve/find.js';
export { type AtomicOperation, decode, type Operation } from './bpf/code/decode.js';
export { type Instruction, Instructions, imm64 } from './bpf/code/insn.js';
export { type KernelNames, kernelNotation } from './bpf/code/kernel-notation.js';
export { type LlvmOptions, llvmNotation } from './bpf/code/llvm-notation.js';
export { describeObject, type MapDescription, type ObjectDescription, type ProgramDescription } from './bpf/describe.js';
export { type CodeLabel, type ListedInstruction, Listing, remarks } from './bpf/listing.js';
export { type CorePatch, POISON_IMM } from './bpf/load/core-patch.js';
export { type CoreOptions, type CoreOutcome, type CorePoison, type CoreReport, relocateCore } from './bpf/load/relocate-core.js';
export { type LoadedProgram, type ProgramTag, parseProgramList, programTags, type TagOptions } from './bpf/load/tag.js';
export {
  SECTION_DEFINITIONS,
  type SectionDefinition,
  type SectionMeaning,
  sectionMeaning,
  type TargetGrammar,
} from './bpf/names/section-names.js';
export { type Carved, type CarvedObject, type CarveOptions, carveFiles } from './bpf/node/carve-files.js';
export type { BpfCoreRelocation } from './bpf/object/core-relocations.js';
export type { BpfVariable, DataKind, DataSection, DataSections } from './bpf/object/data.js';
export type { BpfExtern, KconfigExtern, KconfigType, KsymExtern } from './bpf/object/externs.js';
export type { BpfRefusal } from './bpf/object/file.js';
export { type MapSlot, slotsOf } from './bpf/object/map-slots.js';
export type { BpfMap, MapOrigin } from './bpf/object/maps.js';
export { BpfObject, type BpfObjectOptions } from './bpf/object/object.js';
export { type BpfFunction, type BpfProgram, isProgram } from './bpf/object/programs.js';
export { type BpfRelocation, describeRelocation, type RelocationMeaning } from './bpf/object/relocations.js';
export type { BpfStructOps } from './bpf/object/struct-ops.js';
export { type StructOpsMember, structOpsMembers } from './bpf/object/struct-ops-members.js';
export { formatValue, type ValueOptions } from './bpf/object/value.js';
export { openBpfObject } from './bpf/open.js';
export {
  checkPasses,
  type Finding,
  type FindingKind,
  NOT_TOLD,
  type ObjectCheck,
  type Outcome,
  Preflight,
  type ProgramCheck,
} from './bpf/preflight/preflight.js';
export { InputError, MissingError, OutputError } from './errors.js';
export { type Certainty, ERRNO_NUMBERS, type Errno, type Evidence, type Verdict } from './evidence.js';
export { type Area, AreaSet, type Labels } from './facts/areas.js';
export { type KernelConfig, parseConfig } from './facts/config.js';
export type { Definition, Definitions } from './facts/definitions.js';
export { type KernelExport, kernelExports } from './facts/exports.js';
export type { FtraceSites, FtraceState, SiteMode } from './facts/ftrace-sites.js';
export { type FunctionRow, functionRow } from './facts/function-row.js';
export { FunctionTable } from './facts/function-table.js';
export { ImageSymbols } from './facts/image-symbols.js';
export type { KprobeBlacklist } from './facts/kprobe-blacklist.js';
export type { McountTable } from './facts/mcount.js';
export type { ModuleExport } from './facts/module/exports.js';
export type { ModuleImport } from './facts/module/imports.js';
export type { Modinfo } from './facts/module/modinfo.js';
export { Module, type ModuleFunction, type ModuleOptions, type ModuleSite, type Phase } from './facts/module/module.js';
export { offsetOfPlace, placeOf, sectionOfPlace } from './facts/module/pointers.js';
export type { ModuleSignature } from './facts/module/signature.js';
export type { ModuleMcount } from './facts/module/sites.js';
export { type ModuleAnchor, type ModuleInstance, ModuleTable } from './facts/modules/module-table.js';
export type { ModuleEntry, ModulePart } from './facts/modules/part.js';
export type { PatchCode } from './facts/patched-code.js';
export type { FoundBtf, KernelPieces } from './facts/pieces.js';
export { type ImageExtras, piecesOfImage } from './facts/pieces-of-image.js';
export { type Tracepoint, TracepointTable } from './facts/tracepoint-table.js';
export { Kernel } from './kernel.js';
export type { Input, InputOptions } from './open/input.js';
export { type OpenKernelOptions, openKernel, openRunningKernel } from './open/kernel.js';
export { type OpenModuleOptions, openModule } from './open/module.js';
export { REASONS, type ReasonCode } from './reasons.js';
export { toJUnit } from './report/check.js';
export type { KernelId } from './report/report.js';
export type { Clone } from './rules/clones.js';
export type { Decision } from './rules/decision.js';
export { type Modifiable, ModifyReturn } from './rules/modify-return.js';
export type { Entry, EntryParameter } from './rules/pahole/entry.js';
export type { AtAddress, DwarfFacts, InlinedAt, UnderName } from './rules/pahole/facts.js';
export { type BtfStatistics, ERAS, type Era, type PaholeGuess } from './rules/pahole/releases.js';
export type { TracingRules } from './rules/tracing.js';
export { describePrototype, type Passed, type PrototypeCheck, PrototypeRules } from './rules/trampoline-prototype.js';
export { TrampolineRules } from './rules/trampolines.js';
