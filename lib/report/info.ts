import type { Fact } from '../answers/info.js';
import type { KernelExport } from '../facts/exports.js';
import type { Report } from './report.js';
import { crcText, table } from './text.js';

/** `kelf info`. */
export const infoReport: Report<{ readonly facts: readonly Fact[] }> = {
  schema: 'kelf/info',
  version: 1,
  text: ({ facts }) => table(facts.map(({ fact, value, source }) => [fact, value, source])),
};

/** `kelf info --exports`. */
export const exportsReport: Report<{ readonly exports: readonly KernelExport[] }> = {
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
