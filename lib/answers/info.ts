import { KIND_NAMES, KINDS, type RecordKind } from '../../btf/kinds.js';
import { machineName } from '../../elf/names.js';
import { compilerOf, versionOf } from '../facts/banner.js';
import { kernelExports } from '../facts/exports.js';
import type { KernelFacts } from '../facts/kernel-facts.js';
import { guessedEras } from '../rules/pahole/eras.js';
import { BtfAbsence } from './missing-btf/missing-btf.js';

/** One thing that is known of a kernel. */
export interface Fact {
  readonly fact: string;
  readonly value: string;
  /** Where it comes from, or why it is not known. */
  readonly source: string;
}

/** What configures tracing: asked for by name. */
const OPTIONS_OF_TRACING = [
  'PAHOLE_VERSION',
  'KALLSYMS_ALL',
  'KPROBES',
  'KPROBE_EVENTS_ON_NOTRACE',
  'DYNAMIC_FTRACE',
  'FPROBE',
  'X86_KERNEL_IBT',
];

/** What is known of a kernel, and where from. */
export function factsOf(kernel: KernelFacts): Fact[] {
  const { symbolsMissing } = kernel;
  return symbolsMissing === undefined ? factsOfKernel(kernel) : factsOfUnnamed(kernel, symbolsMissing);
}

/** Of a file without functions, such as one of BTF alone. */
function factsOfUnnamed(kernel: KernelFacts, reason: string): Fact[] {
  const { pieces } = kernel;
  return [
    known('form', pieces.form.join(', '), kernel.name),
    known('machine', machineName(kernel.machine), ''),
    known('release', kernel.release, kernel.image === undefined ? 'the name of the file' : 'banner'),
    known('build id', kernel.buildId, '.notes'),
    known('symbols', 'none', reason),
    known('.symtab', symtabOf(kernel), 'no functions'),
    btfFact(kernel),
    ...kindsFact(kernel),
  ];
}

function known(fact: string, value: string | undefined, source: string): Fact {
  return { fact, value: value ?? 'unknown', source: value === undefined ? '' : source };
}

function symtabOf({ pieces }: KernelFacts): string {
  return String(pieces.imageSymbols()?.table.count ?? 'none');
}

function btfFact({ btf, btfSource }: KernelFacts): Fact {
  return known('BTF', btf === undefined ? 'none' : `${btf.count - 1} types, ${btf.functions().length} functions`, btfSource ?? '');
}

/** The kinds of its types, with the libbpf that each takes: an older one says `Unsupported BTF_KIND:19`, and reads none of it. */
function kindsFact({ btf, btfSource }: KernelFacts): Fact[] {
  if (btf === undefined) return [];
  const numbers = new Set<number>();
  for (let id = btf.firstId; id < btf.count; id++) numbers.add(btf.kindNumber(id));
  const later: string[] = [];
  for (const number of [...numbers].sort((a, b) => a - b)) {
    const name = KIND_NAMES[number];
    const libbpf = name === undefined ? 'not known here' : KINDS[name as RecordKind].libbpf;
    if (libbpf !== undefined) later.push(`${name ?? number} (${name === undefined ? '' : 'libbpf '}${libbpf})`);
  }
  const all = `${numbers.size - later.length} that every libbpf reads`;
  return [known('BTF kinds', [...later, all].join(', '), btfSource ?? '')];
}

function factsOfKernel(kernel: KernelFacts): Fact[] {
  const { pieces, banner, symbols, btf, functions, mcount } = kernel;
  const { config, form } = { config: pieces.config(), form: pieces.form };
  const exports = kernelExports(kernel);
  return [
    known('form', form.join(', '), kernel.name),
    known('machine', machineName(kernel.machine), ''),
    known('release', kernel.release, 'banner'),
    known('compiler', compilerOf(banner), 'banner'),
    known('version', versionOf(banner), 'banner'),
    known('build id', kernel.buildId, '.notes'),
    known('symbols', `${symbols.count}, ${functions.count} of text`, symbols.source),
    known('.symtab', symtabOf(kernel), 'sizes, bindings, source files'),
    known(
      'ftrace sites',
      functions.sites === undefined ? functions.ftrace : String(functions.sites.ip.length),
      functions.sites?.source ?? '',
    ),
    known('__mcount_loc', mcount === undefined ? undefined : `${mcount.count} words, ${mcount.zeroStored} zero in the file`, 'image'),
    known(
      'kprobe blacklist',
      pieces.blacklist() === undefined ? undefined : `${pieces.blacklist()!.ranges.areas.length} ranges`,
      pieces.blacklist()?.source ?? '',
    ),
    btfFact(kernel),
    ...kindsFact(kernel),
    ...(btf === undefined ? [] : [known('pahole', guessedEras(new BtfAbsence(kernel).pahole), 'the BTF, and .config if it matches')]),
    known(
      'exports',
      exports === undefined ? undefined : `${exports.length}, ${exports.filter(({ gpl }) => gpl).length} for GPL modules`,
      '__ksymtab',
    ),
    known('.config', config === undefined ? undefined : 'found', config?.source ?? ''),
    ...(config === undefined
      ? []
      : OPTIONS_OF_TRACING.map(name => known(`CONFIG_${name}`, config.get(`CONFIG_${name}`) ?? 'not set', config.source))),
  ];
}
