import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { difference, documents, examplesOf, outputOf } from '../support/examples.js';
import type { Check } from './check.js';
import type { KernelFiles } from './run.js';

/** The release that the documents show. */
const SHOWN = '6.1.0-56-cloud-';

/**
 * The outputs that the documents show of real kernels, where the folder has the files that the command names: those that were made for an example,
 * such as a changed .config, are not there.
 */
export async function documentedOutputs({ name, vmlinux }: KernelFiles, check: Check): Promise<void> {
  const folder = dirname(vmlinux);
  const [machine] = name.split('-');
  if (readFileSync(`${folder}/complete`, 'utf8').trim() !== `${SHOWN}${machine}`) return;
  const examples = documents()
    .flatMap(examplesOf)
    .filter(example => example.machine === machine && /^kelf \w+( \w+)? vmlinu[xz]( |$)/.test(example.command))
    .filter(({ command }) => [...command.matchAll(/--(?:btf|config) (\S+)/g)].every(([, file]) => existsSync(`${folder}/${file}`)))
    // What a kernel without ftrace would say.
    .filter(({ shown }) => !shown[0]!.startsWith('kelf: '));
  await check('the documents show what is printed', [], () => {
    const wrong = examples.flatMap(({ file, command, shown }) => {
      const differs = difference(shown, outputOf(command, folder));
      return differs === undefined ? [] : [`${file}: $ ${command}\n${differs}`];
    });
    return { ok: wrong.length === 0, figures: wrong.length === 0 ? `${examples.length} examples` : wrong.join('\n') };
  });
}
