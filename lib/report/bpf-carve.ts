import type { CarvedObject } from '../bpf/carve/find.js';
import type { Report } from './report.js';
import { offsetText, table } from './text.js';

export interface CarveModel {
  /** How many were searched. */
  readonly files: number;
  readonly objects: readonly CarvedObject[];
}

/** `kelf bpf carve`. */
export const carveReport: Report<CarveModel> = {
  schema: 'kelf/bpf-carve',
  version: 1,
  text: ({ objects }) => objects.flatMap(objectLines),
};

function objectLines({ path, offset, length, form, sha256, programs, written, btf, loader }: CarvedObject): string[] {
  const rows = programs.map(({ name, section, instructions }) => {
    return [name, section ?? (instructions === undefined ? '' : `${instructions.length / 8} instructions`)];
  });
  return [
    `${offsetText(path, offset)}: ${form}, ${length} bytes, sha256 ${sha256}`,
    ...table(rows, '  '),
    ...(btf === undefined ? [] : [`  BTF: ${btf.length} bytes`]),
    ...(loader === undefined ? [] : [`  loader: ${loader.length / 8} instructions at ${offsetText('', loader.offset)}`]),
    ...(written === undefined ? [] : [`  written to ${written}`]),
  ];
}
