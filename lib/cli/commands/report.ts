import { readFileSync } from 'node:fs';
import { deflateRawSync } from 'node:zlib';
import { digestOf } from '../../bpf/load/digest.js';
import { saveFile } from '../../node/save.js';
import { pageHtml } from '../../web/html.js';
import { kernelPage } from '../../web/kernel-page.js';
import { STYLE } from '../../web/style.js';
import { type Command, command, EXIT, UsageError } from '../command.js';
import { KERNEL_OPTIONS, oneKernel, PAHOLE_OPTION, paholeOptions, withKernel } from '../with-kernel.js';

const { json: _, ...OPTIONS } = KERNEL_OPTIONS;

export const report: Command = command({
  usage: 'FILE|--live --out REPORT [OPTION…]',
  arity: [0, 1],
  about: `Writes a page that shows a kernel: what each mechanism refuses and why, what BTF lacks and why, and a table of all functions with a page for
each. It is one file, which a browser opens without a network: it asks for nothing from elsewhere.`,
  options: { ...OPTIONS, ...PAHOLE_OPTION, out: { type: 'string', short: 'o', value: 'REPORT', help: 'the file to write, REPORT.html' } },
  run({ args, options, note }) {
    oneKernel(args, options);
    const { out } = options;
    if (out === undefined) throw new UsageError('give the file to write: --out REPORT.html');
    return withKernel(args, options, note, kernel => {
      const data = JSON.stringify(kernelPage(kernel, paholeOptions(options['pahole-version'])));
      const page = pageHtml({
        // As tsc wrote it: the browser runs the same file.
        script: readFileSync(new URL('../../web/client.js', import.meta.url), 'utf8'),
        style: STYLE,
        packed: deflateRawSync(data),
        sha256: text => digestOf('sha256', new TextEncoder().encode(text)),
      });
      saveFile(out, page);
      note(`kelf: ${out}: ${Buffer.byteLength(page)} bytes`);
      return EXIT.ok;
    });
  },
});
