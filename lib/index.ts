export type { Abi, AbiRegister, SyscallEntry } from './abi/abi.js';
export type { Part, Passing } from './abi/pass.js';
export type { Value } from './abi/value.js';
export { type AttachAnswer, Attaching } from './answers/attach.js';
export { type Audit, auditKernel, type Tally } from './answers/audit.js';
export type { Decision } from './answers/decision.js';
export { TracingDecisions } from './answers/decisions.js';
export { type DuplicateGroup, duplicates } from './answers/duplicates.js';
export type { LoadedVerdicts, ModuleTraceability, NameInModules } from './answers/in-modules.js';
export { BtfAbsence, type MissingBtf, type MissingBtfOptions } from './answers/missing-btf.js';
export type { Lead, NameLeads } from './answers/name-leads.js';
export { type BtfStatistics, ERAS, type Era, type PaholeGuess } from './answers/pahole.js';
export { describePrototype, type Passed, type PrototypeCheck, PrototypeRules } from './answers/prototype.js';
export { type SourceOfFunction, sourceOfFunction } from './answers/source-place.js';
export type { AddressAnswer, AddressProblem, SymbolPlace } from './answers/symbolize.js';
export { type SyscallSymbol, syscallSymbols } from './answers/syscall.js';
export { type FunctionTraceability, type PlaceAnswer, Traceability, type TraceabilityAnswer } from './answers/traceability.js';
export { type TracepointAnswer, tracepointAnswer } from './answers/tracepoint.js';
export type { Clone } from './attach/clones.js';
export type { Fetch } from './attach/fetch.js';
export { Names } from './attach/names.js';
export type { ProbePlace } from './attach/place.js';
export { ATTACH_FORMS, type AttachForm, type ProbeKind, Recipe, type RecipeFacts } from './attach/recipe.js';
export type { AttachArgument, Signature } from './attach/signature.js';
export { carve } from './bpf/carve/carve.js';
export type { ByteRange, Find, Form, FoundProgram } from './bpf/carve/find.js';
export { type CoreOptions, type CoreOutcome, type CorePoison, type CoreReport, relocateCore } from './bpf/core.js';
export { type CorePatch, POISON_IMM } from './bpf/core-patch.js';
export type { BpfCoreRelocation } from './bpf/core-relocations.js';
export type { BpfVariable, DataKind, DataSection, DataSections } from './bpf/data.js';
export { type AtomicOperation, decode, type Operation } from './bpf/decode.js';
export { describeObject, type MapDescription, type ObjectDescription, type ProgramDescription } from './bpf/describe.js';
export type { BpfExtern, KconfigExtern, KconfigType, KsymExtern } from './bpf/externs.js';
export type { BpfRefusal } from './bpf/file.js';
export { type Instruction, Instructions, imm64 } from './bpf/insn.js';
export { type KernelNames, kernelNotation } from './bpf/kernel-notation.js';
export { type CodeLabel, type ListedInstruction, Listing, remarks } from './bpf/listing.js';
export { type LlvmOptions, llvmNotation } from './bpf/llvm-notation.js';
export { type MapSlot, slotsOf } from './bpf/map-slots.js';
export type { BpfMap, MapOrigin } from './bpf/maps.js';
export { type Carved, type CarvedObject, type CarveOptions, carveFiles } from './bpf/node/carve-files.js';
export { openBpfObject } from './bpf/node/open.js';
export { openPreflight } from './bpf/node/preflight.js';
export { BpfObject, type BpfObjectOptions, readBpfObject } from './bpf/object.js';
export type { ModuleContents, ReadModule } from './bpf/preflight/modules.js';
export {
  checkPasses,
  type Finding,
  type FindingKind,
  NOT_TOLD,
  type ObjectCheck,
  type Outcome,
  Preflight,
  type PreflightOptions,
  type ProgramCheck,
} from './bpf/preflight/preflight.js';
export { type BpfFunction, type BpfProgram, isProgram } from './bpf/programs.js';
export { type BpfRelocation, describeRelocation, type RelocationMeaning } from './bpf/relocations.js';
export {
  SECTION_DEFINITIONS,
  type SectionDefinition,
  type SectionMeaning,
  sectionMeaning,
  type TargetGrammar,
} from './bpf/section-names.js';
export type { BpfStructOps } from './bpf/struct-ops.js';
export { type StructOpsMember, structOpsMembers } from './bpf/struct-ops-members.js';
export { type LoadedProgram, type ProgramTag, parseProgramList, programTags, type TagOptions } from './bpf/tag.js';
export { formatValue, type ValueOptions } from './bpf/value.js';
export { type CheckItem, type CheckResult, checkKernel } from './check/check.js';
export { type AbiComparison, type AbiDifference, compareAbi } from './check/compare-abi.js';
export type { CFunction, CType } from './check/ctype.js';
export { type JUnitKernel, toJUnit } from './check/junit.js';
export type { AbiSymbol, KernelAbi } from './check/kernel-abi.js';
export type { LimitName } from './check/limits.js';
export type { MechanismName } from './check/mechanisms.js';
export { RequirementsError, type RequirementsProblem } from './check/problems.js';
export type { WrittenPrototype } from './check/prototype.js';
export { readAbi } from './check/read-abi.js';
export {
  type PrototypeVariant,
  type RequiredFunction,
  type RequiredLimit,
  type Requirements,
  readRequirements,
} from './check/requirements.js';
export type { ListPlace } from './check/yaml.js';
export { MissingError, OutputError } from './errors.js';
export { type Certainty, ERRNO_NUMBERS, type Errno, type Evidence, type Verdict } from './evidence.js';
export { type KernelExport, kernelExports } from './exports.js';
export type { McountTable } from './ftrace/mcount.js';
export type { FtraceSites, FtraceState, SiteMode } from './ftrace/sites.js';
export { type FunctionRow, functionRow } from './function-row.js';
export { FunctionTable } from './functions.js';
export { ImageSymbols } from './image-symbols.js';
export { type FoundBtf, Kernel, type KernelPieces } from './kernel.js';
export { type Area, AreaSet, type Labels } from './kprobes/areas.js';
export type { KprobeBlacklist } from './kprobes/blacklist.js';
export type { PatchCode } from './kprobes/patched.js';
export { type KprobeRefusal, KprobeRules, type NotraceRule } from './kprobes/rules.js';
export type { ModuleExport } from './module/exports.js';
export type { ModuleImport } from './module/imports.js';
export type { Modinfo } from './module/modinfo.js';
export { Module, type ModuleFunction, type ModuleOptions, type ModuleSite, type Phase } from './module/module.js';
export { offsetOfPlace, placeOf, sectionOfPlace } from './module/pointers.js';
export type { ModuleSignature } from './module/signature.js';
export type { ModuleMcount } from './module/sites.js';
export { ModuleBtfs } from './modules/btf.js';
export type { ModuleEntry, ModulePart } from './modules/part.js';
export { findModules, type ReadModulesOptions, readModules } from './modules/read.js';
export { type ModuleAnchor, type ModuleInstance, ModuleTable } from './modules/table.js';
export { type KernelConfig, parseConfig } from './open/config.js';
export { type ImageExtras, piecesOfImage } from './open/image.js';
export { liveObstacle } from './open/live.js';
export { type OpenModuleOptions, openModule } from './open/module.js';
export { type OpenKernelOptions, openKernel, openRunningKernel } from './open/open.js';
export { type MissingBtfOfAll, type MissingBtfOfAllOptions, type MissingFunction, missingBtfOfAll } from './pahole/all.js';
export type { Entry, EntryParameter } from './pahole/entry.js';
export type { AtAddress, DwarfFacts, InlinedAt, UnderName } from './pahole/facts.js';
export { REASONS, type ReasonCode } from './reasons.js';
export { InputError, openSource, type SourceOptions } from './source/node.js';
export type { SymbolFact, SymbolFacts } from './symbol-facts.js';
export { type Tracepoint, TracepointTable } from './tracepoints/table.js';
export { type Modifiable, ModifyReturn } from './trampolines/modifiable.js';
export { TrampolineRules } from './trampolines/rules.js';
