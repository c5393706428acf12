import { type CheckItem, type CheckResult, checkKernel } from '../../answers/check/check.js';
import { type AbiComparison, type AbiDifference, compareAbi } from '../../answers/check/compare-abi.js';
import type { KernelAbi } from '../../answers/check/kernel-abi.js';
import type { Requirements } from '../../answers/check/requirements.js';
import { InputError } from '../../errors.js';
import type { Kernel } from '../../kernel.js';
import { saveFile } from '../../node/save.js';
import { openSource } from '../../node/source.js';
import { toJson } from '../../report/json.js';
import { evidenceLine } from '../../report/text.js';
import { type Command, command, EXIT, type OptionSpec, UsageError } from '../command.js';
import { KERNEL_OPTIONS, kernelId, MODULES_OPTION, oneKernel, PAHOLE_OPTION, paholeOptions, withKernel } from '../kernel.js';

type FileOption = OptionSpec & { readonly type: 'string' };
type FileOptions = OptionSpec & { readonly type: 'string'; readonly multiple: true };
const OPTIONS: typeof KERNEL_OPTIONS & { readonly modules: typeof MODULES_OPTION } & typeof PAHOLE_OPTION & {
    readonly require: FileOptions;
    readonly abi: FileOption;
    readonly junit: FileOption;
  } = {
  ...KERNEL_OPTIONS,
  modules: MODULES_OPTION,
  ...PAHOLE_OPTION,
  require: { type: 'string', multiple: true, value: 'LIST', help: 'a list of what is required, YAML or JSON; may be given several times' },
  abi: { type: 'string', value: 'FILE', help: 'compare with an ABI: ABIXML of libabigail (abidw), STG, or a list of symbols' },
  junit: { type: 'string', value: 'FILE', help: "write JUnit XML to FILE; to stdout, in place of the text, with '-'" },
};

export const check: Command<typeof OPTIONS> = command({
  usage: 'FILE|--live --require LIST [--abi FILE] [OPTION…]',
  arity: [0, 1],
  about: `The gate for CI: whether a kernel has the functions of a list, each with the mechanisms and the prototype it needs, keeps to limits of the
audit's figures, and agrees with an ABI. Exit code 0: it does; 1: it does not, or its file does not tell.`,
  options: OPTIONS,
  run: async ({ args, options, out, note }) => {
    oneKernel(args, options);
    const { require: lists = [], abi: abiPath, junit } = options;
    if (lists.length === 0 && abiPath === undefined) throw new UsageError('give a --require LIST, or an --abi FILE');
    if (junit === '-' && options.json) throw new UsageError('--json and --junit - both write to stdout: give one of them');
    const requirements: Requirements[] = [];
    const { readRequirements } = await import('../../answers/check/requirements.js');
    for (const path of lists) requirements.push(await readRequirements(textOf(path, 1 << 20), path));
    const abi: KernelAbi | undefined =
      abiPath === undefined
        ? undefined
        : await (await import('../../answers/check/read-abi.js')).readAbi(textOf(abiPath, 1 << 28), abiPath);
    const { toJUnit } = await import('../../report/check-junit.js');
    let report: Promise<string> | undefined;
    const code = await withKernel(args, options, note, kernel => {
      const results = requirements.map(list => checkKernel(kernel, list, paholeOptions(options['pahole-version'])));
      const result: CheckResult = { ok: results.every(({ ok }) => ok), items: results.flatMap(({ items }) => items) };
      const compared = abi === undefined ? undefined : compareAbi(kernel, abi);
      if (junit !== undefined) report = toJUnit(kernelId(kernel), result, compared);
      const ok = result.ok && compared?.ok !== false;
      if (options.json) {
        const answer = { ok, items: result.items, ...(compared === undefined ? {} : { abi: compared }) };
        out.line(toJson({ schema: 'kelf/check', version: 1, kernel: kernelId(kernel), ...answer }));
      } else if (junit !== '-') for (const line of checkLines(kernel, result, compared)) out.line(line);
      return ok ? EXIT.ok : EXIT.findings;
    });
    if (report !== undefined && junit === '-') out.text(await report);
    else if (report !== undefined) saveFile(junit!, await report);
    return code;
  },
});

function textOf(path: string, most: number): string {
  const source = openSource(path);
  try {
    if (source.size > most) throw new InputError(path, 'limit', `is larger than ${most >> 20} MiB`);
    return new TextDecoder().decode(source.read(0, source.size));
  } finally {
    source.close();
  }
}

/** More differences of an ABI than these are counted; --json has them all. */
const MOST_DIFFERENCES = 40;

function checkLines(kernel: Kernel, { items }: CheckResult, abi: AbiComparison | undefined): string[] {
  const of = (outcome: CheckItem['outcome']): CheckItem[] => items.filter(item => item.outcome === outcome);
  const [failed, open, passed] = [of('failed'), of('open'), of('passed')];
  const variants = passed.filter(({ variant }) => variant !== undefined);
  return [
    ...[...failed, ...open].flatMap(itemLines),
    ...variants.map(({ name, variant }) => `${name}: the prototype is ${variant}`),
    ...(abi === undefined ? [] : abiLines(abi)),
    ...(items.length === 0
      ? []
      : [`${kernel.name}: ${passed.length} of ${items.length} requirements met, ${failed.length} failed, ${open.length} open`]),
  ];
}

function itemLines({ name, needs, outcome, says, code, errno, fix, because, at }: CheckItem): string[] {
  const reason = [errno, code === undefined ? says : `${code}: ${says}`].filter(Boolean).join('  ');
  return [
    `${outcome}  ${name}: ${needs}: ${reason}`,
    ...because.slice(0, 4).map(evidence => `  ${evidenceLine(evidence)}`),
    ...(fix === undefined ? [] : [`  fix: ${fix}`]),
    `  required at ${at.file}:${at.line}:${at.column}`,
  ];
}

/** What breaks whoever uses a symbol comes first: a checksum differs with any type that it is made of. */
const KINDS: readonly AbiDifference['kind'][] = ['missing', 'kind', 'prototype', 'crc'];

function abiLines({ file, differences, compared, uncompared, against }: AbiComparison): string[] {
  const more = differences.length - MOST_DIFFERENCES;
  const of = (kind: AbiDifference['kind']): AbiDifference[] => differences.filter(difference => difference.kind === kind);
  const counts = KINDS.flatMap(kind => (of(kind).length === 0 ? [] : `${of(kind).length} ${kind}`));
  const inModules = compared.modules === 0 ? '' : ` and those of ${modulesText(compared.modules)}`;
  return [
    ...KINDS.flatMap(of)
      .slice(0, MOST_DIFFERENCES)
      .map(({ symbol, module, kind, says }) => `failed  ${module === undefined ? '' : `${module}:`}${symbol}: ${kind}: ${says}`),
    ...(more > 0 ? [`and ${more} more differences`] : []),
    `${file}: ${compared.symbols} symbols compared with the kernel's ${against}${inModules}, ${compared.crcs} checksums, ${compared.prototypes} prototypes: ${differences.length} differences${counts.length === 0 ? '' : ` (${counts.join(', ')})`}`,
    ...(uncompared.crcs + uncompared.prototypes === 0
      ? []
      : [`  not compared: ${uncompared.crcs} checksums, ${uncompared.prototypes} prototypes that the kernel's files lack`]),
    ...(uncompared.modules === 0
      ? []
      : [`  not compared: ${uncompared.symbolsOfModules} symbols of ${modulesText(uncompared.modules)}: give --modules DIR`]),
  ];
}

function modulesText(count: number): string {
  return `${count} module${count === 1 ? '' : 's'}`;
}
