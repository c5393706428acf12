import { SHF } from '../../../elf/constants.js';
import { openDwarf } from '../../../elf/dwarf/dwarf.js';
import type { Frame } from '../../../elf/dwarf/frames.js';
import { isFormatError } from '../../../elf/errors.js';
import type { KernelFacts } from '../../facts/kernel-facts.js';
import type { Module, ModuleFunction } from '../../facts/module/module.js';
import { type AddressAnswer, type AddressProblem, type SymbolPlace, symbolize } from '../address/symbolize.js';
import { moduleLists } from '../module.js';
import { type CodeComparison, compareCode } from './compare-code.js';
import { loggedCode, programCounter } from './logged-code.js';
import { type LogPlace, placesOf } from './parse-log.js';

/** A place in the code of a module: sections of a module have no addresses before it is loaded. */
export interface ModulePlaceAnswer {
  readonly query: string;
  readonly module: string;
  readonly path: string;
  readonly section: string;
  /** Offset in the section. */
  readonly offset: number;
  readonly symbol: SymbolPlace;
  readonly frames: readonly Frame[];
  readonly file?: string;
  readonly remark?: string;
}

export type OopsAnswer = AddressAnswer | ModulePlaceAnswer | AddressProblem;

/** A place of the log, and each thing it can be: several where functions share name and size. */
export interface OopsPlace extends LogPlace {
  readonly answers: readonly OopsAnswer[];
}

export interface OopsLine {
  readonly text: string;
  readonly places: readonly OopsPlace[];
  /** Of a line with code: what it is beside the image's. Absent for code of a module, whose relocations the kernel has applied. */
  readonly code?: CodeComparison;
}

/** Every line of a log with what it names. @param moved how far KASLR moved the kernel; undefined where that is not known */
export function resolveLog(kernel: KernelFacts, lines: readonly string[], moved: bigint | undefined): OopsLine[] {
  const parsed = lines.map(text => ({ text, places: placesOf(text) }));
  const unique = new Map(parsed.flatMap(({ places }) => places.map(place => [keyOf(place), place] as const)));
  const answers = new Map<string, readonly OopsAnswer[]>();
  for (const [key, found] of inKernel(kernel, unique, moved)) answers.set(key, found);
  for (const [key, found] of inModules(kernel, unique)) answers.set(key, found);
  const resolved = parsed.map(({ text, places }) => ({
    text,
    places: places.map(place => ({ ...place, answers: answers.get(keyOf(place))! })),
  }));
  return withCode(kernel, resolved, moved);
}

/** The code of an oops is that at the program counter, which stands on a line before. */
function withCode(kernel: KernelFacts, lines: readonly OopsLine[], moved: bigint | undefined): OopsLine[] {
  let counter: OopsPlace | undefined;
  return lines.map(line => {
    const isKernels = programCounter(line.text);
    if (isKernels !== undefined) counter = isKernels ? line.places[0] : undefined;
    const code = counter === undefined ? undefined : loggedCode(line.text);
    const found = counter?.answers.flatMap(answer => ('address' in answer ? [answer.address] : [])) ?? [];
    // Of functions that share name and size, the code tells which it is; where it is of none, or of several, the first stands for them.
    const compared = code === undefined ? [] : found.flatMap(address => compareCode(kernel, counter!.query, address, code, moved) ?? []);
    // Code that comes after it is of another place: of a process, whose program counter other lines have.
    if (line.text.includes('Code: ')) counter = undefined;
    const best = compared.sort((a, b) => a.differences.length - b.differences.length)[0];
    return best === undefined ? line : { ...line, code: best };
  });
}

function keyOf({ query, module = '', moduleBuildId = '' }: LogPlace): string {
  return `${query} ${module} ${moduleBuildId}`;
}

type Places = ReadonlyMap<string, LogPlace>;

function* inKernel(kernel: KernelFacts, places: Places, moved: bigint | undefined): Generator<[string, readonly OopsAnswer[]]> {
  const keys = new Map<string, string>();
  for (const [key, { query, name, module }] of places) {
    if (module !== undefined) continue;
    const problem = problemOf(kernel, name, moved);
    if (problem === undefined) keys.set(query, key);
    else yield [key, [{ query, problem }]];
  }
  const found = grouped(symbolize(kernel, [...keys.keys()], moved), ({ query }) => query);
  for (const [query, answers] of found) yield [keys.get(query)!, answers];
}

/** What keeps a place from being looked up. What is near a name is not asked for: a log may have a million names. */
function problemOf({ symbols, pieces }: KernelFacts, name: string | undefined, moved: bigint | undefined): string | undefined {
  if (name === undefined)
    return moved === undefined
      ? 'where the kernel ran is not known: the log has no single "Kernel Offset:", and --stext says it'
      : undefined;
  if (symbols.find(name).length > 0 || pieces.labels(name) !== undefined) return undefined;
  return `no symbol of the kernel is named ${name}: the log is from another build, or the code is not of the image`;
}

function* inModules(kernel: KernelFacts, places: Places): Generator<[string, readonly OopsAnswer[]]> {
  const byModule = grouped(places, ([, { module }]) => module);
  byModule.delete(undefined);
  for (const [name, of] of byModule) {
    // The kernel writes _ where the file may have -.
    const wanted = name!.replaceAll('-', '_');
    const paths = kernel.modules?.modules.filter(entry => entry.name.replaceAll('-', '_') === wanted).map(({ path }) => path) ?? [];
    if (paths.length === 0) {
      const problem = kernel.modules === undefined ? `is in module ${name}: --modules DIR resolves it` : `no module ${name} was read`;
      for (const [key, { query }] of of) yield [key, [{ query, problem }]];
      continue;
    }
    const found = new Map<string, OopsAnswer[]>(of.map(([key]) => [key, []]));
    for (const path of paths) inModule(kernel, path, of, found);
    // Of several files of the name, those that do not have the place say nothing where one has it.
    for (const [key, all] of found) {
      const places = all.filter(answer => !('problem' in answer));
      yield [key, places.length > 0 ? places : all];
    }
  }
}

/** Answers the places of one file of a module. */
function inModule(
  kernel: KernelFacts,
  path: string,
  places: readonly [string, LogPlace][],
  found: ReadonlyMap<string, OopsAnswer[]>,
): void {
  try {
    using module = kernel.modules!.open(path);
    const functions = grouped(moduleLists(module).functions(), ({ name }) => name);
    const framesOf = framesIn(module);
    for (const [key, place] of places) found.get(key)!.push(...answersIn(module, path, place, functions.get(place.name!) ?? [], framesOf));
  } catch (error) {
    if (!isFormatError(error) && !(error instanceof Error && error.name === 'InputError')) throw error;
    for (const [key, { query }] of places) found.get(key)!.push({ query, problem: `${path}: ${error.message}` });
  }
}

type FramesOf = (section: string, offset: number) => readonly Frame[];

function framesIn({ file }: Module): FramesOf {
  const dwarf = openDwarf(file);
  return (section, offset) => {
    const index = file.sections.findIndex(({ name }) => name === section);
    return dwarf === undefined || index < 0 ? [] : dwarf.frames(dwarf.sectionAddress(index) + BigInt(offset));
  };
}

function answersIn(module: Module, path: string, place: LogPlace, named: readonly ModuleFunction[], framesOf: FramesOf): OopsAnswer[] {
  const { query, name, offset, size, moduleBuildId } = place;
  const { buildId } = module;
  if (moduleBuildId !== undefined && buildId !== undefined && moduleBuildId !== buildId)
    return [{ query, problem: `${path} has build id ${buildId}, but the log's module ${moduleBuildId}: it is another build` }];
  if (named.length === 0) return [{ query, problem: `no symbol of ${path} is named ${name}: it is another build` }];
  const fits = named.filter(fn => fn.extent === size || (endsSection(module, fn) && fn.extent <= size! && size! <= textOf(module)));
  if (fits.length === 0) {
    const sizes = [...new Set(named.map(({ extent }) => `0x${extent.toString(16)}`))].join(' or ');
    return [{ query, problem: `no ${name} of ${path} is 0x${size!.toString(16)} bytes long, but ${sizes}: it is another build` }];
  }
  return fits.map(fn => {
    const at = fn.offset + offset!;
    const frames = framesOf(fn.section, at);
    const file = frames.some(({ place: source }) => source !== undefined) ? undefined : fn.file;
    return {
      query,
      module: module.name,
      path,
      section: fn.section,
      offset: at,
      symbol: { name: name!, offset: offset!, size: size! },
      frames,
      ...(file === undefined ? {} : { file }),
    };
  });
}

/** The most that the memory of a module's code takes: its executable sections, and what is left of a page of 64 KiB. */
function textOf({ file }: Module): number {
  return file.sections.reduce((sum, { flags, size }) => sum + ((Number(flags) & SHF.EXECINSTR) === 0 ? 0 : Number(size)), 0x10000);
}

/** The last function of a section: the kernel counts up to the next section's, or the end of the memory (find_kallsyms_symbol()). */
function endsSection({ file }: Module, { section, offset, extent }: ModuleFunction): boolean {
  return offset + extent >= Number(file.section(section)?.size ?? Infinity);
}

function grouped<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
