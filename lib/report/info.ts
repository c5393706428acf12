import type { BtfInfo, KernelInfo, PaholeInfo } from '../answers/info.js';
import type { KernelExport } from '../facts/exports.js';
import type { KernelId, Report } from './report.js';
import { crcText, table } from './text.js';

export interface InfoModel extends KernelInfo {
  readonly kernel: KernelId;
}

/** `kelf info`: in text each thing with where it was read. */
export const infoReport: Report<InfoModel> = {
  schema: 'kelf/info',
  version: 2,
  text: info => table(infoRows(info)),
};

/** What is known of a kernel, in words, with where it was read: what, its value, its source. */
export function infoRows(info: InfoModel): (readonly [what: string, value: string, source: string])[] {
  const rows = info.symbolsMissing === undefined ? rowsOfNamed(info) : rowsOfUnnamed(info, info.symbolsMissing);
  return rows.map(([what, value, source]) => [what, value ?? 'unknown', value === undefined ? '' : source]);
}

const RELEASE_FROM = { banner: 'banner', 'file name': 'the name of the file' } as const;

/** What, its value, and where that is from. */
type Row = readonly [what: string, value: string | undefined, source: string];

/** Of a file without functions, such as one of BTF alone. */
function rowsOfUnnamed({ kernel, form, machine, release, releaseFrom, buildId, symtab, btf }: InfoModel, reason: string): Row[] {
  return [
    ['form', form.join(', '), kernel.name],
    ['machine', machine, ''],
    ['release', release, RELEASE_FROM[releaseFrom ?? 'banner']],
    ['build id', buildId, '.notes'],
    ['symbols', 'none', reason],
    ['.symtab', String(symtab ?? 'none'), 'no functions'],
    ...btfRows(btf),
  ];
}

function rowsOfNamed({
  kernel,
  form,
  machine,
  release,
  releaseFrom,
  buildId,
  compiler,
  utsVersion,
  symtab,
  btf,
  config,
  ...info
}: InfoModel): Row[] {
  const { symbols, ftraceSites: sites, ftrace, mcount, kprobeBlacklist: blacklist, pahole, exports } = info;
  return [
    ['form', form.join(', '), kernel.name],
    ['machine', machine, ''],
    ['release', release, RELEASE_FROM[releaseFrom ?? 'banner']],
    ['compiler', compiler, 'banner'],
    ['version', utsVersion, 'banner'],
    ['build id', buildId, '.notes'],
    ['symbols', symbols && `${symbols.count}, ${symbols.text} of text`, symbols?.source ?? ''],
    ['.symtab', String(symtab ?? 'none'), 'sizes, bindings, source files'],
    ['ftrace sites', sites === undefined ? ftrace : String(sites.count), sites?.source ?? ''],
    ['__mcount_loc', mcount && `${mcount.words} words, ${mcount.zeroInFile} zero in the file`, 'image'],
    ['kprobe blacklist', blacklist && `${blacklist.ranges} ranges`, blacklist?.source ?? ''],
    ...btfRows(btf),
    ...(pahole === undefined ? [] : [['pahole', paholeText(pahole), 'the BTF, and .config if it matches'] as const]),
    ['exports', exports && `${exports.count}, ${exports.gpl} for GPL modules`, '__ksymtab'],
    ['.config', config && 'found', config?.source ?? ''],
    ...Object.entries(config?.tracing ?? {}).map(([name, value]): Row => [name, value ?? 'not set', config!.source]),
  ];
}

function btfRows(btf: BtfInfo | undefined): Row[] {
  if (btf === undefined) return [['BTF', 'none', '']];
  const { types, functions, kinds, source } = btf;
  const later = kinds.filter(({ kind, libbpf }) => typeof kind === 'number' || libbpf !== undefined);
  const named = later.map(({ kind, libbpf }) => `${kind} (${libbpf === undefined ? 'not known here' : `libbpf ${libbpf}`})`);
  return [
    ['BTF', `${types} types, ${functions} functions`, source],
    ['BTF kinds', [...named, `${kinds.length - later.length} that every libbpf reads`].join(', '), source],
  ];
}

function paholeText({ version, releases }: PaholeInfo): string {
  return version === undefined ? releases.join(', ') : `pahole ${version}`;
}

/** `kelf info --exports`. */
export const exportsReport: Report<{ readonly kernel: KernelId; readonly exports: readonly KernelExport[] }> = {
  schema: 'kelf/exports',
  version: 1,
  text: ({ exports }) =>
    exports.map(({ address, name, gpl, crc, namespace }) => {
      const cells = [
        address.toString(16).padStart(16, '0'),
        crcText(crc),
        gpl ? 'GPL' : 'any',
        name,
        ...(namespace === undefined ? [] : [namespace]),
      ];
      return cells.join('  ');
    }),
};
