/**
 * The facts about a kernel from its files, and the questions about it: see {@link openKernel}. BPF objects have their own entry point,
 * `kelf/bpf`; the formats are `kelf/elf`, `kelf/btf` and `kelf/kallsyms`.
 *
 * @module kelf
 */
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
export type { AttachAnswer, Attaching } from './answers/attach/attaching.js';
export type { Names } from './answers/attach/event-names.js';
export type { Fetch } from './answers/attach/fetch.js';
export type { ProbePlace } from './answers/attach/place.js';
export { ATTACH_FORMS, type AttachForm, type Recipe, recipeLine } from './answers/attach/recipe.js';
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
export type { DuplicateGroup } from './answers/duplicates.js';
export {
  type CollectEntries,
  type MissingBtfOfAll,
  type MissingBtfOfAllOptions,
  type MissingFunction,
  missingBtfOfAll,
} from './answers/missing-btf/all.js';
export type { MissingBtf, MissingBtfOptions } from './answers/missing-btf/missing-btf.js';
export type { LoadedVerdicts, ModulePlace, ModuleTraceability, NameInModules } from './answers/trace/in-modules.js';
export type { Lead, NameLeads } from './answers/trace/name-leads.js';
export { type SyscallSymbol, syscallSymbols } from './answers/trace/syscall.js';
export type { FunctionTraceability, PlaceAnswer, TraceabilityAnswer } from './answers/trace/traceability.js';
export { type TracepointAnswer, tracepointAnswer } from './answers/trace/tracepoint.js';
export type {
  Architecture,
  CallSites,
  CallSiteTable,
  FunctionEntry,
  LabelledArea,
  RawImageKind,
  TrampolineEra,
} from './arch/architecture.js';
export type { CallingConvention, CallRegister, SyscallEntry } from './arch/calling-convention.js';
export type { Calls, ConstantCall } from './arch/constant-calls.js';
export type { Part, Passing } from './arch/pass.js';
export type { Value } from './arch/value.js';
export type { Instruction } from './arch/x86-instructions.js';
export { InputError, MissingError, OutputError } from './errors.js';
export { type Certainty, ERRNO_NUMBERS, type Errno, type Evidence, type Outcome, type Verdict } from './evidence.js';
export type { Area, AreaSet, Labels } from './facts/areas.js';
export { type KernelConfig, parseConfig } from './facts/config.js';
export type { Definition, Definitions } from './facts/definitions.js';
export { type KernelExport, kernelExports } from './facts/exports.js';
export type { FtraceSites, FtraceState, SiteMode } from './facts/ftrace-sites.js';
export { type FunctionRow, functionRow } from './facts/function-row.js';
export type { FunctionIndex, FunctionTable } from './facts/function-table.js';
export type { ElfSymbolRow, ImageSymbols } from './facts/image-symbols.js';
export type { KernelFacts } from './facts/kernel-facts.js';
export { KFUNC_FLAGS, type KfuncRow, kfuncFlagNames, kfuncRows } from './facts/kfuncs.js';
export type { KprobeBlacklist } from './facts/kprobe-blacklist.js';
export type { McountTable } from './facts/mcount.js';
export type { Modinfo } from './facts/module/modinfo.js';
export type { Module, ModuleFunction, ModuleOptions, ModuleSite, Phase } from './facts/module/module.js';
export type { ModuleExport } from './facts/module/module-exports.js';
export type { ModuleImport } from './facts/module/module-imports.js';
export type { ModuleSignature } from './facts/module/module-signature.js';
export type { ModuleMcount } from './facts/module/module-sites.js';
export { offsetOfPlace, placeOf, sectionOfPlace } from './facts/module/pointers.js';
export type { ModuleAnchor, ModuleInstance, ModuleRow, ModuleTable } from './facts/module-table/module-table.js';
export type { ModuleEntry } from './facts/module-table/part.js';
export type { PatchCode, PatchedCode } from './facts/patched-code.js';
export type { FoundBtf, KernelPieces } from './facts/pieces.js';
export type { Tracepoint, TracepointTable } from './facts/tracepoint-table.js';
export { type DiffOptions, diffKernels, type KernelDiff } from './fleet/diff/diff-kernels.js';
export { DIFFERENCE_KINDS, type Difference, type DifferenceKind, EFFECTS, type Effect, type Fate } from './fleet/diff/difference.js';
export type { InlinedOptions } from './fleet/diff/inlined.js';
export { Touched } from './fleet/diff/touched.js';
export { kernelsIn } from './image/unwrap.js';
export { Kernel } from './kernel.js';
export type { Input, InputOptions } from './open/input.js';
export { type OpenKernelOptions, openKernel, openRunningKernel } from './open/open-kernel.js';
export { type OpenModuleOptions, openModule } from './open/open-module.js';
export { REASONS, type ReasonCode } from './reasons.js';
export { CHANGES, type Change, type ChangeName, type HasChange } from './releases.js';
export { toJUnit } from './report/check.js';
export { toJson } from './report/json.js';
export type { KernelId } from './report/report.js';
export type { Clone } from './rules/clones.js';
export type { Decision } from './rules/decision.js';
export type { FilterRules } from './rules/filters.js';
export type { KprobeRules } from './rules/kprobes.js';
export type { Modifiable } from './rules/modify-return.js';
export type { CountsNames } from './rules/name-counting.js';
export type { NotraceRule } from './rules/notrace.js';
export type { Entry, EntryParameter } from './rules/pahole/entry.js';
export { ERAS, type Era, type PaholeGuess } from './rules/pahole/eras.js';
export type { Sites } from './rules/sites.js';
export type { TracingRules } from './rules/tracing.js';
export type { Limit, TrampolineLimits } from './rules/trampoline-limits.js';
export type { Passed, PrototypeCheck } from './rules/trampoline-prototype.js';
export type { TrampolineProgram, TrampolineRules } from './rules/trampolines.js';
